"""Rotations as the words of a bone's rotation mode: quaternions, angle and axis, or Euler angles in any order. No bpy.

Blender's ``XYZ`` turns about X first. Of the two sets of Euler angles that are one rotation, and of all their full
turns, each frame takes what is nearest to the frame before it, so that the curves in between do not tumble.
"""

from __future__ import annotations

import numpy as np

from .quaternions import FloatArray, to_matrices

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
CHANNELS = {"QUATERNION": ("rotation_quaternion", 4), "AXIS_ANGLE": ("rotation_axis_angle", 4)}
_EULER_CHANNEL = ("rotation_euler", 3)
_LOCKED = 1e-6  # cosine of the middle angle below which only the sum of the other two is known


def channel(mode: str) -> tuple[str, int]:
    """The pose bone's property that a mode reads, and how many numbers it has. Raises ValueError for others."""
    if mode in EULER_ORDERS:
        return _EULER_CHANNEL
    if mode not in CHANNELS:
        raise ValueError(f"{mode!r} is no rotation mode; expected one of {', '.join((*CHANNELS, *EULER_ORDERS))}")
    return CHANNELS[mode]


def in_mode(quaternions: FloatArray, mode: str) -> FloatArray:
    """The values (T, 3 or 4) that a bone of this mode shows for sign-continuous quaternions (T, 4).

    Angles are radians. Raises ValueError for an unknown mode.
    """
    channel(mode)
    if mode == "QUATERNION":
        return quaternions
    return _axis_angle(quaternions) if mode == "AXIS_ANGLE" else _euler(quaternions, mode)


def _axis_angle(quaternions: FloatArray) -> FloatArray:
    """Angle and axis (T, 4), radians; the axis turns over only where there is no angle."""
    vectors = quaternions[:, 1:]
    sine = np.linalg.norm(vectors, axis=-1)
    known = sine > 1e-9
    axes = np.zeros_like(vectors)
    axes[:, 1] = 1.0
    axes[known] = vectors[known] / sine[known, None]
    if known.any():  # where there is no angle, the axis of the nearest known frame before, or the first
        last = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
        axes = axes[np.where(known[last], last, np.argmax(known))]
    turns = np.einsum("ti,ti->t", axes[1:], axes[:-1]) < 0.0
    signs = np.concatenate([[1.0], np.where(np.logical_xor.accumulate(turns), -1.0, 1.0)])
    angles = np.unwrap(2.0 * np.arctan2(signs * sine, quaternions[:, 0]))
    return np.concatenate([angles[:, None], axes * signs[:, None]], axis=-1)


def _euler(quaternions: FloatArray, order: str) -> FloatArray:
    """Angles (T, 3) about X, Y and Z, each frame's nearest to the one before."""
    first, middle, last = ("XYZ".index(axis) for axis in order)
    parity = 1.0 if (middle - first) % 3 == 1 else -1.0
    m = to_matrices(quaternions)  # R = R_last R_middle R_first
    cosine = np.hypot(m[:, first, first], m[:, middle, first])
    free = cosine > _LOCKED
    a = np.arctan2(parity * m[:, last, middle], m[:, last, last])
    b = np.arctan2(-parity * m[:, last, first], cosine)
    c = np.arctan2(parity * m[:, middle, first], m[:, first, first])
    both = np.where(free, 0.0, np.arctan2(-parity * m[:, middle, last], m[:, middle, middle]))
    full = 2.0 * np.pi
    angles = np.empty((len(m), 3))
    was = np.zeros(3)
    plain = np.stack([a, b, c], axis=-1).tolist()
    for frame, (x, y, z) in enumerate(plain):
        if not free[frame]:  # the last turn stays, the first takes the rest
            sign = 1.0 if y * parity > 0.0 else -1.0
            x, z = both[frame] + sign * was[2], was[2]
        found = np.array([x, y, z])
        other = np.array([x + np.pi, np.pi - y, z + np.pi])
        found += full * np.round((was - found) / full)
        other += full * np.round((was - other) / full)
        was = found if np.abs(found - was).sum() <= np.abs(other - was).sum() else other
        angles[frame] = was
    shown = np.empty_like(angles)
    shown[:, [first, middle, last]] = angles
    return shown
