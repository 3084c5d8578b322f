"""What every denoiser's training shares: rows are noised, and the network says what they were."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.schedule import STEPS, add_noise
from backend.models.denoiser import ParallelMambaDenoiser
from backend.models.known import Known

DECISIVE_STEP, DECISIVE_SPREAD = 750, 130  # where it is decided how far a dance moves
DECISIVE_SHARE = 0.4
TOLD = ("music", "genre", "text", "has_genre", "has_text")  # of a batch, what the network is told


def noise_levels(size: int, rng: np.random.Generator, *, favour_noisy: bool) -> np.ndarray:
    """Diffusion steps (size,): uniform, or with a share of them near the decisive noise level."""
    steps = rng.integers(0, STEPS, size)
    if favour_noisy:
        near = np.clip(rng.normal(DECISIVE_STEP, DECISIVE_SPREAD, size), 0, STEPS - 1).astype(np.int64)
        steps = np.where(rng.random(size) < DECISIVE_SHARE, near, steps)
    return steps


def noised(clean: Tensor, alphas: Tensor, rng: np.random.Generator, *, favour_noisy: bool) -> dict[str, Tensor]:
    """``clean`` rows (B, T, C), the same ``noisy``, the diffusion ``step`` (B,) of each window."""
    step = torch.from_numpy(noise_levels(len(clean), rng, favour_noisy=favour_noisy))
    noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
    return {"clean": clean, "noisy": add_noise(clean, noise, step, alphas), "step": step}


def predicted(network: torch.nn.Module, batch: dict[str, Tensor], known: Known | None = None) -> Tensor:
    """The clean rows (B, T, C), float32, that a network sees in the noisy ones of a batch, in bf16 inside."""
    assert isinstance(network, ParallelMambaDenoiser)
    with torch.autocast(batch["clean"].device.type, torch.bfloat16):
        prompt = network.encode_prompt(batch["genre"], batch["text"], batch["has_genre"], batch["has_text"])
        rows: Tensor = network(batch["noisy"], batch["step"], network.encode_music(batch["music"]), prompt, known)
    return rows.float()


def row_error(network: torch.nn.Module, batch: dict[str, Tensor], weight: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Squared error of the clean rows, each number by its weight (C,), and both means as terms."""
    error = (predicted(network, batch) - batch["clean"]).square()
    terms = {"simple": (error * weight.to(error.device)).mean(), "plain": error.mean()}
    return terms["simple"], terms
