"""Gaps in a dance: what is known stays, the path arrives, the filling goes on from the dance."""

import numpy as np
import pytest
import torch

from backend.gap import CONTEXT_FRAMES, Gap
from backend.motion.arrival import travelled
from backend.motion.motion import Motion
from backend.motion.representation import VELOCITY, YAW_RATE, start_of


def _wander(frames: int = 240) -> Motion:
    """A stiff figure that walks curves."""
    time = np.arange(frames) / 30.0
    poses = np.zeros((frames, 24, 3), dtype=np.float32)
    poses[:, 0, 2] = 0.8 * np.sin(0.9 * time)
    poses[:, 16, 0] = 0.5 * np.sin(3.0 * time)
    pelvis = np.stack([np.sin(time), 0.3 * time, 0.95 + 0.0 * time], axis=1).astype(np.float32)
    return Motion(poses, pelvis, 30.0)


def _strange(gap: Gap) -> torch.Tensor:
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal(gap.numbers.shape)).float()
    numbers = gap.numbers.clone()
    numbers[:, VELOCITY] += 0.5 * noise[:, VELOCITY]
    numbers[:, YAW_RATE] += noise[:, YAW_RATE]
    return numbers


@pytest.mark.parametrize("multiple", [2, 8])
@pytest.mark.parametrize("span", [(0, 40), (61, 120), (200, 240)])
def test_the_window_is_whole_groups_long_and_shows_what_is_around_the_gap(span: tuple[int, int], multiple: int) -> None:
    gap = Gap.around(_wander(), span, multiple=multiple, pinned=True)
    assert gap.frames % multiple == 0
    assert gap.first % multiple == 0
    assert gap.first <= CONTEXT_FRAMES
    assert gap.begin + gap.first == span[0]
    assert gap.last - gap.first == span[1] - span[0]
    assert gap.pinned == (span == (61, 120))


def test_closing_keeps_what_is_known_and_arrives_where_the_dance_goes_on() -> None:
    gap = Gap.around(_wander(), (61, 120), multiple=2, pinned=True)
    closed = gap.closed(_strange(gap))
    assert torch.equal(closed[: gap.first], gap.numbers[: gap.first])
    assert torch.equal(closed[gap.last :], gap.numbers[gap.last :])
    place, turn = travelled(closed[gap.first : gap.last + 1])
    wanted, wanted_turn = travelled(gap.numbers[gap.first : gap.last + 1])
    assert place.tolist() == pytest.approx(wanted.tolist(), abs=1e-4)
    assert float(turn) == pytest.approx(float(wanted_turn), abs=1e-4)


@pytest.mark.parametrize("pinned", [True, False])
def test_the_filling_goes_on_from_the_frame_before_it_and_arrives_only_where_pinned(pinned: bool) -> None:
    motion = _wander()
    gap = Gap.around(motion, (61, 120), multiple=2, pinned=pinned)
    filling = gap.planted(_strange(gap))
    assert filling.frames == 59
    step = np.linalg.norm(filling.pelvis[0, :2] - motion.pelvis[60, :2])
    assert step < 0.1
    gone = np.linalg.norm(filling.pelvis[-1, :2] - motion.pelvis[119, :2])
    (_, yaw), (_, wanted) = (
        start_of(Motion(each.poses[-1:], each.pelvis[-1:], 30.0)) for each in (filling, _upto(motion))
    )
    if pinned:
        assert gone < 0.1
        assert abs(yaw - wanted) < 0.2
    else:
        assert gone > 0.1 or abs(yaw - wanted) > 0.2


def _upto(motion: Motion) -> Motion:
    return Motion(motion.poses[:120], motion.pelvis[:120], motion.fps)
