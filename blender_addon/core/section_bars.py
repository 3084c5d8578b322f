"""Where each section's strip is drawn in a timeline, in pixels. No bpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_GAP_PX = 1.0
_TEXT_FROM_PX = 18.0  # a narrower strip has no room for words
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


def fitted(text: str, room_px: float) -> str:
    """As much of a text as there is room for."""
    most = int(room_px / _CHARACTER_PX)
    if len(text) <= most:
        return text
    return text[: most - 1] + "…" if most > 2 else text[:most] if most > 0 else ""
