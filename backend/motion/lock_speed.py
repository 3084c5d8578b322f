"""Hurry near a lock: where a joint would be faster than a fast dancer's, the movement is smoothed in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, maximum_filter1d

from backend.motion.lock_curves import FloatArray, IntArray, Span, joints_of, times
from backend.motion.lock_path import about_vertical, headings, uprightness
from backend.motion.lock_poses import LONGEST_REACH
from backend.motion.resample import continuous_quaternions

BoolArray = npt.NDArray[np.bool_]

FAST_M_S = 4.2  # a little under the 99.5th percentile of real dances
NEAR_S = 0.3  # of a lock
HURRY_M_S = 0.2  # more than without locks
LEAST_UPRIGHT = 0.5  # the cosine of half the angle by which the body leans
LEAST_SURE = 0.4  # length of a mean quaternion below which there is no mean
BLEND_SIGMAS = 2.0  # of the smoothing, around what is smoothed
EASE_FRAMES = 8  # beside frames that stay


def hurry(turns: FloatArray, pelvis: FloatArray, was: FloatArray, locks: IntArray, *, fps: float) -> BoolArray:
    """(T,) frames at which a joint is too fast, near a lock or because of one.

    turns: (T, 24, 4), pelvis: (T, 3); was: (T - 1,) m/s of each step's fastest joint without locks.
    """
    seen = near(locks, len(turns), LONGEST_REACH + 2)
    joints = np.zeros((len(turns), 24, 3))
    joints[seen] = joints_of(turns[seen], pelvis[seen])
    step = seen[1:] & seen[:-1]
    steps = fastest(joints, fps=fps)
    close = near(locks, len(turns), round(NEAR_S * fps) + 1)
    hurried = step & (steps > FAST_M_S) & (close[1:] | (steps > was + HURRY_M_S))
    fast = np.zeros(len(turns), dtype=bool)
    fast[1:] = hurried
    fast[:-1] |= hurried
    return fast


def fastest(joints: FloatArray, *, fps: float) -> FloatArray:
    """(T - 1,) m/s of the fastest joint in each step of joints (T, 24, 3)."""
    return np.asarray((np.linalg.norm(np.diff(joints, axis=0), axis=-1) * fps).max(axis=1))


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
    blend = round(BLEND_SIGMAS * sigma_frames)
    weight = gaussian_filter1d(maximum_filter1d(fast.astype(float), 2 * blend + 1), 0.5 * blend)
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
        new_turns[first:stop] = _smooth(turns[start:end], sigma_frames, inside, share)
        path = gaussian_filter1d(pelvis[start:end], sigma_frames, axis=0, mode="nearest")[inside]
        new_pelvis[first:stop] += share[:, None] * (path - pelvis[first:stop])
    return new_turns, new_pelvis


def _smooth(turns: FloatArray, sigma_frames: float, inside: slice, share: FloatArray) -> FloatArray:
    """The frames inside of turns (T, 24, 4), by their share (n,) smoothed; the heading as an angle, since it may go
    round and round, unless the body is ever head down, when it has none.
    """
    yaw = np.unwrap(headings(turns[:, 0])) if uprightness(turns[:, 0]).min() > LEAST_UPRIGHT else np.zeros(len(turns))
    still = turns.copy()
    still[:, 0] = times(about_vertical(-yaw), turns[:, 0])
    even = continuous_quaternions(still)
    smooth = gaussian_filter1d(even, sigma_frames, axis=0, mode="nearest")[inside]
    sure = np.clip((np.linalg.norm(smooth, axis=-1, keepdims=True) - LEAST_SURE) / LEAST_SURE, 0.0, 1.0)
    mixed = even[inside] + share[:, None, None] * sure * (smooth - even[inside])
    mixed /= np.linalg.norm(mixed, axis=-1, keepdims=True)
    turn = yaw[inside] + share * (gaussian_filter1d(yaw, sigma_frames, mode="nearest")[inside] - yaw[inside])
    mixed[:, 0] = times(about_vertical(turn), mixed[:, 0])
    return np.asarray(mixed)


def _runs(mask: BoolArray) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
