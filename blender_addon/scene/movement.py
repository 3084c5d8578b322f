"""Where an armature moves: its takes, its Actions and the holes between them, in frames of the scene."""

from __future__ import annotations

from itertools import pairwise

import bpy
import numpy as np

from ..core.errors import PirouetteError
from .action_curves import curve_owner, read_frames_and_values
from .strips import FrameRange
from .takes import Take, find_take, is_heard

_HOLE_FRAMES = 6  # keys nearer to each other than this are one movement


def shown_take(dancer: bpy.types.Object) -> Take | None:
    """The take that the dancer shows and nothing else: heard, and not hidden by an Action."""
    take = find_take(dancer)
    if take is None or dancer.animation_data.action is not None or not is_heard(dancer, take):
        return None
    return take


def moved_spans(dancer: bpy.types.Object) -> list[tuple[int, int]]:
    """First and last frame of each passage that moves the dancer, in order; those that touch are one."""
    animation = dancer.animation_data
    found: list[tuple[int, int]] = []
    if animation is not None and animation.action is not None:
        found += _runs_of_keys(animation.action, getattr(animation, "action_slot", None))
    elif animation is not None:
        solo = any(track.is_solo for track in animation.nla_tracks)
        for track in animation.nla_tracks:
            if track.is_solo if solo else not track.mute:
                found += [
                    (round(strip.frame_start), round(strip.frame_end)) for strip in track.strips if not strip.mute
                ]
    joined: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _runs_of_keys(action: bpy.types.Action, slot: bpy.types.ActionSlot | None) -> list[tuple[int, int]]:
    """First and last frame of each run of keys without a hole."""
    owner = curve_owner(action, slot)
    frames: set[int] = set()
    for curve in () if owner is None else owner.fcurves:
        frames.update(int(frame) for frame in np.floor(read_frames_and_values(curve)[:, 0] + 0.5))
    if not frames:
        return []
    keyed = np.array(sorted(frames))
    breaks = np.flatnonzero(np.diff(keyed) > _HOLE_FRAMES)
    starts, ends = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(keyed) - 1]])
    return [(int(keyed[a]), int(keyed[b])) for a, b in zip(starts, ends, strict=True)]


def whole_movement(dancer: bpy.types.Object) -> FrameRange:
    """From the first frame that the dancer moves in to the last. Raises PirouetteError no_take."""
    spans = moved_spans(dancer)
    if not spans:
        raise PirouetteError("no_take", "The dancer has no movement yet.", "Generate a dance, or animate it.")
    return FrameRange(spans[0][0], spans[-1][1])


def hole_at(dancer: bpy.types.Object, frame: int) -> FrameRange:
    """The frames between two passages that a frame lies in. Raises PirouetteError bad_range."""
    spans = moved_spans(dancer)
    for (_, before), (after, _) in pairwise(spans):
        if before <= frame <= after and after - before > 1:
            return FrameRange(before + 1, after - 1)
    raise PirouetteError(
        "bad_range",
        f"Frame {frame} does not lie in a gap between two passages of movement.",
        "Go to the gap, or set a preview range over the frames to fill.",
    )
