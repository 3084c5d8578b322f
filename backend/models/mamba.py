"""Mamba as first published: a selective scan in one direction, with a state, a step and a decay of each channel's own.

The denoiser's own mixer is the parallel one (Mamba-2, both directions, B and C shared by its heads); this one is here
to be compared with. The scan is the plain recurrence. Source: Gu and Dao 2023, algorithm 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STATE = 16  # N of the paper
KERNEL = 4


def selective_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """h_l = exp(dt_l a) h_{l-1} + dt_l b_l x_l, y_l = c_l h_l, for each channel alone.

    x, dt: (B, L, D), dt positive; a: (D, N) negative; b, c: (B, L, N), shared by the channels. Returns (B, L, D).
    """
    decays = torch.exp(dt[..., None] * a).unbind(1)
    gains = ((dt * x)[..., None] * b[:, :, None]).unbind(1)
    states = [gains[0]]
    for decay, gain in zip(decays[1:], gains[1:], strict=True):
        states.append(torch.addcmul(gain, decay, states[-1]))
    return (torch.stack(states, dim=1) * c[:, :, None]).sum(-1)


class Mamba(nn.Module):
    """The mixer of a standard Mamba block: causal convolution, selective scan, gate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.rank = 2 * width, -(-width // 16)
        self.in_proj = nn.Linear(width, 2 * self.inner, bias=False)
        self.conv1d = nn.Conv1d(self.inner, self.inner, KERNEL, padding=KERNEL - 1, groups=self.inner)
        self.x_proj = nn.Linear(self.inner, self.rank + 2 * STATE, bias=False)
        self.dt_proj = nn.Linear(self.rank, self.inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, STATE + 1)).repeat(self.inner, 1))
        self.D = nn.Parameter(torch.ones(self.inner))
        self.out_proj = nn.Linear(self.inner, width, bias=False)
        step = torch.exp(torch.rand(self.inner) * (math.log(0.1) - math.log(0.001)) + math.log(0.001))
        nn.init.uniform_(self.dt_proj.weight, -(self.rank**-0.5), self.rank**-0.5)
        with torch.no_grad():
            self.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) -> (B, L, width); a token knows only what came before it."""
        values, gate = self.in_proj(x).chunk(2, dim=-1)
        values = F.silu(self.conv1d(values.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        low, b, c = self.x_proj(values).split([self.rank, STATE, STATE], dim=-1)
        dt = F.softplus(self.dt_proj(low).float())
        y = selective_scan(values.float(), dt, -torch.exp(self.A_log), b.float(), c.float()) + values * self.D
        mixed: Tensor = self.out_proj(y * F.silu(gate))
        return mixed
