"""PFC, PBC, KPD, BAP and AJE on motion whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.beat_assignment import beat_assignment
from backend.evaluation.joint_angle_error import joint_angle_error
from backend.evaluation.key_pose_distance import key_pose_distance
from backend.evaluation.physical_body_contact import physical_body_contact
from backend.evaluation.physical_foot_contact import physical_foot_contact
from tests.backend.evaluation.bodies import FPS, carried, seconds, standing, wild

FEET = [7, 8, 10, 11]


def test_still_dancer_scores_nothing() -> None:
    assert physical_foot_contact(standing(30), fps=FPS) == 0.0
    assert physical_body_contact(standing(30), fps=FPS) == 0.0


@pytest.mark.parametrize(("fps", "compat"), [(30.0, 9.0), (60.0, 2.25)])
def test_evenly_accelerated_slide_scores_the_product_of_both_feet(fps: float, compat: float) -> None:
    # Feet glide at 0.9 m/s = 3 cm in 1/30 s while the pelvis alone accelerates evenly: 1e4 * .03 * .03 * 1.
    sliding = carried(0.9 * seconds(60, fps), 0)
    sliding[:, 0, 1] += 0.5 * seconds(60, fps) ** 2
    assert physical_foot_contact(sliding, fps=fps) == pytest.approx(9.0)
    assert physical_foot_contact(sliding, fps=fps, mode="compat") == pytest.approx(compat)


def test_one_planted_foot_carries_any_acceleration() -> None:
    dance = wild(4.0, seed=2).joints()
    dance[:, [7, 10]] = dance[:1, [7, 10]]
    assert physical_foot_contact(dance, fps=FPS) == 0.0


def test_falling_needs_no_foot() -> None:
    falling = carried(0.9 * seconds(30), 0)
    falling[..., 2] -= 4.9 * seconds(30)[:, None] ** 2
    assert physical_foot_contact(falling, fps=FPS) == pytest.approx(0.0, abs=1e-12)


def test_head_that_follows_its_neck_counts_ten_times_a_hand() -> None:
    def with_moving(carrier: int, ends: list[int]) -> float:
        joints = standing(60)
        joints[:, carrier, 0] += seconds(60) ** 2
        joints[:, ends, 0] += 0.3 * seconds(60)[:, None]  # 1 cm in 1/30 s
        return physical_body_contact(joints, fps=FPS)

    assert with_moving(12, [15]) == pytest.approx(1e4 * 0.1 * 0.01)
    assert with_moving(13, [20, 22]) == pytest.approx(1e4 * 0.01 * 0.01)
    assert with_moving(13, [20]) == pytest.approx(0.0)  # the hand stays: the smaller of wrist and hand counts


def test_body_contact_is_less_by_the_foot_contact() -> None:
    sliding = standing(60)
    sliding[:, FEET, 0] += 0.9 * seconds(60)[:, None]
    sliding[:, 0, 1] += 0.5 * seconds(60) ** 2
    assert physical_body_contact(sliding, fps=FPS) == pytest.approx(-9.0)


def test_key_pose_that_is_struck_is_no_distance_away() -> None:
    dance = wild(4.0, seed=4).joints()
    frames = np.array([10, 60])
    assert key_pose_distance(dance, dance[frames], frames) == 0.0
    elsewhere = dance[frames] + np.array([1.0, 0.0, 0.0])
    assert key_pose_distance(dance, elsewhere, frames) == pytest.approx(0.0, abs=1e-9)
    assert key_pose_distance(dance, elsewhere, frames, local=False) == pytest.approx(1.0)


def test_key_pose_one_joint_off_is_its_share_of_a_joint() -> None:
    dance = standing(5)
    keys = dance[[2]].copy()
    keys[0, 20, 2] += 0.24
    assert key_pose_distance(dance, keys, np.array([2])) == pytest.approx(0.01)
    assert key_pose_distance(dance, keys, np.array([2]), mode="compat") == pytest.approx(0.24**2 / 72)
    with pytest.raises(ValueError, match="within the 5 frames"):
        key_pose_distance(dance, keys, np.array([5]))
    with pytest.raises(ValueError, match="as many"):
        key_pose_distance(dance, keys, np.array([1, 2]))


def test_stops_on_the_beats_asked_for_are_all_assigned() -> None:
    stops = np.arange(1, 12) / 2.0
    swing = carried(0.2 * np.cos(np.pi * 2.0 * seconds(180)), 0)
    on = beat_assignment(swing, stops, fps=FPS)
    assert (on.precision, on.recall) == (1.0, 1.0)
    half = beat_assignment(swing, stops[::2], fps=FPS)
    assert half.precision == pytest.approx(6 / 11)
    assert half.recall == 1.0
    off = beat_assignment(swing, stops + 0.25, fps=FPS)
    assert (off.precision, off.recall) == (0.0, 0.0)
    assert beat_assignment(swing, np.zeros(0), fps=FPS).precision == 0.0


def test_angle_error_is_the_angle_between_the_rotations() -> None:
    poses = np.zeros((3, 2, 3))
    turned = poses.copy()
    turned[..., 1] = 0.3
    assert joint_angle_error(poses, turned) == pytest.approx(0.3)
    assert joint_angle_error(poses, poses) == 0.0
    assert joint_angle_error(poses, turned, mode="compat") == pytest.approx(0.3 / np.sqrt(3))


def test_one_rotation_written_in_two_ways_is_an_error_for_the_public_code_alone() -> None:
    once, around = np.zeros((1, 1, 3)), np.zeros((1, 1, 3))
    once[..., 0], around[..., 0] = np.pi - 0.1, -np.pi - 0.1
    assert joint_angle_error(once, around) == pytest.approx(0.0, abs=1e-7)
    assert joint_angle_error(once, around, mode="compat") == pytest.approx(2 * np.pi / np.sqrt(3))
    half_turn = np.zeros((1, 1, 3))
    half_turn[..., 2] = np.pi
    assert joint_angle_error(np.zeros((1, 1, 3)), half_turn) == pytest.approx(np.pi, abs=1e-6)
    with pytest.raises(ValueError, match="one shape"):
        joint_angle_error(once, np.zeros((2, 1, 3)))
