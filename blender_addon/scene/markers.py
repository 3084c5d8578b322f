"""The beats of the music as timeline markers, which the animator can drag, delete, add and accent."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import bpy
import numpy as np

from ..core.dance import Beats, Placement
from ..core.edited_beats import Heard, Mark, MarkedBeats, beats_within, marked_beats, names_of_beats
from ..core.errors import PirouetteError

HEARD = "pirouette_beats"  # custom property of the scene: the beats as they were heard
_OURS = re.compile(r"^♪\d+(\.1)?( >)?$")
_OTHERS_OF_OURS = ("◆ ", "◇ ", "§ ")  # of locks and sections
_MARKERS_A_STEP = 200


def is_beat_marker(marker: bpy.types.TimelineMarker) -> bool:
    """Whether this marker is one of ours; a marker that the animator has renamed is the animator's."""
    return _OURS.match(marker.name) is not None and marker.camera is None


def beat_markers(scene: bpy.types.Scene) -> list[bpy.types.TimelineMarker]:
    """The beats' markers in the order of time."""
    return sorted((marker for marker in scene.timeline_markers if is_beat_marker(marker)), key=lambda m: m.frame)


def heard_beats(scene: bpy.types.Scene) -> Heard | None:
    """The beats as they were heard last; None when none were, or when what is kept of them cannot be read."""
    kept: Any = scene.get(HEARD)
    try:
        if kept is None:
            return None
        frames = np.array(kept.get("frames", ()), dtype=np.float64)
        downbeat = np.array(kept.get("downbeat", ()), dtype=np.bool_)
        if frames.shape != downbeat.shape:
            return None
        return Heard(
            frames, downbeat, int(kept["first"]), int(kept["end"]), float(kept["tempo_bpm"]), int(kept["metre"]),
            bool(kept["clear"]),
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def marked(scene: bpy.types.Scene) -> MarkedBeats:
    """The beats that the timeline shows now."""
    marks, named = [], set()
    for marker in scene.timeline_markers:
        if is_beat_marker(marker):
            text = marker.name.removesuffix(" >")
            marks.append(Mark(marker.frame, text.endswith(".1"), marker.name != text))
        elif not marker.name.startswith(_OTHERS_OF_OURS):
            named.add(marker.frame)
    kept: Any = scene.get(HEARD) or {}
    named -= {int(frame) for frame in kept.get("others", ())}
    return marked_beats(heard_beats(scene) if marks else None, marks, named=named)


def edited_beats(
    scene: bpy.types.Scene, *, first: float, frames: float, fps: float
) -> tuple[Beats | None, tuple[float, ...]]:
    """Edited beats of a stretch of the scene, None where none is edited, and its accents, seconds from its start.

    Raises PirouetteError bad_range when too few beats are left.
    """
    return beats_within(marked(scene), heard_beats(scene), first=first, frames=frames, fps=fps)


def accents_within(scene: bpy.types.Scene, *, first: float, frames: float, fps: float) -> tuple[float, ...]:
    """The accents of a stretch of the scene, seconds from its start."""
    shown = marked(scene)
    at = shown.frames[shown.accents]
    return tuple(float(frame - first) / fps for frame in at if first - 0.5 < frame < first + frames)


def write_markers(
    scene: bpy.types.Scene, beats: Beats, placement: Placement, *, accents_s: Sequence[float] = ()
) -> Generator[None, None, None]:
    """Show beats that were just heard in place of the ones that are shown, in short steps; other markers stay."""
    for old in beat_markers(scene):
        scene.timeline_markers.remove(old)
    yield
    frames = placement.first_frame + beats.beats_s * placement.fps
    heard = Heard(
        frames, beats.downbeat, placement.first_frame, placement.first_frame + placement.frames, beats.tempo_bpm,
        beats.metre, beats.clear,
    )  # fmt: skip
    keep_heard(scene, heard)
    accented = np.zeros(len(frames), dtype=np.bool_)
    for accent_s in accents_s:
        if len(frames):
            accented[int(np.argmin(np.abs(beats.beats_s - accent_s)))] = True
    names = names_of_beats(beats.downbeat, accented)
    for index in np.flatnonzero(heard.marked):
        scene.timeline_markers.new(names[index], frame=int(frames[index].round())).select = False
        if index % _MARKERS_A_STEP == _MARKERS_A_STEP - 1:
            yield


def add_markers(scene: bpy.types.Scene, beats: Beats, placement: Placement) -> None:
    """Show the beats that were heard behind the ones that are shown, which stay as the animator has made them."""
    heard = heard_beats(scene)
    assert heard is not None
    frames = placement.first_frame + beats.beats_s * placement.fps
    end = max(placement.first_frame + placement.frames, heard.end)
    known = heard.marked
    last = max((marker.frame for marker in beat_markers(scene)), default=heard.first - 1)
    new = (frames.round() >= heard.end) & (frames > last + 1)
    keep_heard(
        scene,
        replace(
            heard,
            frames=np.concatenate([heard.frames[known], frames[new]]),
            downbeat=np.concatenate([heard.downbeat[known], beats.downbeat[new]]),
            end=end,
        ),
    )
    for frame, downbeat in zip(frames[new], beats.downbeat[new], strict=True):
        if frame.round() < end:
            scene.timeline_markers.new("♪1.1" if downbeat else "♪2", frame=int(frame.round())).select = False
    rename_beats(scene)


def keep_heard(scene: bpy.types.Scene, heard: Heard) -> None:
    """Keep the beats as they were heard, to know later what the animator has changed."""
    kept: dict[str, Any] = {
        "first": heard.first, "end": heard.end, "tempo_bpm": heard.tempo_bpm, "metre": heard.metre,
        "clear": int(heard.clear),
    }  # fmt: skip
    others = sorted({marker.frame for marker in scene.timeline_markers if not is_beat_marker(marker)})
    if others:
        kept["others"] = np.array(others, dtype=np.int32)
    if len(heard.frames):
        kept |= {"frames": heard.frames.astype(np.float64), "downbeat": heard.downbeat.astype(np.int32)}
    scene[HEARD] = kept


def rename_beats(scene: bpy.types.Scene) -> None:
    """Count the beats anew after one was moved, added or taken away; selections and accents stay."""
    markers = beat_markers(scene)
    downbeat = np.array([marker.name.removesuffix(" >").endswith(".1") for marker in markers], dtype=np.bool_)
    accents = np.array([marker.name.endswith(" >") for marker in markers], dtype=np.bool_)
    for marker, name in zip(markers, names_of_beats(downbeat, accents), strict=True):
        if marker.name != name:
            marker.name = name


def set_beat(marker: bpy.types.TimelineMarker, *, downbeat: bool | None = None, accent: bool | None = None) -> None:
    """Write into a beat's name whether a bar starts there and whether it is accented; None: as it is."""
    text = marker.name.removesuffix(" >")
    downbeat = text.endswith(".1") if downbeat is None else downbeat
    accent = marker.name != text if accent is None else accent
    marker.name = ("♪1.1" if downbeat else "♪2") + (" >" if accent else "")


def nearest_beat(scene: bpy.types.Scene, frame: int) -> bpy.types.TimelineMarker:
    """The beat nearest to a frame. Raises PirouetteError no_beats."""
    markers = beat_markers(scene)
    if not markers:
        raise PirouetteError("no_beats", "There are no beats on the timeline.", "Detect them, or generate a dance.")
    return min(markers, key=lambda marker: abs(marker.frame - frame))
