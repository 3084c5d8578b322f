"""Material for insert, replace and transfer: a span of this or another dance or a phrase of the library, brought to
the counts of the music where it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from backend.dance import Dance
from backend.editing.operations import Source
from backend.editing.parts import Part, between, cut_at, cut_motion, joined_motion, parts_of
from backend.editing.spans import Counts, span_frames
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, continuous_quaternions, quaternion_to_axis_angle
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid

FloatArray = npt.NDArray[np.float64]

SAME_FRAMES = 0.6  # material whose frames would move less than this is taken as it is


@dataclass(frozen=True)
class Material:
    """Parts that stand somewhere else, with the beats they were danced to; first: their first frame there."""

    parts: tuple[Part, ...]
    grid: BeatGrid
    first: int

    @property
    def frames(self) -> int:
        """Number of frames."""
        return sum(part.frames for part in self.parts)

    @property
    def counts(self) -> float:
        """How many counts of its own music it takes."""
        counts = Counts(self.grid)
        return counts.of_frame(self.first + self.frames) - counts.of_frame(self.first)

    def motion(self) -> Motion:
        """All frames."""
        return joined_motion([part.motion for part in self.parts])


def material_of(source: Source, dance: Dance, sources: Mapping[str, Dance]) -> Material:
    """The material that a source names. Raises PirouetteError for a dance that was not given or a span it has not."""
    origin = dance if source.kind == "here" else _given(source, sources)
    first, last = span_frames(source.span, origin) if source.span else (0, origin.motion.frames)
    unlocked = [replace(part, section=replace(part.section, locked=False)) for part in parts_of(origin)]
    parts = cut_at(unlocked, first, last)
    taken = [replace(parts[number], kept=None) for number in between(parts, first, last)]
    return Material(tuple(taken), origin.grid, first)


def _given(source: Source, sources: Mapping[str, Dance]) -> Dance:
    key = source.id if source.kind == "library" else source.kind
    if key not in sources:
        raise PirouetteError("bad_request", f"The material “{key}” was not given with the operation.")
    return sources[key]


def fitted(material: Material, counts: Counts, first: int, last: int) -> list[Part]:
    """The material danced over frames first..last of a song, its counts falling evenly on the song's.

    Material that takes as long already and whose counts lie alike is taken frame by frame, with its codes.
    """
    own = Counts(material.grid)
    there = counts.at(np.array([first, last]) / FPS)
    here = own.at(np.array([material.first, material.first + material.frames]) / FPS)
    moments = counts.at(np.arange(first, last) / FPS)
    wanted = here[0] + (moments - there[0]) * (here[1] - here[0]) / (there[1] - there[0])
    place = own.seconds(wanted) * FPS - material.first
    if last - first == material.frames and np.abs(place - np.arange(len(place))).max() < SAME_FRAMES:
        return list(material.parts)
    place = np.clip(place, 0.0, material.frames - 1.0)
    motion = motion_at(material.motion(), place)
    contacts = np.concatenate([part.contacts for part in material.parts])[np.round(place).astype(np.int64)]
    edges = np.searchsorted(place, np.cumsum([0, *(part.frames for part in material.parts)]) - 0.5)
    edges[0], edges[-1] = 0, len(place)
    return [
        replace(part, motion=cut_motion(motion, start, stop), contacts=contacts[start:stop], codes=None)
        for part, start, stop in zip(material.parts, edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if start < stop
    ]


def motion_at(motion: Motion, place: FloatArray) -> Motion:
    """A motion read at fractional frames (N,), by Catmull-Rom splines through quaternions and pelvis."""
    last = motion.frames - 1
    index = np.clip(place.astype(np.int64), 0, last)
    share = place - index
    quaternions = continuous_quaternions(axis_angle_to_quaternion(motion.poses))
    values = np.concatenate([quaternions.reshape(motion.frames, -1), motion.pelvis.astype(np.float64)], axis=1)
    a, b = values[np.maximum(index - 1, 0)], values[index]
    c, d = values[np.minimum(index + 1, last)], values[np.minimum(index + 2, last)]
    u = share[:, None]
    curve = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    turned = curve[:, :-3].reshape(len(place), 24, 4)
    turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
    return Motion(quaternion_to_axis_angle(turned), curve[:, -3:], motion.fps)
