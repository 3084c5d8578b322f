"""Where the beats fall: dynamic programming over the onset envelope along a tempo path (after Ellis 2007).

The recursion looks back at least 0.6 of a beat, so half a beat of frames is solved at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.music.audio import FloatArray
from backend.music.onsets import RATE_HZ
from backend.music.tempo import HOP_S

TimeArray = npt.NDArray[np.float64]

SHORTEST_BEATS, LONGEST_BEATS = 0.6, 1.7
TIGHTNESS = 80.0  # cost of a squared natural-log deviation from the period


def envelope_at(envelope: FloatArray, time_s: TimeArray) -> TimeArray:
    """An onset envelope read at times in seconds, linearly; 0 outside."""
    return np.interp(time_s * RATE_HZ, np.arange(len(envelope)), envelope, left=0.0, right=0.0)


def follow_beats(envelope: FloatArray, tempo_bpm: TimeArray) -> TimeArray:
    """(B,) beat times in seconds that gather most onset strength at about the tempo.

    envelope: (N,) at RATE_HZ; tempo_bpm: one value a second, from 0 s on.
    """
    frames = len(envelope)
    frame = np.arange(frames)
    period = 60.0 * RATE_HZ / np.interp(frame / RATE_HZ, np.arange(len(tempo_bpm)) * HOP_S, tempo_bpm)
    nearest = max(int(period.min() * SHORTEST_BEATS), 1)
    lags = np.arange(nearest, int(period.max() * LONGEST_BEATS) + 1)
    total = np.zeros(frames + lags[-1])  # the first lags[-1] stand for the time before the song
    come_from = np.full(frames, -1)
    for first in range(0, frames, nearest):
        block = frame[first : first + nearest]
        cost = TIGHTNESS * np.log(lags[None, :] / period[block, None]) ** 2
        reach = total[block[:, None] + lags[-1] - lags[None, :]] - cost
        best = np.argmax(reach, axis=1)
        total[block + lags[-1]] = reach[np.arange(len(block)), best] + envelope[block]
        come_from[block] = block - lags[best]
    return _traced(total[lags[-1] :], come_from, round(float(period[-1]))) / RATE_HZ


def _traced(total: TimeArray, come_from: npt.NDArray[np.int64], last_period: int) -> TimeArray:
    """Beat frames, back from the best total of the last beat's span."""
    beat = len(total) - last_period + int(np.argmax(total[-last_period:]))
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(come_from[beat])
    return np.asarray(beats[::-1], dtype=np.float64)
