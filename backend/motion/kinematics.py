"""Forward kinematics in torch, differentiable, for batches of rotation matrices.

The numpy twin is ``skeleton.forward_kinematics``; a test holds them together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from backend.motion.skeleton import OFFSETS_M, PARENTS


def _levels() -> list[tuple[list[int], list[int]]]:
    """Joints grouped by depth in the tree, each with its parents: one batched product a level."""
    depth = [0] * len(PARENTS)
    for joint in range(1, len(PARENTS)):
        depth[joint] = depth[PARENTS[joint]] + 1
    groups = [[j for j, d in enumerate(depth) if d == level] for level in range(1, max(depth) + 1)]
    return [(group, [PARENTS[j] for j in group]) for group in groups]


_LEVELS = _levels()
_ORDER = [0] + [joint for group, _ in _LEVELS for joint in group]
_INVERSE = [_ORDER.index(joint) for joint in range(len(PARENTS))]


def forward_kinematics(rotations: Tensor, pelvis: Tensor) -> Tensor:
    """Joint positions from local rotations.

    rotations: (..., 24, 3, 3), the first one in the world; pelvis: (..., 3) metres.
    Returns (..., 24, 3) metres.
    """
    offsets = torch.as_tensor(OFFSETS_M, dtype=rotations.dtype, device=rotations.device)
    world = rotations[..., :1, :, :]
    joints = pelvis[..., None, :]
    worlds, positions, index = [world], [joints], {0: (0, 0)}
    for level, (group, parents) in enumerate(_LEVELS, start=1):
        rows = [index[p][1] for p in parents]
        parent_world = worlds[level - 1][..., rows, :, :]
        parent_joint = positions[level - 1][..., rows, :]
        positions.append(parent_joint + (parent_world @ offsets[group][..., None])[..., 0])
        worlds.append(parent_world @ rotations[..., group, :, :])
        index.update({joint: (level, row) for row, joint in enumerate(group)})
    return torch.cat(positions, dim=-2)[..., _INVERSE, :]
