"""Keys that the animator has changed by hand: where a take's Action is no longer what its document says."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..core.dance import DanceDocument
from ..core.resample import resample
from ..core.sections import scene_span
from .action_curves import curves_by_path, values_at
from .readback import checksums, read_keys_of, smpl_motion
from .take import take_curves
from .takes import Take

_SAME = 5e-5  # of a quaternion's component, or of a metre
_NEAR_FRAMES = 11
_BONES_A_STEP = 3


def edited_frames(dancer: bpy.types.Object, take: Take, document: DanceDocument) -> Generator[None, None, np.ndarray]:
    """Which scene frames (placement.frames,) hold other keys than the document, in short steps.

    Keys that the document has read in count as its own for as long as they stay as they were.
    """
    placement = document.placement
    frames = placement.first_frame + np.arange(placement.frames)
    curves = curves_by_path(take.owner())
    differs = np.zeros(placement.frames, dtype=bool)
    for group in take_curves(document, dancer):
        for path in dict.fromkeys(curve.data_path for curve in group):
            expected = [curve for curve in group if curve.data_path == path]
            found = [curves.get((path, curve.index)) for curve in expected]
            if any(curve is None for curve in found):
                differs[:] = True
                continue
            wanted = np.stack([curve.values for curve in expected], axis=-1)
            there = np.stack([values_at(curve, frames) for curve in found], axis=-1)
            off = np.abs(there - wanted).max(axis=-1)
            if len(expected) == 4:  # a quaternion and its negative turn alike
                off = np.minimum(off, np.abs(there + wanted).max(axis=-1))
            differs |= off > _SAME
        yield
    return differs & ~(yield from _kept(dancer, take, document, differs))


def _kept(
    dancer: bpy.types.Object, take: Take, document: DanceDocument, differs: np.ndarray
) -> Generator[None, None, np.ndarray]:
    """Which of these frames still have the keys that the document has read in."""
    kept = np.zeros(len(differs), dtype=bool)
    if len(document.kept_keys):
        places = np.flatnonzero(differs & (document.kept_keys != 0))
        if len(places):
            keys = yield from read_keys_of(dancer, take, document.placement.first_frame + places)
            kept[places] = checksums(keys) == document.kept_keys[places]
    return kept


def edited_sections(document: DanceDocument, edited: np.ndarray) -> frozenset[int]:
    """The numbers of the sections in which there are such frames."""
    spans = [scene_span(document.placement, section.start_s, section.end_s) for section in document.sections]
    return frozenset(index for index, (first, end) in enumerate(spans) if edited[first:end].any())


def read_in(
    dancer: bpy.types.Object, take: Take, document: DanceDocument, edited: np.ndarray
) -> Generator[None, None, DanceDocument]:
    """The document with the motion that is keyed in the edited scene frames; its codes are those of before."""
    placement = document.placement
    frames = placement.first_frame + np.arange(placement.frames)
    keys = yield from read_keys_of(dancer, take, frames)
    count = len(document.poses)
    poses, pelvis = np.empty_like(document.poses), document.pelvis
    for first in range(0, poses.shape[1], _BONES_A_STEP):
        some = slice(first, first + _BONES_A_STEP)
        keyed, located = smpl_motion(dancer, keys, some)
        poses[:, some], pelvis = resample(
            keyed, located, source_fps=placement.fps, target_fps=document.fps, frames=count
        )
        yield
    same_rate = placement.fps == document.fps
    wide = edited if same_rate else np.convolve(edited, np.ones(3), mode="same") > 0.5
    near = edited if same_rate else np.convolve(edited, np.ones(_NEAR_FRAMES), mode="same") > 0.5
    nearest = np.minimum(np.round(np.arange(count) * placement.fps / document.fps).astype(int), placement.frames - 1)
    taken = wide[nearest]
    marks = document.kept_keys.copy() if len(document.kept_keys) else np.zeros(placement.frames, dtype=np.int32)
    places = np.flatnonzero(near)  # at another rate the neighbours' keys are no longer quite the document's either
    marks[places] = checksums((keys[0][places], keys[1][places]))
    return replace(
        document,
        poses=np.where(taken[:, None, None], poses, document.poses),
        pelvis=np.where(taken[:, None], pelvis, document.pelvis),
        kept_keys=marks,
    )


def names_of(document: DanceDocument, sections: Sequence[int]) -> str:
    """Such as ``section “3”`` or ``sections “3” and “4”``."""
    names = [f"“{document.sections[index].name or index + 1}”" for index in sorted(sections)]
    if len(names) == 1:
        return f"section {names[0]}"
    return f"sections {', '.join(names[:-1])} and {names[-1]}"
