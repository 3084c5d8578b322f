"""Feet of a dance that was led through locks: they stand where they stood as far as the locks allow, or else step.

A foot stays where the dance without locks had it, or where a lock puts it; between two such places it steps. Two-bone
inverse kinematics moves the legs, and never in a frame that locks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, maximum_filter1d

from backend.motion.lock_curves import FloatArray, Span, eased, joints_of
from backend.motion.planting import (
    ANKLES,
    BALL_HEIGHT_M,
    BALLS,
    CLEARANCE_M,
    HIPS,
    KNEES,
    contact_spans,
    reach,
    sink,
    step_lift,
)
from backend.motion.resample import quaternion_to_axis_angle
from backend.motion.skeleton import forward_kinematics

BoolArray = npt.NDArray[np.bool_]

SAME_M = 0.03  # places of a foot that are one
RANGE_M = 0.1  # a standing foot is drawn no farther
STEP_FRAMES = 6  # between two places
GIVE_FRAMES = 6  # beside a lock in which the legs may do less and less
FASTEST_M_S = 0.5  # of a foot that stands
HIGHEST_M = 0.09
MOVED_M = 5e-4  # in a frame
FEWEST_FRAMES = 6  # in which feet can be said to stand


@dataclass(frozen=True)
class Give:
    """(T,) how much the pelvis' height may change in a frame, and (T, 2) each leg: 0 at a lock, 1 away from it."""

    pelvis: FloatArray
    legs: FloatArray

    @classmethod
    def of(cls, frames: int, pelvis_locks: list[int], leg_locks: tuple[list[int], list[int]]) -> Give:
        """Nothing at the frames that lock the pelvis, and each leg."""
        return cls(_away(frames, pelvis_locks), np.stack([_away(frames, locks) for locks in leg_locks], axis=1))


