"""What is known is put into its place, and the frames beside it lead there, between beats."""

from __future__ import annotations

import pytest
import torch

from backend.motion.easing import LONGEST_RAMP, RAMP_FRAMES, bridged, eased, known_runs
from backend.motion.representation import CHANNELS

JOINT = 50  # one number of a rotation


def still(frames: int = 120) -> torch.Tensor:
    return torch.zeros(frames, CHANNELS)


def key(at: int, value: float = 1.0, frames: int = 120) -> tuple[torch.Tensor, torch.Tensor]:
    known, mask = torch.zeros(frames, CHANNELS), torch.zeros(frames, CHANNELS)
    known[at], mask[at, 7:] = value, 1.0
    return known, mask


def test_a_key_pose_is_exact_and_led_to_without_a_jump() -> None:
    whole = eased(still(), *key(60))
    assert torch.equal(whole[60, 7:], torch.ones(CHANNELS - 7))
    assert float(whole[:, JOINT].diff().abs().max()) < 0.12
    assert whole[60 - RAMP_FRAMES - 1, JOINT] == 0.0


def test_a_row_that_repeats_what_it_is_told_hides_nothing() -> None:
    """The network copies the known row, and its neighbours do not lead there."""
    numbers = still()
    numbers[60] = 1.0
    assert float(eased(numbers, *key(60))[:, JOINT].diff().abs().max()) < 0.12


def test_what_is_not_locked_stays_as_it_was() -> None:
    known, mask = key(60)
    mask[:, JOINT + 6 :] = 0.0
    whole = eased(still(), known, mask)
    assert whole[60, JOINT] == 1.0
    assert whole[:, JOINT + 6 :].abs().max() == 0.0


def test_what_is_added_holds_until_the_beat_nearby_and_is_gone_on_another() -> None:
    whole = eased(still(), *key(60), beats=(49, 65, 81, 97))[:, JOINT]
    assert whole[60:66].tolist() == pytest.approx([1.0] * 6)
    assert whole[66] < 1.0
    assert whole[65 + LONGEST_RAMP + 1 :].abs().max() == 0.0
    slopes = whole.diff().abs()
    assert slopes[80] < 0.5 * slopes.max()


def test_contacts_do_not_come_down_little_by_little() -> None:
    known, mask = torch.ones(120, CHANNELS), torch.zeros(120, CHANNELS)
    mask[60:80] = 1.0
    whole = eased(still(), known, mask)
    assert whole[:60, :4].abs().max() == 0.0
    assert whole[59, JOINT] > 0.5


def test_neighbours_that_are_known_are_never_touched() -> None:
    known, mask = torch.zeros(120, CHANNELS), torch.zeros(120, CHANNELS)
    for at, value in ((60, 1.0), (62, -1.0), (70, 0.5)):
        known[at], mask[at] = value, 1.0
    whole = eased(still(), known, mask, beats=(59, 66, 75))
    for at, value in ((60, 1.0), (62, -1.0), (70, 0.5)):
        assert whole[at].tolist() == [value] * CHANNELS


def test_runs_of_known_rows_are_found() -> None:
    mask = torch.zeros(10, CHANNELS)
    mask[0, 3], mask[4:6, 9], mask[9, 0] = 1.0, 1.0, 1.0
    assert known_runs(mask) == [(0, 1), (4, 6), (9, 10)]


def test_a_stamped_row_does_not_twitch_and_a_curve_is_left_as_it_is() -> None:
    time = torch.arange(120.0) / 30.0
    numbers = still()
    numbers[:, JOINT] = torch.sin(3.0 * time)
    _, mask = key(60)
    assert torch.allclose(bridged(numbers, mask), numbers, atol=2e-3)
    stamped = numbers.clone()
    stamped[60, JOINT] += 0.3
    smooth = bridged(stamped, mask)[:, JOINT]
    assert float(smooth.diff().diff().abs().max()) < 0.02
    assert float(stamped[:, JOINT].diff().diff().abs().max()) > 0.5


def test_passages_and_rows_with_known_neighbours_are_not_bridged() -> None:
    numbers = torch.randn(120, CHANNELS, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(120, CHANNELS)
    mask[:20], mask[50], mask[52] = 1.0, 1.0, 1.0
    assert torch.equal(bridged(numbers, mask), numbers)


def test_a_passage_is_gone_on_from_at_its_speed() -> None:
    known, mask = torch.zeros(120, CHANNELS), torch.zeros(120, CHANNELS)
    known[:, JOINT] = torch.arange(120.0) * 0.1
    mask[:40] = 1.0
    numbers = known.clone()
    numbers[40:, JOINT] = known[40, JOINT] + 0.5  # a network that stops there
    whole = eased(numbers, known, mask)[:, JOINT]
    assert float(whole[40] - whole[39]) == pytest.approx(0.1, abs=0.03)
    assert float(whole.diff().diff().abs().max()) < 0.1
    assert float(numbers[:, JOINT].diff().diff().abs().max()) > 0.4
