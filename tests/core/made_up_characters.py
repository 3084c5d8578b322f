"""Characters that nobody drew: any proportions, rolls, arms' angle, spine and scale; posed as Blender poses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender_addon.core.bone_frames import rest_joints
from blender_addon.core.foot_pins import standing
from blender_addon.core.retarget import Retargeted
from blender_addon.core.rig import BoneMap, BoneRow, Rig
from blender_addon.core.skeleton import MIRROR, PARENTS, axis_angle_to_matrix, forward_kinematics

ARMS = {16: 1.0, 17: -1.0}
FEET = (7, 8, 10, 11)
_DANCE = Path(__file__).parents[1] / "fixtures" / "dances" / "one_minute_dance.npz"


@dataclass(frozen=True)
class Danced:
    """Of a real dance: poses (T, 24, 3), pelvis (T, 3), joints (T, 24, 3), contacts (T, 4) of ankles and balls."""

    poses: np.ndarray
    pelvis: np.ndarray
    joints: np.ndarray
    contacts: np.ndarray


def danced(frames: int = 240) -> Danced:
    """The beginning of a real dance; its feet stand where they are low and slow."""
    with np.load(_DANCE) as stored:
        poses, pelvis = (np.resize(stored[key], (frames, *stored[key].shape[1:])) for key in ("poses", "pelvis"))
    poses = poses.astype(np.float64)
    joints = forward_kinematics(poses, pelvis)
    feet = joints[:, list(FEET)]
    speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * 30.0
    heights = feet[..., 2] - np.percentile(feet[..., 2], 10, axis=0)
    return Danced(poses, pelvis.astype(np.float64), joints, (speed < 0.3) & (heights < 0.05))


@dataclass(frozen=True)
class MadeUp:
    """A character and which of its bones are which."""

    rig: Rig
    bone_map: BoneMap


def placed(scale: float, turned: np.ndarray, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """An object's matrix (4, 4): scaled, turned (3, 3), at a place."""
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = scale * turned, at
    return world


