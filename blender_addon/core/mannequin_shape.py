"""The mannequin's shape: lofted shells and ball joints on the SMPL rest pose. Numpy alone, no bpy.

The body is a set of closed shells, each a stack of rings along a line. Shells turn with one bone and overlap in dark
balls at the joints, as on an artist's lay figure: nothing creases or collapses, however far a dancer bends. Only waist
and neck are soft. The left side wears one colour and the right side another; a visor and toe caps show the front.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from .bone_frames import rest_joints
from .skeleton import JOINT_NAMES

FloatArray = npt.NDArray[np.float64]
Profile = Sequence[tuple[float, float, float, float]]

SIDES = 18
_RINGS = 11
_UP = np.array([0.0, 0.0, 1.0])
_FRONT = np.array([0.0, -1.0, 0.0])


class Paint(IntEnum):
    """The mannequin's materials, by slot."""

    SHELL = 0
    JOINT = 1
    LEFT = 2
    RIGHT = 3


@dataclass(frozen=True, eq=False)
class Shell:
    """A closed surface with the rings' bone weights.

    rings: (R, SIDES, 3) metres; weights: (R,) for each bone; paint: (R - 1, SIDES) slot of each face between two rings.
    """

    rings: FloatArray
    weights: Mapping[str, FloatArray]
    paint: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Body:
    """The whole mesh.

    vertices: (V, 3) metres; quads: (Q, 4) and triangles: (T, 3) vertex numbers; paint: (Q + T,) slot of each;
    weights: (V,) for each bone.
    """

    vertices: FloatArray
    quads: npt.NDArray[np.int32]
    triangles: npt.NDArray[np.int32]
    paint: npt.NDArray[np.int32]
    weights: dict[str, FloatArray] = field(default_factory=dict)


@functools.cache
def mannequin() -> Body:
    """The mannequin in the rest pose of ``bone_frames.rest_joints``."""
    joints = dict(zip(JOINT_NAMES, rest_joints(), strict=True))
    shells = [*_trunk(joints), *_head(joints)]
    for side, sign in (("L", 1.0), ("R", -1.0)):
        paint = Paint.LEFT if side == "L" else Paint.RIGHT
        shells += _leg(joints, side, paint)
        shells += _foot(joints, side, paint)
        shells += _arm(joints, side, paint)
        shells += _hand(joints, side, sign)
    return _joined(shells)


# Building shells


def _smooth(positions: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """Catmull-Rom through values at rising positions: a profile drawn by hand, without corners."""
    slopes = np.gradient(values, positions, axis=0)
    index = np.clip(np.searchsorted(positions, at, side="right") - 1, 0, len(positions) - 2)
    width = positions[index + 1] - positions[index]
    u = ((at - positions[index]) / width)[:, None]
    width = width[:, None]
    result: FloatArray = (
        (1 + 2 * u) * (1 - u) ** 2 * values[index]
        + u * (1 - u) ** 2 * width * slopes[index]
        + u**2 * (3 - 2 * u) * values[index + 1]
        + u**2 * (u - 1) * width * slopes[index + 1]
    )
    return result


def _loft(
    start: FloatArray,
    end: FloatArray,
    profile: Profile,
    *,
    bone: str | Mapping[str, Sequence[float]],
    paint: int = Paint.SHELL,
    front: FloatArray = _FRONT,
    caps: tuple[float, float] = (0.6, 0.6),
    square: float = 2.0,
    rings: int = _RINGS,
) -> Shell:
    """A shell along the line from start to end.

    profile: (share of the line, half width, half depth, shift to the front), metres; caps: how far the rounding of each
    end reaches, as a share of the radius there; square: 2 is an ellipse, more is boxier.
    bone: one bone, or bones with their weight at each entry of the profile.
    """
    axis = end - start
    length = float(np.linalg.norm(axis))
    axis = axis / length
    side = np.cross(axis, front)
    side /= np.linalg.norm(side)
    depth = np.cross(side, axis)  # towards the front, square to the line
    table = np.array(profile, dtype=np.float64)
    low, high = table[0, 0], table[-1, 0]
    at = low + (high - low) * 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, rings)))
    shape = _smooth(table[:, 0], table[:, 1:], at)
    rounding = _rounding(at, (low, high), shape[[0, -1], :2].mean(axis=1) * np.array(caps) / length)
    angle: FloatArray = np.arange(SIDES, dtype=np.float64) * (2 * np.pi / SIDES)
    across, along = _superellipse(angle, square)
    centre = start + axis * length * at[:, None] + depth * shape[:, 2:3]
    points = (
        centre[:, None]
        + side * (across[None, :] * (shape[:, 0] * rounding)[:, None])[..., None]
        - depth * (along[None, :] * (shape[:, 1] * rounding)[:, None])[..., None]
    )
    weights = (
        {bone: np.ones(rings)}
        if isinstance(bone, str)
        else {name: np.interp(at, table[:, 0], np.array(values)) for name, values in bone.items()}
    )
    return Shell(points, weights, np.full((rings - 1, SIDES), int(paint), dtype=np.int32))


