"""Read an armature's animation back: keys of a take, or any animation as it is seen."""

from __future__ import annotations

import zlib
from collections.abc import Generator

import bpy
import numpy as np

from ..core.bone_frames import pelvis_positions, smpl_poses, smpl_poses_of_matrices
from ..core.errors import PirouetteError
from ..core.skeleton import JOINT_NAMES
from .action_curves import curves_by_path, values_at
from .armature import rest_head, rest_rotations
from .takes import Take

_CHECK_DIGITS = 4
_FRAMES_A_STEP = 4

BoneKeys = tuple[np.ndarray, np.ndarray]  # rotations (F, 24, 4), w first, unit; locations (F, 3) of the root


def check_rotation_modes(dancer: bpy.types.Object) -> None:
    """A take is keyed in quaternions. Raises PirouetteError bad_rig for a bone that is set to something else."""
    for name in JOINT_NAMES:
        mode = dancer.pose.bones[name].rotation_mode
        if mode != "QUATERNION":
            raise PirouetteError(
                "bad_rig",
                f"The bone {name} turns by {mode}; a dance is keyed in quaternions.",
                "Set its Mode back to Quaternion, or turn your animation into a dance of its own.",
            )


def read_keys_of(dancer: bpy.types.Object, take: Take, frames: np.ndarray) -> Generator[None, None, BoneKeys]:
    """Rotations and root locations that a take is keyed with at frames (F,) of its Action, a bone a step."""
    curves = curves_by_path(take.owner())

    def channel(bone: str, name: str, size: int, default: float) -> np.ndarray:
        path = f'pose.bones["{bone}"].{name}'
        found = [curves.get((path, index)) for index in range(size)]
        start = np.zeros(size)
        start[0] = default
        columns = [
            np.full(len(frames), start[index]) if curve is None else values_at(curve, frames)
            for index, curve in enumerate(found)
        ]
        return np.stack(columns, axis=-1)

    rotations = np.empty((len(frames), len(JOINT_NAMES), 4))
    for joint, name in enumerate(JOINT_NAMES):
        values = channel(name, "rotation_quaternion", 4, 1.0)
        lengths = np.linalg.norm(values, axis=-1, keepdims=True)
        rotations[:, joint] = np.where(lengths > 1e-9, values / np.maximum(lengths, 1e-9), [1.0, 0.0, 0.0, 0.0])
        yield
    return rotations, channel(JOINT_NAMES[0], "location", 3, 0.0)


def smpl_motion(dancer: bpy.types.Object, keys: BoneKeys, joints: slice) -> tuple[np.ndarray, np.ndarray]:
    """Poses (F, J, 3) axis-angle of some joints and pelvis (F, 3), metres, of what a dancer is keyed with."""
    rests = rest_rotations(dancer)
    poses = smpl_poses(keys[0][:, joints], rests[joints], first_joint=joints.start).astype(np.float32)
    return poses, pelvis_positions(keys[1], rests[0], rest_head(dancer)).astype(np.float32)


def checksums(keys: BoneKeys) -> np.ndarray:
    """A number (F,) int32, never 0, for the keys of each frame."""
    rotations, locations = keys
    upright = np.where(rotations[..., :1] < 0.0, -rotations, rotations)  # a quaternion and its negative turn alike
    rows = np.concatenate([upright.reshape(len(upright), -1), locations], axis=1)
    rounded = (np.round(rows, _CHECK_DIGITS) + 0.0).astype(np.float32)
    return np.array([(zlib.crc32(row.tobytes()) & 0x7FFFFFFF) or 1 for row in rounded], dtype=np.int32)


def read_animation(
    scene: bpy.types.Scene, dancer_name: str, *, first: int, last: int
) -> Generator[None, None, tuple[np.ndarray, np.ndarray]]:
    """Poses (F, 24, 3) and pelvis (F, 3) as they are seen on an armature in frames first to last, whatever moves it.

    The scene is back at its frame afterwards, also when the steps are not run to their end.
    """
    before, subframe = scene.frame_current, scene.frame_subframe
    count = last - first + 1
    turned = np.empty((count, len(JOINT_NAMES), 3, 3))
    heads = np.empty((count, 3))
    try:
        for index in range(count):
            scene.frame_set(first + index)
            bones = bpy.data.objects[dancer_name].pose.bones
            for joint, name in enumerate(JOINT_NAMES):
                turned[index, joint] = bones[name].matrix.to_3x3().normalized()
            heads[index] = bones[JOINT_NAMES[0]].head
            if index % _FRAMES_A_STEP == _FRAMES_A_STEP - 1:
                yield
    finally:
        scene.frame_set(before, subframe=subframe)
    poses = smpl_poses_of_matrices(turned, rest_rotations(bpy.data.objects[dancer_name]))
    return poses.astype(np.float32), heads.astype(np.float32)
