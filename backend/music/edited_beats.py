"""Beats that an animator has moved, added or deleted, as a grid that music and dance can follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError
from backend.music.beats import BeatGrid

CLOSEST_S = 0.1  # beats nearer to each other than this are 600 a minute: nobody dances that
FORWARD = 0.25  # of a beat: a bar line goes rather to the beat after it, so that all beats moved by half a beat agree

TimeArray = npt.NDArray[np.float64]


def edited_grid(
    beats_s: Sequence[float] | TimeArray, downbeat: Sequence[bool] | None = None, *, before: BeatGrid
) -> BeatGrid:
    """The grid of edited beats, seconds; clear, because somebody has said where they are.

    downbeat: true where a bar starts; without it each bar of the grid before starts at the beat nearest to its line.
    Raises PirouetteError("bad_request"): too few beats, not in order, nearer than 0.1 s, or other marks than beats.
    """
    moments = checked_beats(beats_s)
    if downbeat is not None and len(downbeat) != len(moments):
        raise PirouetteError("bad_request", f"{len(downbeat)} marks of bars do not fit {len(moments)} beats.")
    marks = _bar_lines(moments, before) if downbeat is None else np.asarray(downbeat, dtype=np.bool_)
    tempo_bpm = 60.0 / float(np.median(np.diff(moments)))
    return BeatGrid(moments, marks, tempo_bpm, before.metre, True)


def checked_beats(beats_s: Sequence[float] | TimeArray) -> TimeArray:
    """(B,) beats in seconds. Raises PirouetteError("bad_request") for what is no row of beats."""
    moments = np.asarray(beats_s, dtype=np.float64)
    if moments.ndim != 1 or len(moments) < 2:
        raise PirouetteError("bad_request", f"{moments.size} beats are too few to dance to.", "Give two or more.")
    if not np.isfinite(moments).all():
        raise PirouetteError("bad_request", "A beat is no moment: its time is not a finite number.")
    gaps = np.diff(moments)
    wrong = int(gaps.argmin())
    if gaps[wrong] <= 0.0:
        raise PirouetteError(
            "bad_request",
            f"The beat at {moments[wrong + 1]:g} s comes after the one at {moments[wrong]:g} s.",
            "Put the beats in order, each once.",
        )
    if gaps[wrong] < CLOSEST_S:
        raise PirouetteError(
            "bad_request",
            f"The beats at {moments[wrong]:g} s and {moments[wrong + 1]:g} s are nearer than {CLOSEST_S:g} s.",
            "Delete one of them.",
        )
    return moments


def _bar_lines(moments: TimeArray, before: BeatGrid) -> npt.NDArray[np.bool_]:
    """(B,) marks: beat by beat those of the grid before where none came or went, else the beat nearest to each line."""
    if len(moments) == len(before.beats_s):
        return before.downbeat.copy()
    marks = np.zeros(len(moments), dtype=np.bool_)
    beats_s = np.asarray(before.beats_s, dtype=np.float64)
    for line in np.flatnonzero(before.downbeat):
        next_ = min(int(line), len(beats_s) - 2)
        interval_s = beats_s[next_ + 1] - beats_s[next_]
        gap = np.abs(moments - (beats_s[line] + FORWARD * interval_s))
        nearest = int(gap.argmin())
        if gap[nearest] <= interval_s:
            marks[nearest] = True
    return marks
