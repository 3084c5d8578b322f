"""The poses of an Action, as it moves the dancer: evaluated on a stand-in, so that the dancer is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from ..core.errors import PirouetteError
from ..core.skeleton import JOINT_NAMES
from .action_curves import curve_owner, read_frames_and_values
from .locks import capture

Captured = tuple[np.ndarray, np.ndarray]  # pose (24, 3) axis-angle, pelvis (3,) metres
_EULER = "rotation_euler"
_MODES = {"rotation_quaternion": "QUATERNION", _EULER: "XYZ", "rotation_axis_angle": "AXIS_ANGLE"}
_NOT_EULER = ("QUATERNION", "AXIS_ANGLE")


def keyed_frames(action: bpy.types.Action) -> list[int]:
    """The frames at which an Action has keys on the dancer's bones, rounded, in order."""
    paths = tuple(f'pose.bones["{name}"].' for name in JOINT_NAMES)
    frames: set[int] = set()
    owner = curve_owner(action)
    for curve in () if owner is None else owner.fcurves:
        if curve.data_path.startswith(paths):
            frames.update(int(frame) for frame in np.floor(read_frames_and_values(curve)[:, 0] + 0.5))
    return sorted(frames)


def poses_of_action(
    context: bpy.types.Context, dancer: bpy.types.Object, action: bpy.types.Action, *, most: int
) -> list[tuple[int, Captured]]:
    """Frame and pose of each keyed frame of an Action. Raises PirouetteError bad_request."""
    frames = keyed_frames(action)
    if not frames:
        raise PirouetteError(
            "bad_request", f"The Action “{action.name}” has no keys on the dancer's bones.", "Choose another one."
        )
    if len(frames) > most:
        raise PirouetteError(
            "bad_request",
            f"The Action “{action.name}” has keys on {len(frames)} frames; {most} poses can be locked at once.",
            "Choose one with fewer keys: key poses, not a keyed motion.",
        )
    scene, before, subframe = context.scene, context.scene.frame_current, context.scene.frame_subframe
    with _stand_in(context, dancer, action) as figure:
        try:
            found = []
            for frame in frames:
                scene.frame_set(frame)
                found.append((frame, capture(context, figure)))
        finally:
            scene.frame_set(before, subframe=subframe)
    return found


@contextmanager
def _stand_in(
    context: bpy.types.Context, dancer: bpy.types.Object, action: bpy.types.Action
) -> Iterator[bpy.types.Object]:
    """A passing copy of the dancer that does what the Action says and nothing else."""
    figure = dancer.copy()
    try:
        context.scene.collection.objects.link(figure)
        figure.animation_data_clear()
        animation = figure.animation_data_create()
        animation.action = action
        if hasattr(animation, "action_slot") and action.slots:
            animation.action_slot = action.slots[0]
        _use_modes(figure, action)
        context.view_layer.update()
        yield figure
    finally:
        bpy.data.objects.remove(figure)


def _use_modes(figure: bpy.types.Object, action: bpy.types.Action) -> None:
    """Let each bone turn in the way that the Action keys it; what it does not key is at rest."""
    owner = curve_owner(action)
    paths = set() if owner is None else {curve.data_path for curve in owner.fcurves}
    for bone in figure.pose.bones:
        keyed = [name for name in _MODES if f'pose.bones["{bone.name}"].{name}' in paths]
        if keyed and not (keyed == [_EULER] and bone.rotation_mode not in _NOT_EULER):  # one that is set has an order
            bone.rotation_mode = _MODES[keyed[0]]
        bone.matrix_basis = Matrix.Identity(4)
