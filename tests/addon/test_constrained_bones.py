"""Characters whose bones something else moves, too: controls that they copy, inverse kinematics, drivers."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
import pytest

from blender_addon.core.bone_map import map_bones
from blender_addon.core.retarget import retarget
from blender_addon.scene.character import read_rig
from tests.characters.armatures import armature_of
from tests.core.made_up_characters import danced
from tests.core.made_up_rigs import JOINT, Build, made_up_rig

MADE = made_up_rig(Build(a_pose_deg=40.0, root=True, fingers=2), np.random.default_rng(5))
BONE = {joint: bones[0] for joint, bones in MADE.bones.items()}
ARMS = [JOINT[f"{side}_{limb}"] for side in "LR" for limb in ("Shoulder", "Elbow")]
SHINS = [JOINT["L_Knee"], JOINT["R_Knee"]]


@pytest.fixture
def character() -> Iterator[bpy.types.Object]:
    found = armature_of(MADE.rig)
    yield found
    bpy.data.armatures.remove(found.data)


def with_controls(character: bpy.types.Object, kind: str, **settings: object) -> None:
    """Each bone of the arms copies a control that lies where it does."""
    bpy.context.view_layer.objects.active = character
    bpy.ops.object.mode_set(mode="EDIT")
    bones = character.data.edit_bones
    for joint in ARMS:
        old, made = bones[BONE[joint]], bones.new(f"control {BONE[joint]}")
        made.head, made.tail, made.roll, made.use_deform = old.head, old.tail, old.roll, False
        made.parent = bones.get(f"control {old.parent.name}") or old.parent
    bpy.ops.object.mode_set(mode="OBJECT")
    for joint in ARMS:
        copying = character.pose.bones[BONE[joint]].constraints.new(kind)
        copying.target, copying.subtarget = character, f"control {BONE[joint]}"
        for name, value in settings.items():
            setattr(copying, name, value)
    bpy.context.view_layer.update()


def warnings_of(character: bpy.types.Object) -> str:
    rig, dance = read_rig(character), danced(10)
    return " ".join(retarget(rig, map_bones(rig), dance.poses, dance.pelvis, fps=30.0).warnings)


@pytest.mark.parametrize("kind", ["COPY_ROTATION", "COPY_TRANSFORMS"])
def test_bones_that_copy_controls_are_moved_by_these(character: bpy.types.Object, kind: str) -> None:
    with_controls(character, kind)
    found = map_bones(read_rig(character))
    for joint in range(22):
        assert found.bones(joint)[0] == (f"control {BONE[joint]}" if joint in ARMS else BONE[joint])
    assert not warnings_of(character)


def test_bones_that_copy_only_half_of_a_control_are_taken_themselves(character: bpy.types.Object) -> None:
    with_controls(character, "COPY_ROTATION", influence=0.5)
    found = map_bones(read_rig(character))
    assert all(found.bones(joint)[0] == BONE[joint] for joint in ARMS)
    told = warnings_of(character)
    assert "Constraints or drivers decide" in told
    assert all(BONE[joint] in told for joint in ARMS)


def test_thighs_that_ik_moves_are_told_though_the_constraint_is_on_the_shin(character: bpy.types.Object) -> None:
    for joint in SHINS:
        solver = character.pose.bones[BONE[joint]].constraints.new("IK")
        solver.target, solver.chain_count = character, 2
        solver.subtarget = BONE[JOINT["Head"]]
    bpy.context.view_layer.update()
    told = warnings_of(character)
    assert all(BONE[joint] in told for joint in (*SHINS, JOINT["L_Hip"], JOINT["R_Hip"]))
    assert BONE[0] not in told


def test_a_limit_only_comes_on_top_and_what_has_no_target_does_nothing(character: bpy.types.Object) -> None:
    character.pose.bones[BONE[ARMS[0]]].constraints.new("LIMIT_ROTATION").use_limit_x = True
    character.pose.bones[BONE[SHINS[0]]].constraints.new("IK")
    bpy.context.view_layer.update()
    rig = read_rig(character)
    assert rig.overruled == frozenset()
    assert BONE[ARMS[0]] in rig.constrained
    assert "comes on top" in warnings_of(character)


def test_a_driven_turn_is_told(character: bpy.types.Object) -> None:
    character.driver_add(f'pose.bones["{BONE[ARMS[1]]}"].rotation_quaternion', 1)
    assert read_rig(character).overruled == {BONE[ARMS[1]]}
