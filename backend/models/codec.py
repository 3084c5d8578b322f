"""Hierarchical VQ-VAE (DanceMeld): a dance as two rows of codes, poses at 15 Hz and movement at 7.5 Hz.

The frames x are encoded twice: x -> h_b -> h_t. The movement code is e_t = Q(h_t); the pose code is e_b = Q(h_b'), with
h_b' made of h_b and what the movement code already tells; both are decoded together. One code of 128 and one of 512
cannot tell a dance to a few centimetres, so each row is a sum of residual codes, the coarsest first; to an animator it
is still one row. Everything is a convolution of a short reach: a code is felt for less than a second on either side, so
that codes can be cut, moved and joined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.motion.representation import CHANNELS


@dataclass(frozen=True)
class CodecConfig:
    """Sizes of the codec. rows: residual codes that add up to one; codes: size of each codebook."""

    channels: int = CHANNELS
    width: int = 256
    code_width: int = 64
    movement_rows: int = 3
    movement_codes: int = 128
    pose_rows: int = 4
    pose_codes: int = 512

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the header of a weight file."""
        return asdict(self)


@dataclass(frozen=True)
class Codes:
    """movement: (..., L, movement rows) and pose: (..., 2L, pose rows), integers; L codes are 4L frames."""

    movement: Tensor
    pose: Tensor


class Codebooks(nn.Module):
    """Residual codebooks (rows, codes, width): a vector is the sum of one entry of each row."""

    vectors: Tensor

    def __init__(self, rows: int, codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(rows, codes, width))

    def nearest(self, latent: Tensor) -> Tensor:
        """Codes (..., rows) of latents (..., width): each row codes what the rows before it have left."""
        codes, left = [], latent.float()
        for book in self.vectors:
            distance = book.square().sum(-1) - 2.0 * left @ book.T
            codes.append(distance.argmin(-1))
            left = left - book[codes[-1]]
        return torch.stack(codes, dim=-1)

    def lookup(self, codes: Tensor) -> Tensor:
        """Vectors (..., width) of codes (..., rows)."""
        return torch.stack([book[row] for book, row in zip(self.vectors, codes.unbind(-1), strict=True)]).sum(0)

    def quantise(self, latent: Tensor) -> Tensor:
        """The nearest vectors (..., width)."""
        return self.lookup(self.nearest(latent))


class ResidualBlock(nn.Module):
    """A dilated convolution over time and one over channels; norms see single moments only."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.over_time = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.over_channels = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) -> the same."""
        hidden = F.silu(self.over_time(self.norm(x).transpose(1, 2))).transpose(1, 2)
        changed: Tensor = x + self.over_channels(hidden)
        return changed


class Resampling(nn.Module):
    """A convolution that halves or doubles the rate: (B, L, C) -> (B, L / 2 or 2 L, width)."""

    def __init__(self, channels: int, width: int, *, up: bool) -> None:
        super().__init__()
        kind = nn.ConvTranspose1d if up else nn.Conv1d
        self.conv = kind(channels, width, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Resample."""
        resampled: Tensor = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return resampled


def _blocks(width: int, dilations: tuple[int, ...]) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width, dilation) for dilation in dilations))


class DanceCodec(nn.Module):
    """Codes of normalised motion (B, T, 151) and back; T is a multiple of 4."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        width, code = config.width, config.code_width
        self.frames_in = nn.Sequential(Resampling(config.channels, width, up=False), _blocks(width, (1, 2, 4)))
        self.tokens_in = nn.Sequential(Resampling(width, width, up=False), _blocks(width, (1, 2)))
        self.to_movement = nn.Linear(width, code)
        self.from_movement = nn.Sequential(nn.Linear(code, width), _blocks(width, (1,)))
        self.movement_up = Resampling(width, width, up=True)
        self.to_pose = nn.Sequential(nn.Linear(2 * width, width), _blocks(width, (1,)), nn.Linear(width, code))
        self.movement = Codebooks(config.movement_rows, config.movement_codes, code)
        self.pose = Codebooks(config.pose_rows, config.pose_codes, code)
        self.from_pose = nn.Linear(code, width)
        self.join = nn.Sequential(nn.Linear(2 * width, width), _blocks(width, (1, 2, 4, 1)))
        self.frames_out = nn.Sequential(Resampling(width, width, up=True), _blocks(width, (1, 2)))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.channels)
        nn.init.zeros_(self.out.weight)

    def body(self, x: Tensor) -> Tensor:
        """h_b (B, T/2, width) of motion (B, T, 151)."""
        latent: Tensor = self.frames_in(x)
        return latent

    def movement_latent(self, body: Tensor) -> Tensor:
        """h_t (B, T/4, code width), before quantisation."""
        latent: Tensor = self.to_movement(self.tokens_in(body)).float()
        return latent

    def movement_told(self, movement: Tensor) -> Tensor:
        """What movement vectors (B, T/4, code width) tell, at 15 Hz: (B, T/2, width)."""
        told: Tensor = self.movement_up(self.from_movement(movement))
        return told

    def pose_latent(self, body: Tensor, told: Tensor) -> Tensor:
        """h_b' (B, T/2, code width), before quantisation."""
        latent: Tensor = self.to_pose(torch.cat([body, told], dim=-1)).float()
        return latent

    def joined(self, told: Tensor, pose: Tensor) -> Tensor:
        """Motion (B, T, 151) fp32 from what the movement tells and pose vectors (B, T/2, code width)."""
        x = self.frames_out(self.join(torch.cat([told, self.from_pose(pose)], dim=-1)))
        with torch.autocast(x.device.type, enabled=False):  # bf16 in the last layer would be seen as jitter
            motion: Tensor = self.out(self.norm(x.float()))
        return motion

    def latents(self, x: Tensor, quantise_movement: Callable[[Tensor], Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """h_t and h_b' of motion (B, T, 151)."""
        body = self.body(x)
        movement = self.movement_latent(body)
        told = self.movement_told((quantise_movement or self.movement.quantise)(movement))
        return movement, self.pose_latent(body, told)

    def encode(self, x: Tensor) -> Codes:
        """Codes of motion (B, T, 151)."""
        movement, pose = self.latents(x)
        return Codes(self.movement.nearest(movement), self.pose.nearest(pose))

    def quantise(self, movement: Tensor, pose: Tensor) -> Codes:
        """Codes nearest to latents h_t (B, L, code width) and h_b' (B, 2L, code width)."""
        return Codes(self.movement.nearest(movement), self.pose.nearest(pose))

    def decode(self, codes: Codes) -> Tensor:
        """Motion (B, T, 151) of codes."""
        return self.joined(self.movement_told(self.movement.lookup(codes.movement)), self.pose.lookup(codes.pose))
