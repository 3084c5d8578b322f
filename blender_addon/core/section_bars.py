"""Where each section's strip and each lock's flag is drawn in a timeline, in pixels. No bpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_GAP_PX = 1.0
_TEXT_FROM_PX = 18.0  # a narrower strip has no room for words
_FLAG_ROOM_PX = 9.0  # on either side of a flag
_CHARACTER_PX = 6.6  # of the interface's font at scale 1


@dataclass(frozen=True)
class Bar:
    """One strip. left, right: pixels in the region, cut at its edges; text: as much of the name as fits."""

    index: int
    left: float
    right: float
    text: str
    selected: bool
    locked: bool


def bars(
    spans: Sequence[tuple[float, float]],
    names: Sequence[str],
    locks: Sequence[bool],
    *,
    selected: int,
    width: float,
    pixel_of: Callable[[float], float],
    scale: float = 1.0,
) -> list[Bar]:
    """The strips that are in sight.

    spans: first frame and the frame after the last of each section; pixel_of: where a frame is drawn; width: of the
    region, pixels; scale: of the interface.
    """
    found = []
    for index, ((first, end), name, locked) in enumerate(zip(spans, names, locks, strict=True)):
        left, right = max(pixel_of(first) + _GAP_PX, 0.0), min(pixel_of(end) - _GAP_PX, width)
        if right - left >= 1.0:
            room = (right - left) / scale - (_TEXT_FROM_PX if locked else 8.0)
            text = fitted(name or str(index + 1), room)
            found.append(Bar(index, left, right, text, index == selected, locked))
    return found


@dataclass(frozen=True)
class Flag:
    """The flag of a lock. x: pixels in the region; text: as much of the name as fits."""

    index: int
    x: float
    text: str
    selected: bool
    enabled: bool


def flags(
    frames: Sequence[float],
    names: Sequence[str],
    enabled: Sequence[bool],
    *,
    selected: int,
    width: float,
    pixel_of: Callable[[float], float],
    scale: float = 1.0,
) -> list[Flag]:
    """The flags that are in sight, from left to right; a name ends before the next flag."""
    places = sorted((pixel_of(frame), index) for index, frame in enumerate(frames))
    found = []
    for (x, index), (next_x, _) in pairwise([*places, (width + 1e4, -1)]):
        if -_FLAG_ROOM_PX <= x <= width + _FLAG_ROOM_PX:
            text = fitted(names[index], (next_x - x) / scale - 2 * _FLAG_ROOM_PX)
            found.append(Flag(index, x, text, index == selected, enabled[index]))
    return found


def fitted(text: str, room_px: float) -> str:
    """As much of a text as there is room for."""
    most = int(room_px / _CHARACTER_PX)
    if len(text) <= most:
        return text
    return text[: most - 1] + "…" if most > 2 else text[:most] if most > 0 else ""
