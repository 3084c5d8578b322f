"""Training of the Parallel Mamba Denoiser: noise a window, predict it clean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.conditions import MUSIC_GIVEN
from backend.diffusion.schedule import alphas_cumprod
from backend.models.beat_distance import BeatDistanceConfig, BeatDistanceEstimator, beat_distance_error
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.known import Known, beat_reach
from backend.models.weights import load_into, read_weights
from backend.training.dataset import DanceData, Drop
from backend.training.knowing import Knowing, known_mask
from backend.training.losses import LossWeights, denoising_loss
from backend.training.mutual_information import MutualInformation, halves
from backend.training.noising import TOLD, noised, predicted

ROUGHNESS = 0.2  # standard deviations: how far a past that was predicted may be from a clean one


def start_from(network: torch.nn.Module, kind: str) -> None:
    """Take over from trained weights all that has the same name and shape."""
    known = {name.removeprefix("net."): value for name, value in read_weights(kind).tensors.items()}
    own = network.state_dict()
    same = {name: value for name, value in known.items() if name in own and own[name].shape == value.shape}
    network.load_state_dict(same, strict=False)


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
        if "start_from" in recipe:
            start_from(self.network, recipe["start_from"])
        self.knowing = Knowing(**recipe.get("knowing", {})) if config.directed else None
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
        drawn = noised(batch.clean, self.alphas, rng, favour_noisy=not valid)
        drawn |= {"signal": self.alphas[drawn["step"]], **{name: getattr(batch, name) for name in TOLD}}
        return drawn if self.knowing is None else drawn | self._known(batch.clean, self.knowing, rng)

    def _known(self, clean: Tensor, knowing: Knowing, rng: np.random.Generator) -> dict[str, Tensor]:
        """What is known of windows (B, T, 151), and how new their future is to be."""
        told, masks, novelty = clean.clone(), [], np.zeros(len(clean), dtype=np.float32)
        for row in range(len(clean)):
            mask, past = known_mask(clean.shape[1], knowing, rng)
            masks.append(mask)
            if past and rng.random() < knowing.rough:
                noise = rng.standard_normal((past, clean.shape[2]), dtype=np.float32)
                told[row, :past] += float(rng.uniform(0, ROUGHNESS)) * torch.from_numpy(noise)
            if past and rng.random() < knowing.new:
                novelty[row] = rng.random()
        return {"told": told, "mask": torch.stack(masks), "novelty": torch.from_numpy(novelty)}

    def loss(
        self, network: torch.nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Denoising loss of a batch and its terms."""
        known = _known_of(batch)
        clean = predicted(network, batch, known)
        if known is not None:  # what is known is put in its place: jumps at its ends are errors, too
            clean = torch.lerp(clean, batch["clean"], known.mask)
        estimator, music = self.estimator.to(mean.device), batch["music"][:, 1:]
        total, terms = denoising_loss(
            clean,
            batch["clean"],
            batch["signal"],
            mean,
            std,
            weights=self.weights,
            beat_error=lambda velocity: beat_distance_error(estimator(velocity), music),
        )
        if self.information is not None:
            past, future = halves(clean)
            if network.training:
                self.information.learn(past, future)
            terms["mutual_information"] = self.information.penalty(past, future, batch.get("novelty"))
            total = total + self.weights.mutual_information * terms["mutual_information"]
        return total, terms


def _known_of(batch: dict[str, Tensor]) -> Known | None:
    if "mask" not in batch:
        return None
    return Known(batch["told"], batch["mask"], beat_reach(batch["music"], MUSIC_GIVEN), batch["novelty"])
