"""A second mannequin that shows a phrase of the library beside the dancer, again and again, and then goes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import bpy
import numpy as np
from bpy.app.handlers import persistent
from mathutils import Matrix, Vector

from ..core.bone_frames import rest_joints
from ..core.dance import DanceDocument, Placement
from ..core.resample import resampled_frames
from .armature import DANCER_MARK, create_dancer, find_dancer, make_active
from .mannequin import add_mannequin
from .take import write_curves
from .timing import scene_fps

PREVIEW_MARK = "pirouette_preview"
PREVIEW_NAME = "Phrase Preview"
_BESIDE_M = 1.3


def preview_objects() -> list[bpy.types.Object]:
    """The preview's objects, as far as there are any."""
    return [thing for thing in bpy.data.objects if PREVIEW_MARK in thing]


def remove_preview() -> bool:
    """Take the preview away with all that was made for it; returns whether there was one."""
    things: list[bpy.types.ID] = []
    for thing in preview_objects():
        if thing.animation_data is not None and thing.animation_data.action is not None:
            things.append(thing.animation_data.action)
        if thing.data is not None and PREVIEW_MARK in thing.data:
            things.append(thing.data)
        things.append(thing)
    bpy.data.batch_remove(things)
    return bool(things)


def show_preview(context: bpy.types.Context, document: DanceDocument) -> Generator[None, None, bpy.types.Object]:
    """Put a mannequin beside the dancer that dances a phrase from the current frame on, in short steps.

    Nothing else in the scene changes; a preview that there was goes.
    """
    remove_preview()
    scene, fps = context.scene, scene_fps(context.scene)
    dancer = find_dancer(context)
    try:
        figure = _figure(context, dancer)
        yield
        body = add_mannequin(context, figure)
        for thing in (body, body.data):
            thing[PREVIEW_MARK] = 1
        body.name, body.hide_select = f"{PREVIEW_NAME} Body", True
        yield
        frames = resampled_frames(len(document.poses), source_fps=document.fps, target_fps=fps)
        placed = replace(
            document, placement=Placement(scene.frame_current, frames, fps), kept_keys=np.zeros(0, dtype=np.int32)
        )
        action = bpy.data.actions.new(PREVIEW_NAME)
        animation = figure.animation_data_create()
        animation.action = action
        for written in write_curves(action, figure, placed):
            for curve in written:
                curve.modifiers.new("CYCLES")
            yield
        if hasattr(animation, "action_slot"):
            animation.action_slot = action.slots[0]
        figure.matrix_world = _beside(dancer, document)
    except BaseException:  # a cancel closes the generator: that is one, too
        remove_preview()
        raise
    return figure


def _figure(context: bpy.types.Context, dancer: bpy.types.Object | None) -> bpy.types.Object:
    """An armature of its own object; the bones are shared with the dancer where there is one."""
    if dancer is not None:
        figure = bpy.data.objects.new(PREVIEW_NAME, dancer.data)
        context.scene.collection.objects.link(figure)
        context.view_layer.update()  # makes its pose
    else:
        active = context.view_layer.objects.active
        figure = create_dancer(context)
        figure.name = PREVIEW_NAME
        del figure[DANCER_MARK]
        figure.data[PREVIEW_MARK] = 1
        figure.select_set(False)
        context.view_layer.objects.active = active
        if active is not None:
            make_active(context, active)
    figure[PREVIEW_MARK] = 1
    figure.show_in_front, figure.hide_select = False, True
    figure.display_type = "WIRE"
    for bone in figure.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return figure


def _beside(dancer: bpy.types.Object | None, document: DanceDocument) -> Matrix:
    """To the dancer's side, on the same floor."""
    start = Vector((float(document.pelvis[0, 0]), float(document.pelvis[0, 1]), 0.0))
    if dancer is None:
        return Matrix.Translation(-start)
    head = dancer.pose.bones["Pelvis"].head if dancer.pose is not None else Vector(rest_joints()[0])
    place = Vector((head.x - _BESIDE_M, head.y, 0.0))
    return dancer.matrix_world @ Matrix.Translation(place - start)


@persistent
def _before_saving(*_: object) -> None:
    remove_preview()


def attach() -> None:
    """See to it that no preview is saved."""
    bpy.app.handlers.save_pre.append(_before_saving)


def detach() -> None:
    """Take away what there is."""
    bpy.app.handlers.save_pre.remove(_before_saving)
    remove_preview()
