"""A beat sequence drawn straight: piecewise constant tempo, as few pieces as the beats allow.

Most recorded dance music is steady; single beats wander with whatever sounded near them. A weighted least-squares line
through beat number and time removes that, and a new piece starts only where it pays for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backend.music.audio import FloatArray
from backend.music.onsets import RATE_HZ
from backend.music.tracking import TimeArray, envelope_at

SPREAD_S = 0.015  # of a followed beat around the true one
PIECE_COST = 25.0  # in squared spreads
SHORTEST_BEATS = 8
MOST_BEATS = 400  # solved at once; longer songs are cut, which keeps the cost linear
CLEARLY_AUDIBLE = 4.0  # onset strength of a beat that nobody misses
STEADY_SHARE = 0.9  # of the onset strength at the followed beats that one line must gather to be believed
SHORTEST_JOINT = 0.4  # of a beat, between two pieces
EARLY_S = 0.02


@dataclass(frozen=True)
class Line:
    """Beats at constant tempo: beat n at start_s + n * period_s."""

    start_s: float
    period_s: float

    def beats(self, number: TimeArray) -> TimeArray:
        """Times in seconds of numbered beats."""
        return np.asarray(self.start_s + self.period_s * number, dtype=np.float64)

    def grid(self, duration_s: float) -> TimeArray:
        """All beats of the line in 0..duration_s."""
        first = int(np.ceil((-EARLY_S - self.start_s) / self.period_s))
        last = int(np.floor((duration_s - self.start_s) / self.period_s))
        return np.maximum(self.beats(np.arange(first, last + 1, dtype=np.float64)), 0.0)


def straighten(beats_s: TimeArray, envelope: FloatArray, *, duration_s: float, steady: bool = False) -> TimeArray:
    """Beats at piecewise constant tempo that cover 0..duration_s.

    beats_s: (B,) followed beats, B at least 2; envelope: (N,) the onset strength they were followed in;
    steady: draw one line through the whole song at all events. Returns (B',) seconds.
    """
    number = np.arange(len(beats_s), dtype=np.float64)
    weight = np.clip(envelope_at(envelope, beats_s) / CLEARLY_AUDIBLE, 0.02, 1.0)
    pieces = [piece for cut in _cuts(len(beats_s)) for piece in _pieces(beats_s[cut], weight[cut], cut.start)]
    lines = [_line(number[a:b], beats_s[a:b], weight[a:b]) for a, b in pieces]
    straight = np.concatenate([line.beats(number[a:b]) for line, (a, b) in zip(lines, pieces, strict=True)])
    if np.any(np.diff(straight) < SHORTEST_JOINT * lines[0].period_s):
        straight = beats_s
    whole = _steady_line(lines, beats_s, weight, envelope).grid(duration_s)
    if steady or onset_strength_at(envelope, whole) > STEADY_SHARE * onset_strength_at(envelope, straight):
        return whole
    return _covering(straight, lines[0].period_s, lines[-1].period_s, duration_s)


def onset_strength_at(envelope: FloatArray, beats_s: TimeArray) -> float:
    """Mean onset strength at beats, each taken where it is largest within 12 ms."""
    around = [envelope_at(envelope, beats_s + shift_s) for shift_s in (-0.012, 0.0, 0.012)]
    return float(np.max(around, axis=0).mean())


def _covering(beats_s: TimeArray, first_period_s: float, last_period_s: float, duration_s: float) -> TimeArray:
    """Beats continued at their first and last period over 0..duration_s."""
    before = int(max(beats_s[0] + EARLY_S, 0.0) / first_period_s)
    after = int(max(duration_s - beats_s[-1], 0.0) / last_period_s)
    head = beats_s[0] - first_period_s * np.arange(before, 0, -1)
    tail = beats_s[-1] + last_period_s * np.arange(1, after + 1)
    whole = np.concatenate([head, beats_s, tail])
    return np.asarray(np.maximum(whole[(whole > -EARLY_S) & (whole <= duration_s)], 0.0))


def _steady_line(pieces: list[Line], beats_s: TimeArray, weight: TimeArray, envelope: FloatArray) -> Line:
    """The one line through the whole song that gathers most onset strength, started from each piece's line."""
    best, best_strength = pieces[0], -1.0
    for piece in pieces:
        line = piece
        for near_s in (0.12, 0.06, 0.03):
            number = np.round((beats_s - line.start_s) / line.period_s)
            near = np.abs(beats_s - line.start_s - line.period_s * number) < near_s
            if near.sum() >= SHORTEST_BEATS:
                line = _line(number[near], beats_s[near], weight[near])
        strength = onset_strength_at(envelope, line.grid(len(envelope) / RATE_HZ))
        if strength > best_strength:
            best, best_strength = line, strength
    return best


def _cuts(beats: int) -> list[slice]:
    parts = -(-beats // MOST_BEATS)
    borders = np.linspace(0, beats, parts + 1).round().astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(borders)]


def _pieces(beats_s: TimeArray, weight: TimeArray, offset: int) -> list[tuple[int, int]]:
    """(first, last + 1) beat of each piece of constant tempo, by dynamic programming over all cuts."""
    beats = len(beats_s)
    cost = _line_cost(beats_s, weight)
    best = np.full(beats + 1, np.inf)
    best[0] = 0.0
    cut_before = np.zeros(beats + 1, dtype=np.int64)
    shortest = min(SHORTEST_BEATS, beats)
    for end in range(shortest, beats + 1):
        choice = best[: end - shortest + 1] + cost[: end - shortest + 1, end - 1] + PIECE_COST
        cut_before[end] = int(np.argmin(choice))
        best[end] = choice[cut_before[end]]
    pieces = []
    end = beats
    while end > 0:
        pieces.append((offset + int(cut_before[end]), offset + end))
        end = int(cut_before[end])
    return pieces[::-1]


def _line_cost(beats_s: TimeArray, weight: TimeArray) -> TimeArray:
    """(B, B) squared residuals, in spreads, of the best line through beats first..last."""
    number = np.arange(len(beats_s), dtype=np.float64)
    wander = beats_s - np.polyval(np.polyfit(number, beats_s, 1), number)  # keeps the sums well conditioned
    centred = number - number.mean()
    sums = []
    for value in (np.ones_like(number), centred, wander, centred**2, centred * wander, wander**2):
        running = np.concatenate([[0.0], np.cumsum(weight * value)])
        sums.append(running[None, 1:] - running[:-1, None])
    w, n, t, nn, nt, tt = sums
    w = np.maximum(w, 1e-9)
    slope = (nt - n * t / w) / np.maximum(nn - n * n / w, 1e-9)
    residual = (tt - t * t / w) - slope * (nt - n * t / w)
    return np.asarray(np.maximum(residual, 0.0) / SPREAD_S**2)


def _line(number: TimeArray, beats_s: TimeArray, weight: TimeArray) -> Line:
    """The line through numbered beats, fitted again with less trust in those that lie far off."""
    trust = weight
    slope, start = 0.0, 0.0
    for _ in range(3):
        slope, start = np.polyfit(number, beats_s, 1, w=np.sqrt(trust))
        residual_s = np.abs(beats_s - start - slope * number)
        trust = weight / (1.0 + (residual_s / SPREAD_S) ** 2)
    return Line(float(start), float(slope))