def _rounding(at: FloatArray, ends: tuple[float, float], reach: FloatArray) -> FloatArray:
    """What the radius is multiplied by so that both ends close in a dome."""
    from_low = np.clip((at - ends[0]) / max(reach[0], 1e-6), 0.0, 1.0)
    from_high = np.clip((ends[1] - at) / max(reach[1], 1e-6), 0.0, 1.0)
    dome: FloatArray = np.sqrt(1.0 - (1.0 - from_low) ** 2) * np.sqrt(1.0 - (1.0 - from_high) ** 2)
    return dome


def _superellipse(angle: FloatArray, square: float) -> tuple[FloatArray, FloatArray]:
    cosine, sine = np.cos(angle), np.sin(angle)
    power = 2.0 / square
    return np.sign(cosine) * np.abs(cosine) ** power, np.sign(sine) * np.abs(sine) ** power


def _ball(centre: FloatArray, radius: float, bone: str, *, paint: int = Paint.JOINT) -> Shell:
    """A ball joint."""
    half = np.array([0.0, 0.0, radius])
    straight: Profile = [(0.0, radius, radius, 0.0), (0.5, radius, radius, 0.0), (1.0, radius, radius, 0.0)]
    return _loft(centre - half, centre + half, straight, bone=bone, paint=paint, caps=(1.0, 1.0), rings=9)


def _joined(shells: Sequence[Shell]) -> Body:
    """One mesh of all shells; each end is closed by a fan around a point."""
    counts = [len(shell.rings) * SIDES + 2 for shell in shells]
    starts = np.concatenate([[0], np.cumsum(counts)])
    weights = {name: np.zeros(starts[-1]) for shell in shells for name in shell.weights}
    for shell, start, count in zip(shells, starts[:-1], counts, strict=True):
        for name, values in shell.weights.items():
            weights[name][start : start + count] = np.concatenate([np.repeat(values, SIDES), values[[0, -1]]])
    return Body(
        np.concatenate([_points(shell) for shell in shells]),
        np.concatenate([_quads(shell) + start for shell, start in zip(shells, starts[:-1], strict=True)]),
        np.concatenate([_fans(shell) + start for shell, start in zip(shells, starts[:-1], strict=True)]),
        np.concatenate(
            [shell.paint.reshape(-1) for shell in shells] + [shell.paint[[0, -1]].reshape(-1) for shell in shells]
        ),
        weights,
    )


def _points(shell: Shell) -> FloatArray:
    """The rings' vertices, then the middle of the first and of the last ring."""
    return np.concatenate([shell.rings.reshape(-1, 3), shell.rings[[0, -1]].mean(axis=1)])


def _quads(shell: Shell) -> npt.NDArray[np.int32]:
    """The faces between rings, by vertex of this shell, looking outwards."""
    side = np.arange(SIDES)
    after = (side + 1) % SIDES
    ring = np.stack([side, after, after + SIDES, side + SIDES], axis=-1)
    first = SIDES * np.arange(len(shell.rings) - 1)
    return (ring[None] + first[:, None, None]).reshape(-1, 4).astype(np.int32)


def _fans(shell: Shell) -> npt.NDArray[np.int32]:
    """The triangles that close both ends."""
    side = np.arange(SIDES)
    after = (side + 1) % SIDES
    top, low = SIDES * (len(shell.rings) - 1), SIDES * len(shell.rings)
    first = np.stack([np.full(SIDES, low), after, side], axis=-1)
    last = np.stack([np.full(SIDES, low + 1), top + side, top + after], axis=-1)
    return np.concatenate([first, last]).astype(np.int32)


# The body's parts


