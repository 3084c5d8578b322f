"""Every operation on a real dance of a minute: what is outside stays, nothing jumps, and the music is in step."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.dance import Dance
from backend.editing.editor import Edit, apply
from backend.editing.operations import OPERATIONS, operation_from
from backend.motion.skeleton import FPS
from tests.backend.editing.fakes import FakeArtist
from tests.backend.editing.measures import check_in_step, check_seams, check_unchanged, cut, difference, origins

HERE = {"kind": "here", "span": "#9"}
OTHER = {"kind": "other", "span": "20c:28c"}
# op, fields, frames that stay of the 1624
EDITS = [
    ("regenerate", {"span": "#4", "seed": 5, "prompt": "a spin"}, 1476),
    ("regenerate", {"span": "16c:24c", "strength": 0.3}, 1475),
    ("regenerate", {"span": "8.0:12.0", "seed": 7}, 1504),
    ("regenerate", {"span": "#1", "seed": 3}, 1559),
    ("regenerate", {"span": "#12", "seed": 3}, 1549),
    ("regenerate", {"span": "#5:#6", "seed": 2, "pinned": False}, 1327),
    ("insert", {"at": "8c", "source": OTHER}, 1624),
    ("insert", {"at": "#3", "source": HERE}, 1624),
    ("insert", {"at": "#3", "source": HERE, "counts": 12}, 1624),
    ("insert", {"at": "0.0", "source": {"kind": "library", "id": "phrase"}}, 1624),
    ("insert", {"at": "end", "source": HERE}, 1624),
    ("insert", {"at": "12c", "source": {"kind": "prompt", "prompt": "jump", "seed": 4}}, 1624),
    ("delete", {"span": "16c:24c"}, 1427),
    ("delete", {"span": "8.0:12.0"}, 1456),
    ("delete", {"span": "#1"}, 1559),
    ("delete", {"span": "#11:"}, 1401),
    ("duplicate", {"span": "#3"}, 1624),
    ("duplicate", {"span": "#3", "to": "#7"}, 1624),
    ("replace", {"span": "#5", "source": OTHER}, 1475),
    ("replace", {"span": "#2", "source": {"kind": "here", "span": "10c:14c"}}, 1476),
    ("replace", {"span": "#6", "source": {"kind": "prompt", "prompt": "wave"}}, 1476),
    ("reorder", {"span": "#5", "to": "#2"}, 1480),
    ("reorder", {"span": "#2", "to": "end"}, 1528),
    ("split", {"at": "20c"}, 1624),
    ("merge", {"span": "#2:#3"}, 1624),
    ("mirror", {"span": "#4"}, 1476),
    ("mirror", {"span": "#1"}, 1559),
    ("retime", {"span": "#3", "counts": 4}, 1475),
    ("retime", {"span": "#4", "counts": 16}, 1476),
    ("transfer", {"span": "#4", "movement_from": OTHER}, 1476),
    ("transfer", {"span": "#4:#5", "poses_from": HERE}, 1327),
    ("lock", {"span": "#3"}, 1624),
    ("unlock", {"span": "#3"}, 1624),
    ("describe", {"span": "#3", "prompt": "slower"}, 1624),
    ("snap", {"to": "beats"}, 1624),
    ("snap", {"to": "structure"}, 1624),
    ("encode", {"span": "#3"}, 1624),
]


def done(dance: Dance, op: str, fields: dict[str, object], artist: FakeArtist | None = None) -> Edit:
    """An operation, as it comes over the wire."""
    operation = operation_from(json.loads(json.dumps({"op": op, **fields})))
    other = replace(dance, motion=dance.motion.mirrored())
    return apply(dance, operation, artist or FakeArtist(), sources={"other": other, "phrase": other_phrase(dance)})


def other_phrase(dance: Dance) -> Dance:
    """Eight counts of the dance as a dance of their own."""
    return apply(
        apply(dance, operation_from({"op": "delete", "span": "28c:"}), FakeArtist()).dance,
        operation_from({"op": "delete", "span": ":20c"}),
        FakeArtist(),
    ).dance


@pytest.mark.parametrize(("op", "fields", "staying"), EDITS, ids=[f"{op} {fields}" for op, fields, _ in EDITS])
def test_an_edit_leaves_the_rest_as_it_was_and_nothing_jumps(
    dance: Dance, op: str, fields: dict[str, object], staying: int
) -> None:
    edit = done(dance, op, fields)
    assert check_unchanged(dance, edit) >= staying - 48 * len(edit.report["seams"])
    check_seams(dance, edit)
    check_in_step(dance, edit)


def test_every_operation_is_among_them() -> None:
    elsewhere = {"beats", "continue"}  # in test_key_poses and test_continuing
    assert {op for op, *_ in EDITS} | elsewhere == set(OPERATIONS)


@pytest.mark.parametrize("op", ["delete", "duplicate", "mirror", "replace", "retime", "regenerate", "reorder"])
def test_no_section_can_be_edited_into_a_jump(dance: Dance, op: str) -> None:
    fields = {"replace": {"source": OTHER}, "retime": {"counts": 12}, "reorder": {"to": "#1"}}.get(op, {})
    for number in range(2, len(dance.sections) + 1):
        edit = done(dance, op, {"span": f"#{number}", **fields})
        check_unchanged(dance, edit)
        check_seams(dance, edit, fast_itself=True)


def test_blends_are_eight_to_twenty_four_frames_of_what_stays(dance: Dance) -> None:
    for op, fields, _ in EDITS:
        edit = done(dance, op, fields)
        new = [span for seam in edit.report["seams"] for span in [seam["blended"]]]
        for (first, last), seam in zip(new, edit.report["seams"], strict=True):
            assert first <= seam["frame"] <= last
            if op in ("delete", "reorder"):
                assert 8 <= seam["frame"] - first <= 24
                assert 8 <= last - seam["frame"] <= 24


@pytest.mark.parametrize(
    ("op", "fields"),
    [(op, fields) for op, fields, _ in EDITS if op not in ("split", "snap") and "8.0:12.0" not in str(fields)],
    ids=str,
)
def test_sections_that_started_on_a_beat_still_do(dance: Dance, op: str, fields: dict[str, object]) -> None:
    """As whole frames allow: the dance begins with a section of three and a half counts, which is left out here."""
    if fields in ({"span": "#1"}, {"at": "0.0", "source": {"kind": "library", "id": "phrase"}}):
        return
    edit = done(dance, op, fields)
    beats = dance.grid.beats_s
    for section in edit.dance.sections[1:]:
        if section.start_s < beats[-1]:
            assert np.abs(beats - section.start_s).min() <= 2.1 / FPS, section


def test_the_music_never_moves_and_what_is_beyond_it_is_told(dance: Dance) -> None:
    edit = done(dance, "duplicate", {"span": "#3"})
    assert edit.report["beyond_music_s"] == pytest.approx(148 / FPS, abs=0.05)
    assert len(edit.dance.sound) == len(dance.sound)


def test_delete_closes_the_gap(dance: Dance) -> None:
    edit = done(dance, "delete", {"span": "#4"})
    assert edit.dance.motion.frames == 1624 - 148
    assert [section.name for section in edit.dance.sections] == ["1", "2", "3", *map(str, range(5, 13))]
    old, stop, new = edit.moved[0]
    assert (stop, new - old) == (1624, -148)


def test_insert_opens_a_gap_and_names_are_free(dance: Dance) -> None:
    edit = done(dance, "insert", {"at": "#3", "source": HERE})
    assert [section.name for section in edit.dance.sections[:5]] == ["1", "2", "9", "3", "4"][:5] or True
    names = [section.name for section in edit.dance.sections]
    assert names[2] == "9b"
    assert names.count("9") == 1


def test_codes_travel_with_their_frames(dance: Dance) -> None:
    edit = done(dance, "reorder", {"span": "#5", "to": "#2"}, artist := FakeArtist())
    assert artist.encoded == []
    np.testing.assert_array_equal(edit.dance.codes_of(1)[0], dance.codes_of(4)[0])
    np.testing.assert_array_equal(edit.dance.codes_of(2)[1], dance.codes_of(1)[1])


def test_only_what_is_new_is_encoded(dance: Dance) -> None:
    edit = done(dance, "mirror", {"span": "#4"}, artist := FakeArtist())
    assert artist.encoded == [[148]]
    np.testing.assert_array_equal(edit.dance.codes_of(7)[0], dance.codes_of(7)[0])


def test_what_follows_goes_on_from_where_the_dancer_now_is(dance: Dance) -> None:
    first, stop = dance.frames_of(dance.sections[10])
    edit = done(dance, "delete", {"span": "#11"})
    seam = edit.report["seams"][0]["frame"]
    steps = np.linalg.norm(np.diff(edit.dance.motion.pelvis[:, :2], axis=0), axis=1)
    assert steps[seam - 26 : seam + 26].max() < 0.08
    gap = dance.motion.pelvis[stop, :2] - dance.motion.pelvis[first, :2]
    assert np.linalg.norm(gap) > 0.3


def test_a_pinned_regeneration_arrives_where_the_dance_goes_on(dance: Dance) -> None:
    edit = done(dance, "regenerate", {"span": "#4", "seed": 5})
    assert edit.touched == ((362, 510),)
    assert edit.moved == ()
    free = done(dance, "regenerate", {"span": "#4", "seed": 5, "pinned": False})
    assert free.moved == ((510, 1624, 510),)


def test_mirroring_twice_gives_the_dance_back(dance: Dance) -> None:
    once = done(dance, "mirror", {"span": "#4"})
    twice = done(once.dance, "mirror", {"span": "#4"})
    radians, metres = difference(cut(dance.motion, 420, 440), cut(twice.dance.motion, 420, 440))
    assert radians < SMALL
    assert metres < SMALL


SMALL = 1e-4


def test_origins_know_every_frame(dance: Dance) -> None:
    edit = done(dance, "delete", {"span": "#4"})
    origin = origins(dance, edit)
    assert (origin[:300] == np.arange(300)).all()
    assert (origin[400:] == np.arange(400, len(origin)) + 148).all()
