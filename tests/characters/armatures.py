"""Made-up rigs and characters as armatures of the scene."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import bpy
from mathutils import Matrix

from tests.core.made_up_characters import made_up


def armature_of(rig: Any, name: str = "Hero") -> bpy.types.Object:
    """A rig (core.rig.Rig, also the installed add-on's) as a new armature of the scene, at rest."""
    found = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(found)
    add_bones(found, rig)
    return found


def add_bones(armature: bpy.types.Object, rig: Any) -> None:
    """The bones of a rig, in its rotation modes, and where it stands in the world. What is active stays active."""
    with active_kept():
        bpy.context.view_layer.objects.active = armature
        bpy.ops.object.mode_set(mode="EDIT")
        for number, name in enumerate(rig.names):
            bone = armature.data.edit_bones.new(name)
            bone.head, bone.tail = rig.heads[number], rig.tails[number]
            bone.matrix = Matrix(rig.rest[number].tolist())
            if rig.parents[number] >= 0:
                bone.parent = armature.data.edit_bones[rig.names[rig.parents[number]]]
        bpy.ops.object.mode_set(mode="OBJECT")
    armature.matrix_world = Matrix(rig.world.tolist())
    for name, mode in zip(rig.names, rig.rotation_modes, strict=True):
        armature.pose.bones[name].rotation_mode = mode
    bpy.context.view_layer.update()


def character_of(name: str, **made: Any) -> bpy.types.Object:
    """A made-up character in the scene, with a prop bone."""
    found = armature_of(made_up(3, **made).rig, name)
    with active_kept():
        bpy.context.view_layer.objects.active = found
        bpy.ops.object.mode_set(mode="EDIT")
        prop = found.data.edit_bones.new("prop")
        prop.head, prop.tail = (0, 0, 0), (0, 0, 0.1)
        bpy.ops.object.mode_set(mode="OBJECT")
    return found


@contextlib.contextmanager
def active_kept() -> Iterator[None]:
    """The active object is the same afterwards."""
    before = bpy.context.view_layer.objects.active
    try:
        yield
    finally:
        bpy.context.view_layer.objects.active = before
