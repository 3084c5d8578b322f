"""Curves with few keys, against what Blender makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import bpy
import numpy as np
import pytest

from blender_addon.core.bone_map import map_bones
from blender_addon.core.bone_presets import read_presets
from blender_addon.core.control_reduction import reduced_controls
from blender_addon.core.key_reduction import Reduced, reduced
from blender_addon.core.retarget import retarget
from blender_addon.core.rig import Rig
from blender_addon.core.rigify_ik import ik_tracks
from blender_addon.scene.action_curves import new_curve_owner, write_keys
from blender_addon.scene.character import BUNDLED_PRESETS, read_rig
from blender_addon.scene.character_take import (
    CurveKeys,
    bone_path,
    every_frame,
    fewer_keys,
    switch_keys,
    track_keys,
)
from blender_addon.scene.rigify import switches_of
from blender_addon.scene.take import Curve, new_fcurve
from tests.characters import stage
from tests.characters.armatures import armature_of
from tests.core.made_up_characters import MadeUp, danced, made_up, placed, posed_heads, turn

MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
FRAMES = 120
DANCE = danced(FRAMES)
FIRST = 11
LIMIT_CM = 0.5


CHARACTERS = {
    "plain": {},
    "hundredth_lying": {"unit": 100.0, "world": placed(0.01, turn((1, 0, 0), 90))},
    "long_spine_and_twists": {"spine_bones": 6, "twist_bones": True},
}


def character(**build: object) -> MadeUp:
    """A made-up character whose bones turn by all rotation modes in turn."""
    made = made_up(3, **build)  # type: ignore[arg-type]
    modes = tuple(MODES[number % len(MODES)] for number in range(len(made.rig.names)))
    return MadeUp(replace(made.rig, rotation_modes=modes), made.bone_map)


@pytest.fixture
def build() -> Iterator[Callable[[Rig], bpy.types.Object]]:
    """Makes the armature of a made-up character."""
    built: list[bpy.types.Object] = []

    def make(rig: Rig) -> bpy.types.Object:
        built.append(armature_of(rig, "Character"))
        return built[-1]

    yield make
    for armature in built:
        bpy.data.armatures.remove(armature.data)
    for action in list(bpy.data.actions):
        bpy.data.actions.remove(action)


def animated(armature: bpy.types.Object, few: Reduced) -> bpy.types.Action:
    """The curves as the armature's Action."""
    action = bpy.data.actions.new("Fewer keys")
    owner = new_curve_owner(action, armature)
    for curve in fewer_keys(few, first_frame=FIRST):
        write_keys(new_fcurve(owner, Curve(curve.bone, curve.data_path, curve.index, np.zeros(0))), curve.keys)
    animation = armature.animation_data_create()
    animation.action = action
    if hasattr(animation, "action_slot"):
        animation.action_slot = action.slots[0]
    return action


@pytest.mark.parametrize("name", CHARACTERS)
def test_joints_are_where_they_were_promised_to_be(build: Callable[[Rig], bpy.types.Object], name: str) -> None:
    made = character(**CHARACTERS[name])
    result = retarget(made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts)
    few = reduced(made.rig, made.bone_map, result, limit_cm=LIMIT_CM, fps=30.0, contacts=DANCE.contacts)
    armature = build(made.rig)
    animated(armature, few)
    wanted = posed_heads(made.rig, result)
    farthest_cm = 0.0
    for frame in range(FRAMES):
        bpy.context.scene.frame_set(FIRST + frame)
        heads = np.array([armature.matrix_world @ armature.pose.bones[bone].head for bone in made.rig.names])
        farthest_cm = max(farthest_cm, 100.0 * float(np.linalg.norm(heads - wanted[frame], axis=-1).max()))
    assert farthest_cm <= few.error_cm + 0.02  # heads are among the joints; Blender counts in single precision
    assert farthest_cm > 0.2 * LIMIT_CM  # else the limit would not have been used


