"""Paths that arrive: the smallest change of speeds that brings a dancer to a place and a heading at a given frame."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from backend.motion.representation import VELOCITY, YAW_RATE, heading_matrix
from backend.motion.skeleton import FPS


def travelled(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """How far rows (T, 151) of the representation lead from the frame before them: the place (2,), metres, seen in that
    frame's facing frame, and the turn in radians.
    """
    yaw = torch.cumsum(numbers[:, YAW_RATE], dim=0) / FPS
    steps = heading_matrix(yaw)[:, :2, :2] @ (numbers[:, VELOCITY, None] / FPS)
    return steps.sum(0)[:, 0], yaw[-1]


def arriving(numbers: Tensor, place: Tensor, turn: Tensor) -> Tensor:
    """Rows (T, 151) that lead to a place (2,) and a turn, as ``travelled`` tells them, in the same time.

    The correction is spread over all rows but the last, most in the middle; the turn takes the shorter way round.
    """
    rows = len(numbers) - 1
    share = torch.hann_window(rows + 2, periodic=False, dtype=numbers.dtype, device=numbers.device)[1:-1]
    share = share / share.sum()
    arrived = numbers.clone()
    missing = turn - travelled(arrived)[1]
    missing = torch.atan2(missing.sin(), missing.cos())
    arrived[:-1, YAW_RATE] += share * missing * FPS
    yaw = torch.cumsum(arrived[:, YAW_RATE], dim=0) / FPS
    error = place - travelled(arrived)[0]
    back = heading_matrix(-yaw[:-1])[:, :2, :2]
    arrived[:-1, VELOCITY] += (back @ error[:, None])[..., 0] * share[:, None] * FPS
    return arrived


def wrapped(angle: float) -> float:
    """The same angle within a half turn either way, radians."""
    return math.atan2(math.sin(angle), math.cos(angle))
