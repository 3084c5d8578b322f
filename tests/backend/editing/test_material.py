"""Material falls on the music's counts, keeps its codes where it can, and sections keep their words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.dance import Dance, Section, Settings, movement_count
from backend.editing.editor import Edit, apply
from backend.editing.encoding import decode_dance, encode_motion
from backend.editing.material import motion_at
from backend.editing.operations import operation_from
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid
from tests.backend.editing.fakes import FakeArtist
from tests.backend.editing.measures import check_in_step, cut, difference

BEAT_S = 0.45


def done(dance: Dance, op: str, artist: FakeArtist | None = None, other: Dance | None = None, **fields: object) -> Edit:
    operation = operation_from(json.loads(json.dumps({"op": op, **fields})))
    return apply(dance, operation, artist or FakeArtist(), sources={"other": other} if other else {})


@pytest.fixture(scope="module")
def pulses() -> Dance:
    """A standing body at 133 BPM whose left elbow bends for a moment on each beat."""
    frames = 240
    time_s = np.arange(frames) / 30.0
    beats = np.arange(0.3, 8.0, BEAT_S)
    poses = np.zeros((frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 18, 1] = np.exp(-((time_s[:, None] - beats) ** 2 / 0.005)).sum(axis=1)
    pelvis = np.tile([0.0, 0.0, 0.92], (frames, 1))
    grid = BeatGrid(beats, np.arange(len(beats)) % 4 == 0, 60.0 / BEAT_S, 4, True)
    section = Section("pulses", 0.0, 8.0, "house", "on the beat", 3)
    motion = Motion(poses, pelvis, 30.0)
    return Dance(motion, np.ones((frames, 4), bool), grid, (section,), Settings("house", "", 3), "test")


def bent_at(edit: Edit, first: int, last: int) -> list[float]:
    """Seconds at which the left elbow is bent most."""
    angle = edit.dance.motion.poses[:, 18, 1]
    return [
        frame / 30.0
        for frame in range(first + 10, last - 10)
        if angle[frame] > 0.7 and angle[frame - 4 : frame].max() < angle[frame] >= angle[frame : frame + 5].max()
    ]


@pytest.mark.parametrize("op", ["insert", "replace"])
def test_the_counts_of_what_comes_in_fall_on_the_counts_of_the_music(dance: Dance, pulses: Dance, op: str) -> None:
    where = {"insert": {"at": "16c"}, "replace": {"span": "16c:24c"}}[op]
    edit = done(dance, op, None, pulses, source={"kind": "other", "span": "2c:10c"}, **where)
    first = edit.touched[0][0]
    assert edit.touched == ((first, 455),)
    moments = bent_at(edit, first, 455)
    assert len(moments) >= 6
    beats = dance.grid.beats_s
    assert max(np.abs(beats - moment).min() for moment in moments) < 1.5 / 30.0


def test_material_over_half_the_counts_is_twice_as_quick(dance: Dance, pulses: Dance) -> None:
    edit = done(dance, "insert", None, pulses, at="16c", counts=4, source={"kind": "other", "span": "2c:10c"})
    first, last = edit.touched[0]
    assert last - first == pytest.approx(74, abs=1)


def test_material_brings_its_words(dance: Dance, pulses: Dance) -> None:
    edit = done(dance, "insert", None, pulses, at="16c", source={"kind": "other", "span": "2c:10c"})
    section = next(section for section in edit.dance.sections if section.name.startswith("pulses"))
    assert (section.genre, section.prompt, section.seed) == ("house", "on the beat", 3)
    others = [section for section in edit.dance.sections if not section.name.startswith("pulses")]
    assert {(section.genre, section.prompt, section.seed) for section in others} == {("pop", "lunges and turns", 1)}


def test_a_copy_of_as_many_frames_is_the_same_frames_and_codes(dance: Dance) -> None:
    edit = done(dance, "duplicate", span="#8")
    radians, metres = difference(cut(dance.motion, 1160, 1200), cut(edit.dance.motion, 1308, 1348))
    assert max(radians, metres) < 1e-5
    np.testing.assert_array_equal(edit.dance.codes_of(8)[0], dance.codes_of(7)[0])


def test_each_section_is_danced_anew_by_its_own_words(dance: Dance) -> None:
    worded = done(dance, "describe", span="#5", prompt="a slow wave").dance
    edit = done(worded, "regenerate", artist := FakeArtist(), span="#4:#6", seed=8)
    assert [call["prompt"] for call in artist.filled] == ["lunges and turns", "a slow wave", "lunges and turns"]
    assert [call["span"] for call in artist.filled] == [(362, 510), (510, 659), (659, 807)]
    assert [section.seed for section in edit.dance.sections[2:7]] == [1, 8, 8, 8, 1]
    assert edit.touched == ((362, 807),)
    check_in_step(worded, edit)


def test_a_new_seed_is_the_next_one_where_none_is_given(dance: Dance) -> None:
    edit = done(dance, "regenerate", span="#4")
    assert edit.dance.sections[3].seed == dance.sections[3].seed + 1


def test_an_unknown_genre_is_refused_before_anything_is_danced(dance: Dance) -> None:
    with pytest.raises(PirouetteError) as caught:
        done(dance, "regenerate", artist := FakeArtist(), span="#4", genre="zzyzx")
    assert caught.value.code == "unknown_genre"
    assert artist.filled == []


def test_a_transfer_takes_the_codes_themselves_or_those_of_the_material_over_its_counts(dance: Dance) -> None:
    edit = done(dance, "transfer", span="#4", movement_from={"kind": "here", "span": "#9"})
    movement, poses = edit.dance.codes_of(3)
    np.testing.assert_array_equal(poses, dance.codes_of(3)[1])
    np.testing.assert_array_equal(movement, dance.codes_of(8)[0])
    artist = FakeArtist()
    longer = done(dance, "transfer", artist, span="#4", movement_from={"kind": "here", "span": "#8:#9"}).dance
    first, last = dance.frames_of(dance.sections[3])
    assert artist.encoded == [[last - first]]  # sixteen counts of material, danced over eight
    assert len(longer.codes_of(3)[0]) == movement_count(last - first)
    np.testing.assert_array_equal(longer.codes_of(3)[1], dance.codes_of(3)[1])


def test_a_dance_without_codes_stays_without_them_until_they_are_needed(dance: Dance) -> None:
    plain = replace(dance, movement_codes=dance.movement_codes[:0], pose_codes=dance.pose_codes[:0])
    assert len(done(plain, "delete", FakeArtist(), span="#4").dance.movement_codes) == 0
    coded = done(plain, "transfer", FakeArtist(), span="#4", poses_from={"kind": "here", "span": "#9"})
    check_in_step(plain, coded)


def test_codes_of_another_codec_are_read_anew(dance: Dance) -> None:
    class Coder(FakeArtist):
        def describe(self) -> dict[str, str]:
            return {"models": "denoiser 1, codec 2"}

    edit = done(replace(dance, model_version="denoiser 1, codec 1"), "mirror", artist := Coder(), span="#4")
    assert sum(len(frames) for frames in artist.encoded) == 12
    assert edit.dance.model_version == "denoiser 1, codec 2"
    again = done(edit.dance, "mirror", artist := Coder(), span="#5")
    assert artist.encoded == [[149]]
    with pytest.raises(PirouetteError) as caught:
        decode_dance(again.dance, FakeArtist())
    assert caught.value.code == "weights_version"


def test_any_motion_becomes_a_dance_with_codes(dance: Dance) -> None:
    poses, pelvis = dance.motion.poses[:300], dance.motion.pelvis[:300]
    edit = encode_motion(Motion(poses, pelvis, 60.0), FakeArtist())
    assert edit.dance.motion.frames == 150
    assert not edit.dance.grid.clear
    assert edit.dance.sections[-1].end_s == pytest.approx(5.0)
    check_in_step(edit.dance, edit)
    decoded = decode_dance(edit.dance, FakeArtist())
    assert decoded.frames == 150
    np.testing.assert_allclose(decoded.pelvis[0, :2], edit.dance.motion.pelvis[0, :2], atol=1e-5)


def test_a_motion_of_three_frames_is_too_short_to_encode() -> None:
    with pytest.raises(PirouetteError) as caught:
        encode_motion(Motion(np.zeros((3, 24, 3)), np.zeros((3, 3)), 30.0), FakeArtist())
    assert caught.value.code == "too_short"


def test_sections_that_do_not_fit_are_told(dance: Dance) -> None:
    gap = replace(dance, sections=(*dance.sections[:3], *dance.sections[4:]))
    with pytest.raises(PirouetteError) as caught:
        done(gap, "delete", span="#1")
    assert caught.value.code == "damaged_file"
    with pytest.raises(PirouetteError, match="codes"):
        done(replace(dance, movement_codes=dance.movement_codes[1:]), "delete", span="#1")


def test_reading_between_frames_is_smooth(dance: Dance) -> None:
    slow = motion_at(dance.motion, np.arange(0.0, 200.0, 0.25))
    np.testing.assert_allclose(slow.poses[::4], dance.motion.poses[:200], atol=1e-5)
    own = np.abs(np.diff(dance.motion.joints()[:200], n=2, axis=0)).max()
    assert np.abs(np.diff(slow.joints(), n=2, axis=0)).max() < own / 2


def test_a_split_at_a_code_keeps_the_codes_and_a_merge_gives_them_back(dance: Dance) -> None:
    first, _ = dance.frames_of(dance.sections[3])
    split = done(dance, "split", artist := FakeArtist(), at=f"{first + 64}f")
    assert artist.encoded == []
    merged = done(split.dance, "merge", span="#4:#5")
    np.testing.assert_array_equal(merged.dance.movement_codes, dance.movement_codes)
    assert merged.dance.sections == dance.sections
