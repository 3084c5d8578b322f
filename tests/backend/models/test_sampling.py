"""Sampling: windows cover the dance, overlaps blend, seeds repeat, cancelling stops."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from backend.diffusion.conditions import Conditions
from backend.diffusion.sampling import Given, Job, Sampler, solver
from backend.diffusion.schedule import STEPS, add_noise, alphas_cumprod
from backend.diffusion.windows import crossfade, window_starts
from backend.errors import Cancelled
from backend.longform.making import make
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser


@pytest.mark.parametrize("frames", [2, 298, 300, 302, 480, 900, 5400])
def test_windows_cover_every_frame_and_overlap(frames: int) -> None:
    starts = window_starts(frames)
    length = min(300, frames)
    assert starts[0] == 0
    assert starts[-1] + length == frames
    assert all(start % 2 == 0 for start in starts)
    assert all(later - earlier <= 300 - 90 for earlier, later in pairwise(starts))


def test_crossfading_equal_windows_changes_nothing() -> None:
    dance = torch.randn(700, 5)
    starts = window_starts(700)
    parts = torch.stack([dance[start : start + 300] for start in starts])
    assert torch.allclose(crossfade(parts, starts, 700), dance, atol=1e-5)


def test_the_schedule_is_the_solvers() -> None:
    assert torch.allclose(alphas_cumprod(), solver(8).alphas_cumprod.float(), atol=1e-6)


def test_noise_grows_from_nothing_to_everything() -> None:
    clean, noise = torch.ones(2, 4, 3), torch.full((2, 4, 3), 5.0)
    noisy = add_noise(clean, noise, torch.tensor([0, STEPS - 1]), alphas_cumprod())
    assert (noisy[0] - 1).abs().max() < 0.1
    assert (noisy[1] - 5).abs().max() < 0.1


class Perfect(torch.nn.Module):
    """Stands in for the network: always knows the clean dance."""

    def __init__(self, clean: torch.Tensor) -> None:
        super().__init__()
        self.config, self.clean = DenoiserConfig(channels=clean.shape[-1]), clean

    def encode_music(self, music: torch.Tensor) -> torch.Tensor:
        return music

    def encode_prompt(self, genre, text, has_genre, has_text) -> torch.Tensor:
        return genre

    def forward(self, noisy, step, music, prompt) -> torch.Tensor:
        return self.clean[music[..., 0].long()]


def test_the_solver_arrives_at_what_the_network_predicts() -> None:
    clean = torch.randn(640, 7)
    music = torch.arange(640.0)[:, None].repeat(1, 45)
    made = make(
        Perfect(clean),
        Conditions(music, None, None),
        sampler=Sampler(steps=8, guidance=1.0),
        generator=torch.Generator().manual_seed(0),
    )
    assert torch.allclose(made, clean, atol=1e-3)


def small() -> tuple[ParallelMambaDenoiser, Conditions]:
    torch.manual_seed(0)
    network = ParallelMambaDenoiser(DenoiserConfig(width=32, blocks=1, heads=2, state=8, decoder_width=16)).eval()
    return network, Conditions(torch.zeros(400, 45), None, torch.ones(384) / 20)


def run(seed: int, cancelled=lambda: False, told=None) -> torch.Tensor:
    network, conditions = small()
    return make(
        network,
        conditions,
        sampler=Sampler(steps=4),
        generator=torch.Generator().manual_seed(seed),
        job=Job(lambda done, total: told.append((done, total)) if told is not None else None, cancelled),
    )


def test_the_same_seed_is_the_same_dance_and_another_is_not() -> None:
    assert torch.equal(run(1), run(1))
    assert not torch.allclose(run(1), run(2), atol=0.1)


def test_progress_counts_every_step() -> None:
    told: list[tuple[int, int]] = []
    run(1, told=told)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_cancelled_job_stops() -> None:
    with pytest.raises(Cancelled):
        run(1, cancelled=lambda: True)


def made(network: ParallelMambaDenoiser, frames: int, *, seed: int = 0, given: Given | None = None) -> torch.Tensor:
    return make(
        network,
        Conditions(torch.zeros(frames, 45), None, None),
        sampler=Sampler(),
        generator=torch.Generator().manual_seed(seed),
        given=given,
    )


@pytest.mark.parametrize("strength", [1.0, 0.5, 0.05])
def test_what_is_known_stays_to_the_last_digit(strength: float) -> None:
    clean = torch.randn(80, 151, generator=torch.Generator().manual_seed(1))
    kept = torch.ones(80, 1)
    kept[30:50] = 0.0
    whole = made(small()[0], 80, given=Given(clean, kept, strength=strength))
    assert torch.equal(whole[:30], clean[:30])
    assert torch.equal(whole[50:], clean[50:])
    assert not torch.allclose(whole[30:50], clean[30:50], atol=1e-3)


def test_a_smaller_strength_stays_nearer_to_what_was_there() -> None:
    """A network that believes what it sees: less noise, less change."""
    clean = torch.randn(80, 151, generator=torch.Generator().manual_seed(1))

    class Believer(Perfect):
        def forward(self, noisy, step, music, prompt) -> torch.Tensor:
            return noisy

    kept = torch.zeros(80, 1)
    distances = [
        float((made(Believer(clean), 80, given=Given(clean, kept, strength=strength)) - clean).abs().mean())
        for strength in (0.1, 0.4, 0.8)
    ]
    assert distances == sorted(distances)
    assert distances[0] < 0.5 * distances[-1]


def test_every_prediction_is_adjusted() -> None:
    clean = torch.zeros(40, 151)
    seen: list[int] = []

    def flat(predicted: torch.Tensor) -> torch.Tensor:
        seen.append(len(predicted))
        return torch.zeros_like(predicted)

    whole = made(small()[0], 40, given=Given(clean, torch.zeros(40, 1), adjust=flat))
    assert len(seen) == Sampler().steps + 1
    assert float(whole.abs().max()) == 0.0


@pytest.mark.parametrize("frames", [8, 296, 304, 800])
def test_rows_of_codes_are_sampled_as_frames_are(frames: int) -> None:
    torch.manual_seed(0)
    config = DenoiserConfig(
        channels=12, row_frames=8, first_channels=8, width=32, blocks=1, heads=2, state=8, decoder_width=16
    )
    rows = made(ParallelMambaDenoiser(config).eval(), frames)
    assert rows.shape == (frames // 8, 12)
    assert torch.isfinite(rows).all()
