"""Characters that nobody made: armatures of every build, pose, size and naming, whose 22 bones are known."""

from __future__ import annotations

import string
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from blender_addon.core.bone_frames import rest_joints
from blender_addon.core.rig import Rig
from blender_addon.core.skeleton import JOINT_NAMES, PARENTS

FloatArray = npt.NDArray[np.float64]
JOINT = {name: number for number, name in enumerate(JOINT_NAMES)}
_STRETCHED = {
    "Knee": "leg", "Ankle": "leg", "Foot": "leg", "Elbow": "arm", "Wrist": "arm", "Hand": "arm",
    "Hip": "wide", "Shoulder": "wide", "Collar": "wide",
}  # fmt: skip


@dataclass(frozen=True)
class Build:
    """What a made-up character is like.

    a_pose_deg: how far the arms hang down; twists: in-line twist bones of a limb; extras: face, breasts, hair, a skirt,
    a tail; scale: of the object, whose bones are as much larger or smaller; lying: Y is up in armature space, and the
    object is turned upright; turned_deg: which way it faces; build: how much limbs are longer or shorter; armed: a
    sword as long as an arm in the right hand.
    """

    spine: int = 3
    neck: int = 1
    a_pose_deg: float = 0.0
    fingers: int = 5
    twists: int = 0
    leaf_twists: bool = False
    extras: bool = False
    root: bool = False
    collars: bool = True
    scale: float = 1.0
    lying: bool = False
    turned_deg: float = 0.0
    build: float = 0.0
    bent: bool = True
    armed: bool = False


