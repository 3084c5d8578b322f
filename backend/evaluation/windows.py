"""Windows: dances cut into pieces of one length at one frame rate, so that all sets are judged alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.motion.motion import Motion
from backend.motion.resample import resample
from backend.motion.skeleton import FPS

FloatArray = npt.NDArray[np.float64]
WINDOW_S = 10.0
SHORTEST_S = 5.0  # a remainder, or a whole dance, of this length is still a window
NO_BEATS: FloatArray = np.zeros(0)


@dataclass(frozen=True)
class Danced:
    """A whole dance to be judged.

    dance: its name, the same for all takes that must not be told apart; beats_s: (B,) of its music, empty where
    unknown; genre and seed: what it was made with, "" and None where it was not.
    """

    dance: str
    motion: Motion
    beats_s: FloatArray
    genre: str = ""
    seed: int | None = None
    song: str = ""


@dataclass(frozen=True)
class Window:
    """A piece of a dance at 30 fps; start_s: where in it; beats_s: (B,) from the window's first frame."""

    whole: Danced
    start_s: float
    motion: Motion
    beats_s: FloatArray

    @property
    def name(self) -> str:
        """The dance and the second at which the window starts."""
        return f"{self.whole.dance}@{self.start_s:g}"


def at_model_rate(motion: Motion) -> Motion:
    """The motion at 30 fps."""
    if abs(motion.fps - FPS) < 1e-3:
        return motion
    poses, pelvis = resample(motion.poses, motion.pelvis, source_fps=motion.fps, target_fps=FPS)
    return Motion(poses, pelvis, FPS)


def piece(danced: Danced, start_s: float, end_s: float) -> Window:
    """The window from start_s to end_s of a dance at 30 fps."""
    first, last = round(start_s * FPS), round(end_s * FPS)
    motion = Motion(danced.motion.poses[first:last], danced.motion.pelvis[first:last], FPS)
    beats = danced.beats_s[(danced.beats_s >= start_s) & (danced.beats_s < end_s)] - start_s
    return Window(danced, start_s, motion, beats)


def windows_of(danced: Danced, *, length_s: float = WINDOW_S) -> Iterator[Window]:
    """The dance in windows that do not overlap; a last one of 5 s or more is kept, shorter dances give none."""
    duration_s = danced.motion.duration_s
    start_s = 0.0
    while duration_s - start_s >= min(SHORTEST_S, length_s) - 1e-6:
        yield piece(danced, start_s, min(start_s + length_s, duration_s))
        start_s += length_s
