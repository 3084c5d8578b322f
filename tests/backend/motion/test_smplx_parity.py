"""Our forward kinematics is that of the field's own body model library."""

from __future__ import annotations

import numpy as np
import torch
from smplx.lbs import batch_rigid_transform

from backend.motion.skeleton import OFFSETS_M, PARENTS, axis_angle_to_matrix, forward_kinematics


def test_joints_equal_those_of_smplx() -> None:
    rng = np.random.default_rng(0)
    poses, pelvis = rng.standard_normal((50, 24, 3)), rng.standard_normal((50, 3))
    rest = np.zeros((24, 3))
    for joint in range(1, 24):
        rest[joint] = rest[PARENTS[joint]] + OFFSETS_M[joint]
    theirs, _ = batch_rigid_transform(
        torch.from_numpy(axis_angle_to_matrix(poses)),
        torch.from_numpy(rest).expand(50, -1, -1),
        torch.tensor(PARENTS),
        dtype=torch.float64,
    )
    ours = forward_kinematics(poses, pelvis) - pelvis[:, None]
    assert np.abs(theirs.numpy() - ours).max() < 1e-9
