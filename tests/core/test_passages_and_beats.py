"""New movement joined to what was danced, beats that were edited, and which locks an edited dance passes through."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from blender_addon.core.dance import Beats, DanceDocument, Placement, Section
from blender_addon.core.edited_beats import Heard, Mark, beats_within, in_words, marked_beats, names_of_beats
from blender_addon.core.edited_dance import locks_passed, near_locks
from blender_addon.core.errors import PirouetteError
from blender_addon.core.key_poses import KeyPose
from blender_addon.core.passages import Around, end_of_counts, joined
from blender_addon.core.reply import EditResult


def document(frames: int, *, value: float = 0.0, sections: int = 1) -> DanceDocument:
    """Everything at one value; a beat every half second."""
    beats_s = np.arange(0.0, frames / 30.0, 0.5)
    edges = np.linspace(0, frames, sections + 1).round() / 30.0
    return DanceDocument(
        poses=np.full((frames, 24, 3), value, dtype=np.float32),
        pelvis=np.full((frames, 3), value, dtype=np.float32),
        contacts=np.zeros((frames, 4), dtype=bool),
        fps=30.0,
        beats=Beats(beats_s, np.arange(len(beats_s)) % 4 == 0, 120.0, 4, clear=True),
        placement=Placement(1, frames, 30.0),
        sections=tuple(Section(chr(65 + i), float(a), float(b)) for i, (a, b) in enumerate(pairwise(edges))),
        sound=np.full((frames, 37), value, dtype=np.float16),
    )


def key(time_s: float) -> KeyPose:
    return KeyPose(time_s, np.zeros((24, 3), dtype=np.float32), np.zeros(3, dtype=np.float32))


def around(first: int, last: int, frames: int, known: DanceDocument | None, *, fps: float = 30.0) -> Around:
    poses, pelvis = np.ones((frames, 24, 3), dtype=np.float32), np.ones((frames, 3), dtype=np.float32)
    return Around(Placement(1, frames, fps), first, last, poses, pelvis, known)


def test_a_continued_dance_is_one_dance_with_its_sections_beats_and_sound() -> None:
    known = replace(document(90, value=1.0, sections=2), key_poses=(key(1.0),), accents_s=(0.5,))
    made = replace(document(60, value=2.0), key_poses=(key(0.5),), accents_s=(1.0,))
    found = joined(around(90, 150, 150, known), made, addon_version="1")
    assert found.poses[:90].max() == 1.0
    assert found.poses[90:].min() == 2.0
    assert [(s.name, s.start_s, s.end_s) for s in found.sections] == [
        ("A", 0.0, 1.5), ("B", 1.5, 3.0), ("3", 3.0, 5.0),
    ]  # fmt: skip
    assert found.beats.beats_s == pytest.approx(np.arange(0.0, 5.0, 0.5))
    assert [k.time_s for k in found.key_poses] == [1.0, 3.5]
    assert found.accents_s == (0.5, 4.0)
    assert (found.sound[89, 0], found.sound[90, 0]) == (1.0, 2.0)


def test_a_filled_gap_keeps_what_is_on_either_side_and_cuts_its_sections() -> None:
    known = document(180, value=1.0, sections=3)
    found = joined(around(75, 105, 180, known), document(30, value=2.0), addon_version="1")
    assert [(s.name, round(s.start_s * 30), round(s.end_s * 30)) for s in found.sections] == [
        ("A", 0, 60), ("B", 60, 75), ("3", 75, 105), ("B", 105, 120), ("C", 120, 180),
    ]  # fmt: skip
    assert np.all(np.diff(found.beats.beats_s) > 0.3)
    assert (found.poses[74, 0, 0], found.poses[75, 0, 0], found.poses[105, 0, 0]) == (1.0, 2.0, 1.0)


@pytest.mark.parametrize("fps", [23.976, 24.0, 25.0, 59.94])
def test_the_parts_of_a_joined_dance_fit_at_any_rate(fps: float) -> None:
    for first, last, frames in ((57, 148, 177), (100, 201, 201), (61, 62, 90)):
        found = around(first, last, frames, None, fps=fps)
        start, end = found.span
        assert joined(found, document(end - start + 2), addon_version="1").poses.shape[0] == found.frames
    with pytest.raises(PirouetteError, match="made 10 frames"):
        joined(around(57, 148, 177, None, fps=fps), document(10), addon_version="1")


def test_counts_end_on_a_beat_and_where_the_music_ends_they_are_told() -> None:
    beats_s = np.arange(0.1, 10.0, 0.5)
    assert end_of_counts(beats_s, 4.1, 4, limit_s=10.0) == pytest.approx(6.1)
    assert end_of_counts(beats_s, 4.2, 4, limit_s=10.0) == pytest.approx(6.1)
    with pytest.raises(PirouetteError, match="only 1 count of music"):
        end_of_counts(beats_s, 9.1, 4, limit_s=9.7)
    with pytest.raises(PirouetteError, match="no beats to count by"):
        end_of_counts(beats_s[:1], 0.0, 4, limit_s=10.0)


HEARD = Heard(np.array([0.4, 12.6, 24.5, 36.5, 48.5]), np.array([1, 0, 0, 0, 1], dtype=bool), 0, 48, 120.0, 4, True)


def marks(*frames: int) -> list[Mark]:
    return [Mark(frame, downbeat=frame == 0) for frame in frames]


def test_beats_that_stand_where_they_were_heard_are_exact_and_unedited() -> None:
    found = marked_beats(HEARD, marks(0, 13, 24, 36))
    assert not found.edited
    assert found.frames.tolist() == HEARD.frames.tolist()
    assert beats_within(found, HEARD, first=0, frames=48, fps=24.0) == (None, ())


def test_a_moved_beat_is_on_its_frame_and_the_others_stay_exact() -> None:
    found = marked_beats(HEARD, marks(0, 13, 28, 36))
    assert (found.moved, found.added, found.removed, in_words(found)) == (1, 0, 0, "1 moved")
    beats, _ = beats_within(found, HEARD, first=0, frames=49, fps=24.0)
    assert beats is not None
    assert beats.beats_s * 24.0 == pytest.approx([0.4, 12.6, 28.0, 36.5, 48.5])
    assert in_words(marked_beats(HEARD, marks(0, 13, 28))) == "1 moved, 1 deleted"
    assert in_words(marked_beats(HEARD, marks(0, 6, 13, 24, 36))) == "1 added"


def test_a_renamed_beat_is_still_one_and_other_bars_are_an_edit() -> None:
    assert not marked_beats(HEARD, marks(0, 24, 36), named={13}).edited
    shifted = [Mark(0, downbeat=False), Mark(13, downbeat=True), *marks(24, 36)]
    assert in_words(marked_beats(HEARD, shifted)) == "bars moved"


def test_markers_of_which_nothing_was_heard_are_no_edit() -> None:
    assert not marked_beats(None, marks(0, 13, 24)).edited


def test_accents_are_told_from_the_start_and_too_few_beats_refused() -> None:
    accented = [Mark(0, downbeat=True), Mark(13, downbeat=False, accent=True), *marks(24, 36)]
    beats, accents = beats_within(marked_beats(HEARD, accented), HEARD, first=6, frames=42, fps=24.0)
    assert beats is None
    assert accents == pytest.approx(((12.6 - 6) / 24.0,))
    few = marked_beats(HEARD, marks(0, 13))
    with pytest.raises(PirouetteError, match="one beat left"):
        beats_within(few, HEARD, first=6, frames=30, fps=24.0)


def test_names_count_bars_and_tell_accents() -> None:
    downbeat = np.array([0, 1, 0, 0, 0, 1], dtype=bool)
    accents = np.array([0, 1, 0, 1, 0, 0], dtype=bool)
    assert names_of_beats(downbeat, accents) == ["♪4", "♪1.1 >", "♪2", "♪3 >", "♪4", "♪2.1"]


def test_an_edit_passes_through_new_locks_where_it_is_new_and_old_ones_where_it_stays() -> None:
    before = replace(document(120), key_poses=(key(0.5), key(2.0)))
    asked = replace(before, key_poses=(key(1.5), key(2.1), key(3.5)))
    poses = before.poses.copy()
    poses[30:75] = 1.0
    after = replace(before, poses=poses, key_poses=asked.key_poses)
    found = locks_passed(before, asked, EditResult(after, ((30, 75),), ()))
    assert [k.time_s for k in found] == [0.5, 1.5, 2.1]


def test_only_frames_around_locks_that_came_or_went_are_bent_anew() -> None:
    placement = Placement(1, 240, 24.0)
    mask = near_locks([key(1.04), key(8.04)], [key(1.04), key(5.04)], placement, fps=30.0)
    changed = np.flatnonzero(mask)
    assert set(changed.tolist()) <= {*range(112, 131), *range(184, 203)}
    assert mask[121]
    assert mask[193]
    assert not near_locks([key(1.0)], [], Placement(1, 300, 30.0), fps=30.0).any()
