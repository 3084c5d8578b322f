"""A dance shown on a character without a key: everything is as it was afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from blender_addon.core.errors import PirouetteError
from blender_addon.core.retarget import Retargeted, retarget
from blender_addon.scene import character_preview
from tests.characters.armatures import armature_of
from tests.core.made_up_characters import danced, made_up, posed_heads

DANCE = danced(60)
FRAMES = np.arange(10, 70)
CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX")
MADE = made_up(4, spine_bones=4)


@pytest.fixture
def attached() -> Iterator[None]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    character_preview.attach()
    yield
    character_preview.detach()


@pytest.fixture
def character(attached: None) -> bpy.types.Object:
    """A made-up character in an odd pose that no key holds, its bones in several rotation modes."""
    found = armature_of(MADE.rig, "Character")
    random = np.random.default_rng(2)
    for number, bone in enumerate(found.pose.bones):
        bone.rotation_mode = MODES[number % len(MODES)]
        for channel in CHANNELS:
            setattr(
                bone, channel, np.array(getattr(bone, channel)) + random.normal(0.0, 0.05, len(getattr(bone, channel)))
            )
    bpy.context.view_layer.update()
    return found


@pytest.fixture
def result() -> Retargeted:
    return retarget(MADE.rig, MADE.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts)


def pose(character: bpy.types.Object) -> bytes:
    """Every channel of every bone."""
    values = [getattr(bone, channel)[:] for bone in character.pose.bones for channel in CHANNELS]
    return b"".join(np.array(row, dtype=np.float32).tobytes() for row in values)


def seen(character: bpy.types.Object) -> np.ndarray:
    """Where Blender shows the bones' heads."""
    shown = character.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ shown.pose.bones[name].head for name in MADE.rig.names])


def keyed(character: bpy.types.Object, *, as_track: bool = False) -> bpy.types.Action:
    """An Action of the animator's own, that moves the bones that a dance moves, too."""
    for frame in (1, 80):
        for bone in list(character.pose.bones)[:8]:
            bone.location[0] += 0.1 * frame
            bone.keyframe_insert("location", frame=frame)
            path = "rotation_quaternion" if bone.rotation_mode == "QUATERNION" else "rotation_euler"
            bone.keyframe_insert(path, frame=frame)
    animation = character.animation_data
    action = animation.action
    if as_track:
        strip = animation.nla_tracks.new().strips.new("Walk", 1, action)
        if hasattr(strip, "action_slot"):
            strip.action_slot = animation.action_slot
        animation.action = None
    return action


def state(character: bpy.types.Object) -> Any:
    """What the character is animated by."""
    animation = character.animation_data
    if animation is None:
        return None
    slot = getattr(animation, "action_slot", None)
    return (
        animation.action and animation.action.name,
        slot and slot.identifier,
        animation.use_nla,
        [(track.name, track.mute, [strip.action.name for strip in track.strips]) for track in animation.nla_tracks],
    )


def curves(action: bpy.types.Action) -> list[tuple[str, int, list[float]]]:
    owner = action.layers[0].strips[0].channelbags[0] if hasattr(action, "layers") else action
    return [
        (curve.data_path, curve.array_index, [value for key in curve.keyframe_points for value in key.co])
        for curve in owner.fcurves
    ]


def test_the_character_shows_the_dance_at_every_frame(character: bpy.types.Object, result: Retargeted) -> None:
    for bone in character.pose.bones:  # bones that the dance does not know stay as they are: here at rest
        bone.matrix_basis = Matrix.Identity(4)
    character_preview.begin(character, result, FRAMES)
    wanted = posed_heads(MADE.rig, result)
    for frame in (10, 11, 40, 69):
        bpy.context.scene.frame_set(frame)
        np.testing.assert_allclose(seen(character), wanted[frame - 10], atol=2e-4)
    bpy.context.scene.frame_set(200)
    np.testing.assert_allclose(seen(character), wanted[-1], atol=2e-4)
    assert character_preview.active() == character


def test_nothing_is_written_and_the_pose_comes_back_to_the_byte(
    character: bpy.types.Object, result: Retargeted
) -> None:
    before, actions = pose(character), list(bpy.data.actions)
    character_preview.begin(character, result, FRAMES)
    for frame in range(10, 70, 7):
        bpy.context.scene.frame_set(frame)
    assert pose(character) != before
    assert character.animation_data is None
    assert list(bpy.data.actions) == actions
    assert character_preview.stop()
    assert pose(character) == before
    assert character.animation_data is None
    assert not list(character.keys())
    assert not character_preview.stop()
    bpy.context.scene.frame_set(12)
    assert pose(character) == before


