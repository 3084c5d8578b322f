"""Beats on the timeline that the animator edits, and the dances that follow them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.installed import add_sound, part, stored

Dance = Callable[..., bpy.types.Object]


def beats(scene: bpy.types.Scene) -> list[tuple[int, str]]:
    return sorted((m.frame, m.name) for m in scene.timeline_markers if m.name.startswith("♪"))


@pytest.fixture
def dancer(dance: Dance) -> bpy.types.Object:
    """Ten seconds at 24 frames a second and 120 beats a minute: a beat every 12 frames from frame 1."""
    return dance()


def test_a_beat_that_is_dragged_is_followed_by_the_next_dance_and_stays(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    scene.timeline_markers["♪3"].frame = 29
    first = part("scene.markers").marked(scene)
    assert (first.edited, first.moved) == (True, 1)
    dance(seed=2)
    found = stored(dancer).beats.beats_s
    assert found[:4] == pytest.approx([0.0, 0.5, 28 / 24, 1.5])
    assert found[-1] == pytest.approx(10.0)  # at the very end, where no marker is
    assert (29, "♪3") in beats(scene)
    dance(seed=3)
    assert stored(dancer).beats.beats_s[2] == pytest.approx(28 / 24)


def test_beats_between_frames_stay_exact_when_others_are_moved(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.render.fps = 25  # a beat every 12.5 frames
    dancer = dance()
    bpy.ops.pirouette.beat_move(frame=16)
    dance(seed=2)
    assert stored(dancer).beats.beats_s[:4] == pytest.approx([0.0, 15 / 25, 1.0, 1.5])


def test_untouched_beats_are_heard_anew(dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene) -> None:
    scene.timeline_markers["♪2.1"].name = "Drop"  # renamed: the animator's marker, and still a beat of the music
    assert not part("scene.markers").marked(scene).edited
    before = len(beats(scene))
    dance(seed=2)
    assert len(beats(scene)) == before + 1
    assert stored(dancer).beats.beats_s[:3] == pytest.approx([0.0, 0.5, 1.0])


def test_a_deleted_beat_is_gone_although_another_marker_stands_there(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    scene.timeline_markers.new("Chorus", frame=25)
    scene.frame_set(37)
    bpy.ops.pirouette.lock_pose()
    dance(seed=2)
    for marker in [marker for marker in scene.timeline_markers if marker.frame in (25, 37)]:
        if marker.name.startswith("♪"):
            scene.timeline_markers.remove(marker)
    found = part("scene.markers").marked(scene)
    assert (found.moved, found.added, found.removed) == (0, 0, 2)


def test_beats_are_added_deleted_and_counted_anew(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    scene.frame_set(7)
    assert bpy.ops.pirouette.beat_add() == {"FINISHED"}
    assert beats(scene)[:4] == [(1, "♪1.1"), (7, "♪2"), (13, "♪3"), (25, "♪4")]
    with pytest.raises(RuntimeError, match="There is a beat at frame 7 already"):
        bpy.ops.pirouette.beat_add()
    assert bpy.ops.pirouette.beat_delete(frame=8) == {"FINISHED"}
    assert beats(scene)[:3] == [(1, "♪1.1"), (13, "♪2"), (25, "♪3")]
    assert not part("scene.markers").marked(scene).edited
    for marker in scene.timeline_markers:
        marker.select = marker.frame > 20
    assert bpy.ops.pirouette.beat_delete() == {"FINISHED"}
    assert [frame for frame, _ in beats(scene)] == [1, 13]
    assert part("core.edited_beats").in_words(part("scene.markers").marked(scene)) == "18 deleted"
    with pytest.raises(RuntimeError, match="A dance needs two beats"):
        bpy.ops.pirouette.beat_delete()


def test_too_few_beats_are_refused_with_a_sentence(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    for marker in list(scene.timeline_markers)[1:]:
        scene.timeline_markers.remove(marker)
    scene.frame_end = 200
    with pytest.raises(RuntimeError, match="one beat left"):
        dance(seed=2)


def test_an_accent_is_told_to_the_backend_and_kept(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    scene.frame_set(26)
    assert bpy.ops.pirouette.beat_accent() == {"FINISHED"}
    assert (25, "♪3 >") in beats(scene)
    dance(seed=2)
    assert stored(dancer).accents_s == pytest.approx((1.0,))
    assert (25, "♪3 >") in beats(scene)
    bpy.ops.pirouette.beat_accent()
    assert (25, "♪3") in beats(scene)
    assert bpy.ops.pirouette.section_regenerate(section=1) == {"FINISHED"}
    assert stored(dancer).accents_s == ()


def test_the_one_is_where_the_animator_says(dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene) -> None:
    assert bpy.ops.pirouette.beat_one(frame=26, metre=3) == {"FINISHED"}
    assert [name for _, name in beats(scene)][:6] == ["♪2", "♪3", "♪1.1", "♪2", "♪3", "♪2.1"]
    assert part("core.edited_beats").in_words(part("scene.markers").marked(scene)) == "bars moved"
    dance(seed=2)
    assert stored(dancer).beats.downbeat[:6].tolist() == [False, False, True, False, False, True]


def test_all_beats_are_shifted_by_half_a_beat(dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene) -> None:
    assert bpy.ops.pirouette.beats_shift(beats=0.5) == {"FINISHED"}
    assert [frame for frame, _ in beats(scene)][:3] == [7, 19, 31]
    dance(seed=2)
    assert stored(dancer).beats.beats_s[:2] == pytest.approx([0.25, 0.75])
    bpy.ops.pirouette.beats_shift(by_frames=-6)
    assert not part("scene.markers").marked(scene).edited
    with pytest.raises(RuntimeError, match="would move nothing"):
        bpy.ops.pirouette.beats_shift()


def test_detecting_again_forgets_what_was_changed(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    before = beats(scene)
    bpy.ops.pirouette.beats_shift(by_frames=3)
    assert bpy.ops.pirouette.beats_detect() == {"FINISHED"}
    assert beats(scene) == before
    assert not part("scene.markers").marked(scene).edited


def test_beats_are_detected_before_there_is_a_dance(scene: bpy.types.Scene, song: Path) -> None:
    with pytest.raises(RuntimeError, match="Detect the beats first"):
        bpy.ops.pirouette.beat_add()
    with pytest.raises(RuntimeError, match="no sound"):
        bpy.ops.pirouette.beats_detect()
    add_sound(song)
    assert bpy.ops.pirouette.beats_detect() == {"FINISHED"}
    assert len(beats(scene)) == 20
    assert not bpy.data.actions


def test_a_section_follows_edited_beats_when_it_is_regenerated(
    dancer: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    scene.timeline_markers["♪3"].frame = 28
    keys = np.array(stored(dancer).poses)
    assert bpy.ops.pirouette.section_regenerate(section=2) == {"FINISHED"}
    document = stored(dancer)
    assert document.beats.beats_s[2] == pytest.approx(27 / 24)
    assert np.array_equal(document.poses[:60], keys[:60])
