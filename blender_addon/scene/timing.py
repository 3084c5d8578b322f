"""Frames and seconds of a scene."""

from __future__ import annotations

import bpy


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames a second, such as 24000 / 1001."""
    return float(scene.render.fps) / float(scene.render.fps_base)


def frames_in(duration_s: float, *, fps: float) -> int:
    """The number of frames nearest to a duration, at least one."""
    return max(1, round(duration_s * fps))
