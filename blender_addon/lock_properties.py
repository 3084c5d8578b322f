"""``object.pirouette.locks`` on a dancer: the key poses and waypoints that a dance passes through."""

from typing import Any

import bpy
from bpy.props import BoolProperty, BoolVectorProperty, FloatVectorProperty, IntProperty, StringProperty

from .core.skeleton import JOINT_NAMES
from .scene.locks import frame_of, mark_lock, move_lock, rename_lock

_JOINTS = len(JOINT_NAMES)


def _frame(item: Any) -> int:
    return frame_of(bpy.context.scene, item)


def _set_frame(item: Any, value: int) -> None:
    move_lock(bpy.context.scene, item, value)


def _named(item: Any, context: bpy.types.Context) -> None:
    rename_lock(context.scene, item)


def _switched(item: Any, context: bpy.types.Context) -> None:
    mark_lock(context.scene, item)


class LockItem(bpy.types.PropertyGroup):
    """A lock in the list. pose: axis-angle of the 24 joints, pelvis: metres, both in the armature's space."""

    bl_idname = "PIROUETTE_PG_lock"

    name: StringProperty(name="Name", description="What you call this pose or place", update=_named)
    frame: IntProperty(
        name="Frame",
        description="When the dance passes through it; you can also drag its marker in the timeline",
        get=_frame,
        set=_set_frame,
    )
    enabled: BoolProperty(
        name="Use", description="Whether the next dance passes through it", default=True, update=_switched
    )
    place: BoolProperty(
        name="Place",
        description="The dancer stands above this place of the floor at that moment; off: anywhere",
        default=False,
    )
    heading: BoolProperty(
        name="Facing",
        description="The dancer faces this way at that moment; off: any way",
        default=False,
    )
    joints: BoolVectorProperty(size=_JOINTS, options={"HIDDEN"})
    pose: FloatVectorProperty(size=(_JOINTS, 3), options={"HIDDEN"})
    pelvis: FloatVectorProperty(size=3, options={"HIDDEN"})
    held_frame: IntProperty(options={"HIDDEN"})
    marker: StringProperty(options={"HIDDEN"})


CLASSES = (LockItem,)
