"""Mean joint speed over the beat: a dancer who hears is slow at one place of it, one who is deaf draws a flat line."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from backend.evaluation.speed import joint_speeds
from backend.evaluation.windows import Window

FloatArray = npt.NDArray[np.float64]
BINS = 24


def beat_phases(beats_s: np.ndarray, *, frames: int, fps: float) -> FloatArray:
    """(T,) phase of each frame between its two beats, 0 on the beat; not a number outside the beats."""
    time_s = np.arange(frames) / fps
    number = np.interp(time_s, beats_s, np.arange(len(beats_s)), left=np.nan, right=np.nan)
    return np.asarray(number % 1.0)


def speed_over_beat(windows: Iterable[Window]) -> FloatArray | None:
    """(24,) mean joint speed by phase of the beat, over each window's mean; None where no window has two beats."""
    total, counts = np.zeros(BINS), np.zeros(BINS)
    for window in windows:
        if len(window.beats_s) < 2:
            continue
        speed = joint_speeds(window.motion.joints(), fps=window.motion.fps).mean(axis=1)
        phase = beat_phases(window.beats_s, frames=window.motion.frames, fps=window.motion.fps)
        known = np.isfinite(phase)
        place = np.minimum((phase[known] * BINS).astype(np.int64), BINS - 1)
        relative = speed[known] / max(float(speed.mean()), 1e-9)
        total += np.bincount(place, weights=relative, minlength=BINS)
        counts += np.bincount(place, minlength=BINS)
    if not counts.any():
        return None
    curve: FloatArray = total / np.maximum(counts, 1.0)
    curve[counts == 0] = np.nan
    return curve
