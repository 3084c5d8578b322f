"""Joint angle error, AJE (MDLT): for translators with a true dance to compare with, frame by frame."""

from __future__ import annotations

import numpy as np

from backend.evaluation.modes import Mode
from backend.motion.skeleton import axis_angle_to_matrix


def joint_angle_error(poses: np.ndarray, true_poses: np.ndarray, *, mode: Mode = "fixed") -> float:
    """Root mean square error of the joint rotations, radians.

    poses, true_poses: (T, J, 3) axis-angle. fixed: the angle of the rotation from one to the other. compat: the
    difference of the numbers, which takes one rotation written in two ways for an error of up to 2 pi.
    Raises ValueError for unequal shapes.
    """
    if poses.shape != true_poses.shape:
        raise ValueError(f"the poses must be of one shape, got {poses.shape} and {true_poses.shape}")
    if mode == "compat":
        difference = np.asarray(poses, dtype=np.float64) - np.asarray(true_poses, dtype=np.float64)
        return float(np.sqrt(np.square(difference).mean()))
    turn = np.swapaxes(axis_angle_to_matrix(poses), -1, -2) @ axis_angle_to_matrix(true_poses)
    # The chord of the two rotations: precise for small angles, where the arc cosine of the trace is not.
    chord = np.linalg.norm(turn - np.eye(3), axis=(-2, -1)) / np.sqrt(8.0)
    return float(np.sqrt(np.square(2.0 * np.arcsin(np.clip(chord, 0.0, 1.0))).mean()))
