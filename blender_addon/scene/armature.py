"""The dancer: an armature of the 24 SMPL bones, standing at the origin in a T-pose."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from ..core.bone_frames import rest_bones
from ..core.skeleton import JOINT_NAMES, PARENTS

DANCER_MARK = "pirouette_dancer"  # the custom property by which our armatures are known
DANCER_NAME = "Dancer"


def is_dancer(candidate: bpy.types.Object | None) -> bool:
    """Whether this object is an armature a dance can be written on."""
    return (
        candidate is not None
        and candidate.type == "ARMATURE"
        and DANCER_MARK in candidate
        and all(name in candidate.data.bones for name in JOINT_NAMES)
    )


def find_dancer(context: bpy.types.Context) -> bpy.types.Object | None:
    """The dancer that a new take goes on: the active one (or the body of one), else the scene's, else none."""
    active = context.view_layer.objects.active
    for candidate in (active, active.parent if active is not None else None, context.scene.pirouette.dancer):
        if is_dancer(candidate) and candidate.name in context.scene.objects and candidate.library is None:
            return candidate
    return None


def create_dancer(context: bpy.types.Context) -> bpy.types.Object:
    """A new dancer in the active collection, active and alone selected; Blender is in Object Mode afterwards."""
    leave_edit_modes(context)
    data = bpy.data.armatures.new(DANCER_NAME)
    dancer = bpy.data.objects.new(DANCER_NAME, data)
    visible_collection(context).objects.link(dancer)
    try:
        make_active(context, dancer)
        _build_bones(data)
    except Exception:
        bpy.data.armatures.remove(data)  # takes the object with it
        raise
    data.display_type = "STICK"
    dancer.show_in_front = True
    for bone in dancer.pose.bones:
        bone.rotation_mode = "QUATERNION"
    for name in JOINT_NAMES[1:]:
        dancer.pose.bones[name].lock_location = (True, True, True)
    dancer[DANCER_MARK] = 1
    return dancer


def make_active(context: bpy.types.Context, chosen: bpy.types.Object) -> None:
    """Make an object the active and only selected one."""
    for other in context.view_layer.objects:
        if other.select_get(view_layer=context.view_layer):
            other.select_set(False, view_layer=context.view_layer)
    chosen.select_set(True, view_layer=context.view_layer)
    context.view_layer.objects.active = chosen


def rest_rotations(dancer: bpy.types.Object) -> np.ndarray:
    """Each bone's rest orientation in armature space: (24, 3, 3)."""
    bones = dancer.data.bones
    return np.array([np.array(bones[name].matrix_local.to_3x3()) for name in JOINT_NAMES])


def rest_head(dancer: bpy.types.Object) -> np.ndarray:
    """Where the root bone starts at rest, armature space, metres: (3,)."""
    return np.array(dancer.data.bones[JOINT_NAMES[0]].head_local)


def leave_edit_modes(context: bpy.types.Context) -> None:
    """Blender is in Object Mode afterwards."""
    if context.mode != "OBJECT" and context.view_layer.objects.active is not None:
        bpy.ops.object.mode_set(mode="OBJECT")


def visible_collection(context: bpy.types.Context) -> bpy.types.Collection:
    """The active collection; the scene's own where that one is hidden, since a hidden armature cannot be built."""
    layer = context.view_layer.active_layer_collection
    if layer is not None and layer.is_visible and not layer.exclude and not layer.collection.library:
        return layer.collection
    return context.scene.collection


def _build_bones(data: bpy.types.Armature) -> None:
    rest = rest_bones()
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        for index, name in enumerate(JOINT_NAMES):
            bone = data.edit_bones.new(name)
            bone.head, bone.tail = Vector(rest.heads[index]), Vector(rest.tails[index])
            bone.align_roll(Vector(rest.rolls_towards[index]))
            if PARENTS[index] >= 0:
                bone.parent = data.edit_bones[JOINT_NAMES[PARENTS[index]]]
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
