"""The beat that a silent dance was danced to, read from the motion itself.

Dancers arrive on the beat: joint speed has minima there. The minima are tracked as a grid of slowly changing tempo by
dynamic programming (Ellis 2007, on minima of speed in place of onsets).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from backend.music.beats import BeatGrid

FloatArray = npt.NDArray[np.float64]
SLOWEST_S, FASTEST_S = 0.95, 0.36  # 63..167 beats a minute
PREFERRED_S = 0.55
TIGHTNESS = 60.0
CLEAR_ABOVE = 1.6
NEAR_BEAT = 0.25  # of a beat
LEAST_ARRIVAL = 0.02


def arrival_strength(joints: npt.NDArray[np.floating], *, fps: float) -> FloatArray:
    """(T,) how strongly the body arrives at each frame: minima of mean joint speed, weighted by how deep they are.

    joints: (T, 24, 3) metres.
    """
    speed = np.linalg.norm(np.gradient(joints.astype(np.float64), axis=0), axis=-1).mean(-1) * fps
    smooth = gaussian_filter1d(speed, 1.2)
    minima, found = find_peaks(-smooth, prominence=0.03)
    strength = np.zeros(len(smooth))
    around = gaussian_filter1d(speed, fps)[minima] + 0.05
    strength[minima] = np.minimum(found["prominences"] / around, 1.0)
    spread: FloatArray = gaussian_filter1d(strength, 1.0)
    return spread


def _tempo_period(strength: FloatArray, *, fps: float) -> float:
    """Frames between beats: the comb that gathers most strength, preferring periods near 0.55 s."""
    periods = np.arange(FASTEST_S * fps, SLOWEST_S * fps, 0.1)
    frames = np.arange(len(strength))
    scores = []
    for period in periods:
        wave = np.abs(np.sum(strength * np.exp(2j * np.pi * frames / period)))
        scores.append(wave * np.exp(-0.5 * (np.log2(period / fps / PREFERRED_S) / 0.7) ** 2))
    return float(periods[int(np.argmax(scores))])


def settled(beats_s: FloatArray, joints: npt.NDArray[np.floating], *, fps: float) -> FloatArray:
    """Annotated beats (B,) s moved as one, by half a beat at most, to where the body arrives.

    Annotations made from foot landings lie half a beat from the minima of speed that a dancer shows on the music's
    beat.
    """
    strength = arrival_strength(joints, fps=fps)
    step = float(np.median(np.diff(beats_s)))
    shifts = np.linspace(-0.5, 0.5, 24, endpoint=False) * step
    frames = np.arange(len(strength))
    gathered = [np.interp((beats_s + shift) * fps, frames, strength).mean() for shift in shifts]
    return np.asarray(beats_s + shifts[int(np.argmax(gathered))])


def met(beats_s: FloatArray, joints: npt.NDArray[np.floating], *, fps: float) -> FloatArray:
    """Beats (B,) s, each moved by a quarter of a beat at most to where the body arrives most clearly; a beat that no
    arrival is near stays.

    A denoiser that learns from these hears that a beat *is* an arrival; beats that only lie near teach it little.
    """
    if len(beats_s) < 2:
        return beats_s
    strength = arrival_strength(joints, fps=fps)
    steps = np.diff(beats_s)
    reach = NEAR_BEAT * np.minimum(np.append(steps, steps[-1]), np.insert(steps, 0, steps[0])) * fps  # none meet
    moved = beats_s.copy()
    for index, (beat, near) in enumerate(zip(beats_s * fps, reach, strict=True)):
        first, last = max(int(np.ceil(beat - near)), 0), min(int(beat + near), len(strength) - 1)
        around = strength[first : max(last + 1, first)]
        if len(around) and around.max() > LEAST_ARRIVAL:
            moved[index] = (first + int(np.argmax(around))) / fps
    return moved


def kinematic_beats(joints: npt.NDArray[np.floating], *, fps: float, metre: int = 4) -> BeatGrid:
    """Beat grid of a dance (T, 24, 3) without its music. ``clear`` tells whether arrivals really gather on it.

    Downbeats are not known: the first beat counts as one.
    """
    strength = arrival_strength(joints, fps=fps)
    period = _tempo_period(strength, fps=fps)
    score, before = strength.copy(), np.full(len(strength), -1)
    lags = np.arange(round(period * 0.75), round(period * 1.3) + 1)
    penalty = -TIGHTNESS * strength.std() * np.log(lags / period) ** 2
    for frame in range(len(strength)):
        earlier = frame - lags
        valid = earlier >= 0
        if valid.any():
            options = score[earlier[valid]] + penalty[valid]
            best = int(np.argmax(options))
            if options[best] > 0:
                score[frame] += options[best]
                before[frame] = earlier[valid][best]
    tail = max(len(score) - int(period), 0)
    frame = tail + int(np.argmax(score[tail:]))
    beats = [frame]
    while before[frame] >= 0:
        frame = int(before[frame])
        beats.append(frame)
    beats_s = np.array(beats[::-1]) / fps
    if len(beats_s) < 2:
        beats_s = np.array([0.0, period / fps])
    at_beats = strength[np.clip(np.round(beats_s * fps).astype(int), 0, len(strength) - 1)].mean()
    clear = bool(len(beats_s) >= 4 and at_beats > CLEAR_ABOVE * (strength.mean() + 1e-9))
    step = float(np.median(np.diff(beats_s)))
    return BeatGrid(beats_s, np.arange(len(beats_s)) % metre == 0, 60.0 / step, metre, clear)
