"""Paths led through places: they arrive, they change little, and what is rigid stays."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from backend.motion.path import Waypoint, led
from backend.motion.representation import ROTATIONS, VELOCITY, decode, encode, start_of
from tests.fixtures.make_motion import wander

START = Waypoint(0, (0.5, -0.2), 0.3)


def placed(numbers: torch.Tensor) -> tuple[np.ndarray, list[float]]:
    motion = decode(numbers, pelvis_xy=(0.5, -0.2), yaw=0.3)
    yaws = [start_of(type(motion)(motion.poses[f : f + 1], motion.pelvis[f : f + 1], 30.0))[1] for f in range(120)]
    return motion.pelvis, yaws


def test_places_and_headings_are_reached_one_after_the_other() -> None:
    points = (Waypoint(40, (1.0, 0.0), None), Waypoint(70, None, 1.0), Waypoint(110, (0.0, 0.5), -0.5))
    pelvis, yaws = placed(led(encode(wander(120)), START, points))
    assert pelvis[40, :2] == pytest.approx([1.0, 0.0], abs=1e-3)
    assert yaws[70] == pytest.approx(1.0, abs=1e-3)
    assert pelvis[110, :2] == pytest.approx([0.0, 0.5], abs=1e-3)
    assert yaws[110] == pytest.approx(-0.5, abs=1e-3)


def test_poses_and_what_comes_after_the_last_place_stay_as_they_were() -> None:
    numbers = encode(wander(120))
    result = led(numbers, START, (Waypoint(40, (1.0, 0.0), 0.0),))
    assert torch.equal(result[:, ROTATIONS][:, 6:], numbers[:, ROTATIONS][:, 6:])
    assert torch.equal(result[41:], numbers[41:])


def test_rigid_frames_are_passed_without_a_change() -> None:
    numbers = encode(wander(120))
    moved = decode(numbers, pelvis_xy=(2.0, 2.0), yaw=0.0)
    known = start_of(type(moved)(moved.poses[40:41], moved.pelvis[40:41], 30.0))
    end = start_of(type(moved)(moved.poses[79:80], moved.pelvis[79:80], 30.0))
    points = (Waypoint(40, *known), Waypoint(79, *end, rigid=True), Waypoint(110, (0.0, 0.0), None))
    result = led(numbers, START, points)
    assert torch.equal(result[41:80], numbers[41:80])
    pelvis, _ = placed(result)
    assert pelvis[79, :2] == pytest.approx(end[0], abs=1e-3)
    assert pelvis[110, :2] == pytest.approx([0.0, 0.0], abs=1e-3)


def test_a_turn_takes_the_shorter_way_round() -> None:
    numbers = encode(wander(120))
    numbers[:, VELOCITY] = 0.0
    result = led(numbers, START, (Waypoint(60, None, 0.3 + 2 * math.pi - 0.1),))
    assert float((result - numbers).abs().max()) < 2.0
