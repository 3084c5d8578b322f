"""Physical foot contact, PFC (EDGE, Tseng et al. 2023): a body that accelerates needs a foot that stands.

It rewards freezing, and by its definition it shrinks with the frame rate: never look at it alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.evaluation.modes import Mode

FloatArray = npt.NDArray[np.float64]
REFERENCE_FPS = 30.0  # EDGE's rate: fixed mode measures movement in metres per 1/30 s at any rate
SCALE = 1e4
STILL_M_S2 = 1e-6
L_ANKLE, R_ANKLE, L_FOOT, R_FOOT = 7, 8, 10, 11


def over_its_max(values: FloatArray) -> FloatArray:
    """Accelerations (T,) over their largest; zeros where nothing accelerates, lest rounding noise be blown up."""
    largest = float(values.max())
    return values / largest if largest > STILL_M_S2 else np.zeros_like(values)


def steps(joints: FloatArray, joint: int, *, axes: int, fps: float, mode: Mode) -> FloatArray:
    """(T - 2,) metres that a joint moves along the first axes in a frame, from the second frame on.

    fixed: in 1/30 s, so that the frame rate does not matter.
    """
    moved = np.linalg.norm(np.diff(joints[1:, joint, :axes], axis=0), axis=-1)
    return np.asarray(moved if mode == "compat" else moved * fps / REFERENCE_FPS)


def sliding(joints: FloatArray, *, fps: float, mode: Mode) -> FloatArray:
    """(T - 2,) PFC frame by frame, before its scale: the slower joint of each foot, times the root's acceleration."""
    acceleration = np.diff(joints[:, 0], n=2, axis=0) * fps**2
    acceleration[:, 2] = np.maximum(acceleration[:, 2], 0.0)
    left, right = (
        np.minimum(*(steps(joints, joint, axes=2, fps=fps, mode=mode) for joint in foot))
        for foot in ((L_ANKLE, L_FOOT), (R_ANKLE, R_FOOT))
    )
    frames: FloatArray = left * right * over_its_max(np.linalg.norm(acceleration, axis=-1))
    return frames


def physical_foot_contact(joints: np.ndarray, *, fps: float, mode: Mode = "fixed") -> float:
    """Mean of the speeds of both feet times the root's upward-rectified acceleration over its maximum, times 1e4.

    joints: (T, 24, 3) metres, Z up. Raises ValueError for fewer than 3 frames.
    """
    if len(joints) < 3:
        raise ValueError(f"PFC needs at least 3 frames, got {len(joints)}")
    return float(SCALE * sliding(np.asarray(joints, dtype=np.float64), fps=fps, mode=mode).mean())
