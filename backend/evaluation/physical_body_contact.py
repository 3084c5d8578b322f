"""Physical body contact, PBC (POPDG, Luo et al. 2024): hands and head move when what carries them accelerates.

Nearer to real is better. It holds PFC with a minus sign, and the head weighs ten times as much as a hand.
"""

from __future__ import annotations

import numpy as np

from backend.evaluation.modes import Mode
from backend.evaluation.physical_foot_contact import SCALE, over_its_max, sliding, steps

NECK, HEAD = 12, 15
L_COLLAR, R_COLLAR = 13, 14
L_ARM_ENDS, R_ARM_ENDS = (20, 22), (21, 23)  # wrist and hand
HAND_WEIGHT, HEAD_WEIGHT = 0.01, 0.1


def physical_body_contact(joints: np.ndarray, *, fps: float, mode: Mode = "fixed") -> float:
    """Mean of hand and head movement times the acceleration of collars and neck, less PFC, times 1e4.

    joints: (T, 24, 3) metres, Z up. Each acceleration is taken over its maximum. Raises ValueError for fewer than 3
    frames.
    """
    if len(joints) < 3:
        raise ValueError(f"PBC needs at least 3 frames, got {len(joints)}")
    places = np.asarray(joints, dtype=np.float64)
    total = -sliding(places, fps=fps, mode=mode)
    parts = ((L_COLLAR, L_ARM_ENDS, HAND_WEIGHT), (R_COLLAR, R_ARM_ENDS, HAND_WEIGHT), (NECK, (HEAD,), HEAD_WEIGHT))
    for carrier, ends, weight in parts:
        acceleration = np.linalg.norm(np.diff(places[:, carrier], n=2, axis=0) * fps**2, axis=-1)
        movement = np.min([steps(places, end, axes=3, fps=fps, mode=mode) for end in ends], axis=0)
        total = total + weight * movement * over_its_max(acceleration)
    return float(SCALE * total.mean())
