"""A dance goes on after its end as far as its music goes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.dance import Dance
from backend.editing.editor import Edit, apply
from backend.editing.operations import operation_from
from backend.editing.spans import Counts
from backend.errors import PirouetteError
from tests.backend.editing.fakes import FakeArtist
from tests.backend.editing.measures import check_seams, check_unchanged


def done(dance: Dance, artist: FakeArtist, op: str, **fields: object) -> Edit:
    return apply(dance, operation_from(json.loads(json.dumps({"op": op, **fields}))), artist)


@pytest.fixture(scope="module")
def shorter(dance: Dance) -> Dance:
    """The dance without its last sections: twenty counts of its music are left, and a little."""
    return done(dance, FakeArtist(), "delete", span="#10:").dance


def test_it_dances_on_over_the_counts_and_leaves_the_rest(shorter: Dance, artist: FakeArtist) -> None:
    edit = done(shorter, artist, "continue", counts=16)
    counts = Counts(shorter.grid)
    start = counts.of_frame(shorter.motion.frames)
    assert edit.dance.motion.frames == counts.frame(start + 16)
    assert check_unchanged(shorter, edit) >= shorter.motion.frames - 48
    check_seams(shorter, edit)
    assert edit.touched[-1][1] == edit.dance.motion.frames


def test_what_is_new_has_a_section_for_each_eight_count_and_the_last_words(shorter: Dance, artist: FakeArtist) -> None:
    edit = done(shorter, artist, "continue", counts=16)
    fresh = edit.dance.sections[len(shorter.sections) :]
    assert len(fresh) == 2
    last = shorter.sections[-1]
    assert {(s.genre, s.prompt, s.seed) for s in fresh} == {(last.genre, last.prompt, last.seed + 1)}
    assert len({section.name for section in edit.dance.sections}) == len(edit.dance.sections)
    assert edit.dance.sections[-1].end_s == pytest.approx(edit.dance.motion.duration_s, abs=0.02)


def test_other_words_may_be_given(shorter: Dance, artist: FakeArtist) -> None:
    edit = done(shorter, artist, "continue", counts=4, genre="hip hop", prompt=" low ", seed=9)
    last = edit.dance.sections[-1]
    assert (last.genre, last.prompt, last.seed) == ("hip-hop", "low", 9)
    assert artist.filled[-1]["genre"] == "hip-hop"


def test_a_dance_goes_on_behind_a_locked_section(shorter: Dance, artist: FakeArtist) -> None:
    locked = done(shorter, artist, "lock", span="#9").dance
    edit = done(locked, artist, "continue", counts=8)
    np.testing.assert_array_equal(edit.dance.motion.poses[: locked.motion.frames], locked.motion.poses)
    assert not edit.dance.sections[-1].locked


def test_more_counts_than_the_music_has_are_refused_by_their_number(shorter: Dance, artist: FakeArtist) -> None:
    with pytest.raises(PirouetteError, match="64 do not fit") as caught:
        done(shorter, artist, "continue", counts=64)
    assert caught.value.code == "bad_range"
    left = int(caught.value.hint.split()[3].rstrip(","))
    assert done(shorter, artist, "continue", counts=left).dance.motion.frames <= len(shorter.sound)


def test_where_the_music_ends_nothing_goes_on(dance: Dance, artist: FakeArtist) -> None:
    with pytest.raises(PirouetteError, match="where the dance ends"):
        done(dance, artist, "continue", counts=1)


def test_novelty_reaches_the_models(shorter: Dance, artist: FakeArtist) -> None:
    done(shorter, artist, "continue", counts=4, novelty=0.5)
    assert artist.novelty == 0.5
