"""A body found among a character's bones, before it is a table: one bone a joint, and why. No bpy.

However the limbs were found, by a preset, by names or by the shape of the tree, what is between them follows here: the
spine and the neck are the bones on the way from the pelvis to the head, and left is where geometry says it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .bone_tree import BoneTree, FloatArray, in_line
from .rig import BoneRow
from .skeleton import JOINT_NAMES, MIRROR

JOINT = {name: number for number, name in enumerate(JOINT_NAMES)}
SPINE = (JOINT["Spine1"], JOINT["Spine2"], JOINT["Spine3"])
MAPPED = tuple(range(22))  # the hands' own joints, 22 and 23, are no bones of most characters
LEG, ARM = ("Hip", "Knee", "Ankle", "Foot"), ("Collar", "Shoulder", "Elbow", "Wrist")
LIMBS = (*LEG, *ARM)
NEEDED_LIMBS = ("Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist")
SURE_OF_FACING = 0.2
_FACING_REACH = 0.5


@dataclass(frozen=True)
class Found:
    """The bones of a joint, numbers, with the confidence from 0 to 1 and the reason."""

    bones: tuple[int, ...]
    confidence: float
    reason: str


@dataclass
class Body:
    """What is found so far: joints (SMPL numbers) and their bones."""

    joints: dict[int, Found] = field(default_factory=dict)

    def put(self, joint: int | str, bones: Sequence[int], confidence: float, reason: str) -> None:
        """Sets the bones of a joint, named or numbered; no bones: nothing is set."""
        if bones:
            number = JOINT[joint] if isinstance(joint, str) else joint
            self.joints[number] = Found(tuple(bones), round(float(np.clip(confidence, 0.0, 1.0)), 3), reason)

    def first(self, joint: int | str) -> int:
        """The bone that turns a joint, -1 where there is none."""
        number = JOINT[joint] if isinstance(joint, str) else joint
        return self.joints[number].bones[0] if number in self.joints else -1

    def complete(self) -> bool:
        """Whether pelvis, spine, head and all four limbs are there."""
        limbs = [f"{side}_{limb}" for side in "LR" for limb in NEEDED_LIMBS]
        return all(self.first(joint) >= 0 for joint in ["Pelvis", "Spine1", "Head", *limbs])

    def rows(self, tree: BoneTree) -> tuple[BoneRow, ...]:
        """The rows of a map, in the skeleton's order."""
        return tuple(
            BoneRow(joint, tree.names(found.bones), found.confidence, found.reason)
            for joint, found in sorted(self.joints.items())
        )


