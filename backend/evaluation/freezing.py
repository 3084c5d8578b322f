"""Freezing rate: how much of a dance stands still (LongDanceDiff reports it for long dances)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.evaluation.speed import joint_speeds

FROZEN_SPEED_M_S = 0.05
SHORTEST_FREEZE_S = 0.5


def _in_long_runs(flags: np.ndarray, shortest_frames: int) -> np.ndarray:
    """The flags (T,) that lie in runs of at least shortest_frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    kept = np.zeros(len(flags), dtype=bool)
    for start, end in edges.reshape(-1, 2):
        kept[start:end] = end - start >= shortest_frames
    return kept


def freezing_rate(joints: np.ndarray, *, fps: float, threshold_m_s: float = FROZEN_SPEED_M_S) -> float:
    """Share of frames within runs of 0.5 s or more in which even the fastest joint is slower than the threshold.

    joints: (T, J, 3) metres. Raises ValueError for fewer than 2 frames.
    """
    fastest = joint_speeds(joints, fps=fps).max(axis=1)
    shortest_frames = max(1, int(np.ceil(SHORTEST_FREEZE_S * fps - 1e-6)))
    return float(_in_long_runs(fastest < threshold_m_s, shortest_frames).mean())


def freezing_curve(joints: np.ndarray, thresholds_m_s: Sequence[float], *, fps: float) -> np.ndarray:
    """Freezing rate (K,) at each of the K thresholds in m/s; joints: (T, J, 3) metres."""
    return np.array([freezing_rate(joints, fps=fps, threshold_m_s=threshold) for threshold in thresholds_m_s])
