"""Limbs found by what the names say, in the order in which a body's bones follow one another. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .body import Body, fill_gaps, trunk
from .bone_names import ARM, LEG, OPTIONAL, BoneName, read_name
from .bone_tree import BoneTree

_JOINTS = {
    "thigh": "Hip", "shin": "Knee", "foot": "Ankle", "toes": "Foot",
    "collar": "Collar", "upper_arm": "Shoulder", "forearm": "Elbow", "hand": "Wrist",
}  # fmt: skip
_CONSTRAINED = 0.15  # a bone that constraints move is taken only where there is no other
_NOT_DEFORMING = 0.05
_TWIST = 0.4
_DEEPER = 0.002  # of bones of one part, the one nearest the body turns the joint


@dataclass(frozen=True)
class _Best:
    score: float
    bones: tuple[tuple[str, int], ...]


def body_by_names(tree: BoneTree) -> Body | None:
    """A body whose bones' names say what they are; None where a limb or the head cannot be told by name."""
    names = [read_name(name) for name in tree.rig.names]
    body = Body()
    for side in "LR":
        for parts in (LEG, ARM):
            limb = _limb(tree, names, parts, side)
            if limb is None:
                return None
            for part, bone in limb.bones:
                weight = names[bone].parts[part]
                body.put(f"{side}_{_JOINTS[part]}", [bone], 0.4 + 0.55 * weight, _said(tree, names, bone, part))
    head = _central(tree, names, "head", [body.first("L_Shoulder"), body.first("R_Shoulder")])
    if head < 0:
        return None
    body.put("Head", [head], 0.4 + 0.55 * names[head].parts["head"], _said(tree, names, head, "head"))
    pelvis = _pelvis(tree, names, body)
    trunk(body, tree, confidence=0.9, reason="on the way from the pelvis to the head", pelvis=pelvis)
    fill_gaps(body, tree)
    return body if body.complete() else None


def _limb(tree: BoneTree, names: Sequence[BoneName], parts: Sequence[str], side: str) -> _Best | None:
    """The best bones of a side for the parts in order, each hanging from the one before; None where one is missing."""
    best: list[dict[int, _Best]] = [{} for _ in tree.rig.names]  # for each bone: by number of parts done, itself last
    winner: _Best | None = None
    for bone, name in enumerate(names):
        if name.side != side or not name.parts:
            continue
        ancestors = tree.line(bone)[1:]
        for place, part in enumerate(parts):
            if (weight := name.parts.get(part, 0.0)) <= 0.0:
                continue
            before = _before(best, ancestors, parts, place)
            if before is None:
                continue
            score = before.score + weight - _handicap(tree, names, bone, len(ancestors))
            found = _Best(score, (*before.bones, (part, bone)))
            best[bone][place] = found
            ends = all(later in OPTIONAL for later in parts[place + 1 :])
            if ends and (winner is None or score > winner.score):
                winner = found
    return winner


def _before(
    best: Sequence[dict[int, _Best]], ancestors: Sequence[int], parts: Sequence[str], place: int
) -> _Best | None:
    """The best beginning that ends in an ancestor at an earlier part, with nothing but optional parts left out."""
    found = _Best(0.0, ()) if all(part in OPTIONAL for part in parts[:place]) else None
    for ancestor in ancestors:
        for earlier, beginning in best[ancestor].items():
            allowed = earlier < place and all(part in OPTIONAL for part in parts[earlier + 1 : place])
            if allowed and (found is None or beginning.score > found.score):
                found = beginning
    return found


def _handicap(tree: BoneTree, names: Sequence[BoneName], bone: int, depth: int) -> float:
    rig = tree.rig
    return (
        _CONSTRAINED * (rig.names[bone] in rig.constrained)
        + _NOT_DEFORMING * (not rig.deform[bone])
        + _TWIST * names[bone].twist
        + _DEEPER * (depth + names[bone].number)
    )


def _central(tree: BoneTree, names: Sequence[BoneName], part: str, beside: Sequence[int]) -> int:
    """The bone of a part on no side that shares an ancestor with the bones beside it; the nearest the body first."""
    found = [
        bone
        for bone, name in enumerate(names)
        if name.parts.get(part, 0.0) > 0 and not name.side and tree.shared([bone, *beside]) >= 0
    ]
    return max(
        found,
        key=lambda bone: names[bone].parts[part] - _handicap(tree, names, bone, len(tree.line(bone))),
        default=-1,
    )


def _pelvis(tree: BoneTree, names: Sequence[BoneName], body: Body) -> int:
    """The named pelvis from which legs, arms and head hang, -1 for none."""
    ends = [body.first(joint) for joint in ("L_Hip", "R_Hip", "L_Shoulder", "R_Shoulder", "Head")]
    shared = tree.shared(ends)
    line = tree.line(shared) if shared >= 0 else []
    return max((bone for bone in line if names[bone].parts.get("pelvis", 0.0) > 0.3), default=-1)


def _said(tree: BoneTree, names: Sequence[BoneName], bone: int, part: str) -> str:
    return f"its name, {names[bone].spelling or tree.rig.names[bone]}, says {part.replace('_', ' ')}"
