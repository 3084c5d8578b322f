"""How far a dance is from a whole-body key pose, measured from what was asked for and not by the final pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from backend.directions import WHOLE_BODY, KeyPose
from backend.evaluation.directed.facing import facing_joints, turn_about_vertical, turned
from backend.motion.motion import Motion
from backend.motion.skeleton import forward_kinematics

BESIDE_S = 0.1


@dataclass(frozen=True)
class LockError:
    """One lock. distance_m: KPD, mean over the 24 joints with both pelvises at the origin, and, where the heading is
    free, the key pose turned to the dance's; angle_deg, worst_angle_deg: mean and largest angle between the joints'
    rotations, the pelvis turned likewise; height_m: of the pelvis; place_m, heading_deg: None where they are free.
    """

    distance_m: float
    angle_deg: float
    worst_angle_deg: float
    height_m: float
    place_m: float | None
    heading_deg: float | None


def key_frame(key: KeyPose, fps: float) -> int:
    """The frame of a key pose."""
    return round(key.time_s * fps)


def lock_error(motion: Motion, key: KeyPose) -> LockError:
    """The error of a dance at a key pose's frame.

    Raises ValueError for a key pose of some joints only, and for a time outside the dance.
    """
    frame = key_frame(key, motion.fps)
    if key.joints != WHOLE_BODY:
        raise ValueError("a lock's error is defined for the whole body")
    if not 0 <= frame < motion.frames:
        raise ValueError(f"the lock at {key.time_s:g} s is outside the dance of {motion.duration_s:g} s")
    danced, asked = (np.asarray(pose, dtype=np.float64).copy() for pose in (motion.poses[frame], key.pose))
    turn = turn_about_vertical(Rotation.from_rotvec(danced[0]) * Rotation.from_rotvec(asked[0]).inv())
    if not key.heading:
        asked[0] = turned(Rotation.from_rotvec(asked[:1]), turn).as_rotvec()[0]
    between = (Rotation.from_rotvec(danced) * Rotation.from_rotvec(asked).inv()).magnitude()
    one, other = (forward_kinematics(pose, np.zeros(3)) for pose in (danced, asked))
    away = motion.pelvis[frame].astype(np.float64) - key.pelvis
    return LockError(
        distance_m=float(np.linalg.norm(one - other, axis=-1).mean()),
        angle_deg=float(np.degrees(between.mean())),
        worst_angle_deg=float(np.degrees(between.max())),
        height_m=float(abs(away[2])),
        place_m=float(np.linalg.norm(away[:2])) if key.place else None,
        heading_deg=float(abs(np.degrees(turn[0]))) if key.heading else None,
    )


def beside(motion: Motion, key: KeyPose) -> float:
    """KPD of the frames 0.1 s before and after a lock, m: small where the dance comes to the pose, and goes from it."""
    frame, away = key_frame(key, motion.fps), round(BESIDE_S * motion.fps)
    frames = [each for each in (frame - away, frame + away) if 0 <= each < motion.frames]
    errors = [lock_error(motion, replace(key, time_s=each / motion.fps)).distance_m for each in frames]
    return float(np.mean(errors))


def pose_change(dances: Sequence[Motion]) -> float:
    """How much poses of dances change in 0.1 s, as KPD, m."""
    changes = []
    for motion in dances:
        joints, away = facing_joints(motion), round(BESIDE_S * motion.fps)
        changes.append(np.linalg.norm(joints[away:] - joints[:-away], axis=-1).mean(axis=-1))
    return float(np.concatenate(changes).mean())
