"""Geometric features of a dance (Müller et al. 2005, as used by Li et al. 2021): the space of FID_g and Div_g.

32 yes-or-no relations between joints, averaged over the frames: thirteen of each side and six of the whole body.
Lengths are measured in upper arms, shoulder widths and hip widths of the body.

The public code differs from the definition in four ways, which compat keeps. Velocities are taken at 120 fps. The
``move`` relations look at their third joint in place of the fourth relative to the third. The normals of three kinds of
plane are not mirrored, so that the right hand must go backward where the left must go forward. And one of its two
variants reads the body's sizes from the wrong joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.evaluation.modes import Mode
from backend.motion.skeleton import JOINT_NAMES, MIRROR, OFFSETS_M, PARENTS

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
COMPAT_FPS = 120.0
UP = np.array([0.0, 0.0, 1.0])
BENT_DEG = (0.0, 110.0)
ARM_OUT_DEG = (25.0, 180.0)
LEG_OUT_DEG = (50.0, 180.0)
LYING_DEG = (70.0, 110.0)


@dataclass(frozen=True)
class BodySizes:
    """Lengths in metres by which the thresholds scale."""

    upper_arm: float
    shoulders: float
    hips: float


def _rest_distance(a: str, b: str) -> float:
    places = np.zeros((len(PARENTS), 3))
    for joint in range(1, len(PARENTS)):
        places[joint] = places[PARENTS[joint]] + OFFSETS_M[joint]
    return float(np.linalg.norm(places[JOINT_NAMES.index(a)] - places[JOINT_NAMES.index(b)]))


# The sizes of the AIST++ code are those of the mean body.
MEAN_BODY = BodySizes(
    _rest_distance("L_Shoulder", "L_Elbow"),
    _rest_distance("L_Shoulder", "R_Shoulder"),
    _rest_distance("L_Hip", "R_Hip"),
)
# Bailando's variant, on which most published tables rest: distances between other joints than it names.
BAILANDO_SIZES = BodySizes(upper_arm=0.24932, shoulders=0.48571, hips=0.42414)


class Frames:
    """Joints by name at frames 1 to T - 1, and their velocities since the frame before."""

    def __init__(self, joints: FloatArray, *, fps: float) -> None:
        self.joints = joints
        self.fps = fps

    def __getitem__(self, name: str) -> FloatArray:
        return self.joints[1:, JOINT_NAMES.index(name)]

    def velocity(self, name: str) -> FloatArray:
        """(T - 1, 3) in m/s."""
        joint = self.joints[:, JOINT_NAMES.index(name)]
        return np.diff(joint, axis=0) * self.fps

    def floor(self) -> FloatArray:
        """(T - 1,) height of the lowest joint."""
        lowest: FloatArray = self.joints[1:, :, 2].min(axis=1)
        return lowest

    def mirrored(self) -> Frames:
        """The body in the mirror: its left is this one's right."""
        return Frames(self.joints[:, list(MIRROR)] * np.array([-1.0, 1.0, 1.0]), fps=self.fps)


def _along(vectors: FloatArray, directions: FloatArray) -> FloatArray:
    """Components (T,) of vectors along directions, both (T, 3); 0 where there is no direction."""
    length = np.linalg.norm(directions, axis=-1)
    share: FloatArray = np.einsum("ti,ti->t", vectors, directions) / np.maximum(length, 1e-12)
    return share


