"""Key poses: what the animator has locked, and how it is stored and sent. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .skeleton import JOINT_NAMES

FloatArray = npt.NDArray[np.float32]

SHIFT_REACH_FRAMES = 8  # how far from a lock time is bent
WHOLE_BODY = tuple(range(len(JOINT_NAMES)))
_SIDES = ("L", "R")
ARMS = tuple(
    sorted(JOINT_NAMES.index(f"{s}_{n}") for s in _SIDES for n in ("Collar", "Shoulder", "Elbow", "Wrist", "Hand"))
)
LEGS = tuple(sorted(JOINT_NAMES.index(f"{s}_{n}") for s in _SIDES for n in ("Hip", "Knee", "Ankle", "Foot")))


@dataclass(frozen=True, eq=False)
class KeyPose:
    """A pose that the dance passes through at a time, or a place that it passes.

    time_s: from the dance's first frame; pose: (24, 3) axis-angle; pelvis: (3,) metres in the dance's world;
    joints: numbers of the joints whose rotations are locked; 0, the pelvis, is its lean and height; none: a place
    alone; place: whether the pelvis must be above this place of the floor; heading: whether it must face as the pose.
    """

    time_s: float
    pose: FloatArray
    pelvis: FloatArray
    joints: tuple[int, ...] = WHOLE_BODY
    place: bool = False
    heading: bool = False


def key_pose_fields(key_poses: Sequence[KeyPose]) -> list[dict[str, Any]]:
    """What of each key pose is JSON."""
    return [
        {"time_s": float(key.time_s), "joints": list(key.joints), "place": key.place, "heading": key.heading}
        for key in key_poses
    ]


def key_pose_arrays(key_poses: Sequence[KeyPose]) -> dict[str, FloatArray]:
    """``key_poses`` (K, 24, 3) axis-angle and ``key_pelvis`` (K, 3) metres."""
    poses = np.zeros((len(key_poses), len(JOINT_NAMES), 3), dtype=np.float32)
    pelvis = np.zeros((len(key_poses), 3), dtype=np.float32)
    for index, key in enumerate(key_poses):
        poses[index], pelvis[index] = key.pose, key.pelvis
    return {"key_poses": poses, "key_pelvis": pelvis}


def key_poses_from(fields: Sequence[Any], poses: FloatArray, pelvis: FloatArray) -> tuple[KeyPose, ...]:
    """Key poses of their fields and arrays, in order of time. Raises ValueError, TypeError or KeyError for others."""
    if poses.shape != (len(fields), len(JOINT_NAMES), 3) or pelvis.shape != (len(fields), 3):
        raise ValueError(f"{len(fields)} key poses with poses {poses.shape} and places {pelvis.shape}")
    if not (np.isfinite(poses).all() and np.isfinite(pelvis).all()):
        raise ValueError("key poses that are not finite")
    found = []
    for index, values in enumerate(fields):
        time_s, joints = float(values["time_s"]), tuple(int(joint) for joint in values["joints"])
        if not np.isfinite(time_s) or any(joint not in WHOLE_BODY for joint in joints):
            raise ValueError(f"a key pose at {time_s} s of the joints {joints}")
        found.append(
            KeyPose(
                time_s,
                poses[index].copy(),
                pelvis[index].copy(),
                joints,
                bool(values["place"]),
                bool(values["heading"]),
            )
        )
    return tuple(sorted(found, key=lambda key: key.time_s))


def what_is_locked(joints: Sequence[int], *, place: bool, heading: bool) -> str:
    """In the animator's words, such as ``Whole body, place`` or ``3 bones, facing``."""
    chosen = tuple(sorted(joints))
    words = []
    if chosen == WHOLE_BODY:
        words.append("Whole body")
    elif chosen == ARMS:
        words.append("Arms, hands")
    elif chosen == LEGS:
        words.append("Legs")
    elif len(chosen) == 1:
        words.append(JOINT_NAMES[chosen[0]].replace("_", " "))
    elif chosen:
        words.append(f"{len(chosen)} bones")
    words += [word for word, wanted in (("place", place), ("facing", heading)) if wanted]
    text = ", ".join(words) or "nothing"
    return text[0].upper() + text[1:]


def shifts_to_locks(
    lock_times_s: Sequence[float], *, frames: int, source_fps: float, target_fps: float
) -> npt.NDArray[np.float64] | None:
    """By how many source frames each frame (frames,) is taken later, so that a lock's frame shows the lock exactly.

    The dance passes through a lock at a whole source frame; the nearest frame at another rate lies up to half a source
    frame beside it. Time is bent by that little over some frames around. None where nothing is to be bent.
    """
    points: dict[int, float] = {}
    for time_s in lock_times_s:
        target = round(time_s * target_fps)
        if 0 <= target < frames:
            points[target] = round(time_s * source_fps) - target * source_fps / target_fps
    if source_fps == target_fps or not any(abs(shift) > 1e-9 for shift in points.values()):
        return None
    locks = sorted(points)
    for left, right in zip([-1 << 30, *locks], [*locks, 1 << 30], strict=True):
        if right - left > 2 * SHIFT_REACH_FRAMES:
            points |= {left + SHIFT_REACH_FRAMES: 0.0, right - SHIFT_REACH_FRAMES: 0.0}
    known = sorted(points)
    bent: npt.NDArray[np.float64] = np.interp(np.arange(frames), known, [points[frame] for frame in known])
    return bent
