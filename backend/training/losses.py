"""What the denoiser is trained on: the clean motion itself, and after forward kinematics its joints, velocities and
contacts.

Positions are taken from *de-normalised* poses (a known fault of a public peer is to run kinematics on normalised
ones). All joint terms live in each frame's own facing frame, so that no integration error enters them. Source: EDMG
eqs. 7-10.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.motion.contacts import CONTACT_JOINTS
from backend.motion.representation import CONTACTS, facing_joints, joint_velocities


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; joints in m^2, velocities in (m/s)^2, accelerations in (m/s per frame)^2, contact in
    (m/s)^2.
    """

    simple: float = 1.0
    joint: float = 12.0
    velocity: float = 0.6
    acceleration: float = 0.25
    contact: float = 0.6
    path: float = 1.0


def _robust(squares: Tensor) -> Tensor:
    """Pseudo-Huber: squares while small, then linear, since the heading of an upside-down dancer can jump."""
    return 2.0 * ((1.0 + squares).sqrt() - 1.0)


def denoising_loss(
    predicted: Tensor, clean: Tensor, mean: Tensor, std: Tensor, weights: LossWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of predicted against clean motion, both normalised (B, T, 151). Returns the sum and its terms."""
    predicted, clean = predicted.float(), clean.float()
    numbers, truth = predicted * std + mean, clean * std + mean
    joints, true_joints = facing_joints(numbers), facing_joints(truth)
    velocity, true_velocity = joint_velocities(numbers, joints), joint_velocities(truth, true_joints)
    feet = velocity[..., list(CONTACT_JOINTS), :]
    standing = numbers[..., 1:, CONTACTS].detach().clamp(0, 1) * truth[..., 1:, CONTACTS]
    path_error = torch.cumsum(velocity[..., 0, :] - true_velocity[..., 0, :], dim=-2)[..., 14::15, :] / 30.0
    terms = {
        "simple": (predicted - clean).square().mean(),
        "joint": (joints - true_joints).square().sum(-1).mean(),
        "velocity": _robust((velocity - true_velocity).square().sum(-1)).mean(),
        "acceleration": _robust((velocity.diff(dim=-3) - true_velocity.diff(dim=-3)).square().sum(-1)).mean(),
        "contact": (feet.square().sum(-1) * standing).mean(),
        "path": path_error.square().sum(-1).clamp(max=4.0).mean(),
    }
    total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
    return total, terms
