"""The denoiser's parts can be left out one at a time, and left as they are change nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch

from backend.models.denoiser import BEAT_CHANNELS, DenoiserConfig, ParallelMambaDenoiser
from backend.models.mamba import Mamba, selective_scan
from backend.models.ssd import ssd_sequential
from backend.models.weights import load_into, read_weights

SMALL = DenoiserConfig(width=32, blocks=2, heads=2, state=8, decoder_width=16)
Build = Callable[..., ParallelMambaDenoiser]


def build(**changes: object) -> ParallelMambaDenoiser:
    torch.manual_seed(0)
    network = ParallelMambaDenoiser(dataclasses.replace(SMALL, **changes)).eval()
    with torch.no_grad():  # maps that start at zero hide what they carry
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network


def dance(network: ParallelMambaDenoiser, music: torch.Tensor) -> torch.Tensor:
    flag, nothing = torch.tensor([False]), torch.zeros(1, 384)
    noisy = torch.randn(1, music.shape[1], 151, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        prompt = network.encode_prompt(nothing, nothing, flag, flag)
        return network(noisy, torch.tensor([500]), network.encode_music(music), prompt)


def names(network: ParallelMambaDenoiser) -> set[str]:
    return set(network.state_dict())


def test_the_shipped_weights_load_into_the_default_network() -> None:
    file = read_weights("denoiser")
    config = DenoiserConfig(**file.config)
    load_into(ParallelMambaDenoiser(config), file)
    assert (config.mixer, config.local_module, config.trajectory_modulation, config.rhythm) == (
        "parallel",
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"local_module": False}, {"blocks.0.down.weight", "blocks.0.down.bias"}),
        ({"trajectory_modulation": False}, {"decoder.rotation_to_root.weight", "decoder.root_to_rotation.weight"}),
        ({"mixer": "standard"}, {"blocks.0.mixer.dt_bias", "blocks.0.mixer.norm.weight"}),
    ],
)
def test_a_part_left_out_is_not_built(change: dict[str, object], gone: set[str]) -> None:
    full, without = names(build()), names(build(**change))
    assert gone <= full
    assert not gone & without
    assert not {name for name in full ^ without if not any(part in name for part in ("down", "_to_ro", "mixer"))}


@pytest.mark.parametrize("frames", [2, 10, 62])
@pytest.mark.parametrize(
    "change", [{"local_module": False}, {"trajectory_modulation": False}, {"mixer": "standard"}, {"rhythm": False}]
)
def test_every_length_goes_through_without_a_part(change: dict[str, object], frames: int) -> None:
    clean = dance(build(**change), torch.randn(1, frames, 45, generator=torch.Generator().manual_seed(2)))
    assert clean.shape == (1, frames, 151)
    assert torch.isfinite(clean).all()


def test_without_beat_features_the_beat_is_not_heard_but_the_sound_is() -> None:
    music = torch.randn(1, 60, 45, generator=torch.Generator().manual_seed(2))
    other_beat, other_sound = music.clone(), music.clone()
    other_beat[..., list(BEAT_CHANNELS)] += 1.0
    other_sound[..., 6] += 1.0
    deaf = build(rhythm=False)
    assert torch.equal(dance(deaf, music), dance(deaf, other_beat))
    assert (dance(deaf, music) - dance(deaf, other_sound)).abs().max() > 1e-4
    assert (dance(build(), music) - dance(build(), other_beat)).abs().max() > 1e-4


def test_without_gtm_the_root_does_not_follow_the_rotations() -> None:
    music = torch.zeros(1, 60, 45)
    moved = {}
    for modulation in (True, False):
        network = build(trajectory_modulation=modulation)
        before = dance(network, music)
        with torch.no_grad():
            network.decoder.rotation.weight.mul_(2.0)
        moved[modulation] = (dance(network, music) - before)[..., :7].abs().max()
    assert moved[True] > 1e-4
    assert moved[False] == 0.0


def test_without_lim_the_music_is_heard_at_the_rate_of_the_tokens() -> None:
    """Two tokens that average to nothing are silence to the local module's coarse attention alone."""
    heard = {}
    for local in (True, False):
        block = build(local_module=local).blocks[0].eval()
        with torch.no_grad():
            block.music.weight.zero_()  # what is added token by token
            there = torch.randn(1, 30, 32, generator=torch.Generator().manual_seed(3))
            music = torch.randn(1, 15, 1, 32, generator=torch.Generator().manual_seed(4))
            music = (music * torch.tensor([1.0, -1.0])[:, None]).flatten(1, 2)
            coarse = torch.nn.functional.avg_pool1d(music.transpose(1, 2), 2).transpose(1, 2)
            silence = block(there, torch.zeros_like(music), torch.zeros_like(coarse), torch.zeros(1, 1, 6, 32))
            heard[local] = (block(there, music, coarse, torch.zeros(1, 1, 6, 32)) - silence).abs().max()
    assert heard[True] < 1e-6
    assert heard[False] > 1e-4


def test_a_standard_mamba_knows_only_what_came_before() -> None:
    torch.manual_seed(0)
    mixer = Mamba(32).eval()
    x = torch.randn(1, 40, 32)
    later, earlier = x.clone(), x.clone()
    later[:, 25:] += 1.0
    earlier[:, :5] += 1.0
    with torch.no_grad():
        assert torch.equal(mixer(x)[:, :25], mixer(later)[:, :25])
        assert (mixer(x) - mixer(earlier))[:, 20:].abs().max() > 1e-6


def test_selective_scan_is_the_shared_scan_where_channels_share_step_and_decay() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 17, 3, 4, generator=generator, dtype=torch.float64)
    dt = torch.rand(2, 17, 3, generator=generator, dtype=torch.float64)
    a = -torch.rand(3, generator=generator, dtype=torch.float64)
    b, c = (torch.randn(2, 17, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    shared = ssd_sequential(x, dt, a, b, c).flatten(2)
    own = selective_scan(x.flatten(2), dt.repeat_interleave(4, -1), a.repeat_interleave(4)[:, None].expand(-1, 5), b, c)
    torch.testing.assert_close(own, shared)
