"""Write an edited dance over its take, in place: only the frames that have changed, and all of them or none."""

from __future__ import annotations

from collections.abc import Generator
from itertools import groupby

import bpy
import numpy as np

from ..core.dance import DanceDocument
from ..core.sections import runs
from .action_curves import Keys, curves_by_path, joined, new_keys, read_keys, values_at, write_keys
from .take import Curve, new_fcurve, take_curves
from .takes import Take


def rewrite_take(
    dancer: bpy.types.Object, take: Take, document: DanceDocument, changed: np.ndarray, *, frames_before: int
) -> Generator[None, None, None]:
    """Write the scene frames of ``changed`` (placement.frames,) over the take's keys; other keys stay as they are.

    frames_before: how many frames the take had: keys behind a shorter dance are removed. Everything is made before
    the first key is written, and what was written is put back when the steps are not run to their end.
    """
    curves: list[Curve] = []
    for group in take_curves(document, dancer):
        curves += group
        yield
    owner = take.owner()
    assert owner is not None
    there = curves_by_path(owner)
    written: list[tuple[bpy.types.FCurve, Keys]] = []
    try:
        for _, part in groupby(curves, key=lambda curve: curve.data_path):
            channel = list(part)
            found = [there.get((c.data_path, c.index)) or new_fcurve(owner, c) for c in channel]
            old = [(fcurve, read_keys(fcurve)) for fcurve in found]
            written += old
            _rewrite_channel(old, channel, document, changed, frames_before)
            yield
    except BaseException:  # a cancel closes the generator: that is one, too
        for fcurve, keys in written:
            if len(keys.places):
                write_keys(fcurve, keys)
            else:
                owner.fcurves.remove(fcurve)
        raise
    _fit_strip(take, document)


def _rewrite_channel(
    found: list[tuple[bpy.types.FCurve, Keys]],
    channel: list[Curve],
    document: DanceDocument,
    changed: np.ndarray,
    frames_before: int,
) -> None:
    first, count = document.placement.first_frame, document.placement.frames
    values = np.stack([curve.values for curve in channel], axis=-1)
    signs = np.ones(count)
    if len(channel) == 4:
        signs = _continuous_signs([fcurve for fcurve, _ in found], values, changed, first)
    frames = np.flatnonzero(changed)
    for part, (fcurve, old) in enumerate(found):
        place = np.floor(old.frames - first + 0.5).astype(np.int64)
        inside = (place >= 0) & (place < count)
        stays = ~((place >= count) & (place < frames_before))
        stays[inside] &= ~changed[place[inside]]
        kept, at = old.chosen(stays), np.clip(place[stays], 0, count - 1)
        over = kept.turned_over()
        negated = (signs[at] < 0.0)[:, None]
        kept = Keys(np.where(negated, over.places, kept.places), kept.kinds)
        new = new_keys(first + frames, values[frames, part] * signs[frames])
        write_keys(fcurve, joined(kept, new))


def _continuous_signs(found: list[bpy.types.FCurve], values: np.ndarray, changed: np.ndarray, first: int) -> np.ndarray:
    """+1 or -1 (F,) for each frame's quaternion, so that no key is the negative of its neighbour's.

    A quaternion and its negative are the same pose, but a straight line between the two is not a turn.
    """
    signs = np.ones(len(changed))
    if not all(len(curve.keyframe_points) for curve in found):
        return signs
    sign = 1.0
    for start, end in runs(changed):
        if start > 0:
            before = _quaternion_at(found, first + start - 1) * sign
            sign = -1.0 if float(before @ values[start]) < 0.0 else 1.0
        signs[start:end] = sign
        if end < len(changed):
            behind = _quaternion_at(found, first + end)
            sign = -1.0 if float(behind @ (values[end - 1] * sign)) < 0.0 else 1.0
            signs[end:] = sign
    return signs


def _quaternion_at(found: list[bpy.types.FCurve], frame: int) -> np.ndarray:
    return np.array([values_at(curve, np.array([frame]))[0] for curve in found])


def _fit_strip(take: Take, document: DanceDocument) -> None:
    """Let the strip end where the dance ends; where it starts is the animator's affair."""
    last = document.placement.first_frame + document.placement.frames - 1
    if take.strip.action_frame_end != last:
        take.strip.action_frame_end = last
