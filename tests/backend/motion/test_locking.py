"""Locking: a dance passes exactly through its key poses, hurries nowhere, and stays what it was away from them."""

from __future__ import annotations

import numpy as np
import pytest

from backend.directions import WHOLE_BODY, KeyPose
from backend.errors import PirouetteError
from backend.evaluation.foot_skate import foot_skate
from backend.motion.lock_curves import joints_of
from backend.motion.lock_path import headings
from backend.motion.locking import lock_errors, locked, unreachable
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion
from backend.motion.skeleton import forward_kinematics
from tests.fixtures.make_motion import long_sway

EXACT_M, EXACT_DEG = 1e-5, np.degrees(1e-5)
HANDS = (20, 21, 22, 23)


def struck(motion: Motion, frame: int, *, seed: int = 0, spread_rad: float = 0.3, **locks: object) -> KeyPose:
    """A key pose at a frame of a motion, some way from the pose that is danced there."""
    rng = np.random.default_rng(seed)
    pose = motion.poses[frame] + rng.normal(0.0, spread_rad, (24, 3)).astype(np.float32)
    pelvis = motion.pelvis[frame] + np.array([0.2, -0.1, -0.03], dtype=np.float32)
    return KeyPose(frame / motion.fps, pose, pelvis, **locks)  # type: ignore[arg-type]


def yaw_deg(pose: np.ndarray) -> float:
    return float(np.degrees(headings(axis_angle_to_quaternion(pose[:1]))[0]))


def fastest_m_s(motion: Motion) -> float:
    return float(np.linalg.norm(np.diff(motion.joints(), axis=0), axis=-1).max() * motion.fps)


def test_every_key_pose_is_met_exactly() -> None:
    motion = long_sway()
    keys = [struck(motion, frame, seed=frame, place=True, heading=True) for frame in (0, 70, 75, 200, 359)]
    errors = lock_errors(locked(motion, keys, contact=None), keys)
    assert lock_errors(motion, keys).distance_m > 0.05
    assert errors.distance_m < EXACT_M
    assert errors.largest_angle_deg < EXACT_DEG
    assert errors.place_m < EXACT_M
    assert errors.heading_deg < EXACT_DEG


def test_a_locked_pelvis_has_its_lean_and_height_and_keeps_the_dances_heading_and_place() -> None:
    motion = long_sway()
    key = struck(motion, 100, joints=(0,))
    danced = locked(motion, [key], contact=None)
    assert lock_errors(danced, [key]).largest_angle_deg < EXACT_DEG
    assert danced.pelvis[100, 2] == pytest.approx(key.pelvis[2], abs=EXACT_M)
    np.testing.assert_allclose(danced.pelvis[100, :2], motion.pelvis[100, :2], atol=0.02)
    assert yaw_deg(danced.poses[100]) == pytest.approx(yaw_deg(motion.poses[100]), abs=EXACT_DEG)


def test_locked_hands_leave_the_rest_of_the_body_alone() -> None:
    motion = long_sway()
    key = struck(motion, 100, joints=HANDS)
    danced = locked(motion, [key], contact=None)
    rest = [joint for joint in range(24) if joint not in HANDS]
    assert lock_errors(danced, [key]).largest_angle_deg < EXACT_DEG
    np.testing.assert_allclose(danced.poses[:, rest], motion.poses[:, rest], atol=1e-5)
    np.testing.assert_array_equal(danced.pelvis, motion.pelvis)


def test_far_from_a_key_pose_the_dance_is_the_same() -> None:
    motion = long_sway()
    danced = locked(motion, [struck(motion, 180)], contact=None)
    far = np.r_[0:110, 250:360]
    np.testing.assert_allclose(danced.joints()[far], motion.joints()[far], atol=1e-4)


def test_a_dance_that_strikes_the_poses_already_stays_as_it_is() -> None:
    motion = long_sway()
    keys = [KeyPose(f / 30, motion.poses[f], motion.pelvis[f], place=True, heading=True) for f in (30, 90, 200)]
    np.testing.assert_allclose(locked(motion, keys, contact=None).joints(), motion.joints(), atol=1e-3)


def test_locks_add_no_spike_of_speed() -> None:
    motion = long_sway()
    keys = [struck(motion, frame, seed=frame, spread_rad=0.5) for frame in (60, 90, 150, 300)]
    danced = locked(motion, keys, contact=None)
    assert lock_errors(danced, keys).distance_m < EXACT_M
    assert fastest_m_s(danced) < 4.3


def test_a_fast_passage_beside_a_lock_is_calmed() -> None:
    motion = long_sway()
    poses = motion.poses.copy()
    poses[150:210, 17, 2] += 0.7 * np.sin(2 * np.pi * np.arange(60) / 10)  # an arm flaps three times a second
    fast = Motion(poses, motion.pelvis, motion.fps)
    key = struck(motion, 180)
    danced = locked(fast, [key], contact=None)
    assert fastest_m_s(fast) > 5.0
    near = slice(180 - 9, 180 + 9)
    assert fastest_m_s(Motion(danced.poses[near], danced.pelvis[near], danced.fps)) < 4.3
    assert lock_errors(danced, [key]).largest_angle_deg < EXACT_DEG


def test_places_bend_the_path_and_the_feet_step_there() -> None:
    motion = long_sway()
    steps = ((30, (0.0, 0.0)), (150, (0.6, 0.2)), (330, (0.0, 0.5)))
    keys = [
        KeyPose(f / 30, motion.poses[f], motion.pelvis[f] + np.array([*to, 0.0], np.float32), joints=(), place=True)
        for f, to in steps
    ]
    danced = locked(motion, keys, contact=None)
    assert lock_errors(danced, keys).place_m < EXACT_M
    drawn = Motion(motion.poses, np.column_stack([danced.pelvis[:, :2], motion.pelvis[:, 2]]), motion.fps)
    skate, without = (foot_skate(m.joints(), fps=30.0).mean_cm_s for m in (danced, drawn))
    assert skate < 0.5 * without
    assert fastest_m_s(danced) < 4.3


