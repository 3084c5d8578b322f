"""Arrive on the beat: a gentle change of pace that puts the moments at which the body arrives onto the beats.

The network dances near the beats; an animator's eye asks for on the beats. Each beat draws the clearest arrival (a
minimum of mean joint speed) within a third of a beat, and time flows evenly between. No pose is changed, only when it
comes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

FloatArray = npt.NDArray[np.float64]
REACH = 0.34  # of a beat: farther arrivals stay where they are
FARTHEST_S = 0.2
SLOWEST, FASTEST = 0.7, 1.4  # pace between two beats that are met


def arrivals(joints: npt.NDArray[np.floating], *, fps: float) -> tuple[FloatArray, FloatArray]:
    """Times (K,) in seconds at which the body of joints (T, 24, 3) arrives, and how clearly (K,), 0..1."""
    speed = np.linalg.norm(np.gradient(joints.astype(np.float64), axis=0), axis=-1).mean(-1) * fps
    smooth = gaussian_filter1d(speed, 2.0)
    minima, found = find_peaks(-smooth, prominence=0.01)
    if not len(minima):
        return np.zeros(0), np.zeros(0)
    before, here, after = smooth[minima - 1], smooth[minima], smooth[minima + 1]
    bend = np.maximum(before - 2 * here + after, 1e-9)
    times = (minima + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) / fps
    return times, np.minimum(found["prominences"] / (gaussian_filter1d(speed, fps)[minima] + 0.05), 1.0)


def pace_to_beats(joints: npt.NDArray[np.floating], beats_s: FloatArray, *, fps: float) -> FloatArray:
    """For each frame of the retimed motion, the frame (T,) of joints (T, 24, 3) that comes there; rises from 0 to T -
    1.
    """
    frames = len(joints)
    end_s = (frames - 1) / fps
    beats = beats_s[(beats_s > 0.15) & (beats_s < end_s - 0.15)]
    times, clarity = arrivals(joints, fps=fps)
    anchors = [(0.0, 0.0)]
    if len(beats) > 1 and len(times):
        reach = np.minimum(REACH * np.gradient(beats), FARTHEST_S)
        for beat, near in zip(beats, reach, strict=True):
            distance = (times - beat) / near
            score = np.where(np.abs(distance) <= 1.0, (0.1 + clarity) * np.exp(-2.0 * distance**2), 0.0)
            best = int(np.argmax(score))
            if score[best] > 0.0 and _walkable(anchors[-1], (float(beat), float(times[best]))):
                anchors.append((float(beat), float(times[best])))
    while len(anchors) > 1 and not _walkable(anchors[-1], (end_s, end_s)):
        anchors.pop()
    to_s, from_s = np.array([*anchors, (end_s, end_s)]).T
    place = PchipInterpolator(to_s, from_s)(np.arange(frames) / fps) * fps
    return np.asarray(np.clip(place, 0.0, frames - 1.0))


def _walkable(earlier: tuple[float, float], later: tuple[float, float]) -> bool:
    """Whether the pace from one pair (beat, arrival) to the next stays within bounds."""
    step = later[0] - earlier[0]
    return bool(step > 1e-6 and SLOWEST < (later[1] - earlier[1]) / step < FASTEST)
