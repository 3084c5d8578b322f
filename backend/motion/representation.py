"""The network's view of a motion: 151 numbers a frame (EDGE, EDMG), free of place and heading.

    0:4     contacts of L_Ankle, R_Ankle, L_Foot, R_Foot, 0 or 1
    4:6     planar velocity of the pelvis in the facing frame, m/s
    6       height of the pelvis, m
    7:151   24 rotations as 6D (first two columns of the matrix, Zhou et al. 2019)

The root orientation is split into heading and swing: ``R = Rz(yaw) @ swing @ REST_TO_WORLD``, where swing turns about a
horizontal axis only. A swing's matrix has equal entries (0, 1) and (1, 0); the second copy is redundant, and its slot
(YAW_RATE) carries the turning speed of the heading in rad/s. So any span can be cut, moved and joined: place and
heading come out by integration.
"""

from __future__ import annotations

import numpy as np
import roma
import torch
from torch import Tensor

from backend.motion.contacts import contact_labels
from backend.motion.kinematics import forward_kinematics
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS, MIRROR, REST_TO_WORLD

CHANNELS = 151
CONTACTS = slice(0, 4)
VELOCITY = slice(4, 6)
HEIGHT = 6
ROTATIONS = slice(7, 151)
ROOT_ROTATION = slice(7, 13)
YAW_RATE = 10  # the entry (0, 1) of the root's first two columns: the fourth of its 6D numbers


def matrices_to_6d(matrices: Tensor) -> Tensor:
    """First two columns of rotation matrices: (..., 3, 3) -> (..., 6)."""
    return matrices[..., :2].transpose(-1, -2).flatten(-2)


def matrices_from_6d(numbers: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of 6D numbers (..., 6), by Gram-Schmidt."""
    first = torch.nn.functional.normalize(numbers[..., :3], dim=-1)
    second = numbers[..., 3:] - (first * numbers[..., 3:]).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def heading_matrix(yaw: Tensor) -> Tensor:
    """Rotations (..., 3, 3) about the world's Z by yaw (...), radians."""
    cos, sin, zero = yaw.cos(), yaw.sin(), torch.zeros_like(yaw)
    numbers = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1], dim=-1)
    return numbers.reshape(*yaw.shape, 3, 3)


def encode(motion: Motion) -> Tensor:
    """The representation (T, 151), float32, of a motion at 30 fps (ValueError at another rate)."""
    if abs(motion.fps - FPS) > 1e-3:
        raise ValueError(f"the representation is defined at {FPS} fps, not {motion.fps}: resample first")
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    pelvis = torch.from_numpy(motion.pelvis).double()
    upright = rotations[:, 0] @ torch.from_numpy(REST_TO_WORLD.T)
    quaternion = roma.rotmat_to_unitquat(upright)  # x, y, z, w
    yaw = 2.0 * torch.atan2(quaternion[:, 2], quaternion[:, 3])
    turn = torch.diff(yaw)
    turn = torch.atan2(turn.sin(), turn.cos())
    heading = heading_matrix(yaw)
    swing = heading.transpose(-1, -2) @ upright
    step = (heading[1:].transpose(-1, -2) @ torch.diff(pelvis, dim=0)[..., None])[:, :2, 0]
    numbers = torch.empty(motion.frames, CHANNELS, dtype=torch.float64)
    numbers[:, CONTACTS] = torch.from_numpy(contact_labels(motion.joints(), fps=FPS)).double()
    numbers[:, HEIGHT] = pelvis[:, 2]
    numbers[:, ROTATIONS] = matrices_to_6d(torch.cat([swing[:, None], rotations[:, 1:]], dim=1)).flatten(1)
    numbers[:, VELOCITY] = 0.0
    numbers[:, YAW_RATE] = 0.0
    numbers[1:, VELOCITY] = step * FPS
    numbers[1:, YAW_RATE] = turn * FPS
    if motion.frames > 1:  # the first frame has no step of its own: it takes the second's
        numbers[0, VELOCITY], numbers[0, YAW_RATE] = numbers[1, VELOCITY], numbers[1, YAW_RATE]
    return numbers.float()


def local_rotations(numbers: Tensor) -> Tensor:
    """Rotations (..., 24, 3, 3) of the representation (..., 151); the root's is its swing, in the facing frame."""
    columns = numbers[..., ROTATIONS].unflatten(-1, (24, 6))
    root = columns[..., 0, :]
    root = torch.cat([root[..., :3], root[..., 1:2], root[..., 4:]], dim=-1)
    return matrices_from_6d(torch.cat([root[..., None, :], columns[..., 1:, :]], dim=-2))


