"""Offsets that lead a motion through its locks: full at a lock, none away from it, one smooth curve between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.motion.resample import slerp
from backend.motion.skeleton import OFFSETS_M, PARENTS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Span = tuple[int, int]  # first frame, and the one after the last

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class Knots:
    """Where a curve is known. frames: (K,) rising; lock: (K,) number of the lock there, or -1 for no offset."""

    frames: IntArray
    lock: IntArray

    def shares(self, frames: IntArray) -> tuple[IntArray, FloatArray]:
        """The knot before each frame (N,), and how far the curve has gone from it to the next, 0..1."""
        before = np.clip(np.searchsorted(self.frames, frames, side="right") - 1, 0, len(self.frames) - 2)
        length = self.frames[before + 1] - self.frames[before]
        return before, eased((frames - self.frames[before]) / length)


def eased(share: FloatArray) -> FloatArray:
    """0 at 0, 1 at 1, with no speed and no acceleration at either (quintic)."""
    s = np.clip(share, 0.0, 1.0)
    return np.asarray(s * s * s * (10.0 - 15.0 * s + 6.0 * s * s))


EASE_PEAK = 1.875  # the greatest slope of the quintic


def knots_of(frames: Sequence[int], numbers: Sequence[int], reach: IntArray, fixed: Sequence[Span]) -> Knots:
    """The knots of locks at frames (rising), whose numbers and reaches (frames before and after, (L, 2)) are given.

    Two locks within each other's reach are joined directly; in fixed spans there is no offset.
    """
    known: dict[int, int] = dict(zip(frames, numbers, strict=True))
    for first, stop in fixed:
        known[first] = known[stop - 1] = -1
    order = sorted(known)
    knots = dict(known)
    for place, frame in enumerate(order):
        number = known[frame]
        if number < 0:
            continue
        before = order[place - 1] if place else None
        after = order[place + 1] if place + 1 < len(order) else None
        left, right = int(reach[number, 0]), int(reach[number, 1])
        if before is None or frame - before > left + (int(reach[known[before], 1]) if known[before] >= 0 else 0):
            knots[frame - left] = -1
        if after is None or after - frame > right + (int(reach[known[after], 0]) if known[after] >= 0 else 0):
            knots[frame + right] = -1
    rising = sorted(knots)
    return Knots(np.array(rising, dtype=np.int64), np.array([knots[frame] for frame in rising], dtype=np.int64))


def turned_offsets(knots: Knots, offsets: FloatArray, frames: IntArray) -> FloatArray:
    """Quaternions (N, J, 4) of the curve at frames (N,); offsets: (L, J, 4) of each lock, the shortest way between."""
    before, share = knots.shares(frames)
    values = np.concatenate([offsets, np.broadcast_to(IDENTITY, (1, *offsets.shape[1:]))])[knots.lock]
    shares = np.broadcast_to(share[:, None], (len(frames), offsets.shape[1]))
    turned = slerp(values[before], values[before + 1], shares)
    return np.asarray(turned / np.linalg.norm(turned, axis=-1, keepdims=True))


def moved_offsets(knots: Knots, offsets: FloatArray, frames: IntArray) -> FloatArray:
    """(N,) of the curve at frames (N,); offsets: (L,) of each lock."""
    before, share = knots.shares(frames)
    values = np.append(offsets, 0.0)[knots.lock]
    return np.asarray(values[before] + share * (values[before + 1] - values[before]))


def times(first: FloatArray, second: FloatArray) -> FloatArray:
    """Products (..., 4) of quaternions w, x, y, z."""
    a, b, c, d = np.moveaxis(first, -1, 0)
    w, x, y, z = np.moveaxis(second, -1, 0)
    product = np.empty(np.broadcast_shapes(first.shape, second.shape))
    product[..., 0] = a * w - b * x - c * y - d * z
    product[..., 1] = a * x + b * w + c * z - d * y
    product[..., 2] = a * y - b * z + c * w + d * x
    product[..., 3] = a * z + b * y - c * x + d * w
    return product


def inverse(quaternions: FloatArray) -> FloatArray:
    """The opposite rotations of unit quaternions (..., 4)."""
    return np.asarray(quaternions * np.array([1.0, -1.0, -1.0, -1.0]))


def joints_of(turns: FloatArray, pelvis: FloatArray) -> FloatArray:
    """Joints (..., 24, 3) of quaternions (..., 24, 4) and a pelvis (..., 3): a quicker ``forward_kinematics``."""
    w, x, y, z = np.moveaxis(turns, -1, 0)
    local = np.empty((*turns.shape[:-1], 3, 3))
    for axis, (a, b) in enumerate(((y, z), (x, z), (x, y))):
        local[..., axis, axis] = 1.0 - 2.0 * (a * a + b * b)
    for row, column, product, other in ((1, 0, x * y, w * z), (0, 2, x * z, w * y), (2, 1, y * z, w * x)):
        local[..., row, column] = 2.0 * (product + other)
        local[..., column, row] = 2.0 * (product - other)
    joints = np.empty((*turns.shape[:-1], 3))
    joints[..., 0, :] = pelvis
    world = [local[..., 0, :, :]]
    for joint in range(1, len(PARENTS)):
        parent = PARENTS[joint]
        joints[..., joint, :] = joints[..., parent, :] + world[parent] @ OFFSETS_M[joint]
        world.append(world[parent] @ local[..., joint, :, :])
    return joints
