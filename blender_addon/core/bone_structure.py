"""A body found by the shape of the bones' tree alone: names, rolls and sizes say nothing here. No bpy.

Two limbs that mirror each other reach the floor: legs. Two more hang from above them: arms. Which bones of a limb are
its joints is decided by the proportions of people, as Gaussians about those of the mean SMPL body.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, combinations, pairwise

import numpy as np

from .body import SURE_OF_FACING, Body, facing, put_spine
from .bone_tree import BoneTree, FloatArray, bone_tree
from .limb_search import (
    Frame,
    Limb,
    bend_elsewhere,
    bends,
    better_pair,
    likeliest,
    mirrored,
    normal,
    pairs,
    reaches,
    ways,
)
from .rig import Rig
from .skeleton import MIRROR

_FLOOR_REACH = 0.15  # legs end within this share of the height above the lowest point
_LEG_REACH, _ARM_REACH = 0.3, 0.15  # least length, as a share of the height
_ARMED = 0.75  # of two arms the shorter is shorter by less than this share: a hand may hold a weapon
_FARTHEST_BEYOND = 0.45  # of the leg's length: bones farther than this from a wrist are what the hand holds
_WORST_HEAD = -8.0
_UPS = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
_ANOTHER = 0.98  # cosine below which a direction is another one
_FRONT_BY_CUSTOM = (0.0, -1.0, 0.0)


def body_by_structure(rig: Rig) -> Body | None:
    """The body of the armature by its shape; None where there are no two legs, two arms and a head.

    The world's Z is up unless no body stands so; then the other axes are tried, and those of the object.
    """
    tree = bone_tree(rig, _bones_that_matter(rig))
    for up in _ups(rig):
        if (body := _body(tree, up)) is not None:
            return body
    return None


def _ups(rig: Rig) -> list[FloatArray]:
    """The directions (3,) that may be up, the likeliest first."""
    own = np.asarray(rig.world, np.float64)[:3, :3]
    lengths = np.linalg.norm(own, axis=0)
    found = [np.array(up) for up in _UPS]
    for axis in (own / np.where(lengths > 0.0, lengths, 1.0)).T[[2, 1, 0]]:
        found += [up for up in (axis, -axis) if max(up @ other for other in found) < _ANOTHER]
    return found


def _bones_that_matter(rig: Rig) -> list[int]:
    """The bones that move the mesh and what they hang from; all of them where none is said to move it."""
    if not rig.deform.any():
        return list(range(len(rig.names)))
    kept = np.asarray(rig.deform, bool).copy()
    for bone in range(len(rig.names) - 1, -1, -1):
        if kept[bone] and rig.parents[bone] >= 0:
            kept[rig.parents[bone]] = True
    return [int(bone) for bone in np.flatnonzero(kept)]


def _body(tree: BoneTree, up: FloatArray) -> Body | None:
    inside = [bone for bone in range(len(tree.rig.names)) if tree.children[bone] or tree.parent(bone) >= 0]
    if len(inside) < 12:
        return None
    levels = tree.heads[inside] @ up
    frame = Frame(tree, up, float(levels.min()), float(levels.max() - levels.min()))
    if frame.height <= 0:
        return None
    legs = _legs(frame)
    arms = _arms(frame, legs) if legs else None
    if legs is None or arms is None:
        return None
    head = _head(frame, legs, arms)
    return None if head is None else _assembled(frame, legs, arms, head)


# Legs


def _legs(frame: Frame) -> tuple[Limb, Limb] | None:
    """The most likely pair of legs."""
    best: tuple[Limb, Limb] | None = None
    for one, other in pairs(frame.tree):
        lows = [min(frame.tree.below(bone), key=frame.level) for bone in (one, other)]
        falls = [frame.level(bone) - frame.level(low) for bone, low in zip((one, other), lows, strict=True)]
        near = all(frame.level(low) - frame.floor < _FLOOR_REACH * frame.height for low in lows)
        if not near or min(falls) < _LEG_REACH * frame.height:
            continue
        apart = frame.tree.heads[lows[0]] - frame.tree.heads[lows[1]]
        apart -= frame.up * (apart @ frame.up)
        if np.linalg.norm(apart) < 0.02 * frame.height:
            continue
        middle = 0.5 * (frame.tree.heads[lows[0]] + frame.tree.heads[lows[1]])
        side = apart / np.linalg.norm(apart)
        found = [_legs_below(frame, bone, middle, sign * side) for bone, sign in ((one, 1.0), (other, -1.0))]
        best = better_pair(best, mirrored(frame, found[0], found[1], middle, side))
    return best


def _legs_below(frame: Frame, start: int, middle: FloatArray, side: FloatArray) -> list[Limb]:
    """The most likely hips, knees, ankles and toes on the ways down from a bone."""
    found: list[Limb] = []
    hub = frame.tree.parent(start)
    for way in ways(frame.tree, start):
        outs = [float(out) for out in (frame.tree.heads[way] - middle) @ side]
        for count in (4, 3):
            for picks in combinations(range(len(way)), count):
                limb = Limb(tuple(way[i] for i in picks) + (-1,) * (4 - count), 0.0)
                likely = _leg_likely(frame, limb.joints, hub, outs[picks[0]])
                likely -= 1.0 * sum(out > 0.03 * frame.height for out in outs[: picks[0]])
                likely -= 0.5 * (picks[3] - picks[2] - 1) if count == 4 else 3.0
                found.append(Limb(limb.joints, likely))
    return likeliest(found)


def _leg_likely(frame: Frame, joints: Sequence[int], hub: int, out: float) -> float:
    hip, knee, ankle, toe = joints
    thigh, shin, straight = frame.span(hip, knee), frame.span(knee, ankle), frame.span(hip, ankle)
    length = thigh + shin
    if length < 0.2 * frame.height or straight <= 0:
        return -np.inf
    down = (frame.level(hip) - frame.level(ankle)) / straight
    likely = (
        normal(thigh / length, 0.48, 0.06)
        + normal((frame.level(ankle) - frame.floor) / length, 0.09, 0.06)
        + normal(out / length, 0.12, 0.07)
        + normal(straight / length, 1.0, 0.06)
        + normal(down, 1.0, 0.12)
        + normal(frame.span(hip, hub) / length, 0.15, 0.15)
    )
    if toe >= 0:
        foot = frame.span(ankle, toe)
        falls = (frame.level(ankle) - frame.level(toe)) / max(foot, 1e-9)
        likely += normal(foot / length, 0.16, 0.07) + normal(max(falls - 0.75, 0.0), 0.0, 0.15)
    return likely


# Arms


def _arms(frame: Frame, legs: tuple[Limb, Limb]) -> tuple[Limb, Limb] | None:
    """The most likely pair of arms: collar, upper arm, forearm, hand."""
    tree = frame.tree
    hips = [leg.joints[0] for leg in legs]
    taken = {bone for hip in hips for bone in tree.below(hip)}
    side = tree.heads[hips[0]] - tree.heads[hips[1]]
    side -= frame.up * (side @ frame.up)
    side /= max(float(np.linalg.norm(side)), 1e-12)
    middle = 0.5 * (tree.heads[hips[0]] + tree.heads[hips[1]])
    leg = 0.5 * sum(frame.span(a.joints[0], a.joints[1]) + frame.span(a.joints[1], a.joints[2]) for a in legs)
    best: tuple[Limb, Limb] | None = None
    for one, other in pairs(tree, unlike=_ARMED):
        if one in taken or other in taken or set(hips) & set(tree.below(one) + tree.below(other)):
            continue
        outs = [
            max((tree.heads[bone] - middle) @ side * s for bone in tree.below(b)) for b, s in ((one, 1), (other, -1))
        ]
        if min(outs) < 0:  # the pair stands the other way round
            one, other = other, one
            outs = [
                max((tree.heads[bone] - middle) @ side * s for bone in tree.below(b))
                for b, s in ((one, 1), (other, -1))
            ]
        if min(outs) < _ARM_REACH * frame.height:
            continue
        found = [_arms_below(frame, bone, middle, sign * side, leg) for bone, sign in ((one, 1.0), (other, -1.0))]
        best = better_pair(best, mirrored(frame, found[0], found[1], middle, side))
    return best


def _arms_below(frame: Frame, start: int, middle: FloatArray, side: FloatArray, leg: float) -> list[Limb]:
    """The most likely collars, upper arms, forearms and hands on the ways out from a bone."""
    found: list[Limb] = []
    tree = frame.tree
    reach = float(reaches(tree)[start])
    for way in ways(tree, start):
        lengths = [0.0, *accumulate(frame.span(a, b) for a, b in pairwise(way))]
        outs = [float(out) for out in (tree.heads[way] - middle) @ side]
        turns = bends(tree, way)
        fans = [len([child for child in tree.children[bone] if tree.children[child]]) >= 3 for bone in way]
        for shoulder, elbow, wrist in combinations(range(len(way)), 3):
            joints = way[shoulder], way[elbow], way[wrist]
            likely = _arm_likely(frame, joints, outs[shoulder], leg)
            beyond = min((reach - lengths[wrist]) / leg, _FARTHEST_BEYOND)
            likely += normal(beyond, 0.2, 0.1) if beyond > 0.02 else -0.3
            likely -= 1.5 * (wrist + 1 == len(way) and beyond > 0.05)  # the arm goes on elsewhere
            likely += (2.0 if fans[wrist] else -2.0) * any(fans[elbow:])
            likely -= 3.0 if shoulder == 0 else 0.5 * (shoulder - 1)
            if shoulder > 1 and turns[shoulder] < 0.03:
                likely -= 2.0  # a twist bone further down the upper arm
            twists = elbow - shoulder - 1, wrist - elbow - 1
            likely -= 0.2 * (sum(twists) + abs(twists[0] - twists[1]))
            likely += bend_elsewhere(turns[shoulder + 1 : wrist], elbow - shoulder - 1)
            found.append(Limb((way[0] if shoulder > 0 else -1, *joints), likely))
    return likeliest(found)


def _arm_likely(frame: Frame, joints: Sequence[int], out: float, leg: float) -> float:
    shoulder, elbow, wrist = joints
    upper, lower = frame.span(shoulder, elbow), frame.span(elbow, wrist)
    length = upper + lower
    if length <= 0.1 * frame.height:
        return -np.inf
    return (
        normal(upper / length, 0.49, 0.06)
        + normal(length / leg, 0.62, 0.2)
        + normal(out / length, 0.37, 0.15)
        + normal(frame.span(shoulder, wrist) / length, 1.0, 0.08)
    )


# Head


def _head(frame: Frame, legs: tuple[Limb, Limb], arms: tuple[Limb, Limb]) -> Limb | None:
    """The most likely head above the arms: its bone, and the bones from the chest to it (the neck)."""
    tree = frame.tree
    shoulders = [arm.joints[1] for arm in arms]
    roots = [arm.joints[0] if arm.joints[0] >= 0 else arm.joints[1] for arm in arms]
    chest = tree.shared(roots)
    taken = {bone for root in roots for bone in tree.below(root)} | {
        bone for leg in legs for bone in tree.below(leg.joints[0])
    }
    top = float(np.mean([frame.level(bone) for bone in shoulders]))
    torso = top - float(np.mean([frame.level(leg.joints[0]) for leg in legs]))
    middle = 0.5 * (tree.heads[shoulders[0]] + tree.heads[shoulders[1]])
    side = tree.heads[shoulders[0]] - tree.heads[shoulders[1]]
    side /= max(float(np.linalg.norm(side)), 1e-12)
    if chest < 0 or torso <= 0:
        return None
    best: Limb | None = None
    for bone in tree.below(chest)[1:]:
        if bone in taken:
            continue
        likely = (
            normal((frame.level(bone) - top) / torso, 0.36, 0.12)
            + normal(float((tree.heads[bone] - middle) @ side) / torso, 0.0, 0.05)
            + 0.6 * (not tree.children[bone] or _fans_out(frame, bone, 0.02 * torso))
            - 1.0 * (frame.span(bone, tree.parent(bone)) < 0.02 * torso)
            - 5.0 * _bends(tree, chest, bone)
        )
        if best is None or likely > best.likely + 1e-9:
            best = Limb((bone, *tree.path(chest, bone)[1:-1]), likely)
    return best if best is not None and best.likely > _WORST_HEAD else None


def _fans_out(frame: Frame, bone: int, near: float) -> bool:
    """Whether several bones hang from it, or from one that lies where it does: the bones of a face."""
    here = [bone, *(child for child in frame.tree.children[bone] if frame.span(bone, child) < near)]
    return any(len(frame.tree.children[one]) >= 2 for one in here)


def _bends(tree: BoneTree, above: int, below: int) -> int:
    """How many times a way branches between two bones: the face's bones lie behind the head's many branches."""
    return sum(len(tree.children[bone]) > 2 for bone in tree.path(above, below)[1:-1])


# All together


def _assembled(frame: Frame, legs: tuple[Limb, Limb], arms: tuple[Limb, Limb], head: Limb) -> Body | None:
    tree, body = frame.tree, Body()
    if {bone for limb in (*legs, *arms) for bone in limb.joints} & set(head.joints):
        return None
    for names, limbs in ((("Hip", "Knee", "Ankle", "Foot"), legs), (("Collar", "Shoulder", "Elbow", "Wrist"), arms)):
        for side, limb in zip("LR", limbs, strict=True):
            sure = _sure(limb.likely, len(names) + 2)
            for name, bone in zip(names, limb.joints, strict=True):
                body.put(
                    f"{side}_{name}", [bone] if bone >= 0 else [], sure, f"the {name.lower()} of a limb by its place"
                )
    body.put("Head", [head.joints[0]], _sure(head.likely, 2), "the end of the spine above the arms")
    ends = [*(limb.joints[0] for limb in legs), *(arm.joints[1] for arm in arms), head.joints[0]]
    pelvis = tree.shared(ends)
    chest = tree.shared([*(arm.joints[1] for arm in arms), head.joints[0]])
    if pelvis < 0 or pelvis in ends:
        return None
    body.put("Pelvis", [pelvis], 0.8, "legs and spine hang from it")
    way = tree.path(pelvis, head.joints[0])[1:-1]
    shoulders = float(np.mean([frame.level(arm.joints[1]) for arm in arms]))
    torso = shoulders - float(np.mean([frame.level(leg.joints[0]) for leg in legs]))
    cut = way.index(chest) + 1 if chest in way else 0
    while cut < len(way) and frame.level(way[cut]) < shoulders - 0.1 * torso:
        cut += 1
    put_spine(body, way[:cut], 0.8, "on the way from the pelvis to the arms")
    body.put("Neck", way[cut:], 0.8, "between the arms and the head")
    if not body.complete():
        return None
    return _turned(frame, body)


def _turned(frame: Frame, body: Body) -> Body:
    """The body with its left on its left: exchanged, if the feet or the bends say so, else if custom does."""
    sure = facing(body, frame.tree)
    note = "left and right told by where feet, knees and elbows point"
    if abs(sure) < SURE_OF_FACING:
        hips = frame.tree.heads[body.first("L_Hip")] - frame.tree.heads[body.first("R_Hip")]
        sure = float(np.cross(hips, frame.up) @ np.array(_FRONT_BY_CUSTOM))
        note = "nothing tells front from back: it is taken to face -Y"
    turned = Body()
    for joint, found in body.joints.items():
        sided = MIRROR[joint] != joint
        why = f"{found.reason}; {note}" if sided else found.reason
        turned.put(MIRROR[joint] if sure < 0 else joint, found.bones, found.confidence, why)
    return turned


def _sure(likely: float, terms: int) -> float:
    return float(0.85 * np.exp(min(likely, 0.0) / (2.0 * terms)))
