"""Dancing on after a dance's end, as far as its music goes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from backend.dance import Dance, Section
from backend.editing.artist import Artist
from backend.editing.joining import Edit, join
from backend.editing.making import filled, known_genre
from backend.editing.operations import Continue
from backend.editing.parts import Part, cut_motion, named, parts_of
from backend.editing.spans import Counts
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.beats import eight_counts

SHORTEST_S = 0.5  # of a section that an eight-count cuts off


def continue_dance(dance: Dance, operation: Continue, artist: Artist) -> Edit:
    """New movement behind the last frame, one section for each eight-count."""
    parts = parts_of(dance)
    first = dance.motion.frames
    last = _end(dance, operation.counts)
    section = _described(parts[-1].section, operation)
    held = np.minimum(np.arange(last), first - 1)
    opened = Motion(dance.motion.poses[held], dance.motion.pelvis[held], dance.motion.fps)
    motion = filled(
        artist,
        replace(dance, motion=opened),
        (first, last),
        section,
        strength=1.0,
        pinned=False,
        model=operation.model,
        novelty=operation.novelty,
    )
    fresh = [
        Part(section, cut_motion(motion, a - first, b - first), np.zeros((b - a, 4), dtype=np.bool_), placed=True)
        for a, b in pairwise(_borders(dance, first, last))
    ]
    return join(dance, [*parts, *named(fresh, parts)], artist)


def _end(dance: Dance, counts: int) -> int:
    """The frame after the last one. Raises PirouetteError("bad_range") beyond the music."""
    music = Counts(dance.grid)
    beats_s = dance.grid.beats_s
    limit = len(dance.sound) or round(float(2.0 * beats_s[-1] - beats_s[-2]) * FPS)
    start = music.of_frame(dance.motion.frames)
    left = int(np.floor(float(music.at(limit / FPS)) - start + 0.5 / FPS))
    if left < 1:
        raise PirouetteError(
            "bad_range",
            f"The music ends at {limit / FPS:.2f} s, where the dance ends: there are no counts to continue over.",
            "Take more of the song, and generate on from this dance.",
        )
    if counts > left:
        raise PirouetteError(
            "bad_range",
            f"The music ends {left} counts after the dance, at {limit / FPS:.2f} s: {counts} do not fit.",
            f"Choose up to {left}, or take more of the song and generate on from this dance.",
        )
    return min(music.frame(start + counts), limit)


def _borders(dance: Dance, first: int, last: int) -> list[int]:
    shortest = round(SHORTEST_S * FPS)
    lines = np.round(eight_counts(dance.grid) * FPS).astype(int)
    return [first, *(int(line) for line in lines if first + shortest < line < last - shortest), last]


def _described(section: Section, operation: Continue) -> Section:
    """The section to come: the last one's words where no others are given."""
    return replace(
        section,
        prompt=section.prompt if operation.prompt is None else operation.prompt.strip(),
        genre=section.genre if operation.genre is None else known_genre(operation.genre),
        seed=section.seed + 1 if operation.seed is None else operation.seed,
        locked=False,
    )
