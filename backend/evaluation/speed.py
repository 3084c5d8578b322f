"""Joint speeds, the ground of several metrics, and their mean."""

from __future__ import annotations

import numpy as np


def joint_velocities(joints: np.ndarray, *, fps: float) -> np.ndarray:
    """Velocities (T, J, 3) in m/s of joints (T, J, 3) in metres by central differences, one-sided at the two ends.

    Raises ValueError for fewer than 2 frames.
    """
    if len(joints) < 2:
        raise ValueError(f"speed needs at least 2 frames, got {len(joints)}")
    velocities: np.ndarray = np.gradient(np.asarray(joints, dtype=np.float64), axis=0) * fps
    return velocities


def joint_speeds(joints: np.ndarray, *, fps: float) -> np.ndarray:
    """Speeds (T, J) in m/s of joints (T, J, 3) in metres; raises ValueError for fewer than 2 frames."""
    speeds: np.ndarray = np.linalg.norm(joint_velocities(joints, fps=fps), axis=-1)
    return speeds


def mean_joint_speed(joints: np.ndarray, *, fps: float) -> float:
    """Mean speed over frames and joints, m/s, of joints (T, J, 3) in metres; frame to frame, so that jitter counts.

    Raises ValueError for fewer than 2 frames.
    """
    if len(joints) < 2:
        raise ValueError(f"speed needs at least 2 frames, got {len(joints)}")
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * fps)
