"""Beats that the animator has moved, added or taken away, against those that were heard. No bpy.

Markers stand on whole frames and beats between them: a marker that still stands where a beat was heard means that beat.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .dance import Beats
from .errors import PirouetteError

FEWEST_BEATS = 2


@dataclass(frozen=True, eq=False)
class Heard:
    """Beats as they were heard. frames: (B,) where they are in the scene, fractions told; first, end: the frames of the
    scene [first, end) that have markers; tempo_bpm, metre, clear: of the music.
    """

    frames: npt.NDArray[np.float64]
    downbeat: npt.NDArray[np.bool_]
    first: int
    end: int
    tempo_bpm: float
    metre: int
    clear: bool

    @property
    def marked(self) -> npt.NDArray[np.bool_]:
        """Which beats have a marker when nothing is changed: (B,)."""
        at = self.frames.round()
        return (at >= self.first) & (at < self.end)


@dataclass(frozen=True)
class Mark:
    """A beat's marker."""

    frame: int
    downbeat: bool
    accent: bool = False


@dataclass(frozen=True, eq=False)
class MarkedBeats:
    """The beats that the timeline shows. frames: (B,) of the scene; accents: which a pose lands on; moved, added,
    removed: how many differ from what was heard; retimed: whether bars start elsewhere.
    """

    frames: npt.NDArray[np.float64]
    downbeat: npt.NDArray[np.bool_]
    accents: npt.NDArray[np.bool_]
    moved: int
    added: int
    removed: int
    retimed: bool

    @property
    def edited(self) -> bool:
        """Whether they are no longer what was heard."""
        return bool(self.moved or self.added or self.removed or self.retimed)


def marked_beats(heard: Heard | None, marks: Collection[Mark], *, named: Collection[int] = ()) -> MarkedBeats:
    """The beats that these markers mean; named: frames of other markers: a beat that was renamed is still one."""
    by_frame = {mark.frame: mark for mark in sorted(marks, key=lambda mark: (mark.frame, mark.downbeat, mark.accent))}
    known = {} if heard is None else {int(heard.frames[i].round()): i for i in np.flatnonzero(heard.marked)}
    found: list[tuple[float, bool, bool]] = []
    for frame, mark in by_frame.items():
        exact = float(frame) if heard is None or frame not in known else float(heard.frames[known[frame]])
        found.append((exact, mark.downbeat, mark.accent))
    retimed = any(
        heard is not None and by_frame[f].downbeat != heard.downbeat[known[f]] for f in known if f in by_frame
    )
    missing = [frame for frame in known if frame not in by_frame]
    removed = 0
    for frame in missing:
        if frame in named and heard is not None:
            found.append((float(heard.frames[known[frame]]), bool(heard.downbeat[known[frame]]), False))
        else:
            removed += 1
    added = 0 if heard is None else sum(frame not in known for frame in by_frame)
    moved = min(added, removed)
    if heard is not None and found:  # beats at the very edge have no markers to be edited by
        found += [(float(heard.frames[i]), bool(heard.downbeat[i]), False) for i in np.flatnonzero(~heard.marked)]
    found.sort()
    return MarkedBeats(
        np.array([frame for frame, _, _ in found]),
        np.array([downbeat for _, downbeat, _ in found], dtype=np.bool_),
        np.array([accent for _, _, accent in found], dtype=np.bool_),
        moved,
        added - moved,
        removed - moved,
        retimed,
    )


def beats_within(
    marked: MarkedBeats, heard: Heard | None, *, first: float, frames: float, fps: float
) -> tuple[Beats | None, tuple[float, ...]]:
    """The beats of a stretch of the scene, seconds from its start, and the accents; no beats where none is edited.

    Raises PirouetteError bad_range for edited beats of which fewer than two are left in the stretch.
    """
    inside = (marked.frames > first - 0.5) & (marked.frames < first + frames + 0.5)
    times_s = np.maximum(marked.frames[inside] - first, 0.0) / fps
    accents = tuple(float(time_s) for time_s in times_s[marked.accents[inside]])
    if not marked.edited:
        return None, accents
    if len(times_s) < FEWEST_BEATS:
        count = "no beat" if not len(times_s) else "one beat"
        raise PirouetteError("bad_range", f"There is {count} left in these frames.", "Add some, or detect them again.")
    metre = 4 if heard is None else heard.metre
    tempo_bpm = 60.0 / float(np.median(np.diff(times_s)))
    return Beats(times_s, marked.downbeat[inside], tempo_bpm, metre, clear=True), accents


def in_words(marked: MarkedBeats) -> str:
    """What was changed, such as ``2 moved, 1 added``; empty when nothing was."""
    parts = [
        f"{n} {word}"
        for n, word in ((marked.moved, "moved"), (marked.added, "added"), (marked.removed, "deleted"))
        if n
    ]
    return ", ".join(parts) or ("bars moved" if marked.retimed else "")


def names_of_beats(downbeat: npt.NDArray[np.bool_], accents: npt.NDArray[np.bool_]) -> list[str]:
    """``♪3.1`` on the first beat of bar 3, ``♪2``, ``♪3``, … on the others, ``♪3 >`` with an accent.

    An upbeat counts up to bar 1.
    """
    names: list[str] = []
    first = int(np.argmax(downbeat)) if downbeat.any() else 0
    metre = int(np.median(np.diff(np.flatnonzero(downbeat)))) if downbeat.sum() > 1 else 4
    count, bar = (metre - first) % metre, 0
    for is_first, accent in zip(downbeat, accents, strict=True):
        count = 1 if is_first else count + 1
        bar += bool(is_first)
        names.append((f"♪{bar}.1" if is_first else f"♪{count}") + (" >" if accent else ""))
    return names