def _trunk(joints: Mapping[str, FloatArray]) -> list[Shell]:
    pelvis, chest, neck, head = joints["Pelvis"], joints["Spine3"], joints["Neck"], joints["Head"]
    hips = np.array([0.0, 0.022, joints["L_Hip"][2] - 0.082])
    waist = np.array([0.0, 0.03, joints["Spine1"][2] + 0.015])
    ribs = np.array([0.0, 0.022, joints["Spine2"][2] - 0.05])
    collar = np.array([0.0, 0.034, neck[2] + 0.012])
    return [
        _loft(
            hips, waist,
            [(0.0, 0.06, 0.06, 0.0), (0.22, 0.118, 0.094, -0.004), (0.45, 0.152, 0.11, -0.006),
             (0.75, 0.146, 0.1, 0.0), (1.0, 0.128, 0.086, 0.002)],
            bone="Pelvis", caps=(0.8, 0.16), square=2.25, rings=13,
        ),
        _loft(
            pelvis + np.array([0.0, 0.028, 0.03]), chest + np.array([0.0, 0.014, 0.03]),
            [(0.0, 0.118, 0.08, 0.0), (0.35, 0.112, 0.077, 0.003), (0.65, 0.112, 0.078, 0.003), (1.0, 0.12, 0.082,
            0.0)], bone={"Pelvis": (0.8, 0.1, 0.0, 0.0), "Spine1": (0.2, 0.8, 0.35, 0.0), "Spine2": (0.0, 0.1, 0.5,
            0.3),
                  "Spine3": (0.0, 0.0, 0.15, 0.7)},
            paint=Paint.JOINT, caps=(0.2, 0.2), square=2.2,
        ),
        _loft(
            ribs, collar,
            [(0.0, 0.12, 0.084, 0.0), (0.2, 0.137, 0.1, 0.006), (0.45, 0.158, 0.116, 0.014), (0.62, 0.168, 0.118,
            0.014),
             (0.82, 0.15, 0.096, 0.0), (1.0, 0.076, 0.062, -0.006)],
            bone="Spine3", caps=(0.18, 0.45), square=2.35, rings=15,
        ),
        _loft(
            neck - np.array([0.0, 0.0, 0.05]), head + np.array([0.0, 0.012, 0.03]),
            [(0.0, 0.06, 0.058, 0.0), (0.5, 0.05, 0.052, 0.0), (1.0, 0.048, 0.052, 0.0)],
            bone={"Spine3": (0.7, 0.0, 0.0), "Neck": (0.3, 1.0, 0.3), "Head": (0.0, 0.0, 0.7)},
            paint=Paint.JOINT, caps=(0.2, 0.2), rings=9,
        ),
    ]  # fmt: skip


def _head(joints: Mapping[str, FloatArray]) -> list[Shell]:
    head = joints["Head"]
    chin = head + np.array([0.0, -0.012, -0.03])
    crown = head + np.array([0.0, 0.0, 0.208])
    skull = _loft(
        chin, crown,
        [(0.0, 0.04, 0.052, 0.034), (0.1, 0.052, 0.07, 0.024), (0.28, 0.066, 0.09, 0.01),
         (0.5, 0.077, 0.102, 0.0), (0.75, 0.08, 0.104, -0.006), (1.0, 0.074, 0.096, -0.006)],
        bone="Head", caps=(0.7, 0.92), square=2.1, rings=23,
    )  # fmt: skip
    heights = (skull.rings[:, :, 2].mean(axis=1) - chin[2]) / (crown[2] - chin[2])
    at_eyes = (heights[:-1] > 0.41) & (heights[1:] < 0.66)
    middles = (np.arange(SIDES) + 0.5) * 2 * np.pi / SIDES
    facing = -np.sin(middles) > 0.3  # the loft goes round from its side, its front at three quarters
    skull.paint[np.ix_(at_eyes, facing)] = int(Paint.JOINT)
    return [skull]


def _leg(joints: Mapping[str, FloatArray], side: str, paint: Paint) -> list[Shell]:
    hip, knee, ankle = (joints[f"{side}_{name}"] for name in ("Hip", "Knee", "Ankle"))
    shin = _loft(
        knee, ankle,
        [(0.045, 0.049, 0.05, 0.002), (0.14, 0.053, 0.056, -0.003), (0.3, 0.057, 0.064, -0.012),
         (0.55, 0.046, 0.051, -0.01), (0.8, 0.036, 0.039, -0.001), (0.95, 0.036, 0.038, 0.0)],
        bone=f"{side}_Knee", caps=(0.6, 0.3), rings=17,
    )  # fmt: skip
    shin.paint[-5:-2] = int(paint)
    return [
        _ball(hip, 0.08, f"{side}_Hip"),
        _loft(
            hip, knee,
            [(-0.06, 0.064, 0.076, 0.0), (0.12, 0.086, 0.092, 0.004), (0.38, 0.081, 0.087, 0.007),
             (0.7, 0.062, 0.068, 0.005), (0.955, 0.052, 0.054, 0.002)],
            bone=f"{side}_Hip", caps=(0.9, 0.35), rings=15,
        ),
        _ball(knee, 0.051, f"{side}_Knee"),
        shin,
        _ball(ankle, 0.037, f"{side}_Ankle"),
    ]  # fmt: skip


