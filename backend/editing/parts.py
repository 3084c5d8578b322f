"""A dance taken apart: one part for each section, and parts of sections, each with its frames and codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from backend.dance import GROUP_FRAMES, Dance, Section, movement_count
from backend.editing.artist import Codes
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """A section, or a piece of one, on its way into the edited dance. The section's times count for nothing here.

    contacts: (T, 4); codes: movement and pose codes, None where they are to be read from the motion; kept: the first
    frame in the dance before, where these are frames of that dance as they were, None where they are new; placed: new
    frames that stand already where they belong.
    """

    section: Section
    motion: Motion
    contacts: BoolArray
    codes: tuple[Codes, Codes] | None = None
    kept: int | None = None
    placed: bool = False

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.motion.frames


def cut_motion(motion: Motion, first: int, last: int) -> Motion:
    """Frames first..last (exclusive) of a motion."""
    return Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps)


def joined_motion(motions: Sequence[Motion]) -> Motion:
    """Motions one behind the other, as they stand."""
    if len(motions) == 1:
        return motions[0]
    return Motion(np.concatenate([m.poses for m in motions]), np.concatenate([m.pelvis for m in motions]), FPS)


def parts_of(dance: Dance) -> list[Part]:
    """The parts of a dance, one a section. Raises PirouetteError("damaged_file") when its sections or codes do not fit
    its motion.
    """
    check_dance(dance)
    parts = []
    for number, section in enumerate(dance.sections):
        first, last = dance.frames_of(section)
        codes = dance.codes_of(number) if has_codes(dance) else None
        parts.append(Part(section, cut_motion(dance.motion, first, last), dance.contacts[first:last], codes, first))
    return parts


def has_codes(dance: Dance) -> bool:
    """Whether the dance carries codes."""
    return len(dance.movement_codes) > 0


def check_dance(dance: Dance) -> None:
    """Raise PirouetteError("damaged_file") unless sections cover the dance and codes fit the sections."""
    if dance.motion.fps != FPS:
        raise PirouetteError("damaged_file", f"A dance is edited at {FPS:g} frames a second, not {dance.motion.fps:g}.")
    edges = [edge for section in dance.sections for edge in dance.frames_of(section)]
    frames = dance.motion.frames
    if not edges or edges[0] != 0 or edges[-1] != frames or edges[1:-1:2] != edges[2::2]:
        raise PirouetteError("damaged_file", "The sections do not cover the dance without gaps.")
    if any(first >= last for first, last in zip(edges[::2], edges[1::2], strict=True)):
        raise PirouetteError("damaged_file", "A section of the dance holds no frame.")
    if dance.contacts.shape != (frames, 4):
        raise PirouetteError("damaged_file", f"The dance has {frames} frames but contacts {dance.contacts.shape}.")
    if has_codes(dance):
        needed = sum(movement_count(last - first) for first, last in zip(edges[::2], edges[1::2], strict=True))
        if len(dance.movement_codes) != needed or len(dance.pose_codes) != 2 * needed:
            raise PirouetteError("damaged_file", "The codes of the dance do not fit its sections.", "Encode it anew.")


def cut_part(part: Part, at: int) -> tuple[Part, Part]:
    """Two parts of one, the second from its frame ``at``. Codes that the cut would split are to be read anew."""
    halves = []
    for first, last in ((0, at), (at, part.frames)):
        codes = None
        if part.codes is not None and first % GROUP_FRAMES == 0:
            start = movement_count(first)
            stop = start + movement_count(last - first)
            codes = (part.codes[0][start:stop], part.codes[1][2 * start : 2 * stop])
        halves.append(
            replace(
                part,
                motion=cut_motion(part.motion, first, last),
                contacts=part.contacts[first:last],
                codes=codes,
                kept=None if part.kept is None else part.kept + first,
            )
        )
    return halves[0], halves[1]


def cut_at(parts: Sequence[Part], *frames: int) -> list[Part]:
    """The same parts, with a border at each of these frames. Raises PirouetteError for a border in a locked section."""
    result = list(parts)
    for frame in frames:
        start = 0
        for index, part in enumerate(result):
            if start < frame < start + part.frames:
                refuse_locked(part, "be cut")
                left, right = cut_part(part, frame - start)
                name = free_name(part.section.name, [p.section.name for p in result])
                result[index : index + 1] = [left, replace(right, section=replace(right.section, name=name))]
                break
            start += part.frames
    return result


def between(parts: Sequence[Part], first: int, last: int) -> range:
    """Numbers of the parts that lie in frames first..last, after ``cut_at`` of both."""
    starts = np.cumsum([0, *(part.frames for part in parts)])
    return range(int(np.searchsorted(starts, first)), int(np.searchsorted(starts, last)))


def refuse_locked(part: Part, what: str) -> None:
    """Raise PirouetteError("locked") for a locked section that would have to ``what``."""
    if part.section.locked:
        raise locked_error(part.section.name, what)


def locked_error(name: str, what: str) -> PirouetteError:
    """The refusal to touch a locked section."""
    return PirouetteError("locked", f"Section “{name}” is locked: it would have to {what}.", "Unlock it first.")


def free_name(name: str, taken: Sequence[str]) -> str:
    """The name, or the name with a letter behind it: 3, 3b, 3c …"""
    if name not in taken:
        return name
    stem = name[:-1] if len(name) > 1 and name[-1] in "bcdefghijklmnopqrstuvwxyz" and name[-2].isdigit() else name
    for letter in "bcdefghijklmnopqrstuvwxyz":
        if f"{stem}{letter}" not in taken:
            return f"{stem}{letter}"
    number = 2
    while f"{stem} {number}" in taken:
        number += 1
    return f"{stem} {number}"


def named(fresh: Sequence[Part], parts: Sequence[Part]) -> list[Part]:
    """New parts under names that neither they nor ``parts`` have."""
    taken = [part.section.name for part in parts]
    result = []
    for part in fresh:
        name = free_name(part.section.name, taken)
        taken.append(name)
        result.append(replace(part, section=replace(part.section, name=name)))
    return result
