"""Key poses to ask for, drawn at random from real dances; the same for a seed on every machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backend.directions import KeyPose
from backend.evaluation.directed.facing import set_down
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

LOCKS = 5
LEAST_GAP_S = 0.6
EDGE_S = 0.5  # at either end of the dance, without locks


def lock_frames(rng: np.random.Generator, *, frames: int) -> npt.NDArray[np.int64]:
    """LOCKS frames of so many, in order, LEAST_GAP_S or more apart."""
    gap, edge = round(LEAST_GAP_S * FPS), round(EDGE_S * FPS)
    room = frames - 2 * edge - (LOCKS - 1) * gap
    if room < LOCKS:
        raise ValueError(f"{frames} frames have no room for {LOCKS} locks")
    drawn = np.sort(rng.choice(room, LOCKS, replace=False))
    return np.asarray(edge + drawn + gap * np.arange(LOCKS), dtype=np.int64)


def strange_poses(rng: np.random.Generator, dances: Sequence[Motion], *, frames: int) -> tuple[KeyPose, ...]:
    """Poses of dances drawn at random at random times; place and heading are free."""
    keys = []
    for frame in lock_frames(rng, frames=frames):
        motion = dances[int(rng.integers(len(dances)))]
        chosen = int(rng.integers(motion.frames))
        keys.append(KeyPose(float(frame / FPS), motion.poses[chosen], motion.pelvis[chosen]))
    return tuple(keys)


def one_dance(rng: np.random.Generator, dances: Sequence[Motion], *, frames: int) -> tuple[KeyPose, ...]:
    """Poses of a span of one dance at their own times, with place and heading; it begins at the origin, facing -Y.

    Raises ValueError where no dance is so long.
    """
    long_enough = [motion for motion in dances if motion.frames >= frames]
    if not long_enough:
        raise ValueError(f"no real dance has {frames} frames")
    motion = long_enough[int(rng.integers(len(long_enough)))]
    first = int(rng.integers(motion.frames - frames + 1))
    span = Motion(motion.poses[first : first + frames], motion.pelvis[first : first + frames], motion.fps)
    span = set_down(span, 0, (0.0, 0.0), 0.0)
    return tuple(
        KeyPose(float(frame / FPS), span.poses[frame], span.pelvis[frame], place=True, heading=True)
        for frame in lock_frames(rng, frames=frames)
    )
