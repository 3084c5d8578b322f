"""How good a dance looks on a character: limbs, feet, knees and the floor, in figures. No bpy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .calibration import Foot
from .curves import BoolArray
from .foot_lock import Leg
from .foot_pins import standing
from .quaternions import FloatArray

KNEE_SHARE = 99.5  # percentile of the knees' speed that is told


@dataclass(frozen=True)
class Figures:
    """limb_error_deg: farthest that a limb points away from the dance's, before feet are held;
    legs_turned_deg: mean turn of thighs and shins by the foot lock; foot_slide_cm_s: mean horizontal speed of ankles
    and balls while they stand, and without the lock; knee_speed_deg_s: 99.5th percentile, and of the dance;
    penetration_cm: the deepest of the soles, and without the lock; hips_sunk_cm: the most that the lock lowers them.
    """

    limb_error_deg: float
    legs_turned_deg: float
    foot_slide_cm_s: float
    foot_slide_unlocked_cm_s: float
    knee_speed_deg_s: float
    knee_speed_dance_deg_s: float
    penetration_cm: float
    penetration_unlocked_cm: float
    hips_sunk_cm: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON, to three digits after the point."""
        return {name: round(float(value), 3) for name, value in asdict(self).items()}


def apart_deg(first: FloatArray, second: FloatArray) -> FloatArray:
    """The angle (...) between vectors (..., 3), degrees."""
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.asarray(np.degrees(np.arctan2(cross, np.einsum("...i,...i->...", first, second))))


def foot_slide(legs: tuple[Leg, Leg], feet: tuple[Foot, Foot], contacts: BoolArray, *, fps: float) -> float:
    """Mean horizontal speed, cm/s, of ankles and balls between two frames in which each stands; 0 where none does."""
    speeds = []
    for side, leg in enumerate(legs):
        path = leg.path()
        for points, flags in ((path.ankle, contacts[:, side]), (path.ball(feet[side]), contacts[:, 2 + side])):
            stands = standing(flags, fps=fps)
            both = stands[1:] & stands[:-1]
            speeds.append(np.linalg.norm(np.diff(points[:, :2], axis=0), axis=-1)[both] * fps * 100.0)
    every = np.concatenate(speeds)
    return float(every.mean()) if len(every) else 0.0


def knee_speed(legs: tuple[Leg, Leg], *, fps: float) -> float:
    """The 99.5th percentile of how fast the knees bend or straighten, degrees a second."""
    if len(legs[0].hip) < 2:
        return 0.0
    bends = np.stack([apart_deg(leg.thigh, leg.shin) for leg in legs])
    return float(np.percentile(np.abs(np.diff(bends, axis=-1)) * fps, KNEE_SHARE))


def penetration(legs: tuple[Leg, Leg], feet: tuple[Foot, Foot], *, floor_m: float) -> float:
    """How deep the lowest of the soles is ever under the floor, cm."""
    lowest = min(float(leg.path().lowest(feet[side]).min()) for side, leg in enumerate(legs))
    return max(0.0, 100.0 * (floor_m - lowest))
