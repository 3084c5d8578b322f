"""Foot skate: how fast a foot slides while it should stand.

The foot is SMPL's ball of the foot (joints 10 and 11), about 2 cm above the floor when standing. The ankle stands at
7-8 cm, above the 5 cm that define contact: taking it too changes no number on real dances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.evaluation.speed import joint_velocities

FOOT_JOINTS = (10, 11)  # L_Foot, R_Foot
CONTACT_HEIGHT_M = 0.05
CONTACT_VERTICAL_SPEED_M_S = 0.1
SLIDING_SPEED_M_S = 0.1


@dataclass(frozen=True)
class FootSkate:
    """mean_cm_s: mean horizontal speed of feet in contact; share_above_10: share of those faster than 10 cm/s;
    contact_share: share of all foot frames that are in contact (with 0 the other two are 0 and mean nothing).
    """

    mean_cm_s: float
    share_above_10: float
    contact_share: float


def foot_contact(joints: np.ndarray, *, fps: float) -> np.ndarray:
    """Contact (T, 2) of left and right foot: lower than 5 cm above z = 0, vertical speed under 0.1 m/s.

    joints: (T, 24, 3) metres, Z up. Raises ValueError for fewer than 2 frames.
    """
    feet = joints[:, list(FOOT_JOINTS)]
    vertical = np.abs(joint_velocities(feet, fps=fps)[..., 2])
    contact: np.ndarray = (feet[..., 2] < CONTACT_HEIGHT_M) & (vertical < CONTACT_VERTICAL_SPEED_M_S)
    return contact


def foot_skate(joints: np.ndarray, *, fps: float) -> FootSkate:
    """Horizontal speed of the feet while in contact.

    joints: (T, 24, 3) metres, Z up, floor at z = 0. Raises ValueError for fewer than 2 frames.
    """
    contact = foot_contact(joints, fps=fps)
    velocities = joint_velocities(joints[:, list(FOOT_JOINTS)], fps=fps)
    sliding = np.linalg.norm(velocities[..., :2], axis=-1)[contact]
    if not len(sliding):
        return FootSkate(0.0, 0.0, 0.0)
    return FootSkate(
        mean_cm_s=float(100.0 * sliding.mean()),
        share_above_10=float((sliding > SLIDING_SPEED_M_S).mean()),
        contact_share=float(contact.mean()),
    )
