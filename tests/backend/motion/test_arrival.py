"""Paths that are led to a place and a heading."""

import numpy as np
import pytest
import torch

from backend.motion.arrival import arriving, travelled, wrapped
from backend.motion.representation import CHANNELS, HEIGHT, VELOCITY, YAW_RATE


def _walk(frames: int, *, seed: int = 0) -> torch.Tensor:
    numbers = torch.zeros(frames, CHANNELS, dtype=torch.float64)
    noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((frames, 3)))
    numbers[:, VELOCITY] = 0.5 + 0.3 * noise[:, :2]
    numbers[:, YAW_RATE] = 0.8 * noise[:, 2]
    numbers[:, HEIGHT] = 0.95
    return numbers


def test_a_straight_walk_travels_its_speed_times_its_time() -> None:
    numbers = torch.zeros(30, CHANNELS)
    numbers[:, VELOCITY] = torch.tensor([0.0, -1.2])
    place, turn = travelled(numbers)
    assert place.tolist() == pytest.approx([0.0, -1.2], abs=1e-5)
    assert float(turn) == 0.0


@pytest.mark.parametrize("turn", [-3.0, -0.4, 0.0, 2.9])
def test_a_path_arrives_where_and_as_it_is_told(turn: float) -> None:
    place = torch.tensor([0.7, -0.4], dtype=torch.float64)
    arrived = arriving(_walk(90), place, torch.tensor(turn, dtype=torch.float64))
    reached, turned = travelled(arrived)
    assert reached.tolist() == pytest.approx(place.tolist(), abs=1e-9)
    assert wrapped(float(turned) - turn) == pytest.approx(0.0, abs=1e-9)


def test_a_path_that_arrives_already_is_left_alone() -> None:
    numbers = _walk(60, seed=3)
    assert torch.allclose(arriving(numbers, *travelled(numbers)), numbers, atol=1e-9)


def test_only_speeds_change_and_the_last_row_keeps_its_own() -> None:
    numbers = _walk(60, seed=4)
    arrived = arriving(numbers, torch.zeros(2, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
    changed = (arrived != numbers).any(0).nonzero().flatten().tolist()
    assert changed == [VELOCITY.start, VELOCITY.start + 1, YAW_RATE]
    assert torch.equal(arrived[-1], numbers[-1])


def test_the_turn_takes_the_shorter_way_round() -> None:
    numbers = _walk(60, seed=5)
    numbers[:, YAW_RATE] = 0.0
    arrived = arriving(numbers, torch.zeros(2, dtype=torch.float64), torch.tensor(3.5, dtype=torch.float64))
    assert float(travelled(arrived)[1]) == pytest.approx(3.5 - 2 * np.pi, abs=1e-9)
