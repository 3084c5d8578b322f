"""Operations that make new movement in place of what is there: regenerate, replace, mirror, transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from backend.dance import Dance, Section, movement_count
from backend.editing.artist import Artist, Codes
from backend.editing.joining import Edit, join, joined_spans
from backend.editing.locking import keys_within, on_accents
from backend.editing.material import fitted, material_of
from backend.editing.operations import Mirror, Regenerate, Replace, Transfer
from backend.editing.parts import Part, between, cut_at, cut_motion, joined_motion, named, parts_of, refuse_locked
from backend.editing.spans import Counts, span_frames
from backend.errors import PirouetteError
from backend.motion.motion import Motion


def regenerate(dance: Dance, operation: Regenerate, artist: Artist) -> Edit:
    """New movement for a span, section by section where their words differ."""
    first, last = span_frames(operation.span, dance)
    parts = cut_at(parts_of(dance), first, last)
    inside = between(parts, first, last)
    genre = None if operation.genre is None else known_genre(operation.genre)
    for number in inside:
        refuse_locked(parts[number], "be danced anew")
        section = _asked(parts[number].section, operation, genre)
        parts[number] = replace(parts[number], section=section)
    pinned = operation.pinned or any(part.section.locked for part in parts[inside.stop :])
    edit = join(dance, parts, artist)  # the same dance under the new words
    spans: list[tuple[int, int]] = []
    moved = np.zeros(dance.motion.frames, dtype=bool)
    for _, group in groupby(inside, key=lambda number: _words(parts[number].section)):
        numbers = list(group)
        edit = _made_anew(edit.dance, range(numbers[0], numbers[-1] + 1), operation, pinned, artist)
        spans += edit.touched
        for start, stop, _ in edit.moved:
            moved[start:stop] = True
    touched = joined_spans(spans)
    for start, stop in touched:
        moved[start:stop] = False
    return replace(edit, touched=touched, moved=_runs_of(moved))


def replace_span(dance: Dance, operation: Replace, artist: Artist, sources: Mapping[str, Dance]) -> Edit:
    """Other material over the counts of a span."""
    source = operation.source
    if source.kind == "prompt":
        asked = Regenerate(
            operation.span, seed=source.seed, prompt=source.prompt, genre=source.genre, pinned=False, model=source.model
        )
        return regenerate(dance, asked, artist)
    first, last = span_frames(operation.span, dance)
    parts = cut_at(parts_of(dance), first, last)
    inside = between(parts, first, last)
    for number in inside:
        refuse_locked(parts[number], "be replaced")
    fresh = fitted(material_of(source, dance, sources), Counts(dance.grid), first, last)
    before, after = parts[: inside.start], parts[inside.stop :]
    first_part = replace(fresh[0], section=replace(fresh[0].section, name=parts[inside.start].section.name))
    return join(dance, [*before, *named([first_part, *fresh[1:]], [*before, *after]), *after], artist)


def mirror(dance: Dance, operation: Mirror, artist: Artist) -> Edit:
    """Exchange left and right in a span."""
    first, last = span_frames(operation.span, dance)
    parts = cut_at(parts_of(dance), first, last)
    for number in between(parts, first, last):
        part = parts[number]
        refuse_locked(part, "be mirrored")
        contacts = part.contacts[:, [1, 0, 3, 2]]
        parts[number] = replace(part, motion=part.motion.mirrored(), contacts=contacts, codes=None, kept=None)
    return join(dance, parts, artist)


def transfer(dance: Dance, operation: Transfer, artist: Artist, sources: Mapping[str, Dance]) -> Edit:
    """Movement codes of another span under the poses of this one, or the reverse."""
    source = operation.movement_from or operation.poses_from
    assert source is not None
    first, last = span_frames(operation.span, dance)
    parts = cut_at(parts_of(dance), first, last)
    inside = between(parts, first, last)
    for number in inside:
        refuse_locked(parts[number], "take other codes")
    own = coded_parts([parts[number] for number in inside], artist)
    frames = [part.frames for part in own]
    movement, poses = _rows(own, 0), _rows(own, 1)
    material = material_of(source, dance, sources)
    if list(map(movement_count, frames)) == [movement_count(part.frames) for part in material.parts]:
        coded = coded_parts(material.parts, artist)
        other = _rows(coded, 0), _rows(coded, 1)
    else:  # other lengths: the codes of the material danced over these counts
        over = joined_motion([part.motion for part in fitted(material, Counts(dance.grid), first, last)])
        other = artist.encode(over, frames)
    if operation.movement_from is not None:
        movement = other[0]
    else:
        poses = other[1]
    motion = artist.decode(movement, poses, frames)
    _check_frames(motion, sum(frames))
    start, row = 0, 0
    for number, part in zip(inside, own, strict=True):
        assert part.codes is not None
        stop, rows = start + part.frames, row + len(part.codes[0])
        codes = (movement[row:rows], poses[2 * row : 2 * rows])
        parts[number] = replace(part, motion=cut_motion(motion, start, stop), codes=codes, kept=None)
        start, row = stop, rows
    return join(dance, parts, artist, coded=True)


def filled(
    artist: Artist,
    dance: Dance,
    span: tuple[int, int],
    section: Section,
    *,
    strength: float,
    pinned: bool,
    model: str,
    novelty: float = 0.0,
) -> Motion:
    """New frames for a span of a dance, by the words and seed of a section."""
    motion = artist.fill(
        dance.motion,
        span,
        grid=dance.grid,
        sound=dance.sound,
        genre=section.genre,
        prompt=section.prompt,
        seed=section.seed,
        strength=strength,
        pinned=pinned,
        model=model,
        key_poses=keys_within(dance, span),
        novelty=novelty,
    )
    _check_frames(motion, span[1] - span[0])
    poses, pelvis = dance.motion.poses.copy(), dance.motion.pelvis.copy()
    poses[slice(*span)], pelvis[slice(*span)] = motion.poses, motion.pelvis
    return cut_motion(on_accents(Motion(poses, pelvis, motion.fps), dance, span), *span)


def known_genre(name: str) -> str:
    """The vocabulary's name of a genre; "" for none. Raises PirouetteError("unknown_genre")."""
    if not name.strip():
        return ""
    from backend.text.vocabulary import resolve_genre

    return resolve_genre(name).name


