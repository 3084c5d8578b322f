"""Keys that the animator has changed by hand: noticed, asked about, kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from tests.addon.installed import keyed, part, stored

Dance = Callable[..., bpy.types.Object]
ELBOW = 'pose.bones["L_Elbow"].rotation_quaternion'


@pytest.fixture(params=[30, 24])
def dancer(request: pytest.FixtureRequest, dance: Dance) -> bpy.types.Object:
    """Ten seconds, five sections of two seconds, at the dance's own rate and at another."""
    scene = bpy.context.scene
    scene.render.fps = request.param
    scene.frame_end = 10 * request.param
    return dance(seed=3)


def run(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def take(dancer: bpy.types.Object) -> Any:
    return part("scene.takes").find_take(dancer)


def section_frames(dancer: bpy.types.Object, number: int) -> range:
    item = dancer.pirouette.sections[number - 1]
    return range(item.first_frame, item.last_frame + 1)


def wave(dancer: bpy.types.Object, number: int) -> range:
    """Bend the elbow for six frames in the middle of a section; returns these frames."""
    frames = section_frames(dancer, number)
    middle = (frames.start + frames.stop) // 2
    curve = take(dancer).owner().fcurves.find(ELBOW, index=1)
    for frame in range(middle - 3, middle + 3):
        curve.keyframe_points[frame - 1].co[1] += 0.3
    curve.update()
    return range(middle - 3, middle + 3)


def edited(dancer: bpy.types.Object) -> list[int]:
    """The numbers, from 1, of the sections with keys made by hand."""
    hand = part("scene.hand_edits")
    mask = run(hand.edited_frames(dancer, take(dancer), stored(dancer)))
    return sorted(index + 1 for index in hand.edited_sections(stored(dancer), mask))


def turned(bent: np.ndarray) -> np.ndarray:
    """What is left of a component of a quaternion that was upright otherwise when it is made a unit one."""
    return bent / np.sqrt(1.0 + bent**2)


def elbow(dancer: bpy.types.Object, frames: range) -> np.ndarray:
    curve = take(dancer).owner().fcurves.find(ELBOW, index=1)
    return np.array([curve.evaluate(frame) for frame in frames])


def test_an_untouched_dance_has_none(dancer: bpy.types.Object) -> None:
    assert edited(dancer) == []


def test_they_are_found_in_their_section_alone(dancer: bpy.types.Object) -> None:
    wave(dancer, 2)
    assert edited(dancer) == [2]
    watch = part("operators.watching").WATCH
    run(watch.look(dancer))
    assert watch.edited(dancer) == {1}


@pytest.mark.parametrize("how", ["delete a key", "add a key", "remove a channel", "a modifier", "bezier"])
def test_all_kinds_of_changes_are_noticed_and_harmless_ones_are_not(dance: Dance, how: str) -> None:
    dancer = dance()
    owner = take(dancer).owner()
    curve = owner.fcurves.find('pose.bones["L_Shoulder"].rotation_quaternion', index=0)
    frame = section_frames(dancer, 3)[5]
    if how == "delete a key":
        for _ in range(6):
            curve.keyframe_points.remove(curve.keyframe_points[frame])
    elif how == "add a key":
        dancer.animation_data.action = take(dancer).action
        curve.keyframe_points.insert(frame, curve.evaluate(frame) + 0.2)
        dancer.animation_data.action = None
    elif how == "remove a channel":
        owner.fcurves.remove(curve)
    elif how == "a modifier":
        curve.modifiers.new("NOISE")
    else:
        for point in curve.keyframe_points:
            point.interpolation = "BEZIER"
        curve.update()
    assert edited(dancer) == {
        "delete a key": [3], "add a key": [3], "remove a channel": [1, 2, 3, 4, 5], "a modifier": [1, 2, 3, 4, 5],
        "bezier": [],
    }[how]  # fmt: skip


def test_a_script_is_told_before_they_would_be_lost(dancer: bpy.types.Object) -> None:
    wave(dancer, 2)
    before = keyed(dancer)
    with pytest.raises(RuntimeError, match="You have changed keys by hand in section “2”"):
        bpy.ops.pirouette.section_regenerate(section=2)
    assert np.array_equal(keyed(dancer), before)


def test_in_other_sections_they_stay_to_the_last_digit_without_asking(dancer: bpy.types.Object) -> None:
    waved = wave(dancer, 2)
    before = keyed(dancer)
    assert bpy.ops.pirouette.section_regenerate(section=4, seed=9) == {"FINISHED"}
    after, frames = keyed(dancer), section_frames(dancer, 4)
    assert np.array_equal(after[: frames.start - 3], before[: frames.start - 3])
    assert not np.array_equal(after[frames.start : frames.stop], before[frames.start : frames.stop])
    assert edited(dancer) == []  # the dance knows them now
    assert bpy.ops.pirouette.section_regenerate(section=4, seed=10) == {"FINISHED"}
    assert np.array_equal(elbow(dancer, waved), before[waved.start - 1 : waved.stop - 1, column(dancer)])
    wave(dancer, 2)
    assert edited(dancer) == [2]  # and notices when they change again


def column(dancer: bpy.types.Object) -> int:
    """Where ``keyed`` has the elbow."""
    curves = sorted((c.data_path, c.array_index) for c in take(dancer).owner().fcurves)
    located = [key for key in curves if key[0].endswith("location")]
    return [*located, *(key for key in curves if key not in located)].index((ELBOW, 1))


def test_discarded_they_give_way(dancer: bpy.types.Object) -> None:
    waved = wave(dancer, 2)
    bent = elbow(dancer, waved)
    assert bpy.ops.pirouette.section_regenerate(section=2, seed=9, hand_edits="DISCARD") == {"FINISHED"}
    assert edited(dancer) == []
    assert np.abs(elbow(dancer, waved) - bent).min() > 0.2


def test_kept_they_become_part_of_the_dance_that_is_changed(dancer: bpy.types.Object) -> None:
    waved = wave(dancer, 2)
    bent = elbow(dancer, waved)
    assert bpy.ops.pirouette.section_regenerate(section=2, seed=9, strength=0.2, hand_edits="KEEP") == {"FINISHED"}
    assert edited(dancer) == []
    limit = 1e-6 if bpy.context.scene.render.fps == 30 else 0.06  # the stand-in moves another joint
    assert np.abs(elbow(dancer, waved) - turned(bent)).max() < limit


def test_they_go_along_when_sections_move(dancer: bpy.types.Object) -> None:
    waved = wave(dancer, 3)
    bent = elbow(dancer, waved)
    length = len(section_frames(dancer, 1))
    assert bpy.ops.pirouette.section_delete(section=1) == {"FINISHED"}
    moved = range(waved.start - length, waved.stop - length)
    assert np.abs(elbow(dancer, moved) - turned(bent)).max() < (1e-6 if bpy.context.scene.render.fps == 30 else 0.12)
    assert edited(dancer) == []


def test_deleting_a_section_with_them_asks(dancer: bpy.types.Object) -> None:
    wave(dancer, 2)
    with pytest.raises(RuntimeError, match="keys by hand"):
        bpy.ops.pirouette.section_delete(section=2)
    assert bpy.ops.pirouette.section_delete(section=2, hand_edits="DISCARD") == {"FINISHED"}


def test_a_bone_that_turns_otherwise_is_refused_with_its_name(dancer: bpy.types.Object) -> None:
    dancer.pose.bones["L_Knee"].rotation_mode = "XYZ"
    with pytest.raises(RuntimeError, match="The bone L_Knee turns by XYZ"):
        bpy.ops.pirouette.section_regenerate(section=2)


def test_they_are_noticed_by_the_watch_after_a_change(dancer: bpy.types.Object) -> None:
    watch = part("operators.watching").WATCH
    for _ in range(200):
        watch.tick()
    wave(dancer, 5)
    watch.look_again()  # Blender's dependency graph says so in a window
    for _ in range(200):
        if watch.edited(dancer):
            break
        watch.tick()
    assert watch.edited(dancer) == {4}
