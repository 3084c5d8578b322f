"""Drum patterns with known beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from backend.music.audio import SAMPLE_RATE_HZ, Audio

KICK, SNARE, HAT = "kick", "snare", "hat"
CHORDS_HZ = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (164.8, 196.0, 246.9))


def _drum(name: str, rng: np.random.Generator) -> np.ndarray:
    time_s = np.arange(round(0.15 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    noise = rng.normal(size=len(time_s))
    if name == KICK:
        return np.sin(2 * np.pi * (45 * time_s - np.exp(-40 * time_s))) * np.exp(-18 * time_s)
    if name == SNARE:
        return (0.3 * noise + 0.3 * np.sin(2 * np.pi * 190 * time_s)) * np.exp(-25 * time_s)
    return 0.12 * np.diff(noise, prepend=0.0) * np.exp(-70 * time_s)


def play(beats_s: Sequence[float], *, metre: int, duration_s: float, seed: int = 0) -> np.ndarray:
    """A drum kit and a chord a bar, bars from the first beat on; (N,) at 22,050 Hz."""
    rng = np.random.default_rng(seed)
    samples = 1e-4 * rng.normal(size=round(duration_s * SAMPLE_RATE_HZ) + SAMPLE_RATE_HZ)
    ends = np.append(beats_s, 2 * beats_s[-1] - beats_s[-2])
    for number, (start_s, end_s) in enumerate(pairwise(ends)):
        place = number % metre
        low = place == 0 if metre == 3 else place in (0, 2)
        hits = [(start_s, KICK if low else SNARE), (start_s, HAT), ((start_s + end_s) / 2, HAT)]
        for time_s, drum in hits:
            sound = _drum(drum, rng)
            first = round(time_s * SAMPLE_RATE_HZ)
            samples[first : first + len(sound)] += sound[: len(samples) - first]
        span = np.arange(round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ))
        for tone_hz in CHORDS_HZ[(number // metre) % len(CHORDS_HZ)]:
            samples[span] += 0.03 * np.sin(2 * np.pi * tone_hz * span / SAMPLE_RATE_HZ)
    samples = samples[: round(duration_s * SAMPLE_RATE_HZ)]
    return 0.5 * samples / np.abs(samples).max()


@pytest.fixture
def drums() -> Callable[..., Audio]:
    """Audio of a drum kit: drums(beats_s, metre=4, duration_s=30.0)."""

    def make(beats_s: Sequence[float], *, metre: int = 4, duration_s: float = 30.0) -> Audio:
        return Audio(play(beats_s, metre=metre, duration_s=duration_s).astype(np.float32))

    return make
