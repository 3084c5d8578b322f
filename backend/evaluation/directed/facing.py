"""Bodies turned to one heading, so that poses can be compared whichever way the dancers face."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from backend.evaluation.windows import FloatArray
from backend.motion.motion import Motion
from backend.motion.skeleton import REST_TO_WORLD, forward_kinematics


def turn_about_vertical(rotations: Rotation) -> FloatArray:
    """(N,) rad in (-π, π]: the turn about the vertical that comes nearest to each rotation."""
    quaternions = np.atleast_2d(rotations.as_quat())  # x, y, z, w
    turn = 2.0 * np.arctan2(quaternions[:, 2], quaternions[:, 3])
    wrapped: FloatArray = np.arctan2(np.sin(turn), np.cos(turn))
    return wrapped


def turned(roots: Rotation, turn: FloatArray) -> Rotation:
    """Orientations in the world, each turned about the vertical by an angle, rad."""
    return Rotation.from_rotvec(np.outer(turn, [0.0, 0.0, 1.0])) * roots


def headings(motion: Motion) -> FloatArray:
    """(T,) rad: which way the dancer faces; 0 is -Y."""
    return turn_about_vertical(Rotation.from_rotvec(motion.poses[:, 0]) * Rotation.from_matrix(REST_TO_WORLD).inv())


def facing_joints(motion: Motion) -> FloatArray:
    """Joints (T, 24, 3) m with the pelvis at the origin and the dancer facing -Y in every frame."""
    poses = motion.poses.astype(np.float64)
    poses[:, 0] = turned(Rotation.from_rotvec(poses[:, 0]), -headings(motion)).as_rotvec()
    joints: FloatArray = forward_kinematics(poses, np.zeros((motion.frames, 3)))
    return joints


def set_down(motion: Motion, frame: int, place: tuple[float, float], heading: float) -> Motion:
    """The motion moved as one over the floor, so that at a frame it is at a place (x, y), m, with a heading, rad."""
    turn = heading - headings(Motion(motion.poses[frame : frame + 1], motion.pelvis[frame : frame + 1], motion.fps))
    poses, pelvis = motion.poses.astype(np.float64), motion.pelvis.astype(np.float64)
    roots = turned(Rotation.from_rotvec(poses[:, 0]), np.repeat(turn, motion.frames))
    poses[:, 0] = roots.as_rotvec()
    away = pelvis - [*pelvis[frame, :2], 0.0]
    pelvis = Rotation.from_rotvec([0.0, 0.0, float(turn[0])]).apply(away) + np.array([*place, 0.0])
    return Motion(poses.astype(np.float32), pelvis.astype(np.float32), motion.fps)
