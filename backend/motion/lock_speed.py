"""Hurry near a lock: where a joint would be faster than a fast dancer's, the movement is smoothed in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, maximum_filter1d

from backend.motion.lock_curves import FloatArray, IntArray, Span
from backend.motion.resample import continuous_quaternions, quaternion_to_axis_angle
from backend.motion.skeleton import forward_kinematics

BoolArray = npt.NDArray[np.bool_]

FAST_M_S = 4.2  # a little under the 99.5th percentile of real dances
NEAR_S = 0.3  # of a lock
BLEND_FRAMES = 5  # around what is smoothed
EASE_FRAMES = 8  # beside frames that stay


def hurry(turns: FloatArray, pelvis: FloatArray, locks: IntArray, *, fps: float) -> BoolArray:
    """(T,) frames near a lock at which a joint is too fast; turns: (T, 24, 4), pelvis: (T, 3)."""
    reach = round(NEAR_S * fps) + 1
    seen = near(locks, len(turns), reach + 2)
    joints = np.zeros((len(turns), 24, 3))
    joints[seen] = forward_kinematics(quaternion_to_axis_angle(turns[seen]), pelvis[seen])
    speed = (np.linalg.norm(np.diff(joints, axis=0), axis=-1) * fps).max(axis=1, initial=0.0)
    fast = np.zeros(len(joints), dtype=bool)
    fast[1:] = speed > FAST_M_S
    fast[:-1] |= fast[1:]
    return fast & near(locks, len(joints), reach)


def near(locks: IntArray, frames: int, reach: int) -> BoolArray:
    """(T,) frames within so many of a lock."""
    mask = np.zeros(frames, dtype=bool)
    for frame in locks:
        mask[max(int(frame) - reach, 0) : int(frame) + reach + 1] = True
    return mask


def calmed(
    turns: FloatArray, pelvis: FloatArray, fast: BoolArray, *, sigma_frames: float, fixed: Sequence[Span]
) -> tuple[FloatArray, FloatArray]:
    """A motion, turns (T, 24, 4) and pelvis (T, 3), smoothed in time where it is fast (T,), and not in fixed spans."""
    weight = gaussian_filter1d(maximum_filter1d(fast.astype(float), 2 * BLEND_FRAMES + 1), 0.5 * BLEND_FRAMES)
    free = np.ones(len(fast), dtype=bool)
    for first, stop in fixed:
        free[first:stop] = False
    if not free.all():
        weight *= np.minimum(distance_transform_edt(free) / EASE_FRAMES, 1.0)
    new_turns, new_pelvis = turns.copy(), pelvis.copy()
    margin = int(4 * sigma_frames)
    for first, stop in _runs(weight > 1e-4):
        start, end = max(first - margin, 0), min(stop + margin, len(turns))
        inside = slice(first - start, stop - start)
        share = weight[first:stop]
        even = continuous_quaternions(turns[start:end])
        smooth = gaussian_filter1d(even, sigma_frames, axis=0, mode="nearest")[inside]
        mixed = even[inside] + share[:, None, None] * (smooth - even[inside])
        new_turns[first:stop] = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
        path = gaussian_filter1d(pelvis[start:end], sigma_frames, axis=0, mode="nearest")[inside]
        new_pelvis[first:stop] += share[:, None] * (path - pelvis[first:stop])
    return new_turns, new_pelvis


def _runs(mask: BoolArray) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
