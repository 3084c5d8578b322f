"""Training of the denoiser in the space of codes: the same network, over h_b' and h_t of the frozen codec (DanceMeld).

It starts from the denoiser of motion: what it knows of music, words and time is the same in both spaces.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.schedule import alphas_cumprod
from backend.models.codec import CodecConfig, DanceCodec
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.weights import load_into, read_weights
from backend.spaces import latent_rows
from backend.training.dataset import Batch, DanceData, Drop
from backend.training.denoiser_task import start_from
from backend.training.noising import TOLD, noised, row_error


class CodeDenoiserTask:
    """Windows of latents of real dances, noised."""

    kind = "code_denoiser"
    judged_by = "simple"

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        drop, share = Drop(**recipe["drop"]), float(recipe["general_share"])
        self.train = DanceData(cache, split="train", general_share=share, drop=drop)
        self.valid = DanceData(cache, split="valid", general_share=0.0, drop=Drop(0.0, 0.4, 0.0, 0.0, 0.0))
        file = read_weights("codec")
        self.codec = DanceCodec(CodecConfig(**file.config))
        load_into(self.codec, file)
        self.codec_mean, self.codec_std = file.tensors["mean"], file.tensors["std"]
        width = self.codec.config.code_width
        config = DenoiserConfig(channels=3 * width, row_frames=8, first_channels=2 * width, **recipe["network"])
        self.network: torch.nn.Module = ParallelMambaDenoiser(config)
        start_from(self.network, "denoiser")
        self.alphas = alphas_cumprod()
        first = self.train.batch(recipe["first_windows"], 152, np.random.default_rng(recipe["seed"]))
        rows = self.latents(first).flatten(0, 1)
        self.mean, self.std = rows.mean(0), rows.std(0)
        self.weight = self.std.square() / self.std.square().mean()  # errors count as they do once decoded
        self.extra = {"mean": self.mean, "std": self.std}

    @torch.no_grad()
    def latents(self, batch: Batch) -> Tensor:
        """Rows (B, T/8, 3 * code width) of clean windows, not normalised."""
        clean = batch.clean * self.train.std + self.train.mean
        return latent_rows(*self.codec.latents((clean - self.codec_mean) / self.codec_std))

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """One batch: clean and noisy rows with their conditions, on the CPU."""
        batch = (self.valid if valid else self.train).batch(size, frames, rng)
        clean = (self.latents(batch) - self.mean) / self.std
        told = {name: getattr(batch, name) for name in TOLD}
        return noised(clean, self.alphas, rng, favour_noisy=not valid) | told

    def loss(
        self,
        network: torch.nn.Module,
        batch: dict[str, Tensor],
        mean: Tensor,  # noqa: ARG002  losses after kinematics need them
        std: Tensor,  # noqa: ARG002
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error of the clean latents."""
        return row_error(network, batch, self.weight)