def shares(bones: Sequence[int], joints: int) -> list[tuple[int, ...]]:
    """Chain bones dealt out to joints in order: several to one where there are more, one to several where fewer."""
    count = len(bones)
    if count >= joints:
        cuts = [-(-index * count // joints) for index in range(joints + 1)]
        return [tuple(bones[start:end]) for start, end in pairwise(cuts)]
    return [(bones[min(index, count - 1)],) for index in range(joints)]


def put_spine(body: Body, bones: Sequence[int], confidence: float, reason: str) -> None:
    """Sets the three joints of the spine from the bones between the pelvis and the neck, in order."""
    if bones:
        for joint, share in zip(SPINE, shares(bones, len(SPINE)), strict=True):
            body.put(joint, share, confidence, reason)


def add_twists(body: Body, tree: BoneTree) -> None:
    """Adds the bones that lie in line between two joints of a limb to the upper one's chain."""
    for side in "LR":
        for upper, lower in (("Hip", "Knee"), ("Knee", "Ankle"), ("Shoulder", "Elbow"), ("Elbow", "Wrist")):
            joint = JOINT[f"{side}_{upper}"]
            above, below = body.first(joint), body.first(f"{side}_{lower}")
            if above >= 0 and below >= 0 and len(body.joints[joint].bones) == 1:
                old = body.joints[joint]
                body.put(joint, [above, *in_line(tree, above, below)], old.confidence, old.reason)


def facing(body: Body, tree: BoneTree) -> float:
    """How sure it is, -1 to 1, that the leg called left is the left one of a body that faces where its feet point.

    Feet point to the front, knees bend to the front, elbows to the back. Below 0, left and right are exchanged.
    """

    def head(name: str) -> FloatArray:
        place: FloatArray = tree.heads[body.first(name)]
        return place

    hips, ankles = 0.5 * (head("L_Hip") + head("R_Hip")), 0.5 * (head("L_Ankle") + head("R_Ankle"))
    up = _unit(0.5 * (head("L_Shoulder") + head("R_Shoulder")) - ankles)
    apart = head("L_Hip") - head("R_Hip")
    front = _unit(np.cross(apart, up))
    leg = max(float(np.linalg.norm(hips - ankles)), 1e-12)
    evidence = 0.0
    for side in "LR":
        ankle, toe = body.first(f"{side}_Ankle"), body.first(f"{side}_Foot")
        points = (tree.heads[toe] if toe >= 0 else tree.tails[ankle]) - tree.heads[ankle]
        flat = points - up * (points @ up)
        evidence += 0.5 * float(np.clip((flat @ front) / (0.08 * leg), -1.0, 1.0))
        for sign, names in ((1.0, ("Hip", "Knee", "Ankle")), (-1.0, ("Shoulder", "Elbow", "Wrist"))):
            start, middle, end = (head(f"{side}_{name}") for name in names)
            bend = 10.0 * sign * float((middle - 0.5 * (start + end)) @ front) / leg
            evidence += 0.5 * float(np.clip(bend, -_FACING_REACH, _FACING_REACH))
    return float(np.clip(evidence, -1.0, 1.0))


def arms_crossed(body: Body, tree: BoneTree) -> bool:
    """Whether the arm called left is on the side of the leg called right."""
    legs, arms = (
        tree.heads[body.first(f"L_{joint}")] - tree.heads[body.first(f"R_{joint}")] for joint in ("Hip", "Shoulder")
    )
    return float(legs @ arms) < 0


def exchange_sides(body: Body, why: str, *, limbs: Sequence[str] = LIMBS) -> None:
    """Exchanges left and right of limbs, lowers the confidence a little and says why."""
    joints = {JOINT[f"{side}_{limb}"] for side in "LR" for limb in limbs}
    old = {joint: found for joint, found in body.joints.items() if joint in joints}
    for joint in old:
        del body.joints[joint]
    for joint, found in old.items():
        body.put(MIRROR[joint], found.bones, 0.9 * found.confidence, f"{found.reason}; {why}")


def fill_gaps(body: Body, tree: BoneTree) -> None:
    """Finds toes, collars and neck where the limbs beside them are known."""
    for side in "LR":
        ankle = body.first(f"{side}_Ankle")
        if body.first(f"{side}_Foot") < 0 and ankle >= 0 and (toe := _toe(tree, ankle)) >= 0:
            body.put(f"{side}_Foot", [toe], 0.7, "the bone that continues the foot")
        shoulder = body.first(f"{side}_Shoulder")
        chest = tree.shared([max(body.first(f"{s}_Shoulder"), 0) for s in "LR"])
        if body.first(f"{side}_Collar") < 0 and shoulder >= 0 and chest >= 0:
            between = tree.path(chest, shoulder)[1:-1]
            body.put(f"{side}_Collar", between[:1], 0.7, "the bone between the chest and the upper arm")


def _toe(tree: BoneTree, ankle: int) -> int:
    """The child of the foot that lies farthest from it on the level, -1 for none."""
    forward = {child: np.linalg.norm((tree.heads[child] - tree.heads[ankle])[:2]) for child in tree.children[ankle]}
    return max(forward, key=lambda child: float(forward[child]), default=-1)


def trunk(body: Body, tree: BoneTree, *, confidence: float, reason: str, pelvis: int = -1) -> None:
    """Finds pelvis, spine and neck between the limbs and the head, which are known.

    pelvis: the bone that is named so; taken if everything hangs from it, else the nearest bone from which all hang.
    """
    hips, arms = ([body.first(f"{side}_{limb}") for side in "LR"] for limb in ("Hip", "Shoulder"))
    head = body.first("Head")
    if min(*hips, *arms, head) < 0:
        return
    shared = tree.shared([*hips, *arms, head])
    if pelvis < 0 or not all(tree.path(pelvis, bone) for bone in (*hips, *arms, head)):
        pelvis = shared
    if pelvis < 0 or pelvis in (*hips, *arms, head):
        return
    body.put("Pelvis", [pelvis], confidence, reason)
    rig = tree.rig
    way = [bone for bone in tree.path(pelvis, head)[1:-1] if rig.deform[bone] or rig.names[bone] not in rig.constrained]
    chest = tree.shared([*arms, head])
    cut = len([bone for bone in way if bone in tree.line(chest)])
    if cut == 0:  # the arms hang from the pelvis itself, or from a bone beside the spine
        cut = max(len(way) - 1, 0)
    put_spine(body, way[:cut], confidence, reason)
    body.put("Neck", way[cut:], confidence, reason)


def root_bone(body: Body, tree: BoneTree) -> str:
    """The bone that carries the whole character: the topmost one above the pelvis, "" for none."""
    pelvis = body.first("Pelvis")
    above = tree.line(pelvis)[1:] if pelvis >= 0 else []
    return (
        tree.rig.names[above[-1]]
        if above and above[-1] not in {found.bones[0] for found in body.joints.values()}
        else ""
    )


def _unit(vector: FloatArray) -> FloatArray:
    unit: FloatArray = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit
