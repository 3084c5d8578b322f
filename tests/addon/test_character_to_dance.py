"""What a character does becomes a dance, by the operator that the button calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.core.calibration import LIMBS
from blender_addon.core.locations import backend_folder
from blender_addon.core.skeleton import forward_kinematics
from tests.addon.installed import MODULE, keyed, part, stored
from tests.characters.armatures import character_of
from tests.core.made_up_characters import danced as made_up_danced
from tests.core.made_up_characters import turn

Dance = Callable[..., bpy.types.Object]
LYING = np.block([[0.01 * turn((1, 0, 0), 90), np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])
BUILDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "hundredth_lying_long_spine": {"unit": 100.0, "world": LYING, "spine_bones": 5, "arms_down_deg": 60.0},
}


def danced(poses: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    return forward_kinematics(poses, pelvis)


def apart_deg(own: np.ndarray, wanted: np.ndarray) -> float:
    """How far limbs of joints (F, 24, 3) point apart at most."""
    errors = [0.0]
    for joint, end in LIMBS.items():
        a, b = (found[:, end] - found[:, joint] for found in (own, wanted))
        errors.append(float(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.einsum("fi,fi->f", a, b)).max()))
    return float(np.degrees(max(errors)))


def retargeted(name: str, **made: Any) -> bpy.types.Object:
    character = character_of(name, **made)
    bpy.context.scene.pirouette.character = character
    character.pirouette_character.feet = "OFF"
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    return character


@pytest.mark.parametrize("build", BUILDS)
def test_the_dance_comes_back_as_a_new_take_and_can_be_edited(dance: Dance, scene: bpy.types.Scene, build: str) -> None:
    scene.render.fps = 30
    dancer = dance()
    first = stored(dancer)
    character = retargeted("Hero", **BUILDS[build])
    tracks = [track.name for track in character.animation_data.nla_tracks]
    scene.frame_end = 120
    scene.frame_set(33)
    assert bpy.ops.pirouette.character_to_dance(frames="SCENE") == {"FINISHED"}
    assert scene.frame_current == 33
    document = stored(dancer)
    assert (document.placement.first_frame, document.placement.frames) == (1, 120)
    assert [track.name for track in dancer.animation_data.nla_tracks][-1] == "Dance 002 Hero"
    own, wanted = danced(document.poses, document.pelvis), danced(first.poses[:120], first.pelvis[:120])
    assert apart_deg(own, wanted) < 0.5
    apart = document.pelvis - first.pelvis[:120]
    assert np.abs(apart - apart[0]).max() < 0.005
    assert np.abs(apart[:, :2]).max() < 0.005
    assert np.percentile(own[:, [10, 11], 2].min(axis=1), 5) == pytest.approx(0.02, abs=0.011)
    assert [track.name for track in character.animation_data.nla_tracks] == tracks
    assert document.beats.beats_s[:3].tolist() == first.beats.beats_s[:3].tolist()
    before = keyed(dancer)
    assert bpy.ops.pirouette.section_regenerate(section=1, seed=5) == {"FINISHED"}
    assert np.abs(keyed(dancer) - before).max() > 0.01


def test_without_a_dancer_one_is_made(scene: bpy.types.Scene) -> None:
    scene.render.fps = 30
    character = character_of("Hero")
    scene.pirouette.character = character
    arm = character.pose.bones["b16"]
    for frame, angle in ((11, 0.0), (41, 1.2), (71, -0.4)):
        arm.rotation_quaternion = (np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2))
        arm.keyframe_insert("rotation_quaternion", frame=frame)
    action = character.animation_data.action
    keys = [list(point.co) for curve in part("scene.action_curves").curve_owner(action).fcurves
            for point in curve.keyframe_points]  # fmt: skip
    bpy.ops.ed.undo_push(message="animated")
    assert bpy.ops.pirouette.character_to_dance() == {"FINISHED"}
    dancer = scene.pirouette.dancer
    assert dancer == bpy.context.view_layer.objects.active
    document = stored(dancer)
    assert (document.placement.first_frame, document.placement.frames) == (11, 61)
    joints = danced(document.poses, document.pelvis)
    moved = np.ptp(joints, axis=0).max(axis=-1)
    assert moved[20] > 0.2
    assert moved[[0, 4, 7, 15, 21]].max() < 1e-3
    hips, ankles = joints[0, [1, 2]].mean(axis=0), joints[0, [7, 8]].mean(axis=0)
    assert abs(hips[2] - ankles[2]) > 0.7
    assert character.animation_data.action == action
    assert keys == [list(point.co) for curve in part("scene.action_curves").curve_owner(action).fcurves
                    for point in curve.keyframe_points]  # fmt: skip
    bpy.ops.ed.undo()
    assert bpy.context.scene.pirouette.dancer is None
    assert not [found for found in bpy.data.objects if found.name.startswith("Dancer")]


def test_an_object_that_moves_and_turns_carries_the_dance(scene: bpy.types.Scene) -> None:
    scene.render.fps = 30
    character = character_of("Hero")
    scene.pirouette.character = character
    character.rotation_mode = "XYZ"
    for frame, way, angle in ((1, 0.0, 0.0), (31, 1.5, np.pi / 2)):
        character.location, character.rotation_euler = (way, 0.0, 0.0), (0.0, 0.0, angle)
        for path in ("location", "rotation_euler"):
            character.keyframe_insert(path, frame=frame)
    assert bpy.ops.pirouette.character_to_dance() == {"FINISHED"}
    document = stored(scene.pirouette.dancer)
    joints = danced(document.poses, document.pelvis)
    gone = document.pelvis[-1] - document.pelvis[0]
    assert 1.0 < gone[0] < 1.9
    across = joints[:, 16] - joints[:, 17]
    facing = np.degrees(np.unwrap(np.arctan2(across[:, 1], across[:, 0])))
    assert facing[-1] - facing[0] == pytest.approx(90.0, abs=0.5)


def test_constraints_are_read_as_they_are_seen(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.render.fps = 30
    dancer = dance()
    character = retargeted("Hero")
    scene.frame_end = 60
    held = character.pose.bones["b18"].constraints.new("LIMIT_ROTATION")
    held.use_limit_x = held.use_limit_y = held.use_limit_z = True
    held.owner_space = "LOCAL"
    assert bpy.ops.pirouette.character_to_dance(frames="SCENE") == {"FINISHED"}
    bend = stored(dancer).poses[:, 18]
    assert np.ptp(bend, axis=0).max() < 1e-3


def test_a_character_follows_an_encoded_animation_but_not_the_dance_that_is_read_from_it(
    dance: Dance, scene: bpy.types.Scene
) -> None:
    dancer = dance()
    character = retargeted("Hero")
    scene.frame_end = 60
    assert bpy.ops.pirouette.encode_animation(frames="SCENE") == {"FINISHED"}
    tracks = [track.name for track in character.animation_data.nla_tracks]
    assert len(tracks) == 2
    assert bpy.ops.pirouette.character_to_dance(frames="SCENE") == {"FINISHED"}
    assert [track.name for track in character.animation_data.nla_tracks] == tracks
    assert len(dancer.animation_data.nla_tracks) == 3


def test_a_preview_is_not_read(dance: Dance, scene: bpy.types.Scene) -> None:
    dancer = dance()
    character = character_of("Hero")
    scene.pirouette.character = character
    bpy.ops.pirouette.map_bones()
    bpy.ops.pirouette.preview_retarget()
    scene.frame_end = 40
    assert bpy.ops.pirouette.character_to_dance(frames="SCENE") == {"FINISHED"}
    assert np.ptp(stored(dancer).poses, axis=0).max() < 1e-3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda character: setattr(character.data, "pose_position", "REST"), "shows its rest pose"),
        (lambda character: setattr(character, "scale", (1.0, 1.0, 1.4)), "unevenly"),
        (lambda character: setattr(bpy.context.scene, "frame_end", 3), "3 frames are too few"),
        (lambda character: bpy.context.scene.collection.objects.unlink(character), "No character"),
    ],
)
def test_what_cannot_be_read_is_told_and_leaves_nothing(
    scene: bpy.types.Scene, change: Callable[[bpy.types.Object], None], says: str
) -> None:
    character = character_of("Hero")
    scene.pirouette.character = character
    change(character)
    before = sorted(thing.name for thing in (*bpy.data.objects, *bpy.data.actions, *bpy.data.armatures))
    with pytest.raises(RuntimeError, match=says if says != "No character" else "poll"):
        bpy.ops.pirouette.character_to_dance(frames="SCENE")
    assert sorted(thing.name for thing in (*bpy.data.objects, *bpy.data.actions, *bpy.data.armatures)) == before


def test_a_failure_of_the_backend_leaves_no_dancer(scene: bpy.types.Scene) -> None:
    scene.pirouette.character = character_of("Hero")
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend_command = "no-such-program-anywhere"
    part("operators.readiness").BACKEND_PROBLEM.forget()
    before = sorted(thing.name for thing in bpy.data.objects)
    with pytest.raises(RuntimeError):
        bpy.ops.pirouette.character_to_dance(frames="SCENE")
    assert sorted(thing.name for thing in bpy.data.objects) == before
    assert bpy.context.scene.pirouette.dancer is None


@pytest.mark.slow
@pytest.mark.skipif("PIROUETTE_BACKEND_PYTHON" not in os.environ, reason="no Python for the backend is named")
@pytest.mark.skipif(not list((backend_folder() / "weights").glob("*.safetensors")), reason="no trained weights")
def test_with_the_trained_model_the_dance_that_is_read_is_varied_and_goes_on(scene: bpy.types.Scene) -> None:
    bpy.context.preferences.addons[MODULE].preferences.backend_command = ""
    part("operators.readiness").BACKEND_PROBLEM.forget()
    scene.render.fps, scene.frame_end = 30, 240
    character = character_of("Hero")
    scene.pirouette.character = character
    real = made_up_danced(240)
    bpy.ops.pirouette.map_bones()
    rig, bone_map = (getattr(part("scene.character"), name)(character) for name in ("read_rig", "bone_map_of"))
    retarget = part("core.retarget")
    options = retarget.RetargetOptions(feet="off")
    result = retarget.retarget(rig, bone_map, real.poses, real.pelvis, fps=30.0, options=options)
    curves = part("scene.character_take").every_frame(result, character, np.arange(1, 241))
    for _ in part("scene.character_take").write_character_take(character, curves, name="Mine", marks={}):
        pass
    assert bpy.ops.pirouette.character_to_dance(frames="SCENE") == {"FINISHED"}
    dancer = scene.pirouette.dancer
    document = stored(dancer)
    assert apart_deg(danced(document.poses, document.pelvis), real.joints) < 0.5
    assert len(document.movement_codes) > 0
    assert len(document.sections) > 1
    before = keyed(dancer)
    assert bpy.ops.pirouette.section_regenerate(section=1, seed=3) == {"FINISHED"}
    assert np.abs(keyed(dancer) - before).max() > 0.05