def test_blender_reads_the_curves_as_they_were_computed(build: Callable[[Rig], bpy.types.Object]) -> None:
    made = character()
    result = retarget(made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0)
    few = reduced(made.rig, made.bone_map, result, limit_cm=LIMIT_CM, fps=30.0)
    armature = build(made.rig)
    action = animated(armature, few)
    owner = action.layers[0].strips[0].channelbag(action.slots[0])
    for curve in few.curves:
        fcurve = owner.fcurves.find(bone_path(curve.bone, curve.path), index=curve.index)
        keys = fcurve.keyframe_points
        assert len(keys) == len(curve.frames)
        assert fcurve.group.name == curve.bone
        assert {(key.interpolation, key.handle_left_type, key.handle_right_type) for key in keys} == {
            ("BEZIER", "ALIGNED", "ALIGNED")
        }
        for key, frame, value, left, right in zip(
            keys, curve.frames, curve.values, curve.handle_left, curve.handle_right, strict=True
        ):
            np.testing.assert_allclose(key.co, (frame + FIRST, value), atol=1e-5)
            np.testing.assert_allclose(key.handle_left, left + np.array([FIRST, 0.0]), atol=1e-4)
            np.testing.assert_allclose(key.handle_right, right + np.array([FIRST, 0.0]), atol=1e-4)


def test_names_with_quotes_and_backslashes_are_found(build: Callable[[Rig], bpy.types.Object]) -> None:
    made = character()
    names = tuple('arm "L" \\ left' if name == "b16" else name for name in made.rig.names)
    rig = replace(made.rig, names=names)
    rows = tuple(replace(row, bones=('arm "L" \\ left',)) if row.joint == 16 else row for row in made.bone_map.rows)
    bone_map = replace(made.bone_map, rows=rows)
    result = retarget(rig, bone_map, DANCE.poses, DANCE.pelvis, fps=30.0)
    few = reduced(rig, bone_map, result, limit_cm=LIMIT_CM, fps=30.0)
    armature = build(rig)
    animated(armature, few)
    bone = armature.pose.bones['arm "L" \\ left']
    bpy.context.scene.frame_set(FIRST)
    before = bone.matrix_basis.copy()
    bpy.context.scene.frame_set(FIRST + 60)
    assert before.to_quaternion().rotation_difference(bone.matrix_basis.to_quaternion()).angle > 0.05


def test_ik_controls_with_few_keys_lead_the_body_where_all_keys_do() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.scene.render.fps = 30
    character = stage.rigify("rigify basic")
    rig = read_rig(character)
    bone_map = map_bones(rig, read_presets(BUNDLED_PRESETS))
    result = retarget(rig, bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts)
    tracks = ik_tracks(rig, bone_map, result)
    limbs = {bone for track in tracks for joint in track.joints for bone in bone_map.bones(joint)}
    frames = np.arange(FIRST, FIRST + FRAMES, dtype=float)
    switches = switch_keys(switches_of(character, ik=True), frame=FIRST)
    dense = [curve for curve in every_frame(result, character, frames) if curve.bone not in limbs]
    every = dense + track_keys(character, tracks, frames)
    body = reduced(rig, bone_map, result, limit_cm=LIMIT_CM, fps=30.0, contacts=DANCE.contacts)
    controls = reduced_controls(rig, tracks, limit_cm=0.5 * LIMIT_CM, fps=30.0, contacts=DANCE.contacts)
    few = [curve for curve in fewer_keys(body, first_frame=FIRST) if curve.bone not in limbs]
    few += fewer_keys(controls, first_frame=FIRST)
    assert controls.keys < 0.25 * controls.keys_before
    wanted, found = ends_of(character, every + switches), ends_of(character, few + switches)
    assert 100.0 * np.linalg.norm(found - wanted, axis=-1).max() < 1.2 * LIMIT_CM


def ends_of(character: bpy.types.Object, curves: list[CurveKeys]) -> np.ndarray:
    """Where the bones that move the mesh begin and end (F, 2 B, 3) with these curves."""
    action = bpy.data.actions.new("Controls")
    owner = new_curve_owner(action, character)
    for curve in curves:
        write_keys(new_fcurve(owner, Curve(curve.bone, curve.data_path, curve.index, np.zeros(0))), curve.keys)
    animation = character.animation_data_create()
    animation.action = action
    if hasattr(animation, "action_slot"):
        animation.action_slot = action.slots[0]
    names = [bone.name for bone in character.data.bones if bone.use_deform]
    ends = []
    for frame in range(FIRST, FIRST + FRAMES, 3):
        bpy.context.scene.frame_set(frame)
        bones = [character.pose.bones[name] for name in names]
        ends.append([character.matrix_world @ end for bone in bones for end in (bone.head, bone.tail)])
    return np.array(ends)
