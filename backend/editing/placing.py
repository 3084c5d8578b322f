"""Where a motion stands: rigid turns about Z and shifts on the floor that let one motion go on from another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backend.motion.motion import Motion
from backend.motion.skeleton import forward_kinematics

FloatArray = npt.NDArray[np.float64]

FEET = [7, 8, 10, 11]
STANDING_WEIGHT = 12.0  # of a foot on the floor over another joint, when two poses are laid over each other
LOW_M = 0.12
EYES = 1e-9


@dataclass(frozen=True)
class Placement:
    """A turn about Z by yaw, radians, and then a shift by (x, y), metres."""

    yaw: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def still(self) -> bool:
        """Whether nothing moves at all."""
        return abs(self.yaw) < EYES and abs(self.x) < EYES and abs(self.y) < EYES

    def points(self, points: FloatArray) -> FloatArray:
        """Points (..., 3) turned and shifted."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(points @ turn.T + np.array([self.x, self.y, 0.0]))

    def motion(self, motion: Motion) -> Motion:
        """The motion turned and shifted; the very same one where nothing moves."""
        if self.still:
            return motion
        poses = motion.poses.copy()
        turned = Rotation.from_rotvec([0.0, 0.0, self.yaw]) * Rotation.from_rotvec(poses[:, 0].astype(np.float64))
        poses[:, 0] = turned.as_rotvec()
        return Motion(poses, self.points(motion.pelvis.astype(np.float64)), motion.fps)

    def after(self, first: Placement) -> Placement:
        """This placement done after another one."""
        x, y, _ = self.points(np.array([first.x, first.y, 0.0]))
        return Placement(self.yaw + first.yaw, float(x), float(y))

    def inverse(self) -> Placement:
        """The placement that undoes this one."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return Placement(-self.yaw, float(-cos * self.x - sin * self.y), float(sin * self.x - cos * self.y))


def heading(motion: Motion, frame: int) -> float:
    """Radians about Z that the pelvis faces in a frame."""
    left = Rotation.from_rotvec(motion.poses[frame, 0].astype(np.float64)).apply([1.0, 0.0, 0.0])
    return float(np.arctan2(left[1], left[0]))


def start_placement(motion: Motion, like: Motion) -> Placement:
    """What brings a motion's first pelvis over another motion's first, facing the same way."""
    turn = Placement(yaw=heading(like, 0) - heading(motion, 0))
    there, here = like.pelvis[0].astype(np.float64), turn.points(motion.pelvis[0].astype(np.float64))
    return Placement(turn.yaw, float(there[0] - here[0]), float(there[1] - here[1]))


def align(before: Motion, after: Motion) -> Placement:
    """What lets ``after`` go on from ``before``: its joints, half a frame early, laid over the others', half a frame
    late, in the least squares of the floor plane, feet that stand counting most (Kovar et al. 2002).
    """
    ends = forward_kinematics(before.poses[-2:], before.pelvis[-2:])
    starts = forward_kinematics(after.poses[:2], after.pelvis[:2])
    there = ends[-1] + 0.5 * (ends[-1] - ends[0])
    here = starts[0] - 0.5 * (starts[-1] - starts[0])
    weight = np.ones(len(there))
    low = np.maximum(there[FEET, 2], here[FEET, 2]) < LOW_M
    weight[FEET] = np.where(low, STANDING_WEIGHT, 1.0)
    weight = (weight / weight.sum())[:, None]
    centre_there, centre_here = (weight * there[:, :2]).sum(0), (weight * here[:, :2]).sum(0)
    a, b = here[:, :2] - centre_here, there[:, :2] - centre_there
    yaw = float(np.arctan2((weight[:, 0] * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])).sum(), (weight * a * b).sum()))
    turned = Placement(yaw=yaw).points(np.array([*centre_here, 0.0]))
    return Placement(yaw, float(centre_there[0] - turned[0]), float(centre_there[1] - turned[1]))


def arrival(before: Motion, after: Motion) -> Placement:
    """What brings the end of ``before`` to where ``after`` needs it, by place and heading of the pelvis alone."""
    steps = [_pelvis_step(before, before.frames - 1), _pelvis_step(after, 1)]
    turn = Placement(yaw=_wrapped(heading(after, 0) - heading(before, -1) - 0.5 * (steps[0][1] + steps[1][1])))
    there = after.pelvis[0].astype(np.float64) - 0.5 * (turn.points(steps[0][0]) + steps[1][0])
    here = turn.points(before.pelvis[-1].astype(np.float64))
    return Placement(turn.yaw, float(there[0] - here[0]), float(there[1] - here[1]))


def _pelvis_step(motion: Motion, frame: int) -> tuple[FloatArray, float]:
    """Step of the pelvis (3,) and turn of its heading into a frame."""
    if motion.frames < 2:
        return np.zeros(3), 0.0
    step = motion.pelvis[frame].astype(np.float64) - motion.pelvis[frame - 1]
    return step, _wrapped(heading(motion, frame) - heading(motion, frame - 1))


def _wrapped(angle: float) -> float:
    return float(np.arctan2(np.sin(angle), np.cos(angle)))


def pulled(motion: Motion, end: Placement) -> Motion:
    """The motion bent so that its end stands where ``end`` brings it, and its start where it stood.

    The turn grows smoothly and the path bends with it; what is still missing at the end is spread over all frames.
    """
    if end.still or motion.frames < 2:
        return end.motion(motion)
    share = np.arange(motion.frames) / (motion.frames - 1)
    smooth = share**3 * (10 - 15 * share + 6 * share**2)
    turns = np.zeros((motion.frames, 3))
    turns[:, 2] = smooth * _wrapped(end.yaw)
    rotation = Rotation.from_rotvec(turns)
    poses = motion.poses.copy()
    poses[:, 0] = (rotation * Rotation.from_rotvec(poses[:, 0].astype(np.float64))).as_rotvec()
    pelvis = motion.pelvis.astype(np.float64)
    steps = np.diff(pelvis, axis=0, prepend=pelvis[:1])
    path = pelvis[0] + np.cumsum(rotation.apply(steps), axis=0)
    missing = end.points(pelvis[-1:])[0] - path[-1]
    return Motion(poses, path + smooth[:, None] * missing, motion.fps)
