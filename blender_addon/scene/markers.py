"""The beats of a dance as timeline markers: a dancer's counts, with the bar's number on the one."""

from __future__ import annotations

import re
from collections.abc import Generator

import bpy
import numpy as np

from ..core.dance import DanceDocument
from .timing import scene_fps

_OURS = re.compile(r"^♪\d+(\.1)?$")
_MARKERS_A_STEP = 200


def is_beat_marker(marker: bpy.types.TimelineMarker) -> bool:
    """Whether this marker is one of ours; a marker that the animator has renamed is the animator's."""
    return _OURS.match(marker.name) is not None and marker.camera is None


def beat_names(downbeat: np.ndarray) -> list[str]:
    """``♪3.1`` on the first beat of bar 3, ``♪2``, ``♪3``, … on the others; an upbeat counts up to bar 1."""
    names: list[str] = []
    first = int(np.argmax(downbeat)) if downbeat.any() else 0
    metre = int(np.median(np.diff(np.flatnonzero(downbeat)))) if downbeat.sum() > 1 else 4
    count, bar = (metre - first) % metre, 0
    for is_first in downbeat:
        count = 1 if is_first else count + 1
        bar += bool(is_first)
        names.append(f"♪{bar}.1" if is_first else f"♪{count}")
    return names


def write_markers(scene: bpy.types.Scene, document: DanceDocument) -> Generator[None, None, None]:
    """Replace our earlier markers by the beats of this dance, in short steps; other markers are left alone."""
    markers = scene.timeline_markers
    for old in [marker for marker in markers if is_beat_marker(marker)]:
        markers.remove(old)
    yield
    fps = scene_fps(scene)
    placement = document.placement
    frames = np.round(document.beats.beats_s * fps).astype(int)
    for index, (frame, name) in enumerate(zip(frames, beat_names(document.beats.downbeat), strict=True)):
        if 0 <= frame < placement.frames:
            markers.new(name, frame=placement.first_frame + int(frame)).select = False
        if index % _MARKERS_A_STEP == _MARKERS_A_STEP - 1:
            yield
