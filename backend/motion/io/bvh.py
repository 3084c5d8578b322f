"""Write a motion as BVH: the 24 joints, metres, Y up, Z forward, angles in degrees in the order Z, X, Y.

Blender's importer turns Y up into Z up and takes lengths as they are, so with its default settings the character comes
in life-size, upright and facing -Y. (Programs that read BVH as centimetres want a scale of 100.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.motion.io.atomic import replacing
from backend.motion.motion import Motion
from backend.motion.skeleton import JOINT_NAMES, OFFSETS_M, PARENTS, REST_TO_WORLD, axis_angle_to_matrix

_GIMBAL = 1.0 - 1e-9  # |sin X| above this: Z and Y turn about one axis and only their sum is known
# Where the last bones end, metres in the rest frame: top of the head, toes, fingertips.
_END_SITES_M = {
    "Head": (0.0, 0.16, 0.0),
    "L_Foot": (0.0, 0.0, 0.07),
    "R_Foot": (0.0, 0.0, 0.07),
    "L_Hand": (0.09, 0.0, 0.0),
    "R_Hand": (-0.09, 0.0, 0.0),
}


def write_bvh(path: Path, motion: Motion) -> None:
    """Write the motion to path, whole or not at all, at the motion's own frame rate.

    Raises PirouetteError("disk_full") or ("missing_file") where the file cannot be written.
    """
    rotations = axis_angle_to_matrix(motion.poses)
    rotations[:, 0] = REST_TO_WORLD.T @ rotations[:, 0]
    angles = np.degrees(continuous_zxy_angles(rotations))[:, _depth_first()]
    rows = np.concatenate([motion.pelvis @ REST_TO_WORLD, angles.reshape(motion.frames, -1)], axis=1)
    pattern = " ".join(["%.6f"] * rows.shape[1])
    lines = [*_hierarchy(), "MOTION", f"Frames: {motion.frames}", f"Frame Time: {1.0 / motion.fps:.9f}"]
    lines += [pattern % tuple(row) for row in rows.tolist()]
    with replacing(path) as file:
        file.write(("\n".join(lines) + "\n").encode("ascii"))


def zxy_angles(rotations: np.ndarray) -> np.ndarray:
    """Angles (..., 3) about Z, X, Y in radians with rotations (..., 3, 3) = Rz Rx Ry; at a gimbal lock Y is 0."""
    sine = np.clip(rotations[..., 2, 1], -1.0, 1.0)
    locked = np.abs(sine) > _GIMBAL
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    z = np.where(locked, np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]), z)
    return np.stack([z, np.arcsin(sine), np.where(locked, 0.0, y)], axis=-1)


def continuous_zxy_angles(rotations: np.ndarray) -> np.ndarray:
    """Angles (T, J, 3) about Z, X, Y in radians of rotations (T, J, 3, 3), each as near as can be to the frame before.

    Every rotation has two sets of angles, each up to whole turns, and at a gimbal lock a whole line of them.
    """
    first = zxy_angles(rotations)
    second = np.stack([first[..., 0] + np.pi, np.pi - first[..., 1], first[..., 2] + np.pi], axis=-1)
    sine = rotations[..., 2, 1]
    sign = np.where(np.abs(sine) > _GIMBAL, np.sign(sine), 0.0)
    angles = np.empty_like(first)
    previous = np.zeros_like(first[0])
    for frame in range(len(first)):
        near, far = (previous + _wrapped(option[frame] - previous) for option in (first, second))
        nearer = (np.abs(near - previous).sum(axis=-1) <= np.abs(far - previous).sum(axis=-1))[..., None]
        chosen = np.where(nearer, near, far)
        if sign[frame].any():
            locked = _at_gimbal_lock(first[frame], previous, sign[frame])
            chosen = np.where(sign[frame, :, None] != 0.0, locked, chosen)
        angles[frame] = previous = chosen
    return angles


def _wrapped(angles: np.ndarray) -> np.ndarray:
    """Angles within half a turn of 0."""
    wrapped: np.ndarray = (angles + np.pi) % (2.0 * np.pi) - np.pi
    return wrapped


def _at_gimbal_lock(angles: np.ndarray, previous: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Locked angles (J, 3) with Z kept from the frame before: Z + sign * Y is all that the rotation says."""
    known = angles[..., 0]
    y = previous[..., 2] + _wrapped(sign * (known - previous[..., 0]) - previous[..., 2])
    x = previous[..., 1] + _wrapped(angles[..., 1] - previous[..., 1])
    return np.stack([previous[..., 0], x, y], axis=-1)


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _depth_first(joint: int = 0) -> list[int]:
    """The joints in the order in which the hierarchy names them, and the motion lists their channels."""
    return [joint, *(below for child in _children(joint) for below in _depth_first(child))]


def _hierarchy() -> list[str]:
    return ["HIERARCHY", *_joint_lines(0, "")]


def _joint_lines(joint: int, indent: str) -> list[str]:
    """The block of a joint and all below it. The root's place is in its channels, so its offset is nothing."""
    channels = "Zrotation Xrotation Yrotation"
    channels = f"3 {channels}" if joint else f"6 Xposition Yposition Zposition {channels}"
    deeper = indent + "\t"
    lines = [
        f"{indent}{'JOINT' if joint else 'ROOT'} {JOINT_NAMES[joint]}",
        f"{indent}{{",
        f"{deeper}OFFSET {_metres(OFFSETS_M[joint])}",
        f"{deeper}CHANNELS {channels}",
    ]
    for child in _children(joint):
        lines += _joint_lines(child, deeper)
    if JOINT_NAMES[joint] in _END_SITES_M:
        end = np.array(_END_SITES_M[JOINT_NAMES[joint]])
        lines += [f"{deeper}End Site", f"{deeper}{{", f"{deeper}\tOFFSET {_metres(end)}", f"{deeper}}}"]
    return [*lines, f"{indent}}}"]


def _metres(vector: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in vector)
