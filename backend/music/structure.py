"""The parts of a song: which stretches sound alike, verse and chorus, and which of them come again.

Eight-counts are told by the harmony of their quarters, by their timbre and by how full they sound. As many kinds of
part are assumed as the song bears witness to: k-means whose labels change only where much is gained by it, found by
dynamic programming (a hidden semi-Markov model with hard decisions, after Levy and Sandler 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import convolve1d

from backend.errors import PirouetteError
from backend.music.beats import BeatGrid, eight_counts

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LOUDNESS, MFCC, CHROMA, PEAKS = 1, slice(4, 23), slice(23, 35), 35  # columns of the sound
EVENING = (1.0, 2.0, 1.0)
QUARTERS = 4  # of an eight-count, whose harmony is heard one by one
SHORTEST = 2  # eight-counts of a part
FEWEST = 6  # eight-counts of a song that has parts at all
MOST_KINDS = 6
BORDER_COST, KIND_COST = 3.0, 5.0  # in terms of an eight-count's usual deviation from its part
QUIET_SHARE = 0.1  # of a measure's variance over the song: less is no deviation
ROUNDS = 12


@dataclass(frozen=True)
class _Weight:
    """What a measure counts. lags: eight-counts between those whose difference is the usual one, the lag at which it is
    least; unheard: a variance below which nothing is heard, a fifth or less of what songs have.
    """

    share: float
    lags: tuple[int, ...]
    unheard: float


WEIGHTS = (
    _Weight(0.45, (3,), 0.02),
    _Weight(0.4, (1, 2), 0.003),
    _Weight(0.15, (1, 2), 1e-4),
)  # harmony, timbre, fullness


@dataclass(frozen=True)
class MusicPart:
    """A part of a song. label: "A", "B", … in order of appearance, the same for parts that sound alike; number: how
    often that label has come before.
    """

    start_s: float
    end_s: float
    label: str
    number: int


def music_parts(sound: npt.NDArray[np.float16], grid: BeatGrid, *, fps: float = 30.0) -> tuple[MusicPart, ...]:
    """The parts of a song from its first to its last moment, divided at eight-counts; one part where none stands out.

    sound: (S, 37) of ``MusicFeatures.sound``. Raises PirouetteError("no_sound") where there is none.
    """
    if len(sound) == 0:
        raise PirouetteError("no_sound", "The dance knows no music, so it has no parts to snap to.", "Snap to beats.")
    end_s = len(sound) / fps
    lines = eight_counts(grid)
    lines = lines[(lines >= 0.0) & (lines < end_s)]
    if len(lines) > 1 and end_s - lines[-1] < 0.5 * (
        lines[-1] - lines[-2]
    ):  # hardly begun: it goes with the one before
        lines = lines[:-1]
    if len(lines) < FEWEST:
        return (MusicPart(0.0, end_s, "A", 0),)
    labels = _labels(_heard(sound, lines, end_s, fps))
    borders = np.flatnonzero(np.diff(labels)) + 1
    starts = [0.0, *lines[borders].tolist()]
    ends = [*starts[1:], end_s]
    kinds = labels[np.concatenate([[0], borders])]
    return _named(starts, ends, kinds.tolist())


def _named(starts: list[float], ends: list[float], kinds: list[int]) -> tuple[MusicPart, ...]:
    names: dict[int, str] = {}
    counts: dict[int, int] = {}
    parts = []
    for start_s, end_s, kind in zip(starts, ends, kinds, strict=True):
        name = names.setdefault(kind, chr(ord("A") + len(names)))
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        parts.append(MusicPart(start_s, end_s, name, number))
    return tuple(parts)


def _heard(sound: npt.NDArray[np.float16], lines: FloatArray, end_s: float, fps: float) -> FloatArray:
    """(K, D) each eight-count; the mean squared difference of neighbours is about 2 in the whole."""
    heard = sound.astype(np.float64)
    edges = np.append(lines, end_s)
    quarters = np.stack([np.linspace(a, b, QUARTERS + 1)[:-1] for a, b in pairwise(edges)])
    frames = np.append(np.round(quarters.ravel() * fps).astype(int), len(heard))
    sums = np.concatenate([np.zeros((1, heard.shape[1])), np.cumsum(heard, axis=0)])
    frames = np.minimum(frames, len(heard))
    length = np.maximum(np.diff(frames), 1)[:, None]
    means = ((sums[frames[1:]] - sums[frames[:-1]]) / length).reshape(len(lines), QUARTERS, -1)
    whole = means.mean(axis=1)
    harmony = _evened(means[:, :, CHROMA].reshape(len(lines), -1))
    measures = (harmony, whole[:, MFCC], whole[:, [LOUDNESS, PEAKS]])
    return np.concatenate([_scaled(measure, weight) for measure, weight in zip(measures, WEIGHTS, strict=True)], axis=1)


def _evened(measure: FloatArray) -> FloatArray:
    """(K, D) without what comes and goes from one eight-count to the next, as the halves of a row of chords do."""
    return np.asarray(convolve1d(measure, np.array(EVENING) / sum(EVENING), axis=0, mode="mirror"))


def _scaled(measure: FloatArray, weight: _Weight) -> FloatArray:
    """(K, D) in terms of how much eight-counts near each other differ as a rule."""
    spread = float(measure.var(axis=0).sum())
    noise = [0.5 * float(np.median(((measure[lag:] - measure[:-lag]) ** 2).sum(axis=1))) for lag in weight.lags]
    usual = max(min(noise), QUIET_SHARE * spread, weight.unheard)
    return np.asarray((measure - measure.mean(axis=0)) * np.sqrt(weight.share / usual))


def _labels(heard: FloatArray) -> IntArray:
    """(K,) the kind of part of each eight-count."""
    tree = linkage(heard, "ward")
    best, least = np.zeros(len(heard), dtype=np.int64), np.inf
    for kinds in range(1, MOST_KINDS + 1):
        labels, cost = _settled(heard, fcluster(tree, kinds, "maxclust").astype(np.int64) - 1)
        if cost < least:
            best, least = labels, cost
    return best


def _settled(heard: FloatArray, labels: IntArray) -> tuple[IntArray, float]:
    """Labels and means that fit each other, from labels to begin with; and what they cost."""
    for _ in range(ROUNDS):
        kinds = np.unique(labels)
        means = np.stack([heard[labels == kind].mean(axis=0) for kind in kinds])
        far = ((heard[:, None] - means[None]) ** 2).sum(axis=-1)
        new, cost = _path(far)
        if np.array_equal(new, labels):
            break
        labels = new
    return labels, cost + KIND_COST * len(np.unique(labels))


def _path(far: FloatArray) -> tuple[IntArray, float]:
    """The cheapest labels (K,) of eight-counts whose distances from each kind are (K, M); parts are no shorter than
    SHORTEST.
    """
    count, kinds = far.shape
    total = np.concatenate([np.zeros((1, kinds)), np.cumsum(far, axis=0)])
    cost = np.full((count + 1, kinds), np.inf)  # of all up to here, the last part being of this kind
    entry = np.full((count + 1, kinds), np.inf)  # of all before a part of this kind that begins here
    entry[0] = 0.0
    begin, before = np.zeros((2, count + 1, kinds), dtype=np.int64)
    for stop in range(SHORTEST, count + 1):
        starts = entry[: stop - SHORTEST + 1] - total[: stop - SHORTEST + 1]
        begin[stop] = starts.argmin(axis=0)
        cost[stop] = starts.min(axis=0) + total[stop]
        others = np.where(np.eye(kinds, dtype=bool), np.inf, cost[stop])
        before[stop] = others.argmin(axis=1)
        entry[stop] = others.min(axis=1) + BORDER_COST
    labels = np.zeros(count, dtype=np.int64)
    stop, kind = count, int(cost[count].argmin())
    least = float(cost[count, kind])
    while stop > 0:
        start = int(begin[stop, kind])
        labels[start:stop] = kind
        stop, kind = start, int(before[start, kind])
    return labels, least
