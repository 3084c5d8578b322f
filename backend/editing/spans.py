"""Spans and points of a dance as an animator writes them, and the counts of its music.

A point is ``8.0`` (seconds), ``16c`` (counts: beats of the music, 0c is the first one), ``240f`` (frames), ``#3`` (the
start of the third section) or ``end``. A span is two points, ``8.0:12.0``, ``16c:24c``, ``#3:#5`` (the third to the
fifth section, both included), or one section, ``#3``; a side that is left out is the dance's start or end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from backend.dance import Dance
from backend.errors import PirouetteError
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid

FloatArray = npt.NDArray[np.float64]

NEAR_FRAMES = 1  # a point so near to a section's border means the border
_POINT = re.compile(r"(?:#(?P<section>\d+)|(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<unit>[scf]?))\Z")
_HOW = "Write 8.0:12.0 (seconds), 16c:24c (counts), #3 or #3:#5 (sections)."


@dataclass(frozen=True)
class Counts:
    """The counts of a song: count 0 is its first beat at or after 0 s; before and after its beats they go on evenly."""

    grid: BeatGrid

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Counts and their seconds, far beyond both ends."""
        beats_s = np.asarray(self.grid.beats_s, dtype=np.float64)
        beats_s = beats_s[np.concatenate([[True], np.diff(beats_s) > 1e-3])]
        if len(beats_s) < 2:
            raise PirouetteError("bad_request", "The dance has no beats to count by.", "Give the span in seconds.")
        more = np.arange(1, 4 + int(60.0 / (beats_s[1] - beats_s[0])))
        head = beats_s[0] - (beats_s[1] - beats_s[0]) * more[::-1]
        more = np.arange(1, 4 + int(3600.0 / (beats_s[-1] - beats_s[-2])))
        tail = beats_s[-1] + (beats_s[-1] - beats_s[-2]) * more
        first = int(np.searchsorted(beats_s, -1e-6))
        return np.arange(-len(head), len(beats_s) + len(tail), dtype=np.float64) - first, np.concatenate(
            [head, beats_s, tail]
        )

    @cached_property
    def _to_seconds(self) -> PchipInterpolator:
        return PchipInterpolator(*self._table)

    @cached_property
    def _to_counts(self) -> PchipInterpolator:
        counts, seconds = self._table
        return PchipInterpolator(seconds, counts)

    def at(self, seconds: FloatArray | float) -> FloatArray:
        """Counts, with fractions, at these seconds."""
        return np.asarray(self._to_counts(seconds), dtype=np.float64)

    def seconds(self, counts: FloatArray | float) -> FloatArray:
        """Seconds at these counts."""
        return np.asarray(self._to_seconds(counts), dtype=np.float64)

    def of_frame(self, frame: int) -> float:
        """The count of a frame: a whole one where a beat falls into the frame."""
        count = float(self.at(frame / FPS))
        return float(round(count)) if self.frame(round(count)) == frame else count

    def frame(self, count: float) -> int:
        """The frame nearest to a count."""
        return round(float(self.seconds(count)) * FPS)


def point_frame(text: str, dance: Dance) -> int:
    """The frame, 0..T, of a point. Raises PirouetteError("bad_range")."""
    return _side(text, dance, at_end=False)


def span_frames(text: str, dance: Dance) -> tuple[int, int]:
    """First frame, and the frame after the last, of a span. Raises PirouetteError("bad_range")."""
    left, colon, right = text.strip().partition(":")
    if not colon:
        if not left.startswith("#"):
            raise PirouetteError("bad_range", f"“{text}” is not a span.", _HOW)
        right = left
    first = _side(left or "0f", dance, at_end=False)
    last = _side(right or "end", dance, at_end=True)
    if first >= last:
        raise PirouetteError("bad_range", f"The span {text} ends before it starts, or holds no frame.")
    return first, last


def section_range(text: str, dance: Dance) -> range:
    """Numbers, from 0, of the sections that a span touches. Raises PirouetteError("bad_range")."""
    first, last = span_frames(text, dance)
    touched = [
        number
        for number, (start, end) in enumerate(map(dance.frames_of, dance.sections))
        if start < last and end > first
    ]
    return range(touched[0], touched[-1] + 1)


def _side(text: str, dance: Dance, *, at_end: bool) -> int:
    text = text.strip()
    frames = dance.motion.frames
    if text == "end":
        return frames
    match = _POINT.match(text)
    if match is None:
        raise PirouetteError("bad_range", f"“{text}” is not a point of the dance.", _HOW)
    if match["section"]:
        number = int(match["section"])
        if not 1 <= number <= len(dance.sections):
            raise PirouetteError("bad_range", f"There is no section #{number}: the dance has {len(dance.sections)}.")
        return dance.frames_of(dance.sections[number - 1])[at_end]
    value = float(match["number"])
    frame = {"c": lambda: Counts(dance.grid).frame(value), "f": lambda: round(value)}.get(
        match["unit"], lambda: round(value * FPS)
    )()
    if match["unit"] != "f":
        frame = _near_border(frame, dance)
    if not 0 <= frame <= frames:
        raise PirouetteError("bad_range", f"“{text}” lies outside the dance, which is {frames / FPS:.2f} s long.")
    return frame


def _near_border(frame: int, dance: Dance) -> int:
    borders = [first for first, _ in map(dance.frames_of, dance.sections)] + [dance.motion.frames]
    nearest = min(borders, key=lambda border: abs(border - frame))
    return nearest if abs(nearest - frame) <= NEAR_FRAMES else frame
