"""Curves with few keys on an Action: Bezier keys whose handles are given, so that Blender shows what was computed."""

from __future__ import annotations

import bpy
import numpy as np

from ..core.key_reduction import ReducedCurve

BEZIER = 2  # Keyframe.interpolation, as foreach_set wants it
_ALIGNED = 3  # Keyframe.handle_left_type and handle_right_type: both handles of a key stay on one line


def curve_path(bone: str, path: str) -> str:
    """The data path of a pose bone's property, whatever signs the bone's name has."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{path}'


def write_curve_keys(
    owner: bpy.types.ActionChannelbag | bpy.types.Action,
    bone: str,
    path: str,
    index: int,
    curve: ReducedCurve,
    *,
    first_frame: float = 0.0,
) -> bpy.types.FCurve:
    """Write a curve as a new F-curve in its bone's group. first_frame: where the dance's frame 0 lies."""
    fcurve = owner.fcurves.new(curve_path(bone, path), index=index)
    fcurve.group = owner.groups.get(bone) or owner.groups.new(bone)
    count = len(curve.frames)
    points = fcurve.keyframe_points
    points.add(count)
    start = np.array([first_frame, 0.0])
    co = np.stack([curve.frames, curve.values], axis=-1)
    for name, kind in (("interpolation", BEZIER), ("handle_left_type", _ALIGNED), ("handle_right_type", _ALIGNED)):
        points.foreach_set(name, np.full(count, kind, dtype=np.int32))
    for name, places in (("co", co), ("handle_left", curve.handle_left), ("handle_right", curve.handle_right)):
        points.foreach_set(name, np.ravel(places + start).astype(np.float32))
    fcurve.update()
    return fcurve
