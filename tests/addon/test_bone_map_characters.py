"""Rigify's own characters, as Blender makes them: their bones are found without help."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_addon.core.bone_map import map_bones, missing_joints
from blender_addon.core.bone_presets import Preset, read_presets
from blender_addon.core.rig import Rig
from blender_addon.core.skeleton import JOINT_NAMES

PRESETS = Path(__file__).parents[2] / "blender_addon" / "presets" / "bone_maps"
METARIGS = {"human": "armature_human_metarig_add", "basic": "armature_basic_human_metarig_add"}
METARIG_BONES = {
    "Pelvis": ("spine",), "Spine1": ("spine.001",), "Spine2": ("spine.002",), "Spine3": ("spine.003",),
    "Neck": ("spine.004", "spine.005"), "Head": ("spine.006",),
    "L_Hip": ("thigh.L",), "L_Knee": ("shin.L",), "L_Ankle": ("foot.L",), "L_Foot": ("toe.L",),
    "L_Collar": ("shoulder.L",), "L_Shoulder": ("upper_arm.L",), "L_Elbow": ("forearm.L",), "L_Wrist": ("hand.L",),
}  # fmt: skip
CONTROLS = {
    "Pelvis": ("torso",), "Spine1": ("spine_fk.002",), "Spine2": ("spine_fk.003",), "Spine3": ("spine_fk.003",),
    "Neck": ("neck",), "Head": ("head",),
    "L_Hip": ("thigh_fk.L",), "L_Knee": ("shin_fk.L",), "L_Ankle": ("foot_fk.L",), "L_Foot": ("toe_fk.L",),
    "L_Collar": ("shoulder.L",), "L_Shoulder": ("upper_arm_fk.L",), "L_Elbow": ("forearm_fk.L",),
    "L_Wrist": ("hand_fk.L",),
}  # fmt: skip


def both_sides(bones: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """With the right side's bones, named as the left's."""
    right = {f"R_{joint[2:]}": (names[0].replace(".L", ".R"),) for joint, names in bones.items() if joint[:2] == "L_"}
    return bones | right


def rig_of(character: bpy.types.Object, rename: dict[str, str] | None = None) -> Rig:
    """What the maths needs of an armature, with other names if they are given."""
    bones = sorted(character.data.bones, key=lambda bone: len(bone.parent_recursive))
    number = {bone.name: index for index, bone in enumerate(bones)}
    names = rename or {bone.name: bone.name for bone in bones}
    return Rig(
        tuple(names[bone.name] for bone in bones),
        np.array([number[bone.parent.name] if bone.parent else -1 for bone in bones]),
        np.array([bone.head_local for bone in bones]),
        np.array([bone.tail_local for bone in bones]),
        np.array([bone.matrix_local for bone in bones]),
        np.array(character.matrix_world),
        tuple(character.pose.bones[bone.name].rotation_mode for bone in bones),
        np.array([bone.use_deform for bone in bones]),
        frozenset(names[bone.name] for bone in character.pose.bones if len(bone.constraints)),
    )


@pytest.fixture
def metarig(rigify: None, request: pytest.FixtureRequest) -> Iterator[bpy.types.Object]:
    getattr(bpy.ops.object, METARIGS[request.param])()
    yield bpy.context.object
    for owner in list(bpy.data.objects):
        bpy.data.objects.remove(owner)


@pytest.fixture(scope="module")
def presets() -> tuple[Preset, ...]:
    return read_presets(PRESETS)


@pytest.mark.parametrize("metarig", METARIGS, indirect=True)
def test_a_metarig_is_mapped_by_its_names_and_by_its_shape_alone(
    metarig: bpy.types.Object, presets: tuple[Preset, ...]
) -> None:
    found = map_bones(rig_of(metarig), presets)
    assert found.source == "Rigify bones"
    assert {JOINT_NAMES[row.joint]: row.bones for row in found.rows} == both_sides(METARIG_BONES)
    numbers = random.Random(1).sample(range(10_000), len(metarig.data.bones))
    rename = {bone.name: f"x{number}" for bone, number in zip(metarig.data.bones, numbers, strict=True)}
    shape = map_bones(rig_of(metarig, rename), presets)
    assert shape.source == "structure"
    turning = {JOINT_NAMES[row.joint]: row.bones[0] for row in shape.rows}
    assert turning == {joint: rename[bones[0]] for joint, bones in both_sides(METARIG_BONES).items()}


@pytest.mark.parametrize("metarig", ["basic", pytest.param("human", marks=pytest.mark.slow)], indirect=True)
def test_a_generated_rig_is_mapped_to_its_fk_controls(metarig: bpy.types.Object, presets: tuple[Preset, ...]) -> None:
    bpy.ops.pose.rigify_generate()
    character = next(owner for owner in bpy.data.objects if owner.type == "ARMATURE" and owner != metarig)
    found = map_bones(rig_of(character), presets)
    assert (found.source, found.controls, found.root) == ("Rigify controls", "rigify_fk", "root")
    assert {JOINT_NAMES[row.joint]: row.bones for row in found.rows} == both_sides(CONTROLS)
    assert not missing_joints(found)
    assert all(found.bones(joint)[0] not in rig_of(character).constrained for joint in range(22))
