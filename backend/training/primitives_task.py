"""Training of the global network of Lodge: the primitives of a dance, bar by bar, from the music of its bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.schedule import alphas_cumprod
from backend.errors import PirouetteError
from backend.longform.primitives import bar_frames, bar_music, cut_primitives
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.training.dataset import DanceData, Drop
from backend.training.noising import TOLD, noised, row_error

FRAMES_A_BAR = 75  # windows so long hold all bars of all but slow dances
MOST_TRIES = 300
LEAST_DEVIATION = 1e-3  # of a component: dances may be too few to tell as many apart


class PrimitivesTask:
    """Rows of primitives of real dances, noised. ``frames`` of a window are its bars."""

    kind = "primitives"
    judged_by = "simple"

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        self.music_drop = Drop(**recipe["drop"]).music
        drop = Drop(**{**recipe["drop"], "music": 0.0})
        self.train = DanceData(cache, split="train", general_share=0.0, drop=drop)
        self.valid = DanceData(cache, split="valid", general_share=0.0, drop=Drop(0.0, 0.4, 0.0, 0.0, 0.0))
        components = int(recipe["components"])
        rng = np.random.default_rng(recipe["seed"])
        known = torch.cat(
            [self._window(self.train, int(recipe["windows"][0][0]), rng)[0] for _ in range(recipe["first_windows"])]
        )
        self.centre = known.mean(0)
        self.basis = torch.linalg.svd(known - self.centre, full_matrices=False).Vh[:components].T.contiguous()
        rows = (known - self.centre) @ self.basis
        self.mean, self.std = rows.mean(0), rows.std(0).clamp(min=LEAST_DEVIATION)
        self.weight = self.std.square() / self.std.square().mean()  # errors count as they do in the motion
        self.extra = {"mean": self.mean, "std": self.std, "basis": self.basis, "centre": self.centre}
        self.network: torch.nn.Module = ParallelMambaDenoiser(DenoiserConfig(channels=components, **recipe["network"]))
        self.alphas = alphas_cumprod()

    def _window(
        self, data: DanceData, bars: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Primitives (bars, 8 * 151) and music (bars, 45) of a window with so many bars, and its words."""
        for _ in range(MOST_TRIES):
            batch = data.batch(1, FRAMES_A_BAR * bars, rng)
            begins = bar_frames(batch.music[0])
            if len(begins) >= bars:
                first = int(rng.integers(len(begins) - bars + 1))
                begins = begins[first : first + bars]
                words = (batch.genre[0], batch.text[0], batch.has_genre[0], batch.has_text[0])
                return cut_primitives(batch.clean[0], begins), bar_music(batch.music[0], begins), words
        raise PirouetteError("too_short", f"No dance here has {bars} bars.", "Prepare longer dances with a clear beat.")

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """One batch: clean and noisy rows with their conditions, on the CPU."""
        drawn = [self._window(self.valid if valid else self.train, frames, rng) for _ in range(size)]
        clean = ((torch.stack([each[0] for each in drawn]) - self.centre) @ self.basis - self.mean) / self.std
        music = torch.stack([each[1] for each in drawn])
        if not valid:
            music[torch.from_numpy(rng.random(size) < self.music_drop)] = 0.0
        genre, text, has_genre, has_text = (
            torch.stack(part) for part in zip(*(each[2] for each in drawn), strict=True)
        )
        told = dict(zip(TOLD, (music, genre, text, has_genre, has_text), strict=True))
        return noised(clean, self.alphas, rng, favour_noisy=False) | told

    def loss(
        self,
        network: torch.nn.Module,
        batch: dict[str, Tensor],
        mean: Tensor,  # noqa: ARG002  losses after kinematics need them
        std: Tensor,  # noqa: ARG002
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error of the clean components."""
        return row_error(network, batch, self.weight)