def coded_parts(parts: Sequence[Part], artist: Artist) -> list[Part]:
    """The parts, those without codes encoded."""
    if all(part.codes is not None for part in parts):
        return list(parts)
    result = []
    for part in parts:
        codes = part.codes or artist.encode(part.motion, [part.frames])
        result.append(replace(part, codes=codes))
    return result


def _asked(section: Section, operation: Regenerate, genre: str | None) -> Section:
    return replace(
        section,
        prompt=section.prompt if operation.prompt is None else operation.prompt.strip(),
        genre=section.genre if genre is None else genre,
        seed=section.seed + 1 if operation.seed is None else operation.seed,
    )


def _words(section: Section) -> tuple[str, str, int]:
    return section.genre, section.prompt, section.seed


def _made_anew(dance: Dance, numbers: range, operation: Regenerate, pinned: bool, artist: Artist) -> Edit:
    parts = parts_of(dance)
    first = sum(part.frames for part in parts[: numbers.start])
    last = first + sum(part.frames for part in parts[numbers.start : numbers.stop])
    motion = filled(
        artist,
        dance,
        (first, last),
        parts[numbers.start].section,
        strength=operation.strength,
        pinned=pinned and last < dance.motion.frames,
        model=operation.model,
    )
    start = 0
    for number in numbers:
        part = parts[number]
        fresh = cut_motion(motion, start, start + part.frames)
        parts[number] = replace(part, motion=fresh, codes=None, kept=None, placed=first > 0)
        start += part.frames
    return join(dance, parts, artist, pinned=pinned)


def _runs_of(mask: npt.NDArray[np.bool_]) -> tuple[tuple[int, int, int], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return tuple((int(a), int(b), int(a)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _rows(parts: Sequence[Part], kind: int) -> Codes:
    return np.concatenate([part.codes[kind] for part in parts if part.codes is not None])


def _check_frames(motion: Motion, frames: int) -> None:
    if motion.frames != frames:
        raise PirouetteError("internal", f"The model made {motion.frames} frames instead of {frames}.")
