"""How fast a song goes at each moment: a path through the autocorrelation of its onsets.

The score of a tempo is a weighted comb over the autocorrelation (its beat, the multiples and parts of it, in the full
and in the low onset envelope) plus a preference for the tempi people dance to. The weights are those of a conditional
logit fitted to songs of known tempo; a score is therefore in nats.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.music.audio import FloatArray
from backend.music.onsets import RATE_HZ, Onsets

TimeArray = npt.NDArray[np.float64]

SLOWEST_BPM = 50.0
FASTEST_BPM = 220.0
STEPS_PER_OCTAVE = 60
WINDOW_S = 8.0
HOP_S = 1.0
# Beats of lag and the weight of the autocorrelation there: three beats that agree speak for a beat, a third of a beat
# or half a beat in the bass speaks for a faster one.
FULL_COMB = ((1.0, 4.7), (2.0, 0.5), (3.0, 3.8), (4.0, 2.7), (0.5, 0.4), (1 / 3, -3.8), (1.5, 1.1), (0.75, -0.8))
LOW_COMB = ((1.0, 0.1), (2.0, 2.7), (4.0, 3.7), (0.5, -3.6))
CENTRE_BPM = 115.0
LONGEST_LAG = 0.8  # of the window; beyond, too little overlaps
# Costs of the path in nats: a drift of two per cent in a second is free, a change of section costs one jump.
DRIFT_COST = 150.0  # for each squared octave
JUMP_COST = 2.5
HOME_OCTAVES = 0.35  # one nat for straying so far from the whole song's tempo

_OCTAVES = float(np.log2(FASTEST_BPM / SLOWEST_BPM))
TEMPI_BPM: TimeArray = SLOWEST_BPM * 2.0 ** (np.arange(int(_OCTAVES * STEPS_PER_OCTAVE) + 1) / STEPS_PER_OCTAVE)


def tempo_preference(tempo_bpm: npt.ArrayLike) -> TimeArray:
    """How likely people are to feel the beat at a tempo, in nats, greatest near 132 BPM and falling on both sides."""
    octaves = np.log2(np.asarray(tempo_bpm, dtype=np.float64) / CENTRE_BPM)
    slow, fast = np.minimum(octaves + 0.6, 0.0), np.maximum(octaves - 0.5, 0.0)
    return np.asarray(1.0 * octaves - 2.5 * octaves**2 - 5.4 * slow**2 - 8.1 * fast**2, dtype=np.float64)


def tempo_scores(onsets: Onsets) -> TimeArray:
    """(windows, tempi) nats for each tempo of TEMPI_BPM in windows of 8 s, one a second from 0 s on."""
    period = 60.0 / TEMPI_BPM * RATE_HZ
    total: TimeArray = np.zeros(len(TEMPI_BPM))
    for envelope, comb in ((onsets.full, FULL_COMB), (onsets.low, LOW_COMB)):
        correlation = _local_autocorrelation(envelope)
        longest = correlation.shape[1] * LONGEST_LAG
        for beats, weight in comb:
            lag = period * beats
            total = total + weight * (lag < longest) * _at(correlation, np.minimum(lag, longest))
    return total + tempo_preference(TEMPI_BPM)


def tempo_path(scores: TimeArray) -> npt.NDArray[np.int64]:
    """(windows,) index into TEMPI_BPM along the best path through scores (windows, tempi)."""
    windows, tempi = scores.shape
    home = int(np.argmax(scores.mean(axis=0)))
    number = np.arange(tempi)
    gain = scores - (np.abs(number - home) / STEPS_PER_OCTAVE / HOME_OCTAVES) ** 2
    octaves = np.abs(number[:, None] - number[None, :]) / STEPS_PER_OCTAVE
    cost = np.minimum(DRIFT_COST * octaves**2, JUMP_COST)
    best = gain[0].copy()
    come_from = np.zeros((windows, tempi), dtype=np.int64)
    for window in range(1, windows):
        reach = best[:, None] - cost
        come_from[window] = np.argmax(reach, axis=0)
        best = reach[come_from[window], number] + gain[window]
    path = np.zeros(windows, dtype=np.int64)
    path[-1] = int(np.argmax(best))
    for window in range(windows - 1, 0, -1):
        path[window - 1] = come_from[window, path[window]]
    return path


def _local_autocorrelation(envelope: FloatArray) -> TimeArray:
    """(windows, lags) autocorrelation around each second, 1 at lag 0, corrected for the shorter overlap."""
    size = min(round(WINDOW_S * RATE_HZ), len(envelope))
    hop = round(HOP_S * RATE_HZ)
    padded = np.pad(envelope.astype(np.float64) - float(envelope.mean()), (size // 2, size - size // 2))
    starts = np.arange(0, len(envelope), hop)
    windows = padded[starts[:, None] + np.arange(size)[None, :]]
    windows = windows - windows.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(windows, 2 * size, axis=1)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :size]
    overlap = 1.0 - np.arange(size) / size
    return np.asarray(correlation / np.maximum(correlation[:, :1], 1e-9) / np.maximum(overlap, 0.25))


def _at(rows: TimeArray, position: TimeArray) -> TimeArray:
    """Rows read at fractional positions, linearly."""
    low = position.astype(np.int64)
    part = position - low
    return np.asarray(rows[:, low] * (1.0 - part) + rows[:, low + 1] * part)
