"""The denoiser: shapes, lengths, and that every condition reaches the output."""

from __future__ import annotations

import pytest
import torch

from backend.errors import PirouetteError
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import load_into, read_weights, weight_bytes

SMALL = DenoiserConfig(width=32, blocks=2, heads=2, state=8, decoder_width=16)


@pytest.fixture
def network() -> ParallelMambaDenoiser:
    torch.manual_seed(0)
    network = ParallelMambaDenoiser(SMALL).eval()
    with torch.no_grad():  # maps that start at zero hide what they carry
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network


def run(network: ParallelMambaDenoiser, frames: int = 60, **changes: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    noisy = torch.randn(1, frames, 151, generator=generator)
    music = torch.randn(1, frames, 45, generator=generator) + changes.get("music", 0.0)
    genre = torch.randn(1, 384, generator=generator) / 20 + changes.get("genre", 0.0)
    text = torch.randn(1, 384, generator=generator) / 20 + changes.get("text", 0.0)
    flag = torch.tensor([True])
    prompt = network.encode_prompt(genre, text, flag, flag)
    with torch.no_grad():
        return network(noisy, torch.tensor([int(changes.get("step", 500))]), network.encode_music(music), prompt)


@pytest.mark.parametrize("frames", [2, 10, 60, 302])
def test_any_even_number_of_frames_goes_through(network: ParallelMambaDenoiser, frames: int) -> None:
    clean = run(network, frames)
    assert clean.shape == (1, frames, 151)
    assert clean.dtype == torch.float32
    assert torch.isfinite(clean).all()


@pytest.mark.parametrize("condition", [{"music": 0.5}, {"genre": 0.05}, {"text": 0.05}, {"step": 100.0}])
def test_every_condition_changes_the_dance(network: ParallelMambaDenoiser, condition: dict[str, float]) -> None:
    assert (run(network) - run(network, **condition)).abs().max() > 1e-3


def test_a_late_frame_of_music_reaches_an_early_frame_of_dance(network: ParallelMambaDenoiser) -> None:
    noisy, step = torch.zeros(1, 60, 151), torch.tensor([500])
    flag, nothing = torch.tensor([False]), torch.zeros(1, 384)
    prompt = network.encode_prompt(nothing, nothing, flag, flag)
    music = torch.zeros(1, 60, 45)
    later = music.clone()
    later[:, 50:] = 1.0
    with torch.no_grad():
        one, other = (network(noisy, step, network.encode_music(m), prompt) for m in (music, later))
    assert (one[:, :10] - other[:, :10]).abs().max() > 1e-6


def test_weights_come_back_as_they_were_to_half_precision(network: ParallelMambaDenoiser, tmp_path) -> None:
    (tmp_path / "denoiser.safetensors").write_bytes(weight_bytes("denoiser", "1", network, {"mean": torch.ones(151)}))
    file = read_weights("denoiser", folder=tmp_path)
    again = ParallelMambaDenoiser(DenoiserConfig(**file.config))
    load_into(again, file)
    assert torch.allclose(run(network), run(again), atol=1e-2)
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_missing_weights_are_named(tmp_path) -> None:
    with pytest.raises(PirouetteError) as caught:
        read_weights("denoiser", folder=tmp_path)
    assert caught.value.code == "weights_missing"
    assert "denoiser.safetensors" in caught.value.message


def test_damaged_weights_are_refused(tmp_path) -> None:
    (tmp_path / "denoiser.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(PirouetteError) as caught:
        read_weights("denoiser", folder=tmp_path)
    assert caught.value.code == "weights_missing"


def test_weights_of_another_network_are_refused(network: ParallelMambaDenoiser, tmp_path) -> None:
    (tmp_path / "denoiser.safetensors").write_bytes(weight_bytes("denoiser", "1", network, {}))
    file = read_weights("denoiser", folder=tmp_path)
    with pytest.raises(PirouetteError) as caught:
        load_into(ParallelMambaDenoiser(DenoiserConfig(width=64, blocks=1, heads=2)), file)
    assert caught.value.code == "weights_version"
    (tmp_path / "refiner.safetensors").write_bytes(weight_bytes("denoiser", "1", network, {}))
    with pytest.raises(PirouetteError) as caught:
        read_weights("refiner", folder=tmp_path)
    assert caught.value.code == "weights_version"


@pytest.mark.parametrize("frames", [2, 63, 64, 65, 200])
def test_an_untrained_refiner_changes_nothing(frames: int) -> None:
    dance = torch.randn(frames, 151)
    assert torch.allclose(TemporalRefiner(RefinerConfig()).refine(dance), dance, atol=1e-5)
