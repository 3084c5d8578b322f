"""Kinetic features of a dance (Onuma et al. 2008, as used by Li et al. 2021): the space of FID_k and Div_k."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.evaluation.modes import Mode

FloatArray = npt.NDArray[np.float64]
WINDOW_FRAMES = 2  # on either side, over which velocity and acceleration are averaged
COMPAT_FPS = 60.0  # the public code takes every motion for one at AIST++'s rate


def _window_mean(values: FloatArray, centres: npt.NDArray[np.int64]) -> FloatArray:
    """Means of values (N, ...) over the up to five entries around each centre; what lies outside is left out."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    first = np.clip(centres - WINDOW_FRAMES, 0, len(values))
    last = np.clip(centres + WINDOW_FRAMES + 1, 0, len(values))
    counts = (last - first).reshape(-1, *([1] * (values.ndim - 1)))
    means: FloatArray = (total[last] - total[first]) / counts
    return means


def _accelerations(joints: FloatArray, step_s: float, mode: Mode) -> FloatArray:
    """(T - 2, J, 3) accelerations at frames 1 to T - 2, m/s².

    compat: of the velocity before a frame only the earlier position is divided by the time step, so the result hangs on
    where the dancer stands.
    """
    after = (joints[2:] - joints[1:-1]) / step_s
    before = joints[1:-1] - joints[:-2] / step_s if mode == "compat" else (joints[1:-1] - joints[:-2]) / step_s
    accelerations: FloatArray = (after - before) / step_s
    return accelerations


def kinetic_features(joints: np.ndarray, *, fps: float, mode: Mode = "fixed") -> FloatArray:
    """Mean kinetic energy and acceleration of every joint.

    joints: (T, 24, 3) positions in metres, Z up. fps is not heeded in compat mode, which takes all motion for 60 fps
    and puts the first pelvis at the origin.
    Returns (72,): mean squared horizontal speed, mean squared vertical speed (m²/s²), mean acceleration (m/s²), for
    each joint in turn. Raises ValueError for fewer than 6 frames.
    """
    if len(joints) < 6:
        raise ValueError(f"kinetic features need at least 6 frames, got {len(joints)}")
    places = np.asarray(joints, dtype=np.float64)
    if mode == "compat":
        places = places - places[:1, :1]
    step_s = 1.0 / (COMPAT_FPS if mode == "compat" else fps)
    frames = np.arange(1, len(places))
    velocities = _window_mean(np.diff(places, axis=0) / step_s, frames - 1)
    accelerations = _window_mean(_accelerations(places, step_s, mode), frames - 1)
    horizontal = np.square(velocities[..., :2]).sum(-1).mean(0)
    vertical = np.square(velocities[..., 2]).mean(0)
    effort = np.linalg.norm(accelerations, axis=-1).mean(0)
    return np.stack([horizontal, vertical, effort], axis=1).ravel()
