"""Key pose distance, KPD (Beat-It, Huang et al. 2024): how far a dance is from the poses it was asked to strike."""

from __future__ import annotations

import numpy as np

from backend.evaluation.modes import Mode


def key_pose_distance(
    joints: np.ndarray, keys: np.ndarray, key_frames: np.ndarray, *, mode: Mode = "fixed", local: bool = True
) -> float:
    """Mean distance of the joints from the key poses, metres.

    joints: (T, 24, 3) metres; keys: (K, 24, 3) joints asked for at frames key_frames (K,). local: both with the pelvis
    at the origin, as in Beat-It; without, a lock's place counts too. compat: the mean squared error in m², which the
    paper's text describes. Raises ValueError for no keys and for frames outside the dance.
    """
    key_frames = np.asarray(key_frames, dtype=np.int64)
    if not len(key_frames) or len(key_frames) != len(keys):
        raise ValueError(f"a distance needs as many frames as key poses, got {len(key_frames)} and {len(keys)}")
    if key_frames.min() < 0 or key_frames.max() >= len(joints):
        raise ValueError(f"key frames must lie within the {len(joints)} frames of the dance")
    danced, asked = np.asarray(joints, dtype=np.float64)[key_frames], np.asarray(keys, dtype=np.float64)
    if local:
        danced, asked = danced - danced[:, :1], asked - asked[:, :1]
    if mode == "compat":
        return float(np.square(danced - asked).mean())
    return float(np.linalg.norm(danced - asked, axis=-1).mean())
