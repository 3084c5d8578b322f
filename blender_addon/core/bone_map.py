"""Which bones of a character are the dance's joints: found by itself, corrected by the animator. No bpy.

Tried in turn, the first that finds a whole body counts: presets of known rigs, what the bones' names say, the shape of
the tree. Names never decide alone what is left: where the feet point and the joints bend does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .body import ARM, MAPPED, SURE_OF_FACING, Body, add_twists, arms_crossed, exchange_sides, facing, root_bone
from .bone_carrying import carrier
from .bone_order import body_by_names
from .bone_presets import Preset, body_by_preset
from .bone_structure import body_by_structure
from .bone_tree import BoneTree, bone_tree
from .errors import PirouetteError
from .rig import BoneMap, BoneRow, Controls, Rig
from .skeleton import JOINT_NAMES

_FEWEST = 3  # bones of a preset that a character must have
_TOGETHER = 1e-3  # of the character's size: a bone and what it copies begin nearer than this
_NAMED = "the name says the other side, but"


def map_bones(rig: Rig, presets: Sequence[Preset] = ()) -> BoneMap:
    """The bones of the 22 joints, each with a confidence from 0 to 1 and a reason.

    presets: of known rigs, in the order in which they are tried.
    A character without toes, collars or a neck has no rows for them. Where no body is found the map is empty and its
    source is ``table``: the animator fills it in.
    """
    tree = bone_tree(rig)
    for preset in presets:
        if (found := body_by_preset(tree, preset)) is not None:
            body, root = found
            return _finished(body, tree, source=preset.name, root=root, controls=preset.controls)
    if (by_names := body_by_names(tree)) is not None:
        return _finished(by_names, tree, source="names")
    if (by_structure := body_by_structure(rig)) is not None:
        return _finished(by_structure, tree, source="structure")
    return BoneMap((), "table")


def map_by_preset(rig: Rig, preset: Preset) -> BoneMap:
    """The bones that a preset names, as it names them, and whatever of them the character has.

    Raises PirouetteError bad_rig where the character has hardly any of them.
    """
    tree = bone_tree(rig)
    if (found := body_by_preset(tree, preset)) is not None:
        body, root = found
        return BoneMap(body.rows(tree), preset.name, root, preset.controls)
    reason = f"its name in {preset.name}"
    named = {joint: preset.names(JOINT_NAMES[joint]) for joint in range(len(JOINT_NAMES))}
    there = {joint: tuple(name for name in names if name in rig.names) for joint, names in named.items()}
    rows = tuple(BoneRow(joint, names, 1.0, reason) for joint, names in there.items() if names)
    if len(rows) < _FEWEST:
        lacks = next(name for names in named.values() for name in names if name not in rig.names)
        raise PirouetteError(
            "bad_rig", f"The preset {preset.name} is of another rig: there is no bone “{lacks}”.", "Choose another."
        )
    return BoneMap(rows, preset.name, preset.root if preset.root in rig.names else "", preset.controls)


def missing_joints(bone_map: BoneMap) -> tuple[int, ...]:
    """The joints, of the 22, that have no bone."""
    have = {row.joint for row in bone_map.rows if row.bones}
    return tuple(joint for joint in MAPPED if joint not in have)


def _finished(body: Body, tree: BoneTree, *, source: str, root: str = "", controls: Controls = "deform") -> BoneMap:
    if facing(body, tree) < -SURE_OF_FACING:
        exchange_sides(body, f"{_NAMED} the feet and the bends of knees and elbows say this one")
    if arms_crossed(body, tree):
        exchange_sides(body, f"{_NAMED} it is on this leg's side", limbs=ARM)
    if controls == "deform":
        body = _controlled(body, tree)
        add_twists(body, tree)
    return BoneMap(body.rows(tree), source, root or root_bone(body, tree), controls)


def _controlled(body: Body, tree: BoneTree) -> Body:
    """The body with the controls that its bones copy in their place; as it is where these do not hang together."""
    rig, moved = tree.rig, Body(dict(body.joints))
    near = _TOGETHER * float(np.ptp(tree.heads, axis=0).max())
    for joint, found in body.joints.items():
        bone, chain = found.bones[0], set(found.bones)
        while (name := rig.copies.get(rig.names[bone], "")) in rig.names and rig.number(name) not in chain:
            bone = rig.number(name)
            chain.add(bone)
        apart = float(np.linalg.norm(tree.heads[bone] - tree.heads[found.bones[0]]))
        if bone != found.bones[0] and apart < near and rig.names[bone] not in rig.overruled:
            reason = f"{found.reason}; it is what {rig.names[found.bones[0]]} follows"
            moved.put(joint, [bone], found.confidence, reason)
    try:
        carrier(rig, BoneMap(moved.rows(tree)))
    except ValueError:
        return body
    return moved
