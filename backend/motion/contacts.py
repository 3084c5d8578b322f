"""Foot contacts read from motion: which of ankle and ball of each foot stands on the floor."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

CONTACT_JOINTS = (7, 8, 10, 11)  # L_Ankle, R_Ankle, L_Foot, R_Foot
REST_HEIGHTS_M = np.array([0.075, 0.075, 0.02, 0.02])  # of those joints above the floor when standing
HEIGHT_MARGIN_M = 0.045
SPEED_LIMIT_M_S = 0.35


def contact_labels(joints: np.ndarray, *, fps: float) -> np.ndarray:
    """Contact of (L_Ankle, R_Ankle, L_Foot, R_Foot) with the floor.

    joints: (T, 24, 3) metres, floor at z = 0. Returns (T, 4) bool: low (within 4.5 cm of the joint's standing
    height) and slow (under 0.35 m/s), single-frame flickers removed.
    """
    feet = joints[:, list(CONTACT_JOINTS)]
    if len(feet) < 3:
        speed = np.zeros(feet.shape[:2])
    else:
        speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * fps
    low = feet[..., 2] < REST_HEIGHTS_M + HEIGHT_MARGIN_M
    labels = low & (speed < SPEED_LIMIT_M_S)
    filtered: np.ndarray = median_filter(labels.astype(np.uint8), size=(3, 1), mode="nearest").astype(bool)
    return filtered
