"""The noise schedule: cosine, 1000 steps (Nichol and Dhariwal 2021), as diffusers' solvers know it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

STEPS = 1000


def alphas_cumprod() -> Tensor:
    """Share of signal power (1000,) that is left at each step, float32; diffusers' ``squaredcos_cap_v2``."""

    def signal(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    kept = [1.0 - min(1.0 - signal((i + 1) / STEPS) / signal(i / STEPS), 0.999) for i in range(STEPS)]
    return torch.cumprod(torch.tensor(kept, dtype=torch.float64), dim=0).float()


def add_noise(clean: Tensor, noise: Tensor, step: Tensor, alphas: Tensor) -> Tensor:
    """x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise for steps (B,) of clean motion (B, T, C). Source: EDMG eq. 3."""
    kept = alphas[step][:, None, None]
    return kept.sqrt() * clean + (1 - kept).sqrt() * noise
