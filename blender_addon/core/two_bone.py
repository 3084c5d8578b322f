"""Two-bone inverse kinematics that changes a leg no more than it must. No bpy.

The knee opens or closes about the axis about which it is bent already, and then the whole leg swings onto its target:
the knee stays on the side on which it was, so it cannot pop through. A leg that is all but straight, or bent the wrong
way, bends about the thigh's own hinge.
"""

from __future__ import annotations

import numpy as np

from .quaternions import FloatArray, about, between, times, turned, unit

SHORTEST = 0.15  # of the straight leg
LONGEST = 0.9995
_CLEARLY_BENT = 0.08  # sine of the knee's angle from which its own plane is believed


def reach(thigh: FloatArray, shin: FloatArray, hinge: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How thigh and shin turn so that the ankle reaches a target, as far as the leg's length allows.

    thigh, shin: (T, 3) from hip to knee and from knee to ankle, metres; hinge: (T, 3) the unit axis about which the
    knee bends as knees do; target: (T, 3) from the hip.
    Returns the turns (T, 4) of the thigh and of the shin, in the same axes as the vectors.
    """
    upper, lower = np.linalg.norm(thigh, axis=-1), np.linalg.norm(shin, axis=-1)
    straight = upper + lower
    wanted = np.clip(np.linalg.norm(target, axis=-1), SHORTEST * straight, LONGEST * straight)
    axis = _axis(thigh / upper[:, None], shin / lower[:, None], hinge)
    bend = _bend(thigh, shin, axis, 0.5 * (wanted**2 - upper**2 - lower**2))
    bent = about(axis, bend)
    onto = between(thigh + turned(bent, shin), target)
    return onto, times(onto, bent)


def _axis(thigh: FloatArray, shin: FloatArray, hinge: FloatArray) -> FloatArray:
    """Unit axes (T, 3) at right angles to the thigh."""
    hinge = unit(hinge - thigh * np.einsum("ti,ti->t", hinge, thigh)[:, None])
    plane = np.cross(thigh, shin)
    along = np.einsum("ti,ti->t", plane, hinge)
    return unit(plane + hinge * np.maximum(_CLEARLY_BENT - along, 0.0)[:, None])


def _bend(thigh: FloatArray, shin: FloatArray, axis: FloatArray, product: FloatArray) -> FloatArray:
    """By what angle (T,) the shin turns about the axis so that thigh . shin becomes ``product``, bent as knees are."""
    along = np.einsum("ti,ti->t", shin, axis)[:, None] * axis
    across = shin - along
    level = np.einsum("ti,ti->t", thigh, along)
    cosine = np.einsum("ti,ti->t", thigh, across)
    sine = np.einsum("ti,ti->t", thigh, np.cross(axis, across))
    size = np.maximum(np.hypot(cosine, sine), 1e-12)
    opened = np.arctan2(sine, cosine)  # the turn that makes the leg longest
    return np.asarray(opened + np.arccos(np.clip((product - level) / size, -1.0, 1.0)))
