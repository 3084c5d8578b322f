"""Training of the beat-distance estimator on real motion and the beats that it arrives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.conditions import MUSIC_GIVEN
from backend.models.beat_distance import BeatDistanceConfig, BeatDistanceEstimator, beat_distance_error
from backend.motion.representation import facing_joints, joint_velocities
from backend.training.dataset import DanceData, Drop

VELOCITY_NOISE_M_S = 0.05  # so that it reads the movement, not its last millimetre


class BeatDistanceTask:
    """Windows of motion with the distance of each frame to its beat."""

    kind = "beat_distance"
    judged_by = "loss"

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        drop, share = Drop(music=0.0, timbre=1.0), float(recipe["general_share"])
        self.train = DanceData(cache, split="train", general_share=share, drop=drop)
        self.valid = DanceData(cache, split="valid", general_share=0.0, drop=drop)
        self.network: torch.nn.Module = BeatDistanceEstimator(BeatDistanceConfig(**recipe["network"]))
        self.mean, self.std = self.train.mean, self.train.std
        self.extra: dict[str, Tensor] = {}

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """One batch: clean windows and their beats."""
        batch = (self.valid if valid else self.train).batch(size, frames, rng)
        noise = rng.standard_normal((size, frames - 1, 24, 3), dtype=np.float32) * VELOCITY_NOISE_M_S
        return {"clean": batch.clean, "music": batch.music, "noise": torch.from_numpy(noise)}

    def loss(
        self, network: torch.nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Weighted squared error in hundredths of s^2, and beside it the error of always naming the mean distance."""
        numbers = batch["clean"] * std + mean
        velocity = joint_velocities(numbers, facing_joints(numbers)) + batch["noise"]
        music = batch["music"][:, 1:]
        given = music[..., MUSIC_GIVEN].sum().clamp(min=1.0)
        error = 100.0 * beat_distance_error(network(velocity), music).sum() / given
        middle = (music[..., 0] * music[..., MUSIC_GIVEN]).sum() / given
        blind = 100.0 * beat_distance_error(middle.expand(music.shape[:2]), music).sum() / given
        return error, {"blind": blind}
