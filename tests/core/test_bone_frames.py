"""Pose-bone rotations against matrices, without Blender."""

from __future__ import annotations

import numpy as np

from blender_addon.core.bone_frames import (
    FLOOR_TO_BALL_M,
    bone_locations,
    bone_rotations,
    pelvis_positions,
    rest_bones,
    rest_joints,
    smpl_poses,
    smpl_poses_of_matrices,
)
from blender_addon.core.skeleton import (
    JOINT_NAMES,
    MIRROR,
    PARENTS,
    REST_TO_WORLD,
    axis_angle_to_matrix,
    forward_kinematics,
    global_rotations,
)


def random_rotations(count: int, *, seed: int) -> np.ndarray:
    return axis_angle_to_matrix(np.random.default_rng(seed).normal(size=(count, 3)) * 2.0)


def to_matrices(quaternions: np.ndarray) -> np.ndarray:
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def test_the_rest_pose_stands_on_the_floor_and_is_the_skeletons_own() -> None:
    joints = rest_joints()
    assert np.isclose(joints[:, 2].min(), FLOOR_TO_BALL_M)
    upright = np.zeros((24, 3))
    upright[0, 0] = np.pi / 2  # the root turns SMPL's rest frame into the world
    assert np.allclose(forward_kinematics(upright, joints[0]), joints)


def test_no_bone_is_too_short_and_every_roll_is_well_defined() -> None:
    rest = rest_bones()
    along = rest.tails - rest.heads
    lengths = np.linalg.norm(along, axis=1)
    assert lengths.min() > 0.04
    cosines = np.einsum("ja,ja->j", along / lengths[:, None], rest.rolls_towards)
    assert np.abs(cosines).max() < 0.95


def test_bones_of_both_sides_point_alike() -> None:
    rest = rest_bones()
    along = rest.tails - rest.heads
    mirrored = along[list(MIRROR)] * np.array([-1.0, 1.0, 1.0])
    assert np.abs(along - mirrored).max() < 0.04


def test_rotations_in_the_bones_own_axes_give_smpls_pose_whatever_the_rest_orientations() -> None:
    rests = random_rotations(24, seed=1)
    poses = np.random.default_rng(2).normal(size=(5, 24, 3))
    basis = to_matrices(bone_rotations(poses, rests))
    pelvis = np.random.default_rng(3).normal(size=(5, 3))
    located = bone_locations(pelvis, rests[0], rest_joints()[0])
    expected = forward_kinematics(poses, pelvis)
    for frame in range(5):
        matrices, heads = np.empty((24, 3, 3)), np.empty((24, 3))
        matrices[0] = rests[0] @ basis[frame, 0]
        heads[0] = rest_joints()[0] + rests[0] @ located[frame]
        for joint in range(1, 24):  # what Blender does: the parent's pose, the rest relation, the bone's own rotation
            parent = PARENTS[joint]
            matrices[joint] = matrices[parent] @ rests[parent].T @ rests[joint] @ basis[frame, joint]
            offset = rest_joints()[joint] - rest_joints()[parent]
            heads[joint] = heads[parent] + matrices[parent] @ rests[parent].T @ offset
        assert np.abs(heads - expected[frame]).max() < 1e-9


def turns(poses: np.ndarray) -> np.ndarray:
    return axis_angle_to_matrix(poses)


def test_what_bones_are_keyed_with_is_read_back_as_smpl() -> None:
    rests = random_rotations(24, seed=5)
    poses = np.random.default_rng(6).normal(size=(7, 24, 3))
    pelvis = np.random.default_rng(7).normal(size=(7, 3))
    found = smpl_poses(bone_rotations(poses, rests), rests)
    assert np.abs(turns(found) - turns(poses)).max() < 1e-9
    part = smpl_poses(bone_rotations(poses[:, 5:8], rests[5:8], first_joint=5), rests[5:8], first_joint=5)
    assert np.abs(turns(part) - turns(poses[:, 5:8])).max() < 1e-9
    located = bone_locations(pelvis, rests[0], rest_joints()[0])
    assert np.allclose(pelvis_positions(located, rests[0], rest_joints()[0]), pelvis)


def test_posed_bones_are_read_back_as_smpl_also_half_a_turn_away() -> None:
    rests = random_rotations(24, seed=8)
    poses = np.random.default_rng(9).normal(size=(6, 24, 3))
    poses[1] = 0.0
    poses[2, :, 0], poses[3, :, 1], poses[4, :, 2] = np.pi, np.pi, np.pi
    matrices = global_rotations(poses) @ REST_TO_WORLD.T @ rests
    assert np.abs(turns(smpl_poses_of_matrices(matrices, rests)) - turns(poses)).max() < 1e-6


def test_the_rest_pose_needs_no_rotation() -> None:
    poses = np.zeros((1, 24, 3))
    poses[0, 0, 0] = np.pi / 2
    quaternions = bone_rotations(poses, random_rotations(24, seed=4))
    assert np.allclose(np.abs(quaternions[..., 0]), 1.0)


def test_the_skeleton_knows_its_words() -> None:
    assert len(JOINT_NAMES) == 24
    assert np.allclose(REST_TO_WORLD @ [0.0, 0.0, 1.0], [0.0, -1.0, 0.0])
