"""The two spaces a dance can be made in: motion itself, or the latents of its codes. One sampler serves both."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from backend.coder import DanceCoder
from backend.models.codec import GROUP_FRAMES
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.weights import WeightFile, load_into, read_weights


class Space(Protocol):
    """Rows that a denoiser works on, normalised. frames: the number of frames is a multiple of this."""

    network: ParallelMambaDenoiser
    frames: int

    def enter(self, numbers: Tensor) -> Tensor:
        """Rows of a representation (T, 151) that is not normalised."""

    def leave(self, rows: Tensor) -> Tensor:
        """The representation (T, 151), not normalised, of rows."""


class MotionSpace:
    """The 151 numbers of each frame, normalised."""

    frames = 2

    def __init__(self, file: WeightFile, device: torch.device) -> None:
        self.network = _network(file, device)
        self.mean, self.std = file.tensors["mean"].to(device), file.tensors["std"].to(device)

    def enter(self, numbers: Tensor) -> Tensor:
        """Normalise."""
        return (numbers.to(self.mean.device) - self.mean) / self.std

    def leave(self, rows: Tensor) -> Tensor:
        """Take the normalisation away."""
        return rows * self.std + self.mean


class CodeSpace:
    """DanceMeld's h_t and h_b' of eight frames in a row, normalised; what is sampled is quantised before decoding."""

    frames = GROUP_FRAMES

    def __init__(self, file: WeightFile, coder: DanceCoder, device: torch.device) -> None:
        self.network = _network(file, device)
        self.mean, self.std = file.tensors["mean"].to(device), file.tensors["std"].to(device)
        self.coder = coder

    @torch.inference_mode()
    def enter(self, numbers: Tensor) -> Tensor:
        """Latents before quantisation."""
        clean = (numbers.to(self.mean.device) - self.coder.mean) / self.coder.std
        return (latent_rows(*self.coder.codec.latents(clean[None]))[0] - self.mean) / self.std

    @torch.inference_mode()
    def leave(self, rows: Tensor) -> Tensor:
        """The motion of the nearest codes."""
        width = self.coder.codec.config.code_width
        latents = (rows * self.std + self.mean)[None]
        movement, pose = latents[..., : 2 * width].unflatten(-1, (2, -1)).flatten(1, 2), latents[..., 2 * width :]
        codec = self.coder.codec
        return codec.decode(codec.quantise(movement, pose))[0] * self.coder.std + self.coder.mean


def latent_rows(movement: Tensor, pose: Tensor) -> Tensor:
    """Rows (B, G, 3 * code width) of h_t (B, 2G, code width) and h_b' (B, G, code width)."""
    return torch.cat([movement.unflatten(1, (-1, 2)).flatten(2), pose], dim=-1)


def _network(file: WeightFile, device: torch.device) -> ParallelMambaDenoiser:
    network = ParallelMambaDenoiser(DenoiserConfig(**file.config))
    load_into(network, file)
    return network.to(device)


def space_of(name: str, coder: DanceCoder, device: torch.device, *, weights: Path | None) -> Space:
    """The space "motion" or "code" with its trained denoiser. Raises PirouetteError("weights_missing")."""
    if name == "motion":
        return MotionSpace(read_weights("denoiser", folder=weights), device)
    return CodeSpace(read_weights("code_denoiser", folder=weights), coder, device)
