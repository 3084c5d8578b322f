"""Beat-distance estimator (Beat-It): hears in a motion how far each frame is from the beat it was danced to.

Trained once on real motion and then frozen, it tells the denoiser in training whether a dance arrives on the beats
that it was asked for: a mean squared error cannot, since whether the body stops says nothing of where it is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.diffusion.conditions import MUSIC_GIVEN
from backend.motion.skeleton import JOINT_NAMES

LEAST_SPEED_M_S = 0.05


@dataclass(frozen=True)
class BeatDistanceConfig:
    """width: channels of its convolutions; layers: each sees twice as far as the one before."""

    width: int = 96
    layers: int = 5

    def to_dict(self) -> dict[str, int]:
        """Plain numbers, for the header of a weight file."""
        return asdict(self)


class BeatDistanceEstimator(nn.Module):
    """Dilated convolutions over the joints' velocities, measured by the dance's own mean speed."""

    def __init__(self, config: BeatDistanceConfig) -> None:
        super().__init__()
        self.config = config
        width, joints = config.width, len(JOINT_NAMES)
        self.enter = nn.Conv1d(joints * 4, width, 5, padding=2)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=2**layer, dilation=2**layer) for layer in range(config.layers)
        )
        self.leave = nn.Conv1d(width, 1, 1)

    def forward(self, velocity: Tensor) -> Tensor:
        """Seconds (B, T) to the nearest beat from velocities (B, T, 24, 3) in m/s."""
        speed = torch.sqrt(velocity.square().sum(-1) + 1e-6)
        pace = speed.mean(dim=(1, 2), keepdim=True) + LEAST_SPEED_M_S
        seen = torch.cat([(velocity / pace[..., None]).flatten(2), speed / pace], dim=-1)
        x = F.silu(self.enter(seen.transpose(1, 2)))
        for layer in self.layers:
            x = x + F.silu(layer(x))
        distance: Tensor = self.leave(x)[:, 0]
        return distance


def beat_distance_error(estimated_s: Tensor, music: Tensor) -> Tensor:
    """Squared error (B, T) in s^2 of estimated distances against those of music channels (B, T, 45); most weight on the
    beat, none where there is no music. Source: Beat-It, w_b = exp(-2 b / d).
    """
    distance_s, interval_s = music[..., 0], 0.5 * torch.exp2(-music[..., 5])
    weight = torch.exp(-2.0 * distance_s / interval_s) * music[..., MUSIC_GIVEN]
    return weight * (estimated_s - distance_s).square()