def _foot(joints: Mapping[str, FloatArray], side: str, paint: Paint) -> list[Shell]:
    """A shoe whose sole is the floor: ankle to ball turns with the ankle, the toe cap with the foot."""
    ankle, ball = joints[f"{side}_Ankle"], joints[f"{side}_Foot"]
    outwards = (ball - ankle) * np.array([1.0, 1.0, 0.0])
    outwards /= np.linalg.norm(outwards)
    heel = np.array([ankle[0], ankle[1], 0.0]) - outwards * 0.062
    toe = np.array([ball[0], ball[1], 0.0]) + outwards * 0.09
    length = float(np.linalg.norm(toe - heel))
    share = float(np.linalg.norm(np.array([ball[0], ball[1], 0.0]) - heel)) / length

    def shoe(profile: Profile, bone: str, slot: int, caps: tuple[float, float]) -> Shell:
        """profile: (share, half width, height, unused): the ring stands on the floor."""
        raised = [(at, width, height / 2, height / 2) for at, width, height, _ in profile]
        return _loft(heel, toe, raised, bone=bone, paint=slot, front=_UP, caps=caps, square=2.7)

    return [
        shoe(
            [(0.0, 0.032, 0.064, 0.0), (0.18, 0.04, 0.086, 0.0), (0.4, 0.042, 0.08, 0.0),
             (share + 0.02, 0.05, 0.053, 0.0)],
            f"{side}_Ankle", Paint.SHELL, (0.7, 0.2),
        ),
        shoe(
            [(share - 0.03, 0.049, 0.053, 0.0), (share + 0.15, 0.049, 0.045, 0.0), (1.0, 0.033, 0.032, 0.0)],
            f"{side}_Foot", paint, (0.2, 1.0),
        ),
    ]  # fmt: skip


def _arm(joints: Mapping[str, FloatArray], side: str, paint: Paint) -> list[Shell]:
    collar, shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("Collar", "Shoulder", "Elbow", "Wrist"))
    forearm = _loft(
        elbow, wrist,
        [(0.06, 0.038, 0.039, 0.0), (0.18, 0.043, 0.044, 0.0), (0.35, 0.043, 0.044, 0.0), (0.7, 0.033, 0.033, 0.0),
         (0.95, 0.029, 0.027, 0.0)],
        bone=f"{side}_Elbow", caps=(0.6, 0.3), rings=17,
    )  # fmt: skip
    forearm.paint[-5:-2] = int(paint)
    return [
        _loft(
            collar + np.array([0.0, -0.004, 0.02]), shoulder,
            [(-0.2, 0.05, 0.05, 0.0), (0.4, 0.061, 0.062, 0.0), (0.8, 0.055, 0.057, 0.0)],
            bone=f"{side}_Collar", caps=(0.9, 0.35), rings=9,
        ),
        _ball(shoulder, 0.055, f"{side}_Collar"),
        _loft(
            shoulder, elbow,
            [(0.0, 0.055, 0.056, 0.0), (0.16, 0.059, 0.059, 0.0), (0.34, 0.052, 0.053, 0.0), (0.62, 0.045, 0.046, 0.0),
             (0.94, 0.038, 0.039, 0.0)],
            bone=f"{side}_Shoulder", caps=(0.8, 0.35), rings=13,
        ),
        _ball(elbow, 0.038, f"{side}_Elbow"),
        forearm,
        _ball(wrist, 0.028, f"{side}_Wrist"),
    ]  # fmt: skip


def _hand(joints: Mapping[str, FloatArray], side: str, sign: float) -> list[Shell]:
    wrist, knuckles = joints[f"{side}_Wrist"], joints[f"{side}_Hand"]
    tip = knuckles + np.array([0.105 * sign, 0.0, -0.008])
    thumb = wrist + np.array([0.032 * sign, -0.03, -0.004])
    mitten = _loft(
        wrist, tip,
        [(0.08, 0.021, 0.028, 0.0), (0.3, 0.022, 0.044, 0.0), (0.5, 0.019, 0.047, 0.0), (0.8, 0.015, 0.041, 0.0),
         (1.0, 0.011, 0.028, 0.0)],
        bone={f"{side}_Wrist": (1.0, 1.0, 0.5, 0.0, 0.0), f"{side}_Hand": (0.0, 0.0, 0.5, 1.0, 1.0)},
        caps=(0.6, 1.0), square=2.4, rings=13,
    )  # fmt: skip
    finger = _loft(
        thumb, thumb + np.array([0.062 * sign, -0.036, -0.01]),
        [(0.0, 0.016, 0.018, 0.0), (0.5, 0.0145, 0.016, 0.0), (1.0, 0.012, 0.013, 0.0)],
        bone=f"{side}_Wrist", front=_UP, caps=(1.0, 1.0), rings=9,
    )  # fmt: skip
    return [mitten, finger]
