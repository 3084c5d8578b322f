"""Jerk, the third derivative of the joints: too low is mush, too high is jitter, so it is judged beside real motion."""

from __future__ import annotations

import numpy as np


def jerk(joints: np.ndarray, *, fps: float) -> float:
    """Median over frames and joints of the length of the third derivative, m/s³.

    joints: (T, J, 3) metres. The number grows with the frame rate: compare motions at equal rates only.
    Raises ValueError for fewer than 4 frames.
    """
    if len(joints) < 4:
        raise ValueError(f"jerk needs at least 4 frames, got {len(joints)}")
    third = np.diff(np.asarray(joints, dtype=np.float64), n=3, axis=0) * fps**3
    return float(np.median(np.linalg.norm(third, axis=-1)))