@dataclass
class MadeUp:
    """A rig and the truth about it. bones: for each SMPL joint the names of its bones."""

    rig: Rig
    bones: dict[int, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # what each bone is, by its name


class _Maker:
    def __init__(self) -> None:
        self.heads: list[FloatArray] = []
        self.parents: list[int] = []
        self.labels: list[str] = []

    def add(self, label: str, head: FloatArray, parent: int) -> int:
        self.heads.append(np.array(head, dtype=np.float64))
        self.parents.append(parent)
        self.labels.append(label)
        return len(self.heads) - 1


def made_up_rig(build: Build, random: np.random.Generator, *, plain_names: bool = False) -> MadeUp:
    """A character of a build. Its bones have random names and stand in random order, unless its names are plain."""
    maker = _Maker()
    truth = _grow(maker, _joints(build, random), build, random)
    heads, parents, labels, order = _shuffled(maker, random)
    truth = {joint: tuple(order[bone] for bone in bones) for joint, bones in truth.items()}
    names = labels if plain_names else _random_names(len(labels), random)
    tails = _tails(heads, parents, random)
    upright = _about_z(np.radians(build.turned_deg))
    lay = _about_x(-0.5 * np.pi) if build.lying else np.eye(3)
    world = np.eye(4)
    world[:3, :3] = build.scale * lay.T
    turn = lay @ upright / build.scale
    rest = np.tile(np.eye(4), (len(names), 1, 1))
    heads, tails = heads @ turn.T, tails @ turn.T
    rest[:, :3, :3] = [_frame(tail - head, random) for head, tail in zip(heads, tails, strict=True)]
    rest[:, :3, 3] = heads
    rig = Rig(
        tuple(names),
        np.array(parents),
        heads,
        tails,
        rest,
        world,
        ("QUATERNION",) * len(names),
        np.ones(len(names), bool),
    )
    bones = {joint: tuple(names[bone] for bone in chain) for joint, chain in truth.items()}
    return MadeUp(rig, bones, dict(zip(names, labels, strict=True)))


def _joints(build: Build, random: np.random.Generator) -> FloatArray:
    """Where the 24 joints are: the mean body, its limbs longer or shorter, its arms lowered, elbows and knees bent."""
    mean = rest_joints()
    joints = mean.copy()
    stretch = {limb: 1.0 + build.build * random.uniform(-1.0, 1.0) for limb in ("leg", "arm", "trunk", "wide")}
    for joint in range(1, len(PARENTS)):
        name = JOINT_NAMES[joint].split("_")[-1]
        offset = mean[joint] - mean[PARENTS[joint]]
        offset *= stretch[_STRETCHED.get(name, "trunk")]
        side = 1.0 if JOINT_NAMES[joint].startswith("L_") else -1.0
        if name in ("Elbow", "Wrist", "Hand"):
            bend = 15.0 if build.bent and name != "Elbow" else 0.0
            offset = _about_y(side * np.radians(build.a_pose_deg)) @ _about_z(-side * np.radians(bend)) @ offset
        if name == "Ankle" and build.bent:
            offset = _about_x(np.radians(-5.0)) @ offset
        joints[joint] = joints[PARENTS[joint]] + offset
    joints[:, 2] -= joints[:, 2].min() - 0.02
    return joints


def _grow(maker: _Maker, joints: FloatArray, build: Build, random: np.random.Generator) -> dict[int, list[int]]:
    root = maker.add("root", np.zeros(3), -1) if build.root else -1
    truth: dict[int, list[int]] = {0: [maker.add("pelvis", joints[0], root)]}
    spine, at = [], truth[0][0]
    for share in np.linspace(0.0, 1.0, build.spine + 1)[:-1] if build.spine > 1 else [0.0]:
        at = maker.add(f"spine{len(spine)}", _along(joints, ("Spine1", "Spine2", "Spine3"), share), at)
        spine.append(at)
    for index, joint in enumerate(("Spine1", "Spine2", "Spine3")):
        truth[JOINT[joint]] = _share(spine, index)
    chest, neck = at, []
    for share in np.linspace(0.0, 1.0, build.neck + 1)[:-1]:
        at = maker.add(f"neck{len(neck)}", joints[JOINT["Neck"]] * (1 - share) + joints[JOINT["Head"]] * share, at)
        neck.append(at)
    if neck:
        truth[JOINT["Neck"]] = neck
    truth[JOINT["Head"]] = [maker.add("head", joints[JOINT["Head"]], at)]
    for side in "LR":
        _limb(maker, truth, joints, build, side, ("Hip", "Knee", "Ankle", "Foot"), truth[0][0])
        arm = ("Collar", "Shoulder", "Elbow", "Wrist") if build.collars else ("Shoulder", "Elbow", "Wrist")
        hand = _limb(maker, truth, joints, build, side, arm, chest)
        _fingers(maker, joints, build, side, hand)
    if build.armed:
        hand, place = truth[JOINT["R_Wrist"]][0], joints[JOINT["R_Wrist"]]
        for index in range(2):
            hand = maker.add(f"sword{index}", place + np.array([0.0, -0.05 - index, 0.0]), hand)
    if build.extras:
        _extras(maker, joints, truth, chest, random)
    return truth


def _limb(
    maker: _Maker,
    truth: dict[int, list[int]],
    joints: FloatArray,
    build: Build,
    side: str,
    limb: tuple[str, ...],
    at: int,
) -> int:
    for name, after in zip(limb, (*limb[1:], ""), strict=True):
        head = joints[JOINT[f"{side}_{name}"]]
        at = maker.add(f"{name}.{side}", head, at)
        truth[JOINT[f"{side}_{name}"]] = [at]
        if name in ("Hip", "Knee", "Shoulder", "Elbow"):
            end = joints[JOINT[f"{side}_{after}"]]
            if build.leaf_twists:
                maker.add(f"{name}_twist.{side}", 0.5 * (head + end), at)
            for index in range(build.twists):
                at = maker.add(
                    f"{name}_twist{index}.{side}", head + (end - head) * (index + 1) / (build.twists + 1), at
                )
                truth[JOINT[f"{side}_{name}"]].append(at)
    return at


def _fingers(maker: _Maker, joints: FloatArray, build: Build, side: str, hand: int) -> None:
    wrist, palm = joints[JOINT[f"{side}_Wrist"]], joints[JOINT[f"{side}_Hand"]]
    for finger in range(build.fingers):
        at, step = hand, palm - wrist
        beside = np.array([0.0, 0.018 * (finger - 0.5 * (build.fingers - 1)), 0.0])
        for index in range(3):
            at = maker.add(f"finger{finger}{index}.{side}", palm + beside + 0.3 * index * step, at)


def _extras(
    maker: _Maker, joints: FloatArray, truth: dict[int, list[int]], chest: int, random: np.random.Generator
) -> None:
    head, pelvis = truth[JOINT["Head"]][0], truth[0][0]
    place = joints[JOINT["Head"]]
    jaw = maker.add("jaw", place + np.array([0.0, -0.03, 0.01]), head)
    maker.add("jaw_end", place + np.array([0.0, -0.09, -0.04]), jaw)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        maker.add(f"eye.{side}", place + np.array([0.03 * sign, -0.08, 0.07]), head)
        maker.add(f"breast.{side}", joints[JOINT["Spine3"]] + np.array([0.08 * sign, -0.12, 0.05]), chest)
        for part, out in (("skirt", [0.12, 0.0, -0.05]), ("coat", [0.1, 0.12, -0.05])):
            at = pelvis
            for index in range(4):
                drop = np.array([0.02, 0.01, -0.12]) * index
                at = maker.add(f"{part}{index}.{side}", joints[0] + (np.array(out) + drop) * [sign, 1.0, 1.0], at)
    at, tail = head, pelvis
    for index in range(5):
        at = maker.add(f"hair{index}", place + np.array([0.0, 0.08 + 0.01 * index, 0.15 - 0.1 * index]), at)
        tail = maker.add(
            f"tail{index}",
            joints[0] + np.array([0.0, 0.12 + 0.1 * index, -0.03 * index + random.uniform(0, 0.01)]),
            tail,
        )


def _along(joints: FloatArray, names: tuple[str, ...], share: float) -> FloatArray:
    """A place on the way through joints, by its share of the way to the neck."""
    way = np.array([*(joints[JOINT[name]] for name in names), joints[JOINT["Neck"]]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    return np.array([np.interp(0.9 * share * lengths[-1], lengths, way[:, axis]) for axis in range(3)])


def _share(bones: list[int], index: int) -> list[int]:
    """The bones of one of the spine's three joints: the chain dealt out as evenly as it goes."""
    if len(bones) < 3:
        return [bones[min(index, len(bones) - 1)]]
    return [bone for place, bone in enumerate(bones) if place * 3 // len(bones) == index]


def _shuffled(maker: _Maker, random: np.random.Generator) -> tuple[FloatArray, list[int], list[str], dict[int, int]]:
    """The bones in an order that says nothing but parents first."""
    left, order = set(range(len(maker.heads))), list[int]()
    while left:
        ready = sorted(bone for bone in left if maker.parents[bone] not in left)
        order.append(int(random.choice(ready)))
        left.remove(order[-1])
    new = {old: number for number, old in enumerate(order)}
    parents = [new[maker.parents[old]] if maker.parents[old] >= 0 else -1 for old in order]
    return np.array([maker.heads[old] for old in order]), parents, [maker.labels[old] for old in order], new


def _tails(heads: FloatArray, parents: list[int], random: np.random.Generator) -> FloatArray:
    """Tails at the first child's head, as an importer makes them; at an end, on in the parent's direction."""
    tails = np.zeros_like(heads)
    for bone in range(len(heads)):
        children = [child for child, parent in enumerate(parents) if parent == bone]
        if children:
            tails[bone] = heads[children[0]]
        elif parents[bone] >= 0:
            tails[bone] = heads[bone] + 0.5 * (heads[bone] - heads[parents[bone]])
        if np.linalg.norm(tails[bone] - heads[bone]) < 1e-3:
            tails[bone] = heads[bone] + random.normal(size=3) * 0.03
    return tails


def _random_names(count: int, random: np.random.Generator) -> list[str]:
    letters = list("bdfgkmpqsvwxz" + string.digits)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(random.choice(letters, size=6))] = None
    return list(found)


def _frame(along: FloatArray, random: np.random.Generator) -> FloatArray:
    """A bone's rest orientation: Y along it, any roll."""
    y = along / np.linalg.norm(along)
    x = np.cross(y, random.normal(size=3))
    x /= np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _about_x(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _about_y(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _about_z(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
