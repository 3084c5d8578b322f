"""Operations that move what is there: delete, duplicate, reorder, retime, and insert, which makes room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from backend.dance import Dance, Section
from backend.editing.artist import Artist
from backend.editing.joining import Edit, join
from backend.editing.making import filled, known_genre
from backend.editing.material import Material, fitted, material_of
from backend.editing.operations import Delete, Duplicate, Insert, Reorder, Retime, Source
from backend.editing.parts import Part, between, cut_at, named, parts_of, refuse_locked
from backend.editing.spans import Counts, point_frame, span_frames
from backend.errors import PirouetteError
from backend.motion.motion import Motion

SHORTEST_FRAMES = 4


def delete(dance: Dance, operation: Delete, artist: Artist) -> Edit:
    """Take a span out; what follows closes the gap."""
    parts, inside = _cut(dance, operation.span)
    for number in inside:
        refuse_locked(parts[number], "be deleted")
    rest = [part for number, part in enumerate(parts) if number not in inside]
    if not rest:
        raise PirouetteError("bad_range", "Nothing of the dance would be left.", "Choose a shorter span.")
    return join(dance, rest, artist)


def reorder(dance: Dance, operation: Reorder, artist: Artist) -> Edit:
    """Move a span to another point."""
    first, last = span_frames(operation.span, dance)
    target = point_frame(operation.to, dance)
    if first <= target <= last:
        raise PirouetteError("bad_range", f"{operation.to} is where {operation.span} is already.")
    parts = cut_at(parts_of(dance), first, last, target)
    block = between(parts, first, last)
    goal = between(parts, 0, target).stop
    moved = [parts[number] for number in block]
    before = [part for number, part in enumerate(parts) if number < goal and number not in block]
    after = [part for number, part in enumerate(parts) if number >= goal and number not in block]
    return join(dance, [*before, *moved, *after], artist)


def duplicate(dance: Dance, operation: Duplicate, artist: Artist) -> Edit:
    """Dance a span once more at a point."""
    _, last = span_frames(operation.span, dance)
    material = material_of(Source("here", span=operation.span), dance, {})
    at = point_frame(operation.to, dance) if operation.to else last
    return _opened(dance, at, material, 0, artist)


def insert(dance: Dance, operation: Insert, artist: Artist, sources: Mapping[str, Dance]) -> Edit:
    """Open a gap at a point and dance the source in it."""
    at = point_frame(operation.at, dance)
    if operation.source.kind == "prompt":
        return _inserted_prompt(dance, at, operation, artist)
    material = material_of(operation.source, dance, sources)
    return _opened(dance, at, material, operation.counts, artist)


def retime(dance: Dance, operation: Retime, artist: Artist) -> Edit:
    """Dance a span over another number of counts."""
    parts, inside = _cut(dance, operation.span)
    first, last = span_frames(operation.span, dance)
    for number in inside:
        refuse_locked(parts[number], "be retimed")
    chosen = tuple(replace(parts[number], kept=None) for number in inside)
    counts = Counts(dance.grid)
    end = _end(counts, first, operation.counts)
    if end == last:
        raise PirouetteError("bad_range", f"The span takes {operation.counts} counts already.")
    fresh = fitted(Material(chosen, dance.grid, first), counts, first, end)
    return join(dance, [*parts[: inside.start], *fresh, *parts[inside.stop :]], artist)


def _cut(dance: Dance, span: str) -> tuple[list[Part], range]:
    first, last = span_frames(span, dance)
    parts = cut_at(parts_of(dance), first, last)
    return parts, between(parts, first, last)


def _end(counts: Counts, first: int, length: float) -> int:
    """The frame at which so many counts from a frame on are over."""
    end = counts.frame(counts.of_frame(first) + length)
    if end - first < SHORTEST_FRAMES:
        raise PirouetteError("bad_range", f"{length:g} counts are too short to dance in.")
    return end


def _opened(dance: Dance, at: int, material: Material, counts: int, artist: Artist) -> Edit:
    music = Counts(dance.grid)
    end = _end(music, at, counts or max(round(material.counts), 1))
    parts, place = _gap(dance, at)
    fresh = named(fitted(material, music, at, end), parts)
    return join(dance, [*parts[:place], *fresh, *parts[place:]], artist)


def _gap(dance: Dance, at: int) -> tuple[list[Part], int]:
    """The parts with a border at a frame, and the number of the part that starts there."""
    parts = cut_at(parts_of(dance), at)
    return parts, between(parts, 0, at).stop


def _inserted_prompt(dance: Dance, at: int, operation: Insert, artist: Artist) -> Edit:
    source = operation.source
    music = Counts(dance.grid)
    end = _end(music, at, operation.counts or 2 * dance.grid.metre)
    held = max(at - 1, 0)
    order = np.concatenate([np.arange(at), np.full(end - at, held), np.arange(at, dance.motion.frames)])
    opened = Motion(dance.motion.poses[order], dance.motion.pelvis[order], dance.motion.fps)
    name = source.prompt.strip() or source.genre or "new"
    section = Section(name, 0.0, 0.0, known_genre(source.genre), source.prompt.strip(), source.seed)
    parts, place = _gap(dance, at)
    motion = filled(
        artist,
        replace(dance, motion=opened),
        (at, end),
        section,
        strength=1.0,
        pinned=False,
        model=source.model,
    )
    new = Part(section, motion, np.zeros((end - at, 4), dtype=np.bool_), placed=at > 0)
    return join(dance, [*parts[:place], *named([new], parts), *parts[place:]], artist)