def turn(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    """A rotation matrix (3, 3)."""
    return axis_angle_to_matrix(np.radians(degrees) * np.asarray(axis))


def made_up(
    seed: int = 0,
    *,
    arms_down_deg: float = 45.0,
    spine_bones: int = 3,
    neck_bones: int = 1,
    unit: float = 1.0,
    world: np.ndarray | None = None,
    twist_bones: bool = False,
    root_bone: bool = True,
    legs_apart_deg: float = 5.0,
) -> MadeUp:
    """A made-up character. unit: armature units in a metre; world: (4, 4) the object's matrix."""
    rng = np.random.default_rng(seed)
    joints = rest_joints()
    longer = rng.uniform(-0.15, 0.25, size=24)
    for joint in range(1, 24):  # other proportions than SMPL's, alike on both sides
        joints[_carried(joint)] += longer[min(joint, MIRROR[joint])] * (joints[joint] - joints[PARENTS[joint]])
    for joint, side in ARMS.items():
        _swing(joints, joint, turn((0.0, 1.0, 0.0), side * arms_down_deg))
    for joint, side in ((1, -1.0), (2, 1.0)):
        _swing(joints, joint, turn((0.0, 1.0, 0.0), side * legs_apart_deg))
    joints[:, 2] += 0.02 - joints[[10, 11], 2].min()
    bones: list[tuple[str, str, np.ndarray, np.ndarray]] = []
    if root_bone:
        bones.append(("root", "", np.zeros(3), np.array([0.0, 0.3, 0.0])))
    top = "root" if root_bone else ""
    bones.append(("b0", top, joints[0], joints[0] + [0.0, 0.0, 0.1]))
    spine = _chain("spine", "b0", joints[3], joints[12], spine_bones)
    neck = _chain("neck", spine[-1][0], joints[12], joints[15], neck_bones)
    bones += spine + neck
    rows: dict[int, tuple[str, ...]] = {0: ("b0",), 12: tuple(bone[0] for bone in neck)}
    rows |= _spine_rows([bone[0] for bone in spine])
    names = {0: "b0", 9: spine[-1][0], 12: neck[-1][0]}
    for joint in (15, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 18, 19, 20, 21):
        names[joint] = f"b{joint}"
        child = next((other for other in range(24) if PARENTS[other] == joint), None)
        tail = joints[child] if child is not None else joints[joint] + [0.0, -0.06, 0.0] if joint in (10, 11) else None
        head, above = joints[joint], names[PARENTS[joint]]
        if tail is None:
            tail = head + np.array([0.0, 0.0, 0.15])
        bones.append((names[joint], above, head, tail))
        rows[joint] = (names[joint],)
        if twist_bones and joint in (16, 17, 1, 2):  # in line: the limb's second half follows its first
            bones.append((f"twist{joint}", names[joint], 0.5 * (head + tail), tail))
            rows[joint] = (names[joint], f"twist{joint}")
            names[joint] = f"twist{joint}"
    matrix = np.eye(4) if world is None else world
    return MadeUp(_rig(bones, rng, unit, matrix), _map(rows, "root" if root_bone else ""))


def _chain(name: str, above: str, start: np.ndarray, end: np.ndarray, count: int) -> list:
    found = []
    for number in range(count):
        head, tail = (start + (end - start) * place / count for place in (number, number + 1))
        found.append((f"{name}{number}", above, head, tail))
        above = f"{name}{number}"
    return found


def _spine_rows(names: list[str]) -> dict[int, tuple[str, ...]]:
    """The spine's joints take equal parts of the bones; one or two bones are the chest and what bends below it."""
    if len(names) == 1:
        return {9: (names[0],)}
    if len(names) == 2:
        return {3: (names[0],), 9: (names[1],)}
    parts = np.array_split(np.array(names), 3)
    return {joint: tuple(str(name) for name in part) for joint, part in zip((3, 6, 9), parts, strict=True)}


def _carried(joint: int) -> list[int]:
    return [below for below in range(24) if joint in _line(below)]


def _line(joint: int) -> list[int]:
    line = []
    while joint >= 0:
        line.append(joint)
        joint = PARENTS[joint]
    return line


def _swing(joints: np.ndarray, joint: int, matrix: np.ndarray) -> None:
    below = _carried(joint)
    joints[below] = joints[joint] + (joints[below] - joints[joint]) @ matrix.T


def _rig(bones: list, rng: np.random.Generator, unit: float, world: np.ndarray) -> Rig:
    names = [bone[0] for bone in bones]
    rest = np.tile(np.eye(4), (len(bones), 1, 1))
    into = np.linalg.inv(world[:3, :3]) * np.cbrt(np.linalg.det(world[:3, :3]))
    heads, tails = (np.array([bone[end] for bone in bones]) @ into.T * unit for end in (2, 3))
    for number, (head, tail) in enumerate(zip(heads, tails, strict=True)):
        along = (tail - head) / np.linalg.norm(tail - head)
        side = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
        side /= np.linalg.norm(side)
        axes = np.stack([side, along, np.cross(side, along)], axis=1)
        rest[number, :3, :3] = axis_angle_to_matrix(along * rng.uniform(-np.pi, np.pi)) @ axes
        rest[number, :3, 3] = head
    parents = np.array([names.index(bone[1]) if bone[1] else -1 for bone in bones])
    modes = ("QUATERNION",) * len(bones)
    return Rig(tuple(names), parents, heads, tails, rest, world, modes, np.ones(len(bones), dtype=bool))


def _map(rows: dict[int, tuple[str, ...]], root: str) -> BoneMap:
    return BoneMap(tuple(BoneRow(joint, rows[joint]) for joint in sorted(rows)), "table", root)


def posed_matrices(rig: Rig, result: Retargeted) -> np.ndarray:
    """The bones' matrices (T, B, 4, 4) in armature space, pose by pose as Blender's armatures evaluate.

    matrix = parent's matrix . parent's rest^-1 . rest . (location, rotation)
    """
    frames = result.rotations.shape[1]
    matrices = np.zeros((len(rig.names), frames, 4, 4))
    for number, name in enumerate(rig.names):
        basis = np.tile(np.eye(4), (frames, 1, 1))
        if name in result.bones:
            basis[:, :3, :3] = _matrices(result.rotations[result.bones.index(name)])
        if name == result.hips:
            basis[:, :3, 3] = result.locations
        if name == result.root and result.root_locations is not None:
            basis[:, :3, 3] = result.root_locations
        above = int(rig.parents[number])
        own = rig.rest[number] if above < 0 else np.linalg.inv(rig.rest[above]) @ rig.rest[number]
        matrices[number] = own @ basis if above < 0 else matrices[above] @ own @ basis
    return np.moveaxis(matrices, 0, 1)


def posed_heads(rig: Rig, result: Retargeted) -> np.ndarray:
    """World positions (T, B, 3) of the bones' heads."""
    return posed_matrices(rig, result)[..., :3, 3] @ rig.world[:3, :3].T + rig.world[:3, 3]


def _matrices(q: np.ndarray) -> np.ndarray:
    w, x, y, z = np.moveaxis(q, -1, 0)
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], axis=-1),
            np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], axis=-1),
            np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=-1),
        ],
        axis=-2,
    )


def heads_of(made: MadeUp, heads: np.ndarray, joint: int) -> np.ndarray:
    """(T, 3) the head of a joint's first bone."""
    return heads[:, made.rig.number(made.bone_map.bones(joint)[0])]


def slide_cm_s(made: MadeUp, result: Retargeted, contacts: np.ndarray) -> float:
    """Mean horizontal speed of ankles and balls while the dance's stand, contacts (T, 4), at 30 frames a second."""
    heads = posed_heads(made.rig, result)
    speeds = []
    for place, joint in enumerate(FEET):
        stands = standing(contacts[:, place], fps=30.0)
        steps = np.linalg.norm(np.diff(heads_of(made, heads, joint)[:, :2], axis=0), axis=-1)
        speeds.append(steps[stands[1:] & stands[:-1]] * 3000.0)
    return float(np.concatenate(speeds).mean())
