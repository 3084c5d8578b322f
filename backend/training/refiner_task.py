"""Training of the Temporal Refinement Module on the denoiser's own output: dances noised part of the way and denoised
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from backend.diffusion.sampling import solver
from backend.diffusion.schedule import add_noise, alphas_cumprod
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import load_into, read_weights
from backend.motion.representation import facing_joints, joint_velocities
from backend.training.dataset import DanceData, Drop

PAIR_FRAMES, PAIR_BATCH = 300, 8


@dataclass(frozen=True)
class RefinerWeights:
    """Weights of the L1 terms: joints in m, velocities in m/s, accelerations in m/s per frame (EDMG eqs. 11-13)."""

    position: float
    velocity: float
    acceleration: float
    simple: float


class RefinerTask:
    """Windows of denoised dances and the real dances they should be."""

    kind = "refiner"
    judged_by = "loss"

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        file = read_weights("denoiser")
        self.denoiser = ParallelMambaDenoiser(DenoiserConfig(**file.config))
        load_into(self.denoiser, file)
        self.network: torch.nn.Module = TemporalRefiner(RefinerConfig(**recipe["network"]))
        self.weights = RefinerWeights(**recipe["loss"])
        self.mean, self.std = file.tensors["mean"], file.tensors["std"]
        self.extra: dict[str, Tensor] = {}
        self.noisiest = int(recipe["noisiest_step"])
        rng = np.random.default_rng(recipe["seed"])
        self.train = self._pairs(cache, "train", int(recipe["pairs"]), rng)
        self.valid = self._pairs(cache, "valid", max(int(recipe["pairs"]) // 16, PAIR_BATCH), rng)

    def _pairs(self, cache: Path, split: str, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Denoised and real dances (count, 300, 151), normalised."""
        data = DanceData(cache, split=split, general_share=0.1, drop=Drop())
        data.mean, data.std = self.mean, self.std
        made, real = [], []
        for _ in track(range(count // PAIR_BATCH), description=f"pairs {split}", transient=True):
            batch = data.batch(PAIR_BATCH, PAIR_FRAMES, rng)
            prompt = self.denoiser.encode_prompt(batch.genre, batch.text, batch.has_genre, batch.has_text)
            with torch.inference_mode():
                music = self.denoiser.encode_music(batch.music)
                made.append(self._denoise(batch.clean, music, prompt, rng))
            real.append(batch.clean)
        return torch.cat(made).clone(), torch.cat(real)

    def _denoise(self, clean: Tensor, music: Tensor, prompt: Tensor, rng: np.random.Generator) -> Tensor:
        """Noise to a random level, then come back with the same solver that generation uses."""
        scheduler = solver(8)
        steps = [int(s) for s in scheduler.timesteps]
        usable = [index for index, step in enumerate(steps) if step <= self.noisiest]
        first = usable[int(rng.integers(len(usable)))]
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        noisy = add_noise(clean, noise, torch.full((len(clean),), steps[first]), alphas_cumprod())
        scheduler.set_begin_index(first)
        for step in scheduler.timesteps[first:]:
            predicted = self.denoiser(noisy, torch.full((len(clean),), int(step)), music, prompt)
            noisy = scheduler.step(predicted, step, noisy, return_dict=False)[0]
        return noisy

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """Random windows of the pairs."""
        made, real = self.valid if valid else self.train
        rows = torch.from_numpy(rng.integers(0, len(made), size))
        starts = rng.integers(0, PAIR_FRAMES - frames + 1, size)
        places = torch.from_numpy(starts[:, None] + np.arange(frames))
        return {"made": made[rows[:, None], places], "clean": real[rows[:, None], places]}

    def loss(
        self, network: torch.nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """L1 of joints, velocities and accelerations after forward kinematics."""
        refined, clean = network(batch["made"]), batch["clean"]
        numbers, truth = refined * std + mean, clean * std + mean
        joints, true_joints = facing_joints(numbers), facing_joints(truth)
        velocity, true_velocity = joint_velocities(numbers, joints), joint_velocities(truth, true_joints)
        terms = {
            "position": (joints - true_joints).abs().mean(),
            "velocity": (velocity - true_velocity).abs().mean(),
            "acceleration": (velocity.diff(dim=-3) - true_velocity.diff(dim=-3)).abs().mean(),
            "simple": (refined - clean).abs().mean(),
        }
        total = torch.stack([getattr(self.weights, name) * term for name, term in terms.items()]).sum()
        return total, terms
