"""Locked joints: each gets an offset at its lock that fades over so many frames that no joint has to hurry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.directions import KeyPose
from backend.motion.lock_curves import (
    EASE_PEAK,
    FloatArray,
    IntArray,
    Span,
    inverse,
    joints_of,
    knots_of,
    moved_offsets,
    times,
    turned_offsets,
)
from backend.motion.lock_path import about_vertical, headings
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, quaternion_to_axis_angle

BoolArray = npt.NDArray[np.bool_]

CALM_M_S = 2.0  # what an offset may add to a joint's speed, where there is room
SHORTEST_REACH, LONGEST_REACH = 6, 45  # frames over which an offset fades


@dataclass(frozen=True)
class Body:
    """A motion taken apart. turns: (T, 24, 4) quaternions; pelvis: (T, 3)."""

    turns: FloatArray
    pelvis: FloatArray

    @classmethod
    def of(cls, motion: Motion) -> Body:
        return cls(axis_angle_to_quaternion(motion.poses), motion.pelvis.astype(np.float64))

    def motion(self, fps: float) -> Motion:
        return Motion(quaternion_to_axis_angle(self.turns), self.pelvis, fps)


def _targets(body: Body, keys: Sequence[tuple[int, KeyPose]]) -> tuple[IntArray, BoolArray, FloatArray, FloatArray]:
    """Frames (L,) in order, which joints (L, 24) are locked there, their turns (L, 24, 4), the pelvis' heights (L,)."""
    frames = np.array(sorted({frame for frame, key in keys if key.joints}), dtype=np.int64)
    mask = np.zeros((len(frames), 24), dtype=bool)
    turns, heights = body.turns[frames].copy(), body.pelvis[frames, 2].copy()
    for frame, key in keys:
        if not key.joints:
            continue
        row, joints = int(np.searchsorted(frames, frame)), list(key.joints)
        wanted = axis_angle_to_quaternion(key.pose)
        if 0 in key.joints:  # its lean; the heading is the dance's
            away = headings(body.turns[frame, :1]) - headings(wanted[:1])
            wanted[:1] = times(about_vertical(away), wanted[:1])
            heights[row] = key.pelvis[2]
        turns[row, joints] = wanted[joints]
        mask[row, joints] = True
    return frames, mask, turns, heights


def posed(body: Body, keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span], reach: IntArray) -> Body:
    """The body with its locked joints' turns, the pelvis' lean and height among them; reach: from ``reaches``."""
    frames, mask, wanted, heights = _targets(body, keys)
    if not len(frames):
        return body
    offsets = times(inverse(body.turns[frames]), wanted)
    lifts = heights - body.pelvis[frames, 2]
    turns, pelvis = body.turns.copy(), body.pelvis.copy()
    for rows, joints in _groups(mask):
        knots = knots_of(frames[rows].tolist(), list(range(len(rows))), reach[rows], fixed)
        first, stop = max(int(knots.frames[0]), 0), min(int(knots.frames[-1]) + 1, len(turns))
        span = np.arange(first, stop)
        change = turned_offsets(knots, offsets[np.ix_(rows, joints)], span)
        turns[first:stop, joints] = times(turns[first:stop, joints], change)
        if 0 in joints:
            pelvis[first:stop, 2] += moved_offsets(knots, lifts[rows], span)
    return Body(turns, pelvis)


def _groups(mask: BoolArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Locks (rows) and joints that are locked by exactly these."""
    patterns, group = np.unique(mask, axis=1, return_inverse=True)
    group = group.reshape(-1)
    for number in range(patterns.shape[1]):
        rows = np.flatnonzero(patterns[:, number])
        if len(rows):
            yield rows, np.flatnonzero(group == number)


def reaches(body: Body, keys: Sequence[tuple[int, KeyPose]], fps: float) -> IntArray:
    """(L, 2) frames over which the offset of each lock comes and goes: the farther a joint is led, the longer."""
    frames, _, wanted, heights = _targets(body, keys)
    if not len(frames):
        return np.zeros((0, 2), dtype=np.int64)
    level = np.zeros((len(frames), 3))
    level[:, 2] = body.pelvis[frames, 2]
    was = joints_of(body.turns[frames], level)
    level[:, 2] = heights
    will = joints_of(wanted, level)
    far = np.linalg.norm(will - was, axis=-1).max(axis=1)
    reach = np.clip(np.ceil(EASE_PEAK * far * fps / CALM_M_S), SHORTEST_REACH, LONGEST_REACH)
    return np.repeat(reach[:, None].astype(np.int64), 2, axis=1)
