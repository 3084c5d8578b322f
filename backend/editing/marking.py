"""Operations on sections and beats alone: split, merge, lock, unlock, describe, snap, encode, beats.

No frame of the motion changes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.dance import GROUP_FRAMES, Dance
from backend.editing.artist import Artist, Codes
from backend.editing.joining import Edit, join
from backend.editing.making import known_genre
from backend.editing.operations import Beats, Describe, Encode, Merge, Snap, Split
from backend.editing.parts import Part, check_dance, cut_at, cut_motion, joined_motion, parts_of, refuse_locked
from backend.editing.spans import point_frame, section_range
from backend.errors import PirouetteError
from backend.motion.skeleton import FPS
from backend.music.beats import eight_counts
from backend.music.edited_beats import edited_grid
from backend.music.structure import music_parts

SHORTEST_FRAMES = 4


def split(dance: Dance, operation: Split, artist: Artist) -> Edit:
    """Two sections of one."""
    at = point_frame(operation.at, dance)
    parts = parts_of(dance)
    divided = cut_at(parts, at)
    if len(divided) == len(parts):
        raise PirouetteError("bad_range", f"There is a border at {operation.at} already.")
    if min(part.frames for part in divided) < SHORTEST_FRAMES:
        raise PirouetteError("bad_range", "A section needs four frames or more.", "Split it somewhere else.")
    return join(dance, divided, artist)


def merge(dance: Dance, operation: Merge, artist: Artist) -> Edit:
    """One section of several."""
    numbers = section_range(operation.span, dance)
    if len(numbers) < 2:
        raise PirouetteError("bad_range", f"{operation.span} touches one section: nothing is merged.")
    parts = parts_of(dance)
    chosen = parts[numbers.start : numbers.stop]
    for part in chosen:
        refuse_locked(part, "become part of another one")
    whole = replace(
        chosen[0],
        motion=joined_motion([part.motion for part in chosen]),
        contacts=np.concatenate([part.contacts for part in chosen]),
        codes=_merged_codes(chosen),
    )
    return join(dance, [*parts[: numbers.start], whole, *parts[numbers.stop :]], artist)


def lock(dance: Dance, span: str, *, locked: bool) -> Edit:
    """Lock or unlock the sections that a span touches."""
    check_dance(dance)
    numbers = section_range(span, dance)
    sections = [replace(s, locked=locked) if i in numbers else s for i, s in enumerate(dance.sections)]
    return Edit(replace(dance, sections=tuple(sections)))


def describe(dance: Dance, operation: Describe) -> Edit:
    """Other words for sections."""
    parts = parts_of(dance)
    genre = None if operation.genre is None else known_genre(operation.genre)
    given: dict[str, Any] = {"name": operation.name, "prompt": operation.prompt, "genre": genre, "seed": operation.seed}
    changes = {key: value for key, value in given.items() if value is not None}
    sections = list(dance.sections)
    for number in section_range(operation.span, dance):
        refuse_locked(parts[number], "be described anew")
        sections[number] = replace(sections[number], **changes)
    return Edit(replace(dance, sections=tuple(sections)))


def snap(dance: Dance, operation: Snap, artist: Artist) -> Edit:
    """Move the sections' borders to lines of the music; a section that is left without frames vanishes."""
    parts = parts_of(dance)
    edges = np.cumsum([0, *(part.frames for part in parts)])
    fixed = [0, *(i for i in range(1, len(parts)) if _held(parts, i)), len(parts)]
    borders = edges.copy()
    lines = _lines(dance, operation.to)
    for left, right in pairwise(fixed):
        usable = lines[(lines > edges[left]) & (lines < edges[right])]
        choice = np.concatenate([[edges[left]], usable, [edges[right]]])
        for number in range(left + 1, right):
            borders[number] = choice[np.abs(choice - edges[number]).argmin()]
    snapped = []
    for part, old, first, last in zip(parts, edges, borders[:-1], borders[1:], strict=False):
        if first == last:
            continue
        same = first == old and last - first == part.frames
        motion = part.motion if same else cut_motion(dance.motion, int(first), int(last))
        codes = part.codes if same else None
        contacts = dance.contacts[first:last]
        snapped.append(replace(part, motion=motion, contacts=contacts, codes=codes, kept=int(first)))
    return join(dance, snapped, artist)


def encode(dance: Dance, operation: Encode, artist: Artist) -> Edit:
    """Read codes anew from the motion."""
    parts = parts_of(dance)
    numbers = section_range(operation.span or ":", dance)
    fresh = [replace(part, codes=None) if number in numbers else part for number, part in enumerate(parts)]
    return join(dance, fresh, artist, coded=True)


def set_beats(dance: Dance, operation: Beats) -> Edit:
    """Other beats under the dance; new movement follows them."""
    grid = edited_grid(operation.beats_s, operation.downbeat, before=dance.grid)
    return Edit(replace(dance, grid=grid))


def _merged_codes(parts: list[Part]) -> tuple[Codes, Codes] | None:
    """The codes one behind the other, where no code but the last lies across a border."""
    codes = [part.codes for part in parts if part.codes is not None]
    if len(codes) < len(parts) or any(part.frames % GROUP_FRAMES for part in parts[:-1]):
        return None
    return np.concatenate([c[0] for c in codes]), np.concatenate([c[1] for c in codes])


def _held(parts: list[Part], number: int) -> bool:
    """Whether a locked section holds the border before a part."""
    return parts[number].section.locked or parts[number - 1].section.locked


def _lines(dance: Dance, kind: str) -> npt.NDArray[np.int64]:
    if kind == "structure":
        seconds = np.array([part.start_s for part in music_parts(dance.sound, dance.grid)[1:]])
    else:
        seconds = dance.grid.beats_s if kind == "beats" else eight_counts(dance.grid)
    frames = np.round(np.asarray(seconds) * FPS).astype(np.int64)
    inside: npt.NDArray[np.int64] = frames[
        (frames >= SHORTEST_FRAMES) & (frames <= dance.motion.frames - SHORTEST_FRAMES)
    ]
    return inside
