"""Beat alignment (Li et al. 2021): do the dancer's stops fall on the music's beats?

A score alone says little, since any motion scores .16 to .34 by chance: the lift compares with the same beats shifted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.evaluation.speed import joint_speeds

SIGMA_S = 3.0 / 60.0  # three frames at 60 fps
SMOOTHING_S = 5.0 / 60.0  # of the speed curve before its minima are taken, as in the AIST++ evaluation
SHIFTS = 12  # parts of a beat by which the beats are shifted for the lift


@dataclass(frozen=True)
class BeatAlignment:
    """motion_to_music: score of motion beats against the nearest music beat; music_to_motion: the reverse;
    shifted and half_beat: motion_to_music for beats shifted by 1/12 to 11/12 of a beat (mean) and by half a beat.
    """

    motion_to_music: float
    music_to_motion: float
    shifted: float
    half_beat: float

    @property
    def lift(self) -> float:
        """Score above the same beats circularly shifted: 0 for a dancer who does not listen."""
        return self.motion_to_music - self.shifted


def _smooth(values: np.ndarray, sigma_frames: float) -> np.ndarray:
    """Values (T,) under a Gaussian, mirrored at the ends."""
    radius = min(int(4.0 * sigma_frames + 0.5), len(values) - 1)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_frames) ** 2)
    padded = np.pad(values, radius, mode="reflect")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def motion_beats(joints: np.ndarray, *, fps: float) -> np.ndarray:
    """Times (K,) in seconds at which the body is slowest: local minima of the smoothed mean joint speed.

    joints: (T, J, 3) metres. Raises ValueError for fewer than 2 frames.
    """
    speed = _smooth(joint_speeds(joints, fps=fps).mean(axis=1), SMOOTHING_S * fps)
    inner = speed[1:-1]
    times: np.ndarray = (np.flatnonzero((inner < speed[:-2]) & (inner <= speed[2:])) + 1) / fps
    return times


def alignment_score(from_s: np.ndarray, to_s: np.ndarray) -> float:
    """Mean over from_s of exp(-d² / 2σ²), d the distance to the nearest of to_s, σ = 0.05 s; 0 if either is empty."""
    if not len(from_s) or not len(to_s):
        return 0.0
    distance = np.abs(np.asarray(from_s)[:, None] - np.asarray(to_s)[None, :]).min(axis=1)
    return float(np.exp(-(distance**2) / (2.0 * SIGMA_S**2)).mean())


def shifted_beats(beats_s: np.ndarray, share: float, *, duration_s: float) -> np.ndarray:
    """Beats moved by a share of the local beat interval; what leaves the end comes in again at the start."""
    beats = np.sort(np.asarray(beats_s, dtype=np.float64))
    if len(beats) < 2:
        return beats
    intervals = np.diff(beats)
    moved = beats + share * np.append(intervals, intervals[-1])
    return np.sort(np.where(moved >= duration_s, moved - duration_s, moved))


def beat_alignment(joints: np.ndarray, beats_s: np.ndarray, *, fps: float) -> BeatAlignment:
    """How closely the body's slow moments and the music's beats meet.

    joints: (T, J, 3) metres; beats_s: (B,) seconds from the first frame. Raises ValueError for fewer than 2 frames.
    """
    duration_s = len(joints) / fps
    beats = np.asarray(beats_s, dtype=np.float64)
    beats = beats[(beats >= 0.0) & (beats < duration_s)]
    slow = motion_beats(joints, fps=fps)
    scores = [
        alignment_score(slow, shifted_beats(beats, part / SHIFTS, duration_s=duration_s)) for part in range(1, SHIFTS)
    ]
    return BeatAlignment(
        motion_to_music=alignment_score(slow, beats),
        music_to_motion=alignment_score(beats, slow),
        shifted=float(np.mean(scores)),
        half_beat=scores[SHIFTS // 2 - 1],
    )
