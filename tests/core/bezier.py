"""What a Bezier curve shows, found by another way than the one under test."""

from __future__ import annotations

import numpy as np

from blender_addon.core.key_reduction import ReducedCurve


def bezier(curve: ReducedCurve, frames: int) -> np.ndarray:
    """What a Bezier curve shows on whole frames (frames,): its time solved by halving, its value by its four points."""
    if len(curve.frames) == 1:
        return np.full(frames, curve.values[0])
    wanted = np.arange(frames)
    key = np.clip(np.searchsorted(curve.frames, wanted, side="right") - 1, 0, len(curve.frames) - 2)
    keys = np.stack([curve.frames, curve.values], axis=-1)
    points = np.stack([keys[key], curve.handle_right[key], curve.handle_left[key + 1], keys[key + 1]])  # (4, F, 2)
    low, high = np.zeros(frames), np.ones(frames)
    for _ in range(40):
        middle = 0.5 * (low + high)
        early = casteljau(points[..., 0], middle) < wanted
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return casteljau(points[..., 1], 0.5 * (low + high))


def casteljau(points: np.ndarray, share: np.ndarray) -> np.ndarray:
    while len(points) > 1:
        points = points[:-1] + share * (points[1:] - points[:-1])
    return points[0]
