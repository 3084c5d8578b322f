"""Steps from a frame to the next: how fast the fastest joint is, and how hard it turns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.evaluation.windows import FloatArray

NEAR_S = 0.3  # on either side of a moment


def fastest_steps(joints: np.ndarray, *, fps: float) -> FloatArray:
    """(T - 1,) m/s: how far the joint that moves farthest goes from each frame to the next, for joints (T, J, 3).

    Between frames, with nothing smoothed, so that a jump is seen in full. Raises ValueError for fewer than 2 frames.
    """
    if len(joints) < 2:
        raise ValueError(f"a step needs at least 2 frames, got {len(joints)}")
    moved = np.linalg.norm(np.diff(np.asarray(joints, dtype=np.float64), axis=0), axis=-1)
    speeds: FloatArray = moved.max(axis=1) * fps
    return speeds


def hardest_turns(joints: np.ndarray, *, fps: float) -> FloatArray:
    """(T - 2,) m/s²: the largest acceleration of any joint at frames 1 to T - 2, for joints (T, J, 3).

    Raises ValueError for fewer than 3 frames.
    """
    if len(joints) < 3:
        raise ValueError(f"a turn needs at least 3 frames, got {len(joints)}")
    bent = np.linalg.norm(np.diff(np.asarray(joints, dtype=np.float64), n=2, axis=0), axis=-1)
    turns: FloatArray = bent.max(axis=1) * fps**2
    return turns


def peaks_near(steps: FloatArray, frames: npt.NDArray[np.int64], *, fps: float) -> FloatArray:
    """(K,) m/s: the fastest of the steps (T - 1,) within 0.3 s of each frame (K,)."""
    near = round(NEAR_S * fps)
    return np.array([steps[max(frame - near, 0) : frame + near].max() for frame in frames], dtype=np.float64)
