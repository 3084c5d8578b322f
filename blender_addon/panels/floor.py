"""The locks in the 3D view: places as rings on the floor, facings as arrows, the selected pose as a stick figure.

Of a pose only what is locked is drawn, on the dancer as it stands, and only while the playhead is near.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from ..core.skeleton import PARENTS, forward_kinematics
from ..scene.armature import find_dancer
from ..scene.locks import asked_of, facing_of, frame_of, seen_pose
from ..scene.timing import scene_fps

_RING_M, _ARROW_M, _RAISED_M = 0.18, 0.45, 0.004
_SIDES = 32
_LOCKED, _SELECTED = (0.35, 0.75, 0.95, 0.9), (1.0, 0.93, 0.45, 1.0)
_handle = None

Line = tuple[Vector, Vector]


def floor_lines(item: Any) -> list[Line]:
    """The ring and the arrow of a lock, in the dancer's space: pairs of points."""
    pelvis = item.pelvis
    centre = Vector((pelvis[0], pelvis[1], _RAISED_M))
    found: list[Line] = []
    if item.place:
        angles = [2 * math.pi * side / _SIDES for side in range(_SIDES + 1)]
        found += pairwise([centre + _RING_M * Vector((math.cos(angle), math.sin(angle), 0.0)) for angle in angles])
        found += [(centre + _RING_M * way, centre - _RING_M * way) for way in (Vector((1, 0, 0)), Vector((0, 1, 0)))]
    if item.heading:
        turn = Matrix.Rotation(facing_of(np.array(item.pose)), 3, "Z")
        tip = centre + turn @ Vector((0.0, -_ARROW_M, 0.0))
        found.append((centre, tip))
        found += [(tip, tip + turn @ Vector((side * 0.08, 0.12, 0.0))) for side in (-1.0, 1.0)]
    return found


def figure_lines(item: Any, now: tuple[np.ndarray, np.ndarray]) -> list[Line]:
    """The locked limbs, in the dancer's space, on a dancer who does ``now``: pairs of points."""
    pose, pelvis = asked_of(item, now)
    joints = [Vector(joint) for joint in forward_kinematics(pose[None], pelvis[None])[0].tolist()]
    turned = [(PARENTS[joint], joint) for joint in range(1, len(PARENTS)) if item.joints[PARENTS[joint]]]
    return [(joints[parent], joints[joint]) for parent, joint in turned]


def is_near(scene: bpy.types.Scene, item: Any) -> bool:
    """Whether the playhead is within a second of a lock."""
    return abs(scene.frame_current - frame_of(scene, item)) <= scene_fps(scene)


def _draw() -> None:
    context = bpy.context
    dancer = find_dancer(context)
    if dancer is None or not context.scene.pirouette.show_locks or not context.space_data.overlay.show_overlays:
        return
    shown = dancer.pirouette
    for index, item in enumerate(shown.locks):
        selected = index == shown.active_lock
        if item.enabled:
            lines = floor_lines(item)
            if selected and is_near(context.scene, item):
                lines += figure_lines(item, seen_pose(dancer))
            _draw_lines(context, dancer, lines, _SELECTED if selected else _LOCKED)


def _draw_lines(
    context: bpy.types.Context, dancer: bpy.types.Object, lines: Sequence[Line], colour: tuple[float, ...]
) -> None:
    if not lines:
        return
    points = [dancer.matrix_world @ point for line in lines for point in line]
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    batch = batch_for_shader(shader, "LINES", {"pos": points})
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", 2.5 * (context.preferences.system.ui_scale or 1.0))
    shader.uniform_float("color", colour)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def attach() -> None:
    """Draw from now on; there is nothing to draw on without a window."""
    global _handle
    if not bpy.app.background:
        _handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")


def detach() -> None:
    """Draw no longer."""
    global _handle
    if _handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
    _handle = None
