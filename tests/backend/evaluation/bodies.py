"""Bodies whose motion is known by hand."""

from __future__ import annotations

import numpy as np

from backend.motion.motion import Motion
from backend.motion.skeleton import OFFSETS_M, PARENTS, REST_TO_WORLD

FPS = 30.0


def standing(frames: int) -> np.ndarray:
    """Joints (T, 24, 3) of a body standing still with the balls of its feet 2 cm above the floor."""
    rest = np.zeros((24, 3))
    for joint in range(1, 24):
        rest[joint] = rest[PARENTS[joint]] + REST_TO_WORLD @ OFFSETS_M[joint]
    rest[:, 2] -= rest[:, 2].min() - 0.02
    return np.repeat(rest[None], frames, axis=0)


def seconds(frames: int, fps: float = FPS) -> np.ndarray:
    """Times (T,) of the frames."""
    return np.arange(frames) / fps


def carried(path_m: np.ndarray, axis: int) -> np.ndarray:
    """The standing body carried along one axis; path_m: (T,)."""
    joints = standing(len(path_m))
    joints[..., axis] += path_m[:, None]
    return joints


def wild(duration_s: float, *, seed: int, still: bool = False, fps: float = FPS) -> Motion:
    """An upright body whose joints swing smoothly at random; still: not at all."""
    rng = np.random.default_rng(seed)
    t = seconds(round(duration_s * fps), fps)
    size, rate, phase = rng.uniform(0, 0.5, (24, 3)), rng.uniform(0.5, 2.0, (24, 3)), rng.uniform(0, 6.28, (24, 3))
    poses = (0.0 if still else 1.0) * size * np.sin(2 * np.pi * rate * t[:, None, None] + phase)
    poses[:, 0] = [np.pi / 2, 0.0, 0.0]
    pelvis = np.tile([0.0, 0.0, 0.95], (len(t), 1))
    pelvis[:, 0] += 0.0 if still else 0.2 * np.sin(2 * np.pi * 0.5 * t)
    return Motion(poses, pelvis, fps)
