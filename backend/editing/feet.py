"""Feet in a blend: a foot that has to get somewhere else steps there, and none goes through the floor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from backend.editing.blending import FAST_M_S, joint_speeds
from backend.editing.parts import cut_motion
from backend.motion.motion import Motion
from backend.motion.planting import ANKLES, BALL_HEIGHT_M, BALLS, STEP_HEIGHT_M, STEP_SPEED_M_S, reach
from backend.motion.skeleton import forward_kinematics

FloatArray = npt.NDArray[np.float64]

AROUND_FRAMES = 3  # seen beside the blend, so that speeds at its ends are true
SMOOTH_FRAMES = 1.5
EASE_FRAMES = 4  # at the ends of the blend, whose neighbours stay
SHORTEST_FRAMES = 3
STEP_SHARES = (1.0, 0.5, 0.0)  # of a step's height; without height a foot is still kept above the floor
LEAST_M = 1e-4


def stepping(motion: Motion, first: int, last: int) -> Motion:
    """The motion with feet lifted in frames first..last where they slide, or are under the floor; the legs follow.

    Lower steps, or none, where a joint would become faster than in the blend before and than a fast dancer's.
    """
    if last - first < SHORTEST_FRAMES:
        return motion
    start, stop = max(first - AROUND_FRAMES, 0), min(last + AROUND_FRAMES, motion.frames)
    window = cut_motion(motion, start, stop)
    inside = np.arange(start, stop)
    share = np.clip(np.minimum(inside - first + 1, last - inside) / EASE_FRAMES, 0.0, 1.0)
    weight = share**2 * (3.0 - 2.0 * share)
    fastest = max(float(joint_speeds(window).max()), FAST_M_S)
    for height in STEP_SHARES:
        stepped = _stepped(window, weight, height)
        if joint_speeds(stepped).max() <= fastest:
            poses = motion.poses.copy()
            poses[first:last] = stepped.poses[first - start : last - start]
            return Motion(poses, motion.pelvis, motion.fps)
    return motion


def _stepped(motion: Motion, weight: FloatArray, height: float) -> Motion:
    """The motion with feet lifted by weight (T,), steps ``height`` times as high as a dancer's."""
    poses, pelvis = motion.poses.astype(np.float64), motion.pelvis.astype(np.float64)
    for side in range(2):
        joints = forward_kinematics(poses, pelvis)
        lift = weight * _lift(joints[:, BALLS[side]], height, fps=motion.fps)
        if lift.max() > LEAST_M:
            target = joints[:, ANKLES[side]] + lift[:, None] * np.array([0.0, 0.0, 1.0])
            poses = reach(poses, joints, target, side)
    return Motion(poses, pelvis, motion.fps)


def _lift(ball: FloatArray, height: float, *, fps: float) -> FloatArray:
    """(T,) metres to lift a foot whose ball is at (T, 3)."""
    speed = np.linalg.norm(np.gradient(ball[:, :2], axis=0), axis=-1) * fps
    slow, quick = STEP_SPEED_M_S
    share = height * np.clip((speed - slow) / (quick - slow), 0.0, 1.0)
    needed = np.maximum(BALL_HEIGHT_M + share * (STEP_HEIGHT_M - BALL_HEIGHT_M) - ball[:, 2], 0.0)
    return np.asarray(gaussian_filter1d(maximum_filter1d(needed, 3), SMOOTH_FRAMES))
