"""The bundled models with deceived ears, by networks that have learned nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.canvas import Canvas
from backend.choreographer import Choreographer
from backend.evaluation.bundled_generator import BundledGenerator
from backend.evaluation.generators import HEARINGS, Wish
from backend.models.codec import CodecConfig, DanceCodec
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import weight_bytes
from backend.music.audio import Audio, audio_from_samples
from backend.music.beats import BeatGrid
from backend.request import GenerateRequest


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    denoiser = ParallelMambaDenoiser(DenoiserConfig(width=64, blocks=1, decoder_width=32))
    refiner = TemporalRefiner(RefinerConfig(width=64, blocks=1))
    codec = DanceCodec(CodecConfig(width=16, fine_width=8, code_width=8, movement_codes=8, pose_codes=8))
    statistics = {"mean": torch.zeros(151), "std": torch.full((151,), 0.1)}
    (folder / "denoiser.safetensors").write_bytes(weight_bytes("denoiser", "test", denoiser, statistics))
    (folder / "refiner.safetensors").write_bytes(weight_bytes("refiner", "test", refiner, {}))
    (folder / "codec.safetensors").write_bytes(weight_bytes("codec", "test", codec, statistics))
    return folder


@pytest.fixture(scope="module")
def generator(weights: Path) -> BundledGenerator:
    return BundledGenerator(device="cpu", weights=weights)


@pytest.fixture(scope="module")
def clicks() -> Audio:
    """Two clicks a second for five seconds."""
    time_s = np.arange(5 * 22050) / 22050
    return audio_from_samples((np.sin(2 * np.pi * 440 * time_s) * np.exp(-40 * (time_s % 0.5))).astype("f4"), 22050)


def test_dance_to_the_true_beats_is_the_choreographers_own(
    generator: BundledGenerator, weights: Path, clicks: Audio
) -> None:
    request = GenerateRequest(clicks, genre="salsa", seed=3)
    own = Choreographer(device="cpu", weights=weights).generate(
        request, progress=lambda *_: None, cancelled=lambda: False
    )
    np.testing.assert_array_equal(generator.dance(clicks, Wish("salsa", 3)).poses, own.motion.poses)
    assert "test" in generator.version


def test_every_hearing_gives_a_dance_of_its_own(generator: BundledGenerator, clicks: Audio) -> None:
    dances = [generator.dance(clicks, Wish("salsa", 1, hearing)).poses for hearing in HEARINGS]
    for number, dance in enumerate(dances):
        assert len(dance) == 150
        assert all(np.abs(dance - other).max() > 1e-6 for other in dances[:number])


def test_no_stage_knows_the_true_beats(
    generator: BundledGenerator, clicks: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    told = generator.choreographer.conditions

    def spy(canvas: Canvas, grid: BeatGrid, *others: object) -> object:
        seen.append(grid.beats_s)
        return told(canvas, grid, *others)

    monkeypatch.setattr(generator.choreographer, "conditions", spy)
    for hearing in ("true", "half_beat"):
        generator.choreographer.hearing = hearing
        request = GenerateRequest(clicks, seed=0)
        dance = generator.choreographer.generate(request, progress=lambda *_: None, cancelled=lambda: False)
        np.testing.assert_array_equal(dance.grid.beats_s, seen[-1])
    np.testing.assert_allclose(seen[1] - seen[0], 0.25, atol=0.02)