@pytest.mark.parametrize("as_track", [False, True])
def test_a_character_with_animation_of_its_own_shows_the_dance_and_keeps_it(
    character: bpy.types.Object, result: Retargeted, as_track: bool
) -> None:
    action = keyed(character, as_track=as_track)
    scene = bpy.context.scene
    poses = {}
    for frame in (10, 40):
        scene.frame_set(frame)
        poses[frame] = pose(character)
    before, was, keys = state(character), seen(character), curves(action)
    character_preview.begin(character, result, FRAMES)
    for frame in (12, 40):
        scene.frame_set(frame)
        place = seen(character)[MADE.rig.number(result.hips)]
        hips = posed_heads(MADE.rig, result)[frame - 10, MADE.rig.number(result.hips)]
        root = MADE.rig.number("root")
        assert np.linalg.norm((place - seen(character)[root]) - (hips - MADE.rig.heads[root])) < 0.2
        assert np.abs(was - seen(character)).max() > 0.05
        assert state(character) == before
    bpy.data.objects.new("Something else", None)  # Blender evaluates everything anew
    shown = pose(character)
    character.update_tag(refresh={"TIME"})
    bpy.context.view_layer.update()
    assert pose(character) == shown
    scene.frame_set(40)
    character_preview.stop()
    assert (state(character), curves(action)) == (before, keys)
    assert pose(character) == poses[40]
    scene.frame_set(10)
    assert pose(character) == poses[10]


def test_it_ends_where_it_began_at_another_frame_with_the_animation_of_that_frame(
    character: bpy.types.Object, result: Retargeted
) -> None:
    keyed(character)
    scene = bpy.context.scene
    scene.frame_set(30)
    wanted = pose(character)
    scene.frame_set(12)
    character_preview.begin(character, result, FRAMES)
    scene.frame_set(30)
    character_preview.stop()
    assert pose(character) == wanted


def test_a_saved_file_has_the_character_as_it_was(
    character: bpy.types.Object, result: Retargeted, tmp_path: Path
) -> None:
    before = pose(character)
    character_preview.begin(character, result, FRAMES)
    bpy.context.scene.frame_set(33)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert character_preview.active() is None
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    found = bpy.data.objects["Character"]
    assert pose(found) == before
    assert not list(found.keys())


def test_another_file_ends_it(character: bpy.types.Object, result: Retargeted) -> None:
    character_preview.begin(character, result, FRAMES)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert character_preview.active() is None
    bpy.context.scene.frame_set(5)


def test_undo_ends_it_and_a_state_kept_in_the_middle_is_put_right(
    character: bpy.types.Object, result: Retargeted
) -> None:
    before = pose(character)
    bpy.ops.ed.undo_push(message="before")
    character_preview.begin(character, result, FRAMES)
    bpy.context.scene.frame_set(20)
    bpy.ops.ed.undo_push(message="in the middle")
    bpy.ops.ed.undo()
    found = bpy.data.objects["Character"]
    assert character_preview.active() is None
    assert pose(found) == before
    bpy.ops.ed.redo()
    found = bpy.data.objects["Character"]
    assert pose(found) == before
    assert not list(found.keys())


def test_a_second_preview_begins_from_the_pose_before_the_first(
    character: bpy.types.Object, result: Retargeted
) -> None:
    before = pose(character)
    character_preview.begin(character, result, FRAMES)
    bpy.context.scene.frame_set(20)
    character_preview.begin(character, result, FRAMES)
    character_preview.stop()
    assert pose(character) == before


def test_switches_are_set_and_put_back(character: bpy.types.Object, result: Retargeted) -> None:
    bone = character.pose.bones[MADE.rig.names[0]]
    bone["IK_FK"], bone["follow"] = 0.25, 3
    name = bone.name
    character_preview.begin(
        character,
        result,
        FRAMES,
        switches=[(name, "IK_FK", 1.0), (name, "follow", 0), (name, "no such", 1), ("no", "x", 1)],
    )
    assert (bone["IK_FK"], bone["follow"]) == (1.0, 0)
    character_preview.stop()
    assert (bone["IK_FK"], bone["follow"], "no such" in bone) == (0.25, 3, False)
    assert isinstance(bone["follow"], int)


def test_a_character_that_is_removed_or_renamed_meanwhile_does_no_harm(
    character: bpy.types.Object, result: Retargeted
) -> None:
    character_preview.begin(character, result, FRAMES)
    character.name = "Someone"
    bpy.context.scene.frame_set(20)
    assert character_preview.active() == character
    bpy.data.objects.remove(character)
    bpy.context.scene.frame_set(21)
    assert character_preview.active() is None
    assert not character_preview.stop()


def test_a_dance_of_other_bones_is_refused_and_changes_nothing(character: bpy.types.Object, result: Retargeted) -> None:
    before = pose(character)
    for bone in character.data.bones:
        bone.name = f"other {bone.name}"
    with pytest.raises(PirouetteError, match="no bone"):
        character_preview.begin(character, result, FRAMES)
    assert pose(character) == before
    assert character_preview.active() is None
