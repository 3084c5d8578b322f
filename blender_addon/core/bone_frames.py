"""How the 24 SMPL joints become Blender bones, and SMPL rotations become pose-bone rotations. No bpy.

A pose bone turns about its own rest axes; SMPL turns about the axes of its rest frame. With R the rest orientation of a
bone in the armature and W the turn from SMPL's rest frame (Y up) into Blender's (Z up), a local SMPL rotation L reads
``R^-1 W L W^-1 R`` in the bone. That turns the axis of the rotation and keeps its angle, so an axis-angle vector ``a``
is simply ``(W^-1 R)^T a``. The root rotation already leads into the world: there it is ``(R^-1 G R)(R^-1 W^-1 R)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .quaternions import from_matrices, times
from .resample import axis_angle_to_quaternion, continuous_quaternions, quaternion_to_axis_angle
from .skeleton import JOINT_NAMES, OFFSETS_M, PARENTS, REST_TO_WORLD

FloatArray = npt.NDArray[np.float64]

FLOOR_TO_BALL_M = 0.02  # the foot joints of planted feet lie about this high
# Which child a bone points at; the others point where their entry in _LEAF_TAILS_M says (SMPL's rest frame, metres).
_POINTS_AT = {
    "Pelvis": "Spine1", "Spine1": "Spine2", "Spine2": "Spine3", "Spine3": "Neck", "Neck": "Head",
    "L_Hip": "L_Knee", "L_Knee": "L_Ankle", "L_Ankle": "L_Foot",
    "R_Hip": "R_Knee", "R_Knee": "R_Ankle", "R_Ankle": "R_Foot",
    "L_Collar": "L_Shoulder", "L_Shoulder": "L_Elbow", "L_Elbow": "L_Wrist", "L_Wrist": "L_Hand",
    "R_Collar": "R_Shoulder", "R_Shoulder": "R_Elbow", "R_Elbow": "R_Wrist", "R_Wrist": "R_Hand",
}  # fmt: skip
_LEAF_TAILS_M = {
    "Head": (0.0, 0.18, 0.0),
    "L_Foot": (0.01, 0.0, 0.08), "R_Foot": (-0.01, 0.0, 0.08),
    "L_Hand": (0.1, -0.005, 0.0), "R_Hand": (-0.1, -0.005, 0.0),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class RestBones:
    """The rest pose in armature space, metres. heads, tails: (24, 3); rolls_towards: (24, 3), where Z points."""

    heads: FloatArray
    tails: FloatArray
    rolls_towards: FloatArray


def rest_joints() -> FloatArray:
    """The joints (24, 3) of the rest pose, metres: a T-pose facing -Y that stands on the floor."""
    joints = np.zeros((len(JOINT_NAMES), 3))
    for joint in range(1, len(PARENTS)):
        joints[joint] = joints[PARENTS[joint]] + REST_TO_WORLD @ OFFSETS_M[joint]
    joints[:, 2] += FLOOR_TO_BALL_M - joints[:, 2].min()
    return joints


def rest_bones() -> RestBones:
    """Heads at the joints, tails at the next joint, Z to the front (feet: up), alike on both sides."""
    heads = rest_joints()
    tails = np.empty_like(heads)
    towards = np.tile(np.array([0.0, -1.0, 0.0]), (len(JOINT_NAMES), 1))
    for index, name in enumerate(JOINT_NAMES):
        if name in _POINTS_AT:
            tails[index] = heads[JOINT_NAMES.index(_POINTS_AT[name])]
        else:
            tails[index] = heads[index] + REST_TO_WORLD @ np.array(_LEAF_TAILS_M[name])
        if name.endswith(("Foot", "Ankle")):
            towards[index] = (0.0, 0.0, 1.0)
    return RestBones(heads, tails, towards)


def bone_rotations(poses: npt.NDArray[np.floating], rest_rotations: FloatArray, *, first_joint: int = 0) -> FloatArray:
    """Pose-bone quaternions (T, J, 4), w first and sign-continuous, of SMPL poses (T, J, 3) axis-angle, radians.

    The J joints follow one another in the skeleton from ``first_joint`` on.
    rest_rotations: (J, 3, 3), each bone's rest orientation in armature space.
    """
    into_bone = np.swapaxes(rest_rotations, -1, -2) @ REST_TO_WORLD  # (J, 3, 3)
    if first_joint == 0:
        into_bone[0] = rest_rotations[0].T
    axes = np.einsum("jab,tjb->tja", into_bone, np.asarray(poses, dtype=np.float64))
    quaternions = axis_angle_to_quaternion(axes)
    if first_joint == 0:
        back = axis_angle_to_quaternion(rest_rotations[0].T @ np.array([-0.5 * np.pi, 0.0, 0.0]))  # R^-1 W^-1 R
        quaternions[:, 0] = times(quaternions[:, 0], back)
    return continuous_quaternions(quaternions)


def bone_locations(pelvis: npt.NDArray[np.floating], rest_rotation: FloatArray, rest_head: FloatArray) -> FloatArray:
    """Locations (T, 3) of the root pose bone from pelvis positions (T, 3): in the bone's own rest axes, metres."""
    located: FloatArray = (np.asarray(pelvis, dtype=np.float64) - rest_head) @ rest_rotation
    return located


def smpl_poses(rotations: npt.NDArray[np.floating], rest_rotations: FloatArray, *, first_joint: int = 0) -> FloatArray:
    """SMPL poses (T, J, 3) axis-angle, radians, of pose-bone quaternions (T, J, 4): undoes ``bone_rotations``."""
    into_bone = np.swapaxes(rest_rotations, -1, -2) @ REST_TO_WORLD
    quaternions = np.array(rotations, dtype=np.float64)
    if first_joint == 0:
        into_bone[0] = rest_rotations[0].T
        forth = axis_angle_to_quaternion(rest_rotations[0].T @ np.array([0.5 * np.pi, 0.0, 0.0]))
        quaternions[:, 0] = times(quaternions[:, 0], forth)
    poses: FloatArray = np.einsum("jab,tja->tjb", into_bone, quaternion_to_axis_angle(quaternions))
    return poses


def pelvis_positions(
    locations: npt.NDArray[np.floating], rest_rotation: FloatArray, rest_head: FloatArray
) -> FloatArray:
    """Pelvis positions (T, 3), metres, of the root pose bone's locations (T, 3): undoes ``bone_locations``."""
    positions: FloatArray = np.asarray(locations, dtype=np.float64) @ rest_rotation.T + rest_head
    return positions


def smpl_poses_of_matrices(matrices: npt.NDArray[np.floating], rest_rotations: FloatArray) -> FloatArray:
    """SMPL poses (T, 24, 3) of posed bones: matrices (T, 24, 3, 3), each bone's orientation in armature space."""
    turned = matrices @ np.swapaxes(rest_rotations, -1, -2) @ REST_TO_WORLD
    local = np.array(turned)
    for joint in range(1, len(PARENTS)):
        local[:, joint] = np.swapaxes(turned[:, PARENTS[joint]], -1, -2) @ turned[:, joint]
    return quaternion_to_axis_angle(from_matrices(local))
