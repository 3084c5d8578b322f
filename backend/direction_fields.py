"""Key poses and accents as plain fields and arrays, as files and messages hold them, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.directions import KeyPose
from backend.errors import PirouetteError

FloatArray = npt.NDArray[np.float32]

NO_KEY_POSES = np.zeros((0, 24, 3), dtype=np.float32)
NO_KEY_PELVIS = np.zeros((0, 3), dtype=np.float32)


def key_pose_fields(key_poses: Sequence[KeyPose]) -> list[dict[str, Any]]:
    """What of each key pose is JSON: its time, joints, place and heading."""
    return [
        {
            "time_s": float(key.time_s),
            "joints": [int(joint) for joint in key.joints],
            "place": bool(key.place),
            "heading": bool(key.heading),
        }
        for key in key_poses
    ]


def key_pose_arrays(key_poses: Sequence[KeyPose]) -> dict[str, FloatArray]:
    """``key_poses`` (K, 24, 3) axis-angle and ``key_pelvis`` (K, 3) metres, in the order of the fields."""
    if not key_poses:
        return {"key_poses": NO_KEY_POSES, "key_pelvis": NO_KEY_PELVIS}
    return {
        "key_poses": np.stack([np.asarray(key.pose, dtype=np.float32) for key in key_poses]),
        "key_pelvis": np.stack([np.asarray(key.pelvis, dtype=np.float32) for key in key_poses]),
    }


def key_poses_from(
    fields: object, poses: FloatArray = NO_KEY_POSES, pelvis: FloatArray = NO_KEY_PELVIS
) -> tuple[KeyPose, ...]:
    """Key poses of their fields and arrays, in the order of time. Raises PirouetteError("bad_request")."""
    listed = _listed(fields, "key poses")
    if poses.shape != (len(listed), 24, 3) or pelvis.shape != (len(listed), 3):
        raise PirouetteError(
            "bad_request",
            f"{len(listed)} key poses need poses of 24 joints and a place each, not {poses.shape} and {pelvis.shape}.",
        )
    found = [_key_pose(values, poses[number], pelvis[number]) for number, values in enumerate(listed)]
    return tuple(sorted(found, key=lambda key: key.time_s))


def accents_from(values: object) -> tuple[float, ...]:
    """Accents, seconds, in order, each once. Raises PirouetteError("bad_request")."""
    return tuple(sorted({seconds_from(value, "An accent") for value in _listed(values, "accents")}))


def seconds_from(value: object, what: str) -> float:
    """A moment of the dance as a number. Raises PirouetteError("bad_request")."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0.0:
        raise PirouetteError("bad_request", f"{what} cannot be at {value!r} seconds.", "Times start at 0.")
    return float(value)


def _listed(values: object, what: str) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise PirouetteError("bad_request", f"The {what} are no list.")
    return list(values)


def _key_pose(values: object, pose: FloatArray, pelvis: FloatArray) -> KeyPose:
    if not isinstance(values, Mapping):
        raise PirouetteError("bad_request", "A key pose is no object with a time.")
    joints = _listed(values.get("joints", []), "joints of a key pose")
    if any(isinstance(joint, bool) or not isinstance(joint, int) for joint in joints):
        raise PirouetteError("bad_request", "The joints of a key pose are numbers from 0 to 23.")
    return KeyPose(
        time_s=seconds_from(values.get("time_s"), "A key pose"),
        pose=np.ascontiguousarray(pose, dtype=np.float32),
        pelvis=np.ascontiguousarray(pelvis, dtype=np.float32),
        joints=tuple(sorted(set(joints))),
        place=values.get("place") is True,
        heading=values.get("heading") is True,
    )
