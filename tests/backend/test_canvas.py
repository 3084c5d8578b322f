"""The canvas of a dance: what is known stays, paths arrive, key poses are met, the ends of passages are exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.canvas import CONTEXT_FRAMES, Canvas, key_channels
from backend.directions import Directions, KeyPose
from backend.motion.motion import Motion
from backend.motion.representation import HEIGHT, VELOCITY, YAW_RATE, encode, start_of
from tests.fixtures.make_motion import wander


def strange(canvas: Canvas, seed: int = 0) -> torch.Tensor:
    """What a poor network might say: the wandering figure, led astray."""
    numbers = encode(wander(len(canvas.numbers)))
    noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((len(numbers), 3))).float()
    numbers[:, VELOCITY] += 0.3 * noise[:, :2]
    numbers[:, YAW_RATE] += 0.5 * noise[:, 2]
    return numbers


def cut(motion: Motion, first: int, last: int) -> Motion:
    return Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps)


def facing(motion: Motion, frame: int) -> float:
    return start_of(cut(motion, frame, frame + 1))[1]


def test_a_dance_without_directions_knows_nothing() -> None:
    canvas = Canvas.of(91, Directions(), multiple=2)
    assert canvas.free
    assert len(canvas.numbers) == 92
    assert canvas.danced(strange(canvas)).frames == 91


def test_a_dance_goes_on_where_the_motion_before_it_ends() -> None:
    past = cut(wander(400), 100, 250)
    canvas = Canvas.of(120, Directions(before=past), multiple=2)
    assert canvas.first == CONTEXT_FRAMES
    dance = canvas.danced(strange(canvas))
    assert dance.frames == 120
    step = np.linalg.norm(dance.pelvis[0] - past.pelvis[-1])
    assert step == pytest.approx(np.linalg.norm(past.pelvis[-1] - past.pelvis[-2]), abs=0.05)
    assert abs(facing(dance, 0) - facing(past, past.frames - 1)) < 0.1


def test_a_dance_arrives_where_the_motion_after_it_begins() -> None:
    past, future = cut(wander(400), 100, 250), cut(wander(400), 300, 380)
    canvas = Canvas.of(120, Directions(before=past, after=future), multiple=2)
    dance = canvas.danced(strange(canvas))
    assert np.linalg.norm(dance.pelvis[-1] - future.pelvis[0]) < 0.1
    assert abs(facing(dance, 119) - facing(future, 0)) < 0.15


def test_passages_that_stay_are_kept_to_the_last_digit() -> None:
    motion = wander(240)
    directions = Directions(kept=motion, kept_frames=((0, 60), (150, 200)))
    canvas = Canvas.of(240, directions, multiple=2)
    dance = canvas.danced(strange(canvas))
    for first, last in directions.kept_frames:
        assert np.array_equal(dance.poses[first:last], motion.poses[first:last])
        assert np.array_equal(dance.pelvis[first:last], motion.pelvis[first:last])
    steps = np.linalg.norm(np.diff(dance.joints(), axis=0), axis=-1).max(axis=1)
    for seam in (59, 149, 199):
        assert steps[seam] < 0.15, seam
    assert not np.allclose(dance.pelvis[80:130], motion.pelvis[80:130], atol=1e-3)


def test_what_floats_keeps_its_poses_but_not_its_place() -> None:
    motion = wander(240)
    directions = Directions(kept=motion, kept_frames=((0, 60), (150, 240)))
    canvas = Canvas.of(240, directions, multiple=2, floating=True)
    dance = canvas.danced(strange(canvas))
    assert np.linalg.norm(dance.pelvis[160, :2] - motion.pelvis[160, :2]) > 0.05


def test_key_poses_are_met_where_they_are_asked_for() -> None:
    motion = wander(300)
    whole = KeyPose(2.0, motion.poses[200], motion.pelvis[200], place=True, heading=True)
    place = KeyPose(4.0, motion.poses[0], np.array([0.7, -0.4, 0.0], dtype=np.float32), joints=(), place=True)
    canvas = Canvas.of(180, Directions(key_poses=(whole, place)), multiple=2)
    dance = canvas.danced(strange(canvas))
    assert np.allclose(dance.pelvis[60], motion.pelvis[200], atol=1e-4)
    assert np.allclose(dance.pelvis[120, :2], [0.7, -0.4], atol=1e-4)
    assert facing(dance, 60) == pytest.approx(facing(motion, 200), abs=1e-3)
    without = canvas.danced(strange(canvas), exactly=False)
    assert not np.allclose(without.poses[60], motion.poses[200], atol=1e-4)


def test_a_key_pose_fixes_its_joints_alone_and_never_place_or_heading() -> None:
    channels = key_channels((0, 5))
    assert HEIGHT in channels
    assert YAW_RATE not in channels
    assert set(channels) == {HEIGHT, *range(7, 13), *range(37, 43)} - {YAW_RATE}
    motion = wander(60)
    canvas = Canvas.of(60, Directions(key_poses=(KeyPose(1.0, motion.poses[3], motion.pelvis[3], (5,)),)), multiple=2)
    assert torch.nonzero(canvas.mask[30])[:, 0].tolist() == list(range(37, 43))
    assert canvas.mask.sum() == 6


def test_a_key_pose_within_what_stays_gives_way() -> None:
    motion = wander(100)
    key = KeyPose(1.0, motion.poses[90], motion.pelvis[90])
    canvas = Canvas.of(100, Directions(key_poses=(key,), kept=motion, kept_frames=((20, 40),)), multiple=2)
    assert canvas.key_poses == ()
