"""The floor: bodies that sink into it, and bodies that hover over it without falling."""

from __future__ import annotations

import numpy as np

BELOW_FLOOR_M = 0.02
SUPPORT_HEIGHT_M = 0.10  # a joint lower than this can carry: toes on the floor 2 cm, ankle 8, knee 5, hand 3, pelvis 10
FALLING_M_S2 = -4.905  # half of gravity: a body in the air falls faster than this, whatever its limbs do


def below_floor_share(joints: np.ndarray, *, depth_m: float = BELOW_FLOOR_M) -> float:
    """Share of frames with a joint more than depth_m under z = 0; joints: (T, J, 3) metres, Z up."""
    return float((joints[..., 2].min(axis=1) < -depth_m).mean())


def floating_share(joints: np.ndarray, *, fps: float) -> float:
    """Share of frames with no joint near the floor while the body does not fall.

    joints: (T, J, 3) metres, Z up. The mean of the joints stands for the centre of mass; a jump accelerates it down
    by gravity, hovering does not. Raises ValueError for fewer than 3 frames.
    """
    if len(joints) < 3:
        raise ValueError(f"falling needs at least 3 frames, got {len(joints)}")
    centre = joints[..., 2].mean(axis=1)
    acceleration = np.diff(centre, n=2) * fps**2
    unsupported = joints[1:-1, :, 2].min(axis=1) > SUPPORT_HEIGHT_M
    return float((unsupported & (acceleration > FALLING_M_S2)).mean())