def test_a_heading_turns_the_dance_before_and_after_it() -> None:
    motion = long_sway()
    pose = motion.poses[180].copy()
    turned = np.array([0.0, 0.0, 1.0]) * np.pi / 2
    pose[0] = _after(turned, pose[0])
    danced = locked(motion, [KeyPose(6.0, pose, motion.pelvis[180], joints=(), heading=True)], contact=None)
    gained = [yaw_deg(a) - yaw_deg(b) for a, b in zip(danced.poses, motion.poses, strict=True)]
    np.testing.assert_allclose(gained, 90.0, atol=1e-3)
    np.testing.assert_allclose(
        np.ptp(danced.joints()[..., 2], axis=1), np.ptp(motion.joints()[..., 2], axis=1), atol=1e-3
    )


def _after(turn: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return (Rotation.from_rotvec(turn) * Rotation.from_rotvec(rotation)).as_rotvec().astype(np.float32)


def test_fixed_spans_stay_and_are_left_without_a_jump() -> None:
    motion = long_sway()
    key = struck(motion, 180, place=True, heading=True)
    danced = locked(motion, [key], contact=None, fixed=[(0, 150), (210, 360)])
    for span in (slice(0, 150), slice(210, 360)):
        np.testing.assert_array_equal(danced.poses[span], motion.poses[span])
        np.testing.assert_array_equal(danced.pelvis[span], motion.pelvis[span])
    assert lock_errors(danced, [key]).place_m < EXACT_M
    jumps = np.linalg.norm(np.diff(danced.joints(), n=2, axis=0), axis=-1).max(axis=1) * 900
    assert jumps[[148, 149, 150, 208, 209]].max() < 60.0  # m/s²; real dances reach 80


def test_a_key_pose_in_a_fixed_span_changes_nothing() -> None:
    motion = long_sway()
    assert locked(motion, [struck(motion, 50)], contact=None, fixed=[(0, 100)]) is motion


def test_the_later_of_two_locks_on_a_frame_counts_where_they_disagree() -> None:
    motion = long_sway()
    whole, hands = struck(motion, 100, seed=1), struck(motion, 100, seed=2, joints=HANDS)
    danced = locked(motion, [whole, hands], contact=None)
    assert lock_errors(danced, [hands]).largest_angle_deg < EXACT_DEG
    rest = KeyPose(whole.time_s, whole.pose, whole.pelvis, joints=tuple(set(WHOLE_BODY) - set(HANDS)))
    assert lock_errors(danced, [rest]).largest_angle_deg < EXACT_DEG


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_the_shortest_dances_can_be_locked(frames: int) -> None:
    motion = long_sway(1)
    short = Motion(motion.poses[:frames], motion.pelvis[:frames], motion.fps)
    key = struck(short, 0, place=True, heading=True)
    danced = locked(short, [key], contact=None)
    assert danced.frames == frames
    assert lock_errors(danced, [key]).distance_m < EXACT_M


def test_a_key_pose_beyond_the_dance_is_refused() -> None:
    motion = long_sway()
    key = struck(motion, 100)
    late = KeyPose(99.0, key.pose, key.pelvis)
    with pytest.raises(PirouetteError, match="outside the dance") as caught:
        locked(motion, [late], contact=None)
    assert caught.value.code == "bad_range"


def test_errors_are_told_in_the_units_of_their_names() -> None:
    motion = long_sway()
    pose = motion.poses[100].copy()
    pose[18] = _after(np.radians([0.0, 10.0, 0.0]), pose[18])
    pelvis = motion.pelvis[100] + np.array([0.3, 0.4, 0.0], np.float32)
    errors = lock_errors(motion, [KeyPose(100 / 30, pose, pelvis, joints=(18, 20), place=True)])
    assert errors.largest_angle_deg == pytest.approx(10.0, abs=1e-3)
    assert errors.angle_deg == pytest.approx(5.0, abs=1e-3)
    assert errors.distance_m == pytest.approx(0.5 * 0.27 * 2 * np.sin(np.radians(5.0)), rel=0.05)  # a wrist's, of two
    assert errors.place_m == pytest.approx(0.5)
    assert errors.heading_deg == 0.0


def test_impossible_demands_are_told_in_sentences() -> None:
    motion = long_sway()
    near = [KeyPose(t, motion.poses[0], motion.pelvis[0], place=True) for t in (1.0, 2.0)]
    assert unreachable(near) == ()
    far = KeyPose(1.2, motion.poses[0], motion.pelvis[0] + np.float32(2.0), joints=(), place=True)
    assert any("run" in sentence for sentence in unreachable([near[0], far]))
    assert any("two frames" in sentence for sentence in unreachable([near[0], KeyPose(1.01, *_other(motion))]))
    assert any("m/s" in sentence for sentence in unreachable([near[0], KeyPose(1.1, *_other(motion))]))


def _other(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    pose = motion.poses[0].copy()
    pose[16, 2], pose[17, 2] = 1.2, -1.2
    return pose, motion.pelvis[0]


def test_joints_of_quaternions_are_those_of_forward_kinematics() -> None:
    motion = long_sway(1)
    rng = np.random.default_rng(0)
    poses = rng.normal(0.0, 1.0, motion.poses.shape)
    joints = joints_of(axis_angle_to_quaternion(poses), motion.pelvis)
    np.testing.assert_allclose(joints, forward_kinematics(poses, motion.pelvis), atol=1e-9)
