"""The whole way with a generated Rigify character, by the operators: the dance onto it, and back from it."""

from __future__ import annotations

import json
from collections.abc import Callable

import addon_utils
import bpy
import numpy as np
import pytest

from blender_addon.core.calibration import LIMBS
from blender_addon.core.skeleton import forward_kinematics
from tests.addon.installed import stored

Dance = Callable[..., bpy.types.Object]
BODY = {
    1: "DEF-thigh.L", 4: "DEF-shin.L", 7: "DEF-foot.L", 2: "DEF-thigh.R", 5: "DEF-shin.R", 8: "DEF-foot.R",
    16: "DEF-upper_arm.L", 18: "DEF-forearm.L", 20: "DEF-hand.L",
    17: "DEF-upper_arm.R", 19: "DEF-forearm.R", 21: "DEF-hand.R",
}  # fmt: skip
SEEN = (1, 17, 40, 77, 119)


@pytest.fixture
def character(dance: Dance) -> bpy.types.Object:
    """A dance at 30 frames a second, and a character of Rigify's that has it in the panel."""
    if not any(module.__name__ == "rigify" for module in addon_utils.modules()):
        pytest.skip("this Blender was built without Rigify")
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.context.scene.render.fps = 30
    dancer = dance()
    bpy.ops.object.armature_basic_human_metarig_add()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    found = next(
        thing for thing in bpy.data.objects if thing.type == "ARMATURE" and thing not in (metarig, dancer)
    )  # fmt: skip
    bpy.context.scene.pirouette.character = found
    bpy.context.view_layer.objects.active = dancer
    return found


def joints_of(dancer: bpy.types.Object) -> np.ndarray:
    document = stored(dancer)
    return forward_kinematics(document.poses, document.pelvis)


def heads(character: bpy.types.Object) -> dict[int, np.ndarray]:
    found = []
    for frame in SEEN:
        bpy.context.scene.frame_set(frame)
        found.append([np.array(character.pose.bones[name].head) for name in BODY.values()])
    return dict(zip(BODY, np.array(found).swapaxes(0, 1), strict=True))


def limb_error_deg(own: dict[int, np.ndarray], joints: np.ndarray) -> float:
    errors = []
    for joint, end in LIMBS.items():
        a, b = own[end] - own[joint], joints[:, end] - joints[:, joint]
        errors.append(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.einsum("fi,fi->f", a, b)).max())
    return float(np.degrees(max(errors)))


@pytest.mark.parametrize("ik", [False, True])
def test_a_dance_goes_onto_the_controls_and_comes_back(character: bpy.types.Object, ik: bool) -> None:
    scene, dancer = bpy.context.scene, bpy.context.view_layer.objects.active
    wanted = joints_of(dancer)
    kept = character.pirouette_character
    kept.feet = "OFF"
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    by_fk = heads(character)
    assert limb_error_deg(by_fk, wanted[np.array(SEEN) - 1]) < 0.5
    if ik:
        kept.rigify_ik = True
        assert bpy.ops.pirouette.retarget() == {"FINISHED"}
        by_ik = heads(character)
        assert character.pose.bones["thigh_parent.L"]["IK_FK"] == 0.0
        for joint in (7, 8, 20, 21):
            assert np.linalg.norm(by_ik[joint] - by_fk[joint], axis=-1).max() < 0.005, BODY[joint]
    report = json.loads(scene.pirouette.retarget_report)
    assert report["joints_mapped"] == 22
    scene.frame_end = 120
    assert bpy.ops.pirouette.character_to_dance(frames="SCENE") == {"FINISHED"}
    read = joints_of(dancer)
    again = {joint: read[np.array(SEEN) - 1, joint] for joint in BODY}
    assert limb_error_deg(again, wanted[np.array(SEEN) - 1]) < (12.0 if ik else 0.5)  # Rigify's IK limbs stretch
    assert np.abs(stored(dancer).pelvis - stored(dancer, 1).pelvis[:120])[:, :2].max() < 0.005


def posed(character: bpy.types.Object) -> None:
    """As an animator leaves a rig: torso and chest turned, tweaks and IK controls moved, limbs halfway to FK."""
    for name in (
        "torso",
        "chest",
        "hips",
        "shoulder.L",
        "upper_arm_tweak.L",
        "hand_ik.R",
        "thigh_ik_target.L",
        "spine_fk",
    ):
        bone = character.pose.bones[name]
        bone.rotation_mode = "XYZ"
        bone.rotation_euler, bone.location = (0.4, 0.2, 0.1), (0.1, 0.05, 0.1)
    character.pose.bones["root"].location = (0.5, 0.0, 0.0)
    character.pose.bones["thigh_parent.L"]["IK_FK"] = 0.3
    bpy.context.view_layer.update()


def test_a_posed_rig_dances_as_one_at_rest(character: bpy.types.Object) -> None:
    wanted = joints_of(bpy.context.view_layer.objects.active)
    posed(character)
    character.pirouette_character.feet = "OFF"
    bpy.ops.pirouette.preview_retarget()
    assert limb_error_deg(heads(character), wanted[np.array(SEEN) - 1]) < 0.5
    bpy.ops.pirouette.stop_preview_retarget()
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    assert limb_error_deg(heads(character), wanted[np.array(SEEN) - 1]) < 0.5
    assert character.pose.bones["root"].location[0] == pytest.approx(0.5)


def test_few_keys_on_ik_controls_bring_hands_and_feet_where_all_keys_do(character: bpy.types.Object) -> None:
    kept = character.pirouette_character
    kept.rigify_ik = True
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    every, report = heads(character), json.loads(bpy.context.scene.pirouette.retarget_report)
    kept.simplify, kept.error_cm = True, 0.5
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    few, fewer = heads(character), json.loads(bpy.context.scene.pirouette.retarget_report)
    assert fewer["keys"] < 0.5 * report["keys"]
    assert fewer["fewer_keys_error_cm"] <= 0.5
    for joint in BODY:
        assert np.linalg.norm(few[joint] - every[joint], axis=-1).max() < 0.0052, BODY[joint]
