"""The beat grid of a song: beats, downbeats, tempo and metre, and what a dancer feels of them at each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.music.audio import Audio, FloatArray
from backend.music.metre import downbeat_place, metre_of
from backend.music.onsets import onset_envelopes
from backend.music.regularity import onset_strength_at, straighten
from backend.music.tempo import TEMPI_BPM, tempo_path, tempo_preference, tempo_scores
from backend.music.tracking import TimeArray, follow_beats

BoolArray = npt.NDArray[np.bool_]

RHYTHM_SIZE = 6
FARTHEST_BEAT_S = 0.5
CLEAR_PERIODICITY = 3.5  # nats; plucks at random times reach 2.1, songs with a beat 4.3 and more
CLEAR_CONTRAST = 2.15  # over the mean onset strength; noise reaches 2.0, songs with a beat 2.5 and more


@dataclass(frozen=True)
class BeatGrid:
    """The beats of a whole song, in order, at least two.

    beats_s: (B,) seconds; downbeat: (B,) true where a bar starts; metre: 3 or 4 beats a bar;
    clear: false where the music has no beat that could be followed and the grid is only a steady stand-in.
    """

    beats_s: TimeArray
    downbeat: BoolArray
    tempo_bpm: float
    metre: int
    clear: bool


def track_beats(audio: Audio) -> BeatGrid:
    """Find the beats of a song, from its first to its last moment.

    Where there is none to be found the grid is steady, at the likeliest tempo, and not clear.
    """
    onsets = onset_envelopes(audio.samples)
    envelope = onsets.full + onsets.low
    scores = tempo_scores(onsets)
    path = tempo_path(scores)
    path_bpm = TEMPI_BPM[path]
    followed_s = follow_beats(envelope, path_bpm)
    clear = _is_clear(envelope, followed_s, scores, path)
    if len(followed_s) < 2:
        followed_s = np.arange(0.0, audio.duration_s, 60.0 / float(np.median(path_bpm)))
    beats_s = straighten(followed_s, envelope, duration_s=audio.duration_s, steady=not clear)
    metre = metre_of(onsets, beats_s) if clear else 4
    downbeat = np.arange(len(beats_s)) % metre == downbeat_place(audio.samples, onsets, beats_s, metre)
    return BeatGrid(beats_s, downbeat, 60.0 / float(np.median(np.diff(beats_s))), metre, clear)


def _is_clear(envelope: FloatArray, followed_s: TimeArray, scores: TimeArray, path: npt.NDArray[np.int64]) -> bool:
    """Whether a period stands out (plucked rubato has none) and onsets stand out at it (pads and noise have none)."""
    along = scores[np.arange(len(path)), path] - tempo_preference(TEMPI_BPM[path])
    contrast = onset_strength_at(envelope, followed_s) / max(float(envelope.mean()), 1e-9)
    return len(followed_s) >= 2 and float(np.median(along)) > CLEAR_PERIODICITY and contrast > CLEAR_CONTRAST


def eight_counts(grid: BeatGrid) -> TimeArray:
    """(K,) seconds at which each eight-count starts: every second downbeat (in 3/4 that is a six-count)."""
    return grid.beats_s[np.flatnonzero(grid.downbeat)[::2]]


def rhythm_features(grid: BeatGrid, *, frames: int, fps: float = 30.0) -> FloatArray:
    """What a dancer feels of the beat at each frame, from the grid alone; frame i is at i / fps seconds.

    Returns (frames, 6): seconds to the nearest beat (at most 0.5), sine and cosine of the beat's phase,
    sine and cosine of the bar's phase (phase 0 on the beat, on the downbeat), log2(local tempo / 120 BPM).
    A grid that does not cover the frames goes on at its first and last interval.
    """
    time_s = np.arange(frames, dtype=np.float64) / fps
    beats_s, place = _covering(grid, frames / fps)
    index = np.clip(np.searchsorted(beats_s, time_s, side="right") - 1, 0, len(beats_s) - 2)
    interval_s = beats_s[index + 1] - beats_s[index]
    phase = (time_s - beats_s[index]) / interval_s
    distance_s = np.minimum(time_s - beats_s[index], beats_s[index + 1] - time_s)
    bar_phase = (place[index] + phase) / grid.metre
    columns = (
        np.clip(distance_s, 0.0, FARTHEST_BEAT_S),
        np.sin(2 * np.pi * phase),
        np.cos(2 * np.pi * phase),
        np.sin(2 * np.pi * bar_phase),
        np.cos(2 * np.pi * bar_phase),
        np.log2(0.5 / interval_s),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _covering(grid: BeatGrid, duration_s: float) -> tuple[TimeArray, npt.NDArray[np.int64]]:
    """Beats that enclose 0..duration_s, and each beat's place in its bar (0 on the downbeat)."""
    beats_s = grid.beats_s.astype(np.float64)
    if len(beats_s) < 2:
        raise ValueError("a beat grid needs two beats or more")
    first_s, last_s = float(beats_s[1] - beats_s[0]), float(beats_s[-1] - beats_s[-2])
    before = max(int(np.ceil(beats_s[0] / first_s)), 0)
    after = max(int(np.ceil((duration_s - beats_s[-1]) / last_s)), 0) + 1
    place = _places(grid)
    head = (place[0] - np.arange(before, 0, -1)) % grid.metre
    tail = (place[-1] + np.arange(1, after + 1)) % grid.metre
    full_s = np.concatenate(
        [
            beats_s[0] - first_s * np.arange(before, 0, -1),
            beats_s,
            beats_s[-1] + last_s * np.arange(1, after + 1),
        ]
    )
    return full_s, np.concatenate([head, place, tail])


def _places(grid: BeatGrid) -> npt.NDArray[np.int64]:
    """(B,) place of each beat in its bar, 0 on the downbeat; from the first beat on where no downbeat is marked."""
    number = np.arange(len(grid.beats_s))
    marks = np.flatnonzero(grid.downbeat)
    if len(marks) == 0:
        return number % grid.metre
    last = marks[np.maximum(np.searchsorted(marks, number, side="right") - 1, 0)]
    return np.asarray((number - last) % grid.metre, dtype=np.int64)
