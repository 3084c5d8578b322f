"""Planting: sliding feet stand still, knees stay calm, nothing sinks into the floor, good motion stays good."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.floor import below_floor_share
from backend.evaluation.foot_skate import foot_skate
from backend.motion.contacts import contact_labels
from backend.motion.motion import Motion
from backend.motion.planting import Span, contact_spans, plant, reach
from tests.fixtures.make_motion import sway


def likelihood(motion: Motion) -> np.ndarray:
    return contact_labels(motion.joints(), fps=motion.fps).astype(float)


def sliding(speed_m_s: float = 0.3) -> tuple[Motion, np.ndarray]:
    """A swaying dancer on ice, and the contacts that were meant."""
    motion = sway()
    time = np.arange(motion.frames) / motion.fps
    drift = np.stack([np.sin(2 * time) * speed_m_s / 2, np.zeros_like(time), np.zeros_like(time)], axis=1)
    return Motion(motion.poses, motion.pelvis + drift, motion.fps), likelihood(motion)


def test_a_sliding_dancer_stands_after_planting() -> None:
    motion, contacts = sliding()
    planted, _ = plant(motion, contacts)
    before, after = (foot_skate(m.joints(), fps=m.fps).mean_cm_s for m in (motion, planted))
    assert before > 8.0
    assert after < 0.5 * before
    assert after < 3.0


def test_knees_do_not_pop() -> None:
    motion, contacts = sliding()
    planted, _ = plant(motion, contacts)
    turning = np.linalg.norm(np.diff(planted.poses[:, [4, 5]], axis=0), axis=-1).max() * motion.fps
    was = np.linalg.norm(np.diff(motion.poses[:, [4, 5]], axis=0), axis=-1).max() * motion.fps
    assert turning < was + 3.0  # rad/s


def test_a_dancer_under_the_floor_comes_up() -> None:
    motion = sway()
    sunk = Motion(motion.poses, motion.pelvis - np.array([0.0, 0.0, 0.1]), motion.fps)
    planted, _ = plant(sunk, likelihood(motion))
    assert below_floor_share(sunk.joints()) > 0.5
    assert below_floor_share(planted.joints()) == 0.0


def test_a_dancer_in_the_air_stays_in_the_air() -> None:
    motion = sway()
    high = Motion(motion.poses, motion.pelvis + np.array([0.0, 0.0, 0.5]), motion.fps)
    planted, contact = plant(high, np.zeros((motion.frames, 4)))
    assert not contact.any()
    assert np.abs(planted.joints() - high.joints()).max() < 0.02


def test_only_the_legs_and_the_path_change() -> None:
    motion, contacts = sliding()
    planted, _ = plant(motion, contacts)
    legs = {1, 2, 4, 5, 7, 8}
    rest = [joint for joint in range(24) if joint not in legs]
    assert np.array_equal(planted.poses[:, rest], motion.poses[:, rest])
    assert planted.frames == motion.frames


@pytest.mark.parametrize("frames", [1, 2, 5, 6, 7])
def test_very_short_motions_go_through(frames: int) -> None:
    motion = sway()
    short = Motion(motion.poses[:frames], motion.pelvis[:frames], motion.fps)
    planted, contact = plant(short, np.ones((frames, 4)))
    assert planted.frames == frames
    assert contact.shape == (frames, 2)


def test_contact_spans_close_flickers_and_drop_touches() -> None:
    contact = np.array([0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
    assert contact_spans(contact, fps=30.0) == [Span(1, 8)]


def test_an_overstretched_knee_bends_forward_when_the_leg_gets_shorter() -> None:
    motion = sway()
    poses = motion.poses.astype(float)
    poses[:, [4, 5], 0] = np.radians(-8.0)
    joints = Motion(poses, motion.pelvis, motion.fps).joints()
    lift = 0.15 * np.linspace(0.0, 1.0, motion.frames) ** 2
    for side, (knee, ankle) in enumerate(((4, 7), (5, 8))):
        target = joints[:, ankle] + lift[:, None] * np.array([0.0, 0.0, 1.0])
        bent = Motion(reach(poses, joints, target, side), motion.pelvis, motion.fps)
        np.testing.assert_allclose(bent.joints()[-30:, ankle], target[-30:], atol=1e-4)
        assert bent.poses[0, knee, 0] == pytest.approx(np.radians(-8.0), abs=1e-3)
        assert bent.poses[-1, knee, 0] > np.radians(40.0)
        assert np.abs(np.diff(bent.poses[:, knee], axis=0)).max() < np.radians(6.0)
