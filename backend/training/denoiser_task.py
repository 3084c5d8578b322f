"""Training of the Parallel Mamba Denoiser: noise a window, predict it clean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.schedule import STEPS, add_noise, alphas_cumprod
from backend.models.beat_distance import BeatDistanceConfig, BeatDistanceEstimator, beat_distance_error
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.weights import load_into, read_weights
from backend.training.dataset import DanceData, Drop
from backend.training.losses import LossWeights, denoising_loss
from backend.training.mutual_information import MutualInformation, halves

DECISIVE_STEP, DECISIVE_SPREAD = 750, 130  # where it is decided how far a dance moves
DECISIVE_SHARE = 0.4


def noise_levels(size: int, rng: np.random.Generator, *, favour_noisy: bool) -> np.ndarray:
    """Diffusion steps (size,): uniform, or with a share of them near the decisive noise level."""
    steps = rng.integers(0, STEPS, size)
    if favour_noisy:
        near = np.clip(rng.normal(DECISIVE_STEP, DECISIVE_SPREAD, size), 0, STEPS - 1).astype(np.int64)
        steps = np.where(rng.random(size) < DECISIVE_SHARE, near, steps)
    return steps


class DenoiserTask:
    """Draws noised windows and gives their loss. ``network`` is what is trained, ``extra`` what is saved beside it."""

    kind = "denoiser"
    judged_by = "simple"  # velocities have outliers where an upside-down dancer's heading jumps

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        drop, share = Drop(**recipe["drop"]), float(recipe["general_share"])
        self.train = DanceData(cache, split="train", general_share=share, drop=drop)
        self.valid = DanceData(cache, split="valid", general_share=0.0, drop=Drop(0.0, 0.4, 0.0, 0.0, 0.0))
        config = DenoiserConfig(**recipe["network"])
        self.network: torch.nn.Module = ParallelMambaDenoiser(config)
        self.weights = LossWeights(**recipe["loss"])
        self.information: MutualInformation | None = None
        if self.weights.mutual_information:
            self.information = MutualInformation(config.channels, config.channels)
        self.alphas = alphas_cumprod()
        file = read_weights("beat_distance")
        self.estimator = BeatDistanceEstimator(BeatDistanceConfig(**file.config))
        load_into(self.estimator, file)
        self.mean, self.std = self.train.mean, self.train.std
        self.extra = {"mean": self.mean, "std": self.std}

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """One batch: clean and noisy windows with their conditions, on the CPU."""
        data = self.valid if valid else self.train
        batch = data.batch(size, frames, rng)
        step = torch.from_numpy(noise_levels(size, rng, favour_noisy=not valid))
        noise = torch.from_numpy(rng.standard_normal(batch.clean.shape, dtype=np.float32))
        return {
            "clean": batch.clean,
            "noisy": add_noise(batch.clean, noise, step, self.alphas),
            "step": step,
            "signal": self.alphas[step],
            "music": batch.music,
            "genre": batch.genre,
            "text": batch.text,
            "has_genre": batch.has_genre,
            "has_text": batch.has_text,
        }

    def loss(
        self, network: torch.nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Denoising loss of a batch and its terms."""
        assert isinstance(network, ParallelMambaDenoiser)
        with torch.autocast(batch["clean"].device.type, torch.bfloat16):
            prompt = network.encode_prompt(batch["genre"], batch["text"], batch["has_genre"], batch["has_text"])
            predicted = network(batch["noisy"], batch["step"], network.encode_music(batch["music"]), prompt)
        estimator, music = self.estimator.to(mean.device), batch["music"][:, 1:]
        total, terms = denoising_loss(
            predicted,
            batch["clean"],
            batch["signal"],
            mean,
            std,
            weights=self.weights,
            beat_error=lambda velocity: beat_distance_error(estimator(velocity), music),
        )
        if self.information is not None:
            past, future = halves(predicted.float())
            if network.training:
                self.information.learn(past, future)
            terms["mutual_information"] = self.information.penalty(past, future)
            total = total + self.weights.mutual_information * terms["mutual_information"]
        return total, terms
