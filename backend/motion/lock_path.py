"""Headings and places that are locked: the path is turned and drawn between them, most where the feet are free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from backend.motion.lock_curves import FloatArray, IntArray, Span, eased, times
from backend.motion.resample import axis_angle_to_quaternion

STANDING_FREEDOM = 0.15  # how much a dancer with both feet on the floor turns and moves, beside one in the air
BoolArray = npt.NDArray[np.bool_]

# The rest frame's turn into the world, about X by a quarter turn, undone: what is left of a root is heading and swing.
_UPRIGHT = axis_angle_to_quaternion(np.array([-np.pi / 2, 0.0, 0.0]))


def headings(roots: FloatArray) -> FloatArray:
    """Yaw (N,), radians, of root orientations (N, 4): the turn about Z that leaves a swing about a level axis."""
    upright = times(roots, np.broadcast_to(_UPRIGHT, roots.shape))
    return np.asarray(2.0 * np.arctan2(upright[..., 3], upright[..., 0]))


def uprightness(roots: FloatArray) -> FloatArray:
    """(N,) cosine of half the angle by which root orientations (N, 4) lean: 1 upright, 0 head down."""
    upright = times(roots, np.broadcast_to(_UPRIGHT, roots.shape))
    return np.asarray(np.hypot(upright[..., 0], upright[..., 3]))


def about_vertical(turn: FloatArray) -> FloatArray:
    """Quaternions (N, 4) of turns (N,), radians, about Z."""
    quaternions = np.zeros((*np.shape(turn), 4))
    quaternions[..., 0], quaternions[..., 3] = np.cos(0.5 * turn), np.sin(0.5 * turn)
    return quaternions


def nearest_turn(angle: float, to: float = 0.0) -> float:
    """The same heading, less than half a turn from another."""
    return to + (angle - to + np.pi) % (2.0 * np.pi) - np.pi


def turned(
    roots: FloatArray, pelvis: FloatArray, wanted: Mapping[int, float], fixed: Sequence[Span], free: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """A motion that faces as wanted (radians at frames), and goes where it faces.

    roots: (T, 4); pelvis: (T, 3); free: (T,) how easily the dancer turns; fixed spans keep their heading.
    """
    now = headings(roots)
    goals: dict[int, float] = {}
    for first, stop in fixed:
        goals[first] = goals[stop - 1] = 0.0
    last = 0.0
    for frame in sorted({*goals, *wanted}):
        if frame not in goals:
            goals[frame] = last = nearest_turn(wanted[frame] - float(now[frame]), last)
        else:
            goals[frame] = last = nearest_turn(0.0, last)
    if not goals:
        return roots, pelvis
    turn = _between(goals, free)[:, 0]
    steps = np.diff(pelvis[:, :2], axis=0)
    middle = 0.5 * (turn[1:] + turn[:-1])
    cos, sin = np.cos(middle), np.sin(middle)
    steps = np.stack([cos * steps[:, 0] - sin * steps[:, 1], sin * steps[:, 0] + cos * steps[:, 1]], axis=1)
    path = pelvis.copy()
    path[1:, :2] = path[0, :2] + np.cumsum(steps, axis=0)
    return times(about_vertical(turn), roots), path


def drawn(
    pelvis: FloatArray, wanted: Mapping[int, FloatArray], fixed: Mapping[int, FloatArray], free: FloatArray
) -> FloatArray:
    """A path (T, 3) that comes by places (2,) at frames, wanted or fixed."""
    goals = {frame: place - pelvis[frame, :2] for frame, place in {**wanted, **fixed}.items()}
    if not goals:
        return pelvis
    path = pelvis.copy()
    path[:, :2] += _between(goals, free)
    return path


def freedom(contact: BoolArray) -> FloatArray:
    """(T,) how easily a dancer turns and moves, 0..1: contact (T, 2) of the left and right foot."""
    standing = contact.mean(axis=1)
    spread = np.convolve(np.pad(standing, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return np.asarray(1.0 - (1.0 - STANDING_FREEDOM) * spread)


def _between(goals: Mapping[int, float] | Mapping[int, FloatArray], free: FloatArray) -> FloatArray:
    """(T, C) offsets that are met at their frames, go smoothly between them, and stay before the first and after the
    last.
    """
    order = np.array(sorted(goals), dtype=np.int64)
    values = np.stack([np.atleast_1d(np.asarray(goals[int(frame)], dtype=np.float64)) for frame in order])
    frames: IntArray = np.arange(len(free))
    offsets = np.empty((len(free), values.shape[1]))
    offsets[: order[0] + 1], offsets[order[-1] :] = values[0], values[-1]
    for number in range(len(order) - 1):
        start, stop = int(order[number]), int(order[number + 1])
        ease = np.diff(eased((frames[start : stop + 1] - start) / (stop - start)))
        ease = ease * 0.5 * (free[start:stop] + free[start + 1 : stop + 1])
        share = np.cumsum(ease) / ease.sum()
        offsets[start + 1 : stop + 1] = values[number] + share[:, None] * (values[number + 1] - values[number])
    return offsets
