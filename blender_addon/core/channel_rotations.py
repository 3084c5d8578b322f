"""What a bone's rotation channels turn it by, as Blender reads them: the way back from ``rotation_modes``. No bpy."""

from __future__ import annotations

import numpy as np

from .quaternions import FloatArray, about, times, unit
from .rotation_modes import channel


def rotations_of(values: FloatArray, mode: str) -> FloatArray:
    """Unit quaternions (..., 4) of the values (..., 3 or 4) that a bone of this rotation mode shows.

    Quaternions and axes need not be of length 1; of no length they do not turn. Raises ValueError for unknown modes.
    """
    channel(mode)
    if mode == "QUATERNION":
        length = np.linalg.norm(values, axis=-1, keepdims=True)
        return np.where(length > 0.0, unit(values), np.array([1.0, 0.0, 0.0, 0.0]))
    if mode == "AXIS_ANGLE":
        axes = unit(values[..., 1:])
        still = np.einsum("...i,...i->...", axes, axes) == 0.0
        return about(axes, np.where(still, 0.0, values[..., 0]))
    found = np.broadcast_to(np.array([1.0, 0.0, 0.0, 0.0]), (*values.shape[:-1], 4))
    for letter in mode:  # the first letter's axis turns first
        axis = "XYZ".index(letter)
        found = times(about(np.broadcast_to(np.eye(3)[axis], values.shape), values[..., axis]), found)
    return found