def facing_joints(numbers: Tensor) -> Tensor:
    """Joints (..., T, 24, 3) in each frame's own facing frame: pelvis above the origin, heading 0. Differentiable."""
    rotations = local_rotations(numbers)
    rest = torch.as_tensor(REST_TO_WORLD, dtype=numbers.dtype, device=numbers.device)
    rotations = torch.cat([rotations[..., :1, :, :] @ rest, rotations[..., 1:, :, :]], dim=-3)
    height = numbers[..., HEIGHT]
    pelvis = torch.stack([torch.zeros_like(height), torch.zeros_like(height), height], dim=-1)
    return forward_kinematics(rotations, pelvis)


def joint_velocities(numbers: Tensor, joints: Tensor) -> Tensor:
    """World velocities (..., T-1, 24, 3), m/s, seen in the later frame's facing frame. No integration: no drift.

    numbers: (..., T, 151); joints: (..., T, 24, 3) from ``facing_joints``.
    """
    back = heading_matrix(-numbers[..., 1:, YAW_RATE] / FPS)
    before = joints[..., :-1, :, :] @ back.transpose(-1, -2)
    planar = numbers[..., 1:, VELOCITY]
    drift = torch.cat([planar, torch.zeros_like(planar[..., :1])], dim=-1)
    return (joints[..., 1:, :, :] - before) * FPS + drift[..., None, :]


def decode(numbers: Tensor, *, pelvis_xy: tuple[float, float] = (0.0, 0.0), yaw: float = 0.0) -> Motion:
    """The motion of a representation (T, 151), starting at pelvis_xy (m) with heading yaw (rad)."""
    numbers = numbers.detach().double().cpu()
    turn = numbers[:, YAW_RATE] / FPS
    turn[0] = yaw
    heading = heading_matrix(torch.cumsum(turn, dim=0))
    step = numbers[:, VELOCITY] / FPS
    step = torch.cat([step, torch.zeros_like(step[:, :1])], dim=-1)
    path = (heading @ step[..., None])[..., 0]
    path[0] = torch.tensor([pelvis_xy[0], pelvis_xy[1], 0.0])
    pelvis = torch.cumsum(path, dim=0)
    pelvis[:, 2] = numbers[:, HEIGHT]
    rotations = local_rotations(numbers)
    rotations[:, 0] = heading @ rotations[:, 0] @ torch.from_numpy(REST_TO_WORLD)
    return Motion(roma.rotmat_to_rotvec(rotations).float().numpy(), pelvis.float().numpy(), FPS)


def start_of(motion: Motion) -> tuple[tuple[float, float], float]:
    """Place (x, y), metres, and heading, radians, of a motion's first frame: what ``decode`` needs to return there."""
    upright = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:1, 0]).double()) @ torch.from_numpy(REST_TO_WORLD.T)
    quaternion = roma.rotmat_to_unitquat(upright)[0]
    yaw = float(2.0 * torch.atan2(quaternion[2], quaternion[3]))
    return (float(motion.pelvis[0, 0]), float(motion.pelvis[0, 1])), yaw


def _mirror_tables() -> tuple[list[int], list[float]]:
    """Where each channel of a mirrored motion comes from, and its sign: R' = M R M with M = diag(-1, 1, 1)."""
    source = [1, 0, 3, 2, 4, 5, 6]
    sign = [1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0]
    for joint in MIRROR:
        source += [7 + 6 * joint + number for number in range(6)]
        sign += [1.0, -1.0, -1.0, -1.0, 1.0, 1.0]
    return source, sign


_MIRROR_SOURCE, _MIRROR_SIGN = _mirror_tables()


def mirror(numbers: Tensor) -> Tensor:
    """The representation (..., 151) of the mirrored motion: left and right exchanged."""
    return numbers[..., _MIRROR_SOURCE] * torch.tensor(_MIRROR_SIGN, dtype=numbers.dtype, device=numbers.device)


def read_at(numbers: Tensor, place: np.ndarray) -> Tensor:
    """Numbers (N, 151) read at fractional frames place (T,), rising, by Catmull-Rom splines; speeds follow the pace.

    Interpolating 6D numbers is exact to second order in a frame's rotation, a few millimetres at the fastest spin.
    """
    last = len(numbers) - 1
    index = torch.from_numpy(np.clip(place.astype(np.int64), 0, last))
    share = torch.from_numpy((place - index.numpy()).astype(np.float32))[:, None]
    a, b = numbers[(index - 1).clamp(0, last)], numbers[index]
    c, d = numbers[(index + 1).clamp(0, last)], numbers[(index + 2).clamp(0, last)]
    curve = b + 0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)))
    curve[:, CONTACTS] = (b + share * (c - b))[:, CONTACTS]
    pace = torch.from_numpy(np.gradient(place).astype(np.float32)) if len(place) > 1 else torch.ones(len(place))
    curve[:, VELOCITY] *= pace[:, None]
    curve[:, YAW_RATE] *= pace
    return curve
