"""Spans that a long dance is made of, each seen in a window of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Seen:
    """Frames first..last (exclusive) of a dance that are made in the window begin..begin + length."""

    first: int
    last: int
    begin: int

    @property
    def inside(self) -> slice:
        """The span in frames of its window."""
        return slice(self.first - self.begin, self.last - self.begin)


def even_borders(frames: int, longest: int, *, multiple: int = 2) -> list[int]:
    """Borders 0..frames of spans as equal as can be, none longer than ``longest``, at multiples."""
    count = max(-(-frames // longest), 1)
    return [*(round(frames * index / count / multiple) * multiple for index in range(count)), frames]


def seen_from(borders: list[int], *, window: int, before: int, multiple: int = 2) -> list[Seen]:
    """Spans between borders, in windows that begin ``before`` frames before them where the dance is long enough."""
    frames = borders[-1]
    spans = []
    for first, last in pairwise(borders):
        begin = min(max(first - before, 0), max(frames - window, 0)) // multiple * multiple
        if last - begin > window:
            raise ValueError(f"a span of {last - first} frames does not fit into a window of {window}")
        spans.append(Seen(first, last, begin))
    return spans
