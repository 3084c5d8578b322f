"""The real dances of a split, with the beats they were danced to where anybody knows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from backend.errors import PirouetteError
from backend.evaluation.windows import NO_BEATS, Danced, at_model_rate
from backend.motion.motion import Motion
from backend.motion.sources import Clip, find_clips
from backend.text.vocabulary import load_vocabulary
from backend.training.kinematic_beats import kinematic_beats, settled

FEWEST_BEATS = 4


def _canonical_genres() -> dict[str, str]:
    return {label: genre.name for genre in load_vocabulary().genres.values() for label in genre.data_genres}


def dances(data: Path, split: str, *, leave_out: Sequence[str] = ()) -> Iterator[tuple[Clip, Motion]]:
    """The dances of a split at 30 fps, but for those whose names start with one of leave_out."""
    for clip in find_clips(data):
        if clip.dance and clip.split == split and not clip.id.startswith(tuple(leave_out)):
            yield clip, at_model_rate(clip.load())


def real_dances(data: Path, split: str, *, leave_out: Sequence[str] = ()) -> list[Danced]:
    """The real dances of a split (train, valid, test), with beats read from the motion itself.

    The beats gather the body's stops by their making, so that alignment to them is a ceiling and no reference.
    Raises PirouetteError("missing_file") where the split holds no dance.
    """
    genres = _canonical_genres()
    found = []
    for clip, motion in dances(data, split, leave_out=leave_out):
        grid = kinematic_beats(motion.joints(), fps=motion.fps, metre=clip.metre or 4)
        beats = grid.beats_s if grid.clear else NO_BEATS
        found.append(Danced(clip.id, motion, beats, genre=genres.get(clip.genre, clip.genre)))
    if not found:
        raise PirouetteError("missing_file", f"{data} has no dance in its {split} split.", "Choose another split.")
    return found


def annotated_dances(data: Path, *, leave_out: Sequence[str] = ()) -> list[Danced]:
    """The real dances of every split whose beats somebody wrote down, the beats moved as one to where the body stops.

    Annotations follow the feet, and half a beat lies between a landing and a stop.
    """
    found = []
    for split in ("train", "valid", "test"):
        for clip, motion in dances(data, split, leave_out=leave_out):
            if clip.beats_s is not None and len(clip.beats_s) >= FEWEST_BEATS:
                beats = settled(np.asarray(clip.beats_s), motion.joints(), fps=motion.fps)
                found.append(Danced(clip.id, motion, beats, genre=clip.genre))
    return found
