"""The SMPL skeleton: names, tree, mean offsets, forward kinematics in numpy.

This file depends on numpy alone and is copied into the add-on, so that both sides mean the same bones.
World: Z up, metres, the character faces -Y at rest. SMPL's own rest frame is Y up, facing +Z, left = +X;
``poses[..., 0, :]``, the root orientation, maps SMPL's rest frame into the world.
"""

from __future__ import annotations

import numpy as np

FPS = 30.0  # the model's frame rate

# fmt: off
JOINT_NAMES: tuple[str, ...] = (
    "Pelvis", "L_Hip", "R_Hip", "Spine1", "L_Knee", "R_Knee", "Spine2", "L_Ankle", "R_Ankle", "Spine3", "L_Foot",
    "R_Foot", "Neck", "L_Collar", "R_Collar", "Head", "L_Shoulder", "R_Shoulder", "L_Elbow", "R_Elbow", "L_Wrist",
    "R_Wrist", "L_Hand", "R_Hand",
)
PARENTS: tuple[int, ...] = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
MIRROR: tuple[int, ...] = (0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22)
# fmt: on

# Offset of each joint from its parent in the rest frame, metres: the mean (neutral, zero betas) SMPL body.
OFFSETS_M = np.array(
    [
        [0.0, 0.0, 0.0],
        [0.05858135, -0.08228004, -0.01766408],
        [-0.06030973, -0.09051332, -0.01354254],
        [0.00443945, 0.12440352, -0.03838522],
        [0.04345142, -0.38646945, 0.008037],
        [-0.04325663, -0.38368791, -0.00484304],
        [0.00448844, 0.1379564, 0.02682033],
        [-0.01479032, -0.42687458, -0.037428],
        [0.01905555, -0.4200455, -0.03456167],
        [-0.00226458, 0.05603239, 0.00285505],
        [0.04105436, -0.06028581, 0.12204243],
        [-0.03483987, -0.06210566, 0.13032329],
        [-0.0133902, 0.21163553, -0.03346758],
        [0.07170245, 0.11399969, -0.01889817],
        [-0.08295366, 0.11247234, -0.02370739],
        [0.01011321, 0.08893734, 0.05040987],
        [0.12292141, 0.04520509, -0.019046],
        [-0.11322832, 0.04685326, -0.00847207],
        [0.2553319, -0.01564902, -0.02294649],
        [-0.26012748, -0.01436928, -0.03126873],
        [0.26570925, 0.01269811, -0.00737473],
        [-0.26910836, 0.00679372, -0.00602676],
        [0.08669055, -0.01063603, -0.01559429],
        [-0.0887537, -0.00865157, -0.01010708],
    ],
    dtype=np.float64,
)

# Rotation of SMPL's rest frame into the world's rest frame: +Y -> +Z, +Z -> -Y.
REST_TO_WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def axis_angle_to_matrix(axis_angle: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3) in radians (Rodrigues)."""
    vectors = np.asarray(axis_angle, dtype=np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    safe = np.where(angle < 1e-8, 1.0, angle)
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    first = np.where(angle < 1e-8, 1.0, np.sin(safe) / safe)
    second = np.where(angle < 1e-8, 0.5, (1.0 - np.cos(safe)) / safe**2)
    matrices: np.ndarray = np.eye(3) + first * cross + second * (cross @ cross)
    return matrices


def global_rotations(poses: np.ndarray) -> np.ndarray:
    """World rotations (..., 24, 3, 3) of every joint from local axis-angle poses (..., 24, 3)."""
    local = axis_angle_to_matrix(poses)
    world = np.empty_like(local)
    world[..., 0, :, :] = local[..., 0, :, :]
    for joint in range(1, len(PARENTS)):
        world[..., joint, :, :] = world[..., PARENTS[joint], :, :] @ local[..., joint, :, :]
    return world


def forward_kinematics(poses: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """Joint positions of SMPL poses.

    poses: (..., 24, 3) axis-angle, radians; pelvis: (..., 3) world position, metres.
    Returns (..., 24, 3) world positions, metres, Z up.
    """
    world = global_rotations(poses)
    joints = np.empty(world.shape[:-1])
    joints[..., 0, :] = pelvis
    for joint in range(1, len(PARENTS)):
        parent = PARENTS[joint]
        joints[..., joint, :] = joints[..., parent, :] + world[..., parent, :, :] @ OFFSETS_M[joint]
    return joints
