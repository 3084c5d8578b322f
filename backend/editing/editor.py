"""One function for every operation: dance in, dance out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.dance import Dance
from backend.editing.artist import Artist
from backend.editing.operations import Operation


@dataclass(frozen=True)
class Edit:
    """The edited dance; touched: [first, last) frames of it that are new or blended; moved: (old first, old last, new
    first) of runs that were moved rigidly, in time or place; report: what was done, JSON. Frames in neither are the
    same as before.
    """

    dance: Dance
    touched: tuple[tuple[int, int], ...] = ()
    moved: tuple[tuple[int, int, int], ...] = ()
    report: dict[str, Any] = field(default_factory=dict)


def apply(dance: Dance, operation: Operation, artist: Artist, *, sources: Mapping[str, Dance] | None = None) -> Edit:
    """Do an operation. sources: "other", and phrases of the library by their id. Raises PirouetteError."""
    raise NotImplementedError