def _normal(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Normals (T, 3) of the planes through three points each."""
    return np.cross(b - a, c - a)


def _angle_within(a: FloatArray, b: FloatArray, range_deg: tuple[float, float]) -> BoolArray:
    """Whether the angle between vectors (T, 3) lies within a range in degrees."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = np.einsum("ti,ti->t", a, b) / np.maximum(lengths, 1e-12)
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    within: BoolArray = (angle > range_deg[0]) & (angle < range_deg[1])
    return within


def _side(f: Frames, sizes: BodySizes) -> list[BoolArray]:
    """The thirteen relations of the right side, in the order of the public code."""
    arm, wrist, ankle = sizes.upper_arm, f["R_Wrist"], f["R_Ankle"]
    hips_forward = _normal(f["Neck"], f["R_Hip"], f["L_Hip"])
    left_leg_forward = _normal(f["Pelvis"], f["L_Foot"], f["L_Hip"])
    hand, root = f.velocity("R_Wrist"), f.velocity("Pelvis")
    trunk = f["Pelvis"] - f["Neck"]
    return [
        _along(hand - f.velocity("Neck"), hips_forward) > 1.8 * arm,  # hand goes forward
        _along(wrist - f["Neck"], f["Neck"] - f["Spine3"]) > 0.2 * arm,  # hand above the neck
        _along(hand - f.velocity("Spine3"), f["Spine3"] - f["Spine1"]) > 1.8 * arm,  # hand goes up
        _angle_within(f["R_Shoulder"] - f["R_Elbow"], wrist - f["R_Elbow"], BENT_DEG),
        _along(hand - root, wrist - f["Pelvis"]) > 1.4 * arm,  # hand leaves the body
        np.linalg.norm(hand, axis=-1) > 2.5 * arm,
        _along(ankle - f["Pelvis"], -left_leg_forward) > 0.38 * arm,  # foot behind the other leg
        ankle[:, 2] - f.floor() > 1.2 * arm,  # foot raised
        _angle_within(f["R_Hip"] - f["R_Knee"], ankle - f["R_Knee"], BENT_DEG),
        np.linalg.norm(f.velocity("R_Ankle"), axis=-1) > 2.5 * arm,
        _angle_within(trunk, f["R_Elbow"] - f["R_Shoulder"], ARM_OUT_DEG),
        _angle_within(trunk, f["R_Knee"] - f["R_Hip"], LEG_OUT_DEG),
        wrist[:, 2] - f.floor() < 1.2 * arm,  # hand lowered
    ]


def _whole(f: Frames, sizes: BodySizes) -> list[BoolArray]:
    """The six relations of both sides together: hands apart, hands approach, feet apart, bow, lying, root fast."""
    between = f["R_Wrist"] - f["L_Wrist"]
    approach = _along(f.velocity("L_Wrist") - f.velocity("R_Wrist"), between)
    frontal = _normal(f["R_Ankle"], f["L_Ankle"], f["Neck"])
    trunk = f["Pelvis"] - f["Neck"]
    return [
        _along(between, f["R_Shoulder"] - f["L_Shoulder"]) > 2.5 * sizes.shoulders,
        approach > 1.4 * sizes.upper_arm,
        _along(f["R_Ankle"] - f["L_Ankle"], f["R_Hip"] - f["L_Hip"]) > 2.1 * sizes.hips,
        _along(f["Pelvis"] - f["R_Ankle"], -frontal) > 0.5 * sizes.upper_arm,  # hips behind feet and neck
        _angle_within(trunk, np.broadcast_to(UP, trunk.shape), LYING_DEG),
        np.linalg.norm(f.velocity("Pelvis"), axis=-1) > 2.3 * sizes.upper_arm,
    ]


def _public_faults(
    f: Frames, right: list[BoolArray], left: list[BoolArray], whole: list[BoolArray], arm: float
) -> None:
    """Put the relations that the public code computes otherwise in place of ours."""
    hips_forward = _normal(f["Neck"], f["R_Hip"], f["L_Hip"])
    hand = f.velocity("R_Wrist") - f.velocity("Neck")
    right[0] = _along(hand, -hips_forward) > 1.8 * arm
    trunk_up = f["Spine3"] - f["Spine1"]
    right[2] = left[2] = _along(f.velocity("Spine3") - f.velocity("Spine1"), trunk_up) > 1.8 * arm
    apart = f.velocity("L_Wrist") - f.velocity("R_Wrist")
    right[4] = _along(apart, f["Pelvis"] - f["R_Wrist"]) > 1.4 * arm
    left[4] = _along(-apart, f["Pelvis"] - f["L_Wrist"]) > 1.4 * arm
    left_leg_forward = _normal(f["Pelvis"], f["L_Foot"], f["L_Hip"])
    right[6] = _along(f["R_Ankle"] - f["Pelvis"], left_leg_forward) > 0.38 * arm
    whole[1] = _along(-apart, f["R_Wrist"] - f["L_Wrist"]) > 1.4 * arm
    frontal = _normal(f["R_Ankle"], f["L_Ankle"], f["Neck"])
    whole[3] = _along(f["Pelvis"] - f["R_Ankle"], frontal) > 0.5 * arm


def geometric_features(
    joints: np.ndarray, *, fps: float, mode: Mode = "fixed", sizes: BodySizes | None = None
) -> FloatArray:
    """Share of frames in which each of 32 relations holds.

    joints: (T, 24, 3) positions in metres, Z up. sizes: the mean body's where None, in compat mode Bailando's; fps is
    not heeded in compat mode, which takes all motion for 120 fps.
    Returns (32,), each 0 to 1: pairs of right and left, then what concerns the whole body.
    Raises ValueError for fewer than 2 frames.
    """
    if len(joints) < 2:
        raise ValueError(f"geometric features need at least 2 frames, got {len(joints)}")
    compat = mode == "compat"
    sizes = sizes or (BAILANDO_SIZES if compat else MEAN_BODY)
    frames = Frames(np.asarray(joints, dtype=np.float64), fps=COMPAT_FPS if compat else fps)
    right, left = _side(frames, sizes), _side(frames.mirrored(), sizes)
    whole = _whole(frames, sizes)
    if compat:
        _public_faults(frames, right, left, whole, sizes.upper_arm)
    relations = [relation for pair in zip(right, left, strict=True) for relation in pair] + whole
    return np.asarray(np.stack(relations).mean(axis=1), dtype=np.float64)
