"""A plain mix of the timeline's sound in memory, for builds of Blender whose own mixdown writes nothing.

Some Linux distributions build Blender against newer libraries than it knows; there the mixdown says that it has
finished and there is no file. This hears trims, mutes and volumes, but neither animated volumes nor effects.
"""

from __future__ import annotations

import bpy
import numpy as np
import numpy.typing as npt

from ..core.errors import PirouetteError
from .strips import FrameRange, is_muted, overlap, sound_path, sound_strips, strip_range
from .timing import scene_fps

NOTE = "This build of Blender cannot mix its sound down, so it was mixed without animated volumes and effects."


def mix_plainly(
    scene: bpy.types.Scene, frames: FrameRange, *, rate_hz: int, strip_name: str = ""
) -> npt.NDArray[np.float32]:
    """The sound of these frames, mono: (N,). strip_name: the only strip to be heard, or empty for all."""
    fps = scene_fps(scene)
    mixed = np.zeros(round(frames.duration_s(fps) * rate_hz), dtype=np.float32)
    for strip in sound_strips(scene):
        heard = overlap(strip_range(strip), frames)
        if heard is None or is_muted(scene, strip) or (strip_name and strip.name != strip_name):
            continue
        samples = _samples(strip, heard, fps=fps, rate_hz=rate_hz) * np.float32(strip.volume)
        at = round((heard.first - frames.first) / fps * rate_hz)
        count = min(len(samples), len(mixed) - at)
        mixed[at : at + count] += samples[:count]
    return mixed


def _samples(strip: bpy.types.Strip, heard: FrameRange, *, fps: float, rate_hz: int) -> npt.NDArray[np.float32]:
    """What the strip's file holds for these frames: (N,)."""
    import aud  # only builds of Blender with sound have it

    content_start = strip.content_start if hasattr(strip, "content_start") else strip.frame_start
    begin_s = max((heard.first - content_start) / fps, 0.0)
    try:
        sound = strip.sound.factory if strip.sound.packed_file else aud.Sound(str(sound_path(strip)))
        if round(sound.specs[0]) != rate_hz:
            sound = sound.resample(rate_hz, 0)
        data = sound.limit(begin_s, begin_s + heard.duration_s(fps)).data()
    except aud.error as error:
        name = sound_path(strip).name
        raise PirouetteError(
            "damaged_file", f"{name} is damaged: Blender cannot read it.", "Replace the file."
        ) from error
    return np.asarray(data, dtype=np.float32).mean(axis=1)
