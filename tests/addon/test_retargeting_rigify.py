"""Retarget on a character that Rigify has made: its FK controls by default, its IK controls on request."""

from __future__ import annotations

from collections.abc import Callable

import addon_utils
import bpy
import numpy as np
import pytest

Dance = Callable[..., bpy.types.Object]
ENDS = ("DEF-hand.L", "DEF-hand.R", "DEF-foot.L", "DEF-foot.R")
BENDS = ("DEF-forearm.L", "DEF-forearm.R", "DEF-shin.L", "DEF-shin.R")


@pytest.fixture
def character(dance: Dance) -> bpy.types.Object:
    """A dance, and a generated Rigify character beside it."""
    if not any(module.__name__ == "rigify" for module in addon_utils.modules()):
        pytest.skip("this Blender was built without Rigify")
    dancer = dance()
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_basic_human_metarig_add()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    found = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o not in (metarig, dancer))
    bpy.data.objects.remove(metarig)
    found.location = (2.0, 1.0, 0.0)
    bpy.context.view_layer.objects.active = dancer
    bpy.context.scene.pirouette.character = found
    return found


def heads(character: bpy.types.Object, names: tuple[str, ...]) -> np.ndarray:
    found = []
    for frame in range(1, 200, 15):
        bpy.context.scene.frame_set(frame)
        found.append([character.matrix_world @ character.pose.bones[name].head for name in names])
    return np.array(found)


def test_hands_and_feet_are_where_they_are_by_fk_when_ik_controls_are_keyed(character: bpy.types.Object) -> None:
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    assert character.pose.bones["thigh_parent.L"]["IK_FK"] == 1.0
    by_fk, bends = heads(character, ENDS), heads(character, BENDS)
    assert np.ptp(by_fk, axis=0).max() > 0.05
    character.pirouette_character.rigify_ik = True
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    by_ik = heads(character, ENDS)
    assert character.pose.bones["thigh_parent.L"]["IK_FK"] == 0.0
    assert np.linalg.norm(by_ik - by_fk, axis=-1).max() < 0.005
    assert np.linalg.norm(heads(character, BENDS) - bends, axis=-1).max() < 0.02
    action = character.animation_data.nla_tracks[-1].strips[0].action
    bones = {group.name for layer in action.layers for bag in layer.strips[0].channelbags for group in bag.groups}
    assert "foot_ik.L" in bones
    assert "thigh_fk.L" not in bones
