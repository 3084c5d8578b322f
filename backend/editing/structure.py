"""The parts of a song: where what is heard changes for long, after Foote's novelty (ICME 2000)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.signal import find_peaks

from backend.errors import PirouetteError
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid, eight_counts

FloatArray = npt.NDArray[np.float64]

HALF = 4  # eight-counts on either side that are compared
SHORTEST = 4  # eight-counts between two borders: a part of a song is sixteen seconds or so
CLEAR = 1.0  # standard deviations that a border stands out of its surroundings


def structure_borders(grid: BeatGrid, sound: npt.NDArray[np.float16]) -> FloatArray:
    """(N,) seconds at which a new part of the song begins, always at an eight-count.

    sound: (S, 37), what is heard in each frame. Raises PirouetteError("no_sound") where there is none.
    """
    if len(sound) == 0:
        raise PirouetteError("no_sound", "The dance knows no music, so it has no parts to snap to.", "Snap to beats.")
    lines = eight_counts(grid)
    lines = lines[(lines >= 0.0) & (lines < len(sound) / FPS)]
    if len(lines) < 2 * SHORTEST:
        return np.zeros(0)
    novelty = _novelty(_heard(lines, sound))
    peaks, _ = find_peaks(novelty, distance=SHORTEST, prominence=CLEAR * float(novelty.std()))
    return np.asarray(lines[peaks], dtype=np.float64)


def _heard(lines: FloatArray, sound: npt.NDArray[np.float16]) -> FloatArray:
    """(K, 37) mean sound of each eight-count, each channel in terms of its spread over the song."""
    edges = np.append(np.round(lines * FPS).astype(int), len(sound))
    heard = np.stack(
        [sound[first : max(last, first + 1)].astype(np.float64).mean(axis=0) for first, last in pairwise(edges)]
    )
    return np.asarray((heard - heard.mean(axis=0)) / np.maximum(sound.astype(np.float64).std(axis=0), 1e-6))


def _novelty(heard: FloatArray) -> FloatArray:
    """(K,) how little the eight-counts before each one are like those after, beside how alike each side is."""
    gaps = heard[:, None] - heard[None]
    alike = np.exp(-(gaps**2).mean(axis=-1))
    novelty = np.zeros(len(heard))
    for number in range(2, len(heard) - 1):
        before = slice(max(number - HALF, 0), number)
        after = slice(number, number + HALF)
        within = 0.5 * (_among(alike[before, before]) + _among(alike[after, after]))
        novelty[number] = within - alike[before, after].mean()
    return novelty


def _among(alike: FloatArray) -> float:
    """Mean of a square matrix without its diagonal."""
    return float((alike.sum() - np.trace(alike)) / (alike.size - len(alike)))
