"""Temporal Refinement Module (EDMG's TRM): smooths a motion with a long receptive field, and returns rotations.

Fully connected layers act over time, the same for every channel, in two streams: the values themselves, and their
velocity and acceleration. EDMG's module gives joint positions, from which no pose can be had back; this one refines
the representation (6D rotations, root, heading) and is trained on joints after forward kinematics.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.diffusion.windows import crossfade


@dataclass(frozen=True)
class RefinerConfig:
    """window: frames seen at once; blocks: M of EDMG."""

    channels: int = 151
    window: int = 64
    width: int = 256
    blocks: int = 5

    def to_dict(self) -> dict[str, float]:
        """Plain numbers, for the header of a weight file."""
        return asdict(self)


class Stream(nn.Module):
    """Residual fully connected layers over time, the same for every channel."""

    def __init__(self, inputs: int, width: int, blocks: int) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, width)
        self.first = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.second = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., width)."""
        x = F.leaky_relu(self.enter(x), 0.1)
        for first, second in zip(self.first, self.second, strict=True):
            x = x + F.leaky_relu(second(F.leaky_relu(first(x), 0.1)), 0.1)
        return x


class TemporalRefiner(nn.Module):
    """Refines windows of a normalised motion."""

    def __init__(self, config: RefinerConfig) -> None:
        super().__init__()
        self.config = config
        self.position = Stream(config.window, config.width, config.blocks)
        self.motion = Stream(2 * config.window - 3, config.width, config.blocks)
        self.leave = nn.Linear(2 * config.width, config.window)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, window, channels) -> the same, refined."""
        series = x.transpose(1, 2)
        centre = series.mean(-1, keepdim=True)
        velocity = series.diff(dim=-1)
        streams = self.position(series - centre), self.motion(torch.cat([velocity, velocity.diff(dim=-1)], dim=-1))
        correction: Tensor = self.leave(torch.cat(streams, dim=-1))
        return x + correction.transpose(1, 2)

    @torch.inference_mode()
    def refine(self, x: Tensor) -> Tensor:
        """A whole dance (T, channels), T at least 2: overlapping windows, cross-faded."""
        window, frames = self.config.window, len(x)
        padded = x if frames >= window else torch.cat([x, x[-1:].expand(window - frames, -1)])
        last = len(padded) - window
        starts = sorted({*range(0, last + 1, window // 2), last})
        parts = self(torch.stack([padded[start : start + window] for start in starts]))
        return crossfade(parts, starts, len(padded), overlap=window // 2)[:frames]
