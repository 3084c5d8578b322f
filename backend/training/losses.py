"""What the denoiser is trained on: the clean motion itself and its changes, and after forward kinematics its joints,
velocities and contacts.

A sampler needs the *mean* of all clean motions that the noisy one may hide. Squared errors of the numbers and of their
changes have that mean as their best answer; kinematics bends it, and a robust velocity term would pull it towards
standing still. So every term after kinematics counts by the share of signal that is left, and means little where
noise hides the dance. Positions are taken from *de-normalised* poses (a known fault of a public peer is to run
kinematics on normalised ones), in each frame's own facing frame, so that no integration error enters. Source: EDMG
eqs. 7-10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.motion.contacts import CONTACT_JOINTS
from backend.motion.representation import (
    CHANNELS,
    CONTACTS,
    HEIGHT,
    ROOT_ROTATION,
    VELOCITY,
    YAW_RATE,
    facing_joints,
    joint_velocities,
)
from backend.motion.skeleton import FPS


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; numbers and their change a frame in standard deviations squared, joints in m^2, velocities
    and contact in (m/s)^2, accelerations in (m/s per frame)^2, path in m^2, turn in rad^2, beat in s^2;
    mutual_information in nats for each number, and not built at 0.
    """

    simple: float = 1.0
    change: float = 10.0
    joint: float = 12.0
    velocity: float = 0.6
    acceleration: float = 0.25
    contact: float = 2.0
    path: float = 1.0
    turn: float = 0.0
    beat: float = 8.0
    mutual_information: float = 0.0


def _emphasis() -> Tensor:
    """How much each of the 151 numbers counts: the few that carry the whole body count more; 1 on average."""
    counts = torch.ones(CHANNELS)
    counts[VELOCITY], counts[HEIGHT], counts[ROOT_ROTATION] = 5.0, 2.0, 3.0
    return counts / counts.mean()


EMPHASIS = _emphasis()


def _robust(squares: Tensor) -> Tensor:
    """Pseudo-Huber: squares while small, then linear, since the heading of an upside-down dancer can jump."""
    return 2.0 * ((1.0 + squares).sqrt() - 1.0)


def denoising_loss(
    predicted: Tensor,
    clean: Tensor,
    signal: Tensor,
    mean: Tensor,
    std: Tensor,
    *,
    weights: LossWeights,
    beat_error: Callable[[Tensor], Tensor] | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of predicted against clean motion, both normalised (B, T, 151). Returns the sum and its terms.

    signal: (B,) share of signal power that was left in what the network saw; beat_error: how far velocities
    (B, T-1, 24, 3), m/s, are from the beats asked for, (B, T-1) s^2, or None where none are asked for.
    """
    predicted, clean = predicted.float(), clean.float()
    emphasis = EMPHASIS.to(clean.device)
    error = predicted - clean
    numbers, truth = predicted * std + mean, clean * std + mean
    joints, true_joints = facing_joints(numbers), facing_joints(truth)
    velocity, true_velocity = joint_velocities(numbers, joints), joint_velocities(truth, true_joints)
    feet = velocity[..., list(CONTACT_JOINTS), :]
    standing = numbers[..., 1:, CONTACTS].detach().clamp(0, 1) * truth[..., 1:, CONTACTS]
    path_error = torch.cumsum(velocity[..., 0, :] - true_velocity[..., 0, :], dim=-2)[..., 14::15, :] / FPS
    turn_error = torch.cumsum(numbers[..., YAW_RATE] - truth[..., YAW_RATE], dim=-1)[..., 14::15] / FPS
    jump = velocity.diff(dim=-3) - true_velocity.diff(dim=-3)
    bent = {
        "joint": (joints - true_joints).square().sum(-1),
        "velocity": _robust((velocity - true_velocity).square().sum(-1)),
        "acceleration": _robust(jump.square().sum(-1)),
        "contact": feet.square().sum(-1) * standing,
        "path": path_error.square().sum(-1).clamp(max=4.0),
        "turn": turn_error.square().clamp(max=1.0),
    }
    terms = {
        "simple": (error.square() * emphasis).mean(),
        "change": (error.diff(dim=-2).square() * emphasis).mean(),
        **{name: (signal * each.flatten(1).mean(1)).mean() for name, each in bent.items()},
    }
    if beat_error is not None:
        terms["beat"] = (signal.sqrt() * beat_error(velocity).mean(1)).mean()
    total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
    return total, terms
