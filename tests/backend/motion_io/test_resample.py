"""Resampling by time: what an animator must still see at another frame rate."""

from __future__ import annotations

import time

import numpy as np
import pytest

from backend.motion.resample import (
    axis_angle_to_quaternion,
    continuous_quaternions,
    quaternion_to_axis_angle,
    resample,
)
from backend.motion.skeleton import axis_angle_to_matrix, forward_kinematics

SCENE_RATES = (24000 / 1001, 23.976, 24.0, 25.0, 30000 / 1001, 29.97, 30.0, 60.0)


def spinning_walk(frames: int, *, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """A dancer turning at 4 rad/s about the vertical, an arm swinging, the pelvis moving at 1 m/s."""
    seconds = np.arange(frames) / fps
    poses = np.zeros((frames, 24, 3), dtype=np.float32)
    poses[:, 0, 1] = (4.0 * seconds + np.pi) % (2 * np.pi) - np.pi
    poses[:, 16, 2] = np.sin(2.0 * seconds)
    pelvis = np.stack([seconds, 0.0 * seconds, 0.9 + 0.0 * seconds], axis=1).astype(np.float32)
    return poses, pelvis


@pytest.mark.parametrize("fps", SCENE_RATES)
def test_pose_at_a_second_is_the_same_at_every_rate(fps: float) -> None:
    poses, pelvis = spinning_walk(150, fps=30.0)
    new_poses, new_pelvis = resample(poses, pelvis, source_fps=30.0, target_fps=fps)
    true_poses, true_pelvis = spinning_walk(len(new_poses), fps=fps)
    error = forward_kinematics(new_poses, new_pelvis) - forward_kinematics(true_poses, true_pelvis)
    assert np.abs(error).max() < 1e-3


@pytest.mark.parametrize("fps", SCENE_RATES)
def test_duration_is_kept_to_half_a_frame(fps: float) -> None:
    poses, pelvis = spinning_walk(300, fps=30.0)
    new_poses, _ = resample(poses, pelvis, source_fps=30.0, target_fps=fps)
    assert abs(len(new_poses) / fps - 10.0) <= 0.5 / fps + 1e-9


def test_there_and_back_returns_the_motion() -> None:
    rng = np.random.default_rng(5)
    poses = np.cumsum(rng.normal(0, 0.05, (90, 24, 3)), axis=0).astype(np.float32)
    pelvis = np.cumsum(rng.normal(0, 0.01, (90, 3)), axis=0).astype(np.float32)
    up = resample(poses, pelvis, source_fps=30.0, target_fps=60.0)
    back = resample(*up, source_fps=60.0, target_fps=30.0)
    assert len(back[0]) == 90
    np.testing.assert_allclose(forward_kinematics(*back), forward_kinematics(poses, pelvis), atol=1e-5)


def test_turn_through_half_a_circle_takes_the_short_way() -> None:
    poses = np.zeros((2, 1, 3))
    poses[:, 0, 2] = (3.0, -3.0)  # 0.28 rad apart across pi, 6 rad apart as numbers
    middle, _ = resample(poses, np.zeros((2, 3)), source_fps=1.0, target_fps=2.0)
    np.testing.assert_allclose(axis_angle_to_matrix(middle[1, 0]), np.diag([-1.0, -1.0, 1.0]), atol=1e-6)


def test_motion_holds_when_more_frames_are_asked_for_than_it_lasts() -> None:
    poses, pelvis = spinning_walk(30, fps=30.0)
    long_poses, long_pelvis = resample(poses, pelvis, source_fps=30.0, target_fps=30.0, frames=40)
    assert len(long_poses) == 40
    np.testing.assert_array_equal(long_pelvis[-1], pelvis[-1])
    _, at_sixty = resample(poses, pelvis, source_fps=30.0, target_fps=60.0, frames=100)
    assert abs(at_sixty[-1, 0] - (29.5 / 30.0)) < 1e-6


def test_single_frame_is_held() -> None:
    poses, pelvis = spinning_walk(1, fps=30.0)
    still, still_pelvis = resample(poses, pelvis, source_fps=30.0, target_fps=24.0, frames=5)
    assert still.shape == (5, 24, 3)
    assert np.ptp(still, axis=0).max() == 0.0
    assert np.ptp(still_pelvis, axis=0).max() == 0.0


@pytest.mark.parametrize(("count", "rate"), [(0, 24.0), (3, 0.0), (3, -24.0), (3, float("nan"))])
def test_impossible_requests_are_refused(count: int, rate: float) -> None:
    with pytest.raises(ValueError, match="frame"):
        resample(np.zeros((count, 24, 3)), np.zeros((count, 3)), source_fps=30.0, target_fps=rate)


def test_quaternions_never_jump_to_the_opposite_sign() -> None:
    poses, _ = spinning_walk(300, fps=30.0)  # six turns: the axis-angle wraps again and again
    raw = axis_angle_to_quaternion(poses)
    smooth = continuous_quaternions(raw)
    assert (np.einsum("tji,tji->tj", raw[1:], raw[:-1]) < 0).any()
    assert (np.einsum("tji,tji->tj", smooth[1:], smooth[:-1]) > 0).all()
    before, after = quaternion_to_axis_angle(raw), quaternion_to_axis_angle(smooth)
    np.testing.assert_allclose(axis_angle_to_matrix(after), axis_angle_to_matrix(before), atol=1e-9)


def test_axis_angle_survives_the_quaternion_at_every_size() -> None:
    rng = np.random.default_rng(1)
    axis = rng.normal(size=(50, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    for angle in (0.0, 1e-9, 1e-5, 0.1, 1.0, 3.1, np.pi - 1e-9):
        back = quaternion_to_axis_angle(axis_angle_to_quaternion(axis * angle))
        np.testing.assert_allclose(back, axis * angle, atol=1e-9)


def test_a_minute_is_resampled_within_twenty_milliseconds() -> None:
    poses, pelvis = spinning_walk(1800, fps=30.0)
    fastest = np.inf
    for _ in range(5):
        begun = time.process_time()
        resample(poses, pelvis, source_fps=30.0, target_fps=24.0)
        fastest = min(fastest, time.process_time() - begun)
    assert fastest < 0.020
