"""Characters whose rest pose is none that a person could stand in, and what counts as their rest instead."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from tests.addon.installed import part
from tests.characters.armatures import armature_of
from tests.core.made_up_rigs import JOINT, Build, made_up_rig

SITTING = {"Hip": -85.0, "Knee": 85.0}


def turned(character: bpy.types.Object, names: dict[int, str], degrees: float) -> None:
    """Hips and knees bent, or straightened, about the character's left-right axis."""
    for side in "LR":
        for limb, angle in SITTING.items():
            bone = character.pose.bones[names[JOINT[f"{side}_{limb}"]]]
            place = Matrix.Translation(bone.head)
            turn = Matrix.Rotation(np.radians(degrees * angle), 4, Vector((1.0, 0.0, 0.0)))
            bone.matrix = place @ turn @ place.inverted() @ bone.matrix
            bpy.context.view_layer.update()


def test_a_character_that_sits_at_rest_is_found_as_it_is_posed(scene: bpy.types.Scene) -> None:
    made = made_up_rig(Build(root=True, fingers=2), np.random.default_rng(3))
    names = {joint: bones[0] for joint, bones in made.bones.items()}
    sitting = armature_of(made.rig)
    turned(sitting, names, 1.0)
    bpy.context.view_layer.objects.active = sitting
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.armature_apply(selected=False)
    bpy.ops.object.mode_set(mode="OBJECT")
    scene.pirouette.character = sitting
    with pytest.raises(RuntimeError, match="Current Pose as Rest"):
        bpy.ops.pirouette.map_bones()
    turned(sitting, names, -1.0)
    bpy.ops.pirouette.pose_as_rest()
    bpy.ops.pirouette.map_bones()
    found = part("scene.character").bone_map_of(sitting)
    assert {joint: found.bones(joint)[0] for joint in range(22)} == {joint: names[joint] for joint in range(22)}
