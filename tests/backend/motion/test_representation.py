"""The 151 numbers: exact round trips, no place or heading inside, mirrors, torch and numpy kinematics as one."""

from __future__ import annotations

import numpy as np
import pytest
import roma
import torch

from backend.motion import kinematics
from backend.motion.contacts import contact_labels
from backend.motion.motion import Motion
from backend.motion.representation import (
    CHANNELS,
    CONTACTS,
    decode,
    encode,
    facing_joints,
    joint_velocities,
    mirror,
    read_at,
    start_of,
)
from backend.motion.skeleton import MIRROR, forward_kinematics


def tumbling(seed: int = 0, frames: int = 90) -> Motion:
    """A smooth motion that turns, travels and even goes upside down."""
    rng = np.random.default_rng(seed)
    waves = rng.standard_normal((4, 24, 3)) * 0.4
    time = np.arange(frames)[:, None, None] / 30
    poses = sum(wave * np.sin((k + 1) * time + k) for k, wave in enumerate(waves))
    poses[:, 0] += np.array([1.5, 0.3, 0.2]) + np.array([0.3, 1.0, -0.5]) * time[:, 0]
    pelvis = np.stack([np.sin(time[:, 0, 0]), time[:, 0, 0] * 0.5, 0.9 + 0.1 * np.cos(time[:, 0, 0])], axis=1)
    return Motion(poses, pelvis, 30.0)


@pytest.mark.parametrize("seed", range(4))
def test_decode_returns_what_was_encoded(seed: int) -> None:
    motion = tumbling(seed)
    place, yaw = start_of(motion)
    again = decode(encode(motion), pelvis_xy=place, yaw=yaw)
    assert np.abs(again.joints() - motion.joints()).max() < 1e-4


def test_place_and_heading_are_not_in_the_numbers() -> None:
    motion = tumbling()
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64)).numpy()
    root = roma.rotmat_to_rotvec(
        torch.from_numpy(turn) @ roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 0]).double())
    ).numpy()
    poses = motion.poses.copy()
    poses[:, 0] = root
    moved = Motion(poses, motion.pelvis @ turn.T + np.array([3.0, -2.0, 0.0]), 30.0)
    assert torch.allclose(encode(moved), encode(motion), atol=1e-3)


def test_numbers_are_151_and_refuse_another_rate() -> None:
    assert encode(tumbling()).shape == (90, CHANNELS)
    with pytest.raises(ValueError, match="resample"):
        encode(Motion(np.zeros((4, 24, 3)), np.zeros((4, 3)), 60.0))


def test_torch_and_numpy_kinematics_agree() -> None:
    motion = tumbling()
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    joints = kinematics.forward_kinematics(rotations, torch.from_numpy(motion.pelvis).double())
    assert np.abs(joints.numpy() - forward_kinematics(motion.poses, motion.pelvis)).max() < 1e-6


def test_velocities_need_no_integration() -> None:
    motion = tumbling()
    numbers = encode(motion)
    speeds = joint_velocities(numbers, facing_joints(numbers)).norm(dim=-1).numpy()
    world = np.linalg.norm(np.diff(motion.joints(), axis=0), axis=-1) * 30
    assert np.abs(speeds - world).max() < 1e-3


def test_mirrored_numbers_are_the_numbers_of_the_mirrored_motion() -> None:
    motion = tumbling()
    here, there = mirror(encode(motion)), encode(motion.mirrored())
    assert torch.allclose(here[:, 4:], there[:, 4:], atol=1e-3)
    assert torch.equal(mirror(mirror(encode(motion))), encode(motion))


def test_a_mirrored_motion_raises_the_other_hand() -> None:
    motion = tumbling()
    there = motion.mirrored().joints()
    expected = motion.joints()[:, list(MIRROR)] * np.array([-1.0, 1.0, 1.0])
    assert np.abs(there - expected).max() < 0.05  # the mean body is not quite symmetric


def test_joints_of_the_representation_pass_gradients() -> None:
    numbers = encode(tumbling()).requires_grad_()
    facing_joints(numbers).square().sum().backward()
    assert numbers.grad is not None
    assert torch.isfinite(numbers.grad).all()


def test_a_standing_foot_is_in_contact_and_a_lifted_one_is_not() -> None:
    poses = np.zeros((30, 24, 3))
    poses[:, 0, 0] = np.pi / 2  # upright in the Z-up world
    poses[:, 2, 0], poses[:, 5, 0] = -1.2, 1.2  # the right knee is raised
    pelvis = np.zeros((30, 3))
    pelvis[:, 2] = 0.02 - forward_kinematics(poses, pelvis)[..., 10, 2].min()
    labels = contact_labels(forward_kinematics(poses, pelvis), fps=30.0)
    assert labels[:, [0, 2]].all()
    assert not labels[:, [1, 3]].any()
    numbers = encode(Motion(poses, pelvis, 30.0))
    assert numbers[:, CONTACTS].mean() == 0.5


def test_reading_faster_keeps_the_pose_and_raises_the_speed() -> None:
    numbers = encode(tumbling())
    fast = read_at(numbers, np.arange(0, 80, 1.25))
    assert torch.allclose(fast[4, 7:10], numbers[5, 7:10], atol=1e-4)
    assert torch.allclose(fast[4, 4:6], numbers[5, 4:6] * 1.25, atol=1e-3)


def test_reading_every_frame_changes_nothing() -> None:
    numbers = encode(tumbling())
    assert torch.allclose(read_at(numbers, np.arange(90.0)), numbers, atol=1e-5)