def legs_of(joints: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether locking these joints fixes the left and the right leg."""
    left, right = ({HIPS[side], KNEES[side], ANKLES[side]} for side in range(2))
    return bool(left & set(joints)), bool(right & set(joints))


def standing(
    turns: FloatArray, pelvis: FloatArray, *, before: FloatArray, contact: BoolArray, give: Give, fps: float
) -> tuple[FloatArray, FloatArray]:
    """Poses (T, 24, 3) and pelvis (T, 3) of turns (T, 24, 4), with feet that stand.

    before: (T, 24, 3) joints of the dance without locks; contact: (T, 2) of that dance.
    """
    joints, poses = joints_of(turns, pelvis), quaternion_to_axis_angle(turns)
    if len(turns) < FEWEST_FRAMES:
        return poses, pelvis
    touched = _touched(joints, before)
    if not touched.any():
        return poses, pelvis
    shifts = [_shift(joints, contact[:, side], give.legs[:, side], touched, side=side, fps=fps) for side in range(2)]
    sunk = (
        pelvis
        - (sink(joints, shifts, fps=fps) - _lift(joints, before, fps=fps)) * (give.pelvis * _soft(touched))[:, None]
    )
    for side in range(2):
        targets = joints[:, ANKLES[side]] + shifts[side]
        at = np.flatnonzero((np.abs(shifts[side]).max(axis=1) > 1e-6) | (np.abs(sunk - pelvis).max(axis=1) > 1e-7))
        at = at[give.legs[at, side] > 0.0]
        if len(at):
            poses[at] = reach(poses[at], forward_kinematics(poses[at], sunk[at]), targets[at], side)
    return poses, sunk


def _away(frames: int, locks: list[int]) -> FloatArray:
    """(T,) 0 at the locks, 1 some frames away from them."""
    free = np.ones(frames, dtype=bool)
    free[locks] = False
    return np.ones(frames) if free.all() else eased(distance_transform_edt(free) / GIVE_FRAMES)


def _touched(joints: FloatArray, before: FloatArray) -> BoolArray:
    """(T,) frames in which a foot moves otherwise than before, or at another height."""
    balls, were = joints[:, list(BALLS)], before[:, list(BALLS)]
    steps = np.linalg.norm(np.diff(balls, axis=0), axis=-1) - np.linalg.norm(np.diff(were, axis=0), axis=-1)
    touched: BoolArray = np.asarray((np.abs(balls - were)[..., 2] > 2 * MOVED_M).any(axis=1))
    touched[1:] |= (np.abs(steps) > MOVED_M).any(axis=1)
    return np.asarray(maximum_filter1d(touched, 3))


def _soft(touched: BoolArray) -> FloatArray:
    """(T,) 1 where touched, 0 some frames away."""
    return np.ones(len(touched)) if touched.all() else 1.0 - eased(distance_transform_edt(~touched) / GIVE_FRAMES)


def _shift(
    joints: FloatArray,
    contact: BoolArray,
    give: FloatArray,
    touched: BoolArray,
    *,
    side: int,
    fps: float,
) -> FloatArray:
    """(T, 3) how far a foot is moved."""
    ball, ankle = joints[:, BALLS[side]], joints[:, ANKLES[side]]
    speed = gaussian_filter1d(np.linalg.norm(np.gradient(ball, axis=0), axis=-1) * fps, 1.0)
    stands = contact & (~touched | ((speed < FASTEST_M_S) & (ball[:, 2] < HIGHEST_M)))
    pinned = ~touched | (give == 0.0)
    shift, weight = np.zeros_like(ball), np.zeros(len(ball))
    keys: list[tuple[int, FloatArray]] = []
    for span in contact_spans(stands, fps=fps):
        for first, stop, place in _stands(ball[span.start : span.end, :2], pinned[span.start : span.end]):
            inside = slice(span.start + first, span.start + stop)
            shift[inside, :2] = place - ball[inside, :2]
            height = np.clip(ball[inside, 2], BALL_HEIGHT_M - 0.008, BALL_HEIGHT_M + 0.012) - ball[inside, 2]
            shift[inside, 2] = np.where(touched[inside], give[inside] * height, 0.0)
            weight[inside] = 1.0
            keys += [(inside.start, shift[inside.start].copy()), (inside.stop - 1, shift[inside.stop - 1].copy())]
    _ease_between(shift, keys, fps=fps)
    soft = give * _soft(touched)
    shift *= np.where(weight > 0.0, 1.0, give)[:, None]
    shift[:, 2] += soft * step_lift(ball + shift, weight > 0, fps=fps)
    lowest = np.minimum(ball[:, 2] + shift[:, 2] - CLEARANCE_M, ankle[:, 2] + shift[:, 2] - 2 * CLEARANCE_M)
    shift[:, 2] += soft * np.maximum(gaussian_filter1d(np.maximum(-lowest, 0.0), 1.0), np.maximum(-lowest, 0.0))
    return shift


def _stands(path: FloatArray, pinned: BoolArray) -> list[tuple[int, int, FloatArray]]:
    """Frames of a foot's path (N, 2) in which it stands, and the places (n, 2) where: pinned frames keep theirs."""
    found: list[tuple[int, int, FloatArray]] = []
    for first, stop in _undivided(path, pinned):
        pins = np.flatnonzero(pinned[first:stop]) + first
        frames = np.arange(first, stop)
        if len(pins):
            place = np.stack([np.interp(frames, pins, path[pins, axis]) for axis in range(2)], axis=1)
        else:
            place = np.broadcast_to(np.median(path[first:stop], axis=0), (stop - first, 2))
        close = np.linalg.norm(path[first:stop] - place, axis=1) <= RANGE_M
        for start, end in _runs(close):
            found.append((first + start, first + end, place[start:end]))
        for start, end in _runs(~close):
            inner = (first + start + STEP_FRAMES * (start > 0), first + end - STEP_FRAMES * (first + end < stop))
            if inner[1] - inner[0] >= STEP_FRAMES:
                rest = _stands(path[slice(*inner)], np.zeros(inner[1] - inner[0], dtype=bool))
                found += [(inner[0] + a, inner[0] + b, where) for a, b, where in rest]
    return sorted(found, key=lambda piece: piece[0])


def _undivided(path: FloatArray, pinned: BoolArray) -> list[Span]:
    """The path's frames, divided between two pinned frames that are not one place."""
    pins = np.flatnonzero(pinned)
    cuts = [0]
    for left, right in pairwise(pins.tolist()):
        if right - left > 1 and np.linalg.norm(path[right] - path[left]) > SAME_M:
            spare = max(right - left - 1 - STEP_FRAMES, 0)
            cuts += [int(left) + 1 + spare // 2, int(right) - (spare - spare // 2)]
    cuts.append(len(path))
    return [(first, stop) for first, stop in zip(cuts[::2], cuts[1::2], strict=True) if stop > first]


def _ease_between(shift: FloatArray, keys: list[tuple[int, FloatArray]], *, fps: float) -> None:
    """Lead the shift from where one stand ends to where the next begins, by way of none where there is time."""
    ease = round(0.2 * fps)
    for left, right in zip([None, *keys[1::2]], [*keys[0::2], None], strict=True):
        start, stop = (left[0] + 1 if left else 0), (right[0] if right else len(shift))
        place = np.arange(start, stop)
        if left is not None:
            shift[start:stop] += (1.0 - eased((place - left[0]) / min(ease, max(stop - left[0], 1))))[:, None] * left[1]
        if right is not None:
            length = min(ease, max(right[0] - start + 1, 1))
            shift[start:stop] += (1.0 - eased((right[0] - place) / length))[:, None] * right[1]


def _lift(joints: FloatArray, before: FloatArray, *, fps: float) -> FloatArray:
    """(T, 3) how far the pelvis rises so that nothing but the feet sinks lower into the floor than before."""
    body = [joint for joint in range(24) if joint not in (*ANKLES, *BALLS)]
    lowest, was = joints[:, body, 2].min(axis=1), before[:, body, 2].min(axis=1)
    under = np.maximum(CLEARANCE_M - lowest, 0.0) - np.maximum(CLEARANCE_M - was, 0.0)
    lift = gaussian_filter1d(maximum_filter1d(np.maximum(under, 0.0), int(0.2 * fps) | 1), 0.07 * fps)
    return np.stack([np.zeros_like(lift), np.zeros_like(lift), lift], axis=1)


def _runs(mask: BoolArray) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
