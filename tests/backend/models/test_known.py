"""What the denoiser knows beforehand: nothing changes nothing, known numbers are heard, and the beat tells how far."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.diffusion.conditions import MUSIC_GIVEN
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.known import PARTS, Known, beat_reach, dilated_mask
from backend.motion.representation import CHANNELS, HEIGHT, ROTATIONS, VELOCITY, YAW_RATE
from backend.training.knowing import FEWEST_UNKNOWN, Knowing, key_channels, known_mask


def network() -> ParallelMambaDenoiser:
    torch.manual_seed(0)
    config = DenoiserConfig(width=32, blocks=2, heads=2, state=8, decoder_width=16, directed=True)
    return ParallelMambaDenoiser(config).eval()


def known(frames: int, mask: torch.Tensor, reach: float = 1.0) -> Known:
    clean = torch.randn(1, frames, CHANNELS, generator=torch.Generator().manual_seed(3))
    return Known(clean, mask[None], torch.full((1, frames), reach), torch.zeros(1))


def run(net: ParallelMambaDenoiser, told: Known | None) -> torch.Tensor:
    noisy = torch.randn(1, 80, CHANNELS, generator=torch.Generator().manual_seed(5))
    nothing = torch.zeros(1, 384), torch.zeros(1, 384), torch.tensor([False]), torch.tensor([False])
    with torch.inference_mode():
        music = net.encode_music(torch.zeros(1, 80, 45))
        return net(noisy, torch.tensor([500]), music, net.encode_prompt(*nothing), told)


def test_to_know_nothing_is_not_to_be_told_anything() -> None:
    net = network()
    for layer in (net.known.flags, net.known.enter, net.known.out):
        torch.nn.init.normal_(layer.weight, 0.0, 0.1)
    assert torch.allclose(run(net, known(80, torch.zeros(80, CHANNELS))), run(net, None), atol=1e-5)


def test_a_known_frame_is_heard() -> None:
    mask = torch.zeros(80, CHANNELS)
    mask[40] = 1.0
    net = network()
    assert not torch.allclose(run(net, known(80, mask)), run(net, None), atol=1e-3)


@pytest.mark.parametrize("block", [0, 1, 5])
def test_a_known_frame_reaches_further_on_the_beat_and_in_later_blocks(block: int) -> None:
    mask = torch.zeros(80, CHANNELS)
    mask[40] = 1.0
    on, off = (int(dilated_mask(known(80, mask, reach), block)[0, :, 20].sum()) for reach in (1.0, np.exp(-2.0)))
    assert on == 2 * (4 * (block + 1) // 2) + 1
    assert off < on
    assert int(dilated_mask(known(80, mask), block).sum()) == on  # nobody hears an unknown token


def test_reach_falls_from_the_beat_to_the_middle_between_beats() -> None:
    music = torch.zeros(3, 45)
    music[:, 0] = torch.tensor([0.0, 0.25, 0.1])
    music[:2, MUSIC_GIVEN] = 1.0
    reach = beat_reach(music, MUSIC_GIVEN)
    assert reach[0] == 1.0
    assert reach[1] == pytest.approx(np.exp(-1.0))
    assert reach[2] == pytest.approx(0.37)  # no music


def test_parts_cover_every_number_once() -> None:
    assert torch.allclose(PARTS.sum(0), torch.ones(10))
    assert ((PARTS > 0).sum(1) == 1).all()


def test_key_poses_of_training_never_tell_place_heading_or_contacts() -> None:
    for seed in range(20):
        channels = key_channels(np.random.default_rng(seed), whole=bool(seed % 2))
        assert channels[VELOCITY].sum() == 0.0
        assert channels[:4].sum() == 0.0
        assert channels[YAW_RATE] == 0.0
    whole = key_channels(np.random.default_rng(0), whole=True)
    assert whole[HEIGHT] == 1.0
    assert whole[ROTATIONS].sum() == 143.0


def test_windows_of_training_leave_something_to_be_made() -> None:
    rng, pasts = np.random.default_rng(0), 0
    for _ in range(200):
        mask, past = known_mask(150, Knowing(keys=0.0, primitives=0.0), rng)
        assert int((mask.sum(1) == 0).sum()) >= FEWEST_UNKNOWN
        assert mask[:past].min() == 1.0 if past else mask[0].max() == 0.0
        pasts += past > 0
    assert 40 < pasts < 100
