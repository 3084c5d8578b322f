"""The switches of control rigs: custom properties that choose FK or IK controls."""

from __future__ import annotations

import bpy

from ..core.auto_rig_pro import fk_switches
from ..core.control_bones import body_bone
from ..core.rig import BoneMap, Rig
from ..core.rigify_switches import ROOT, Switch, switches

_PARENTS = ("IK_parent", "pole_parent")
_MECHANISMS = ("ORG-", "MCH-", "DEF-")


def switches_for(character: bpy.types.Object, bone_map: BoneMap, *, ik: bool = False) -> tuple[Switch, ...]:
    """What is to be keyed on a character so that the mapped controls move it: bone, property, value; mostly nothing.

    ik: by the IK controls, where the character is Rigify's.
    """
    if bone_map.controls == "rigify_fk":
        return switches_of(character, ik=ik)
    bones = character.pose.bones
    mapped = {row.bones[0] for row in bone_map.rows if row.bones}
    return tuple(switch for switch in fk_switches(mapped) if switch[0] in bones and switch[1] in bones[switch[0]])


def body_controls(character: bpy.types.Object, rig: Rig, bone_map: BoneMap) -> frozenset[str]:
    """The controls that move a generated Rigify character's body, also those that a dance does not key; else none."""
    if bone_map.controls != "rigify_fk":
        return frozenset()
    found = {body_bone(rig, bone_map, row.joint, row.bones[0]) for row in bone_map.rows if row.bones}
    parts = tuple(name.replace("ORG-", "DEF-") for name in found)  # each in one or several, which tweaks move, too
    found |= {name for name in rig.names if name.startswith(parts)}
    waiting = sorted(found)
    while waiting:
        new = _moving(character, waiting.pop()) - found
        found |= new
        waiting += new
    return frozenset(name for name in found if not name.startswith(_MECHANISMS))


def _moving(character: bpy.types.Object, name: str) -> set[str]:
    """The bones that one hangs from or follows by constraints."""
    bone = character.pose.bones[name]
    found = {bone.parent.name} if bone.parent is not None else set()
    for constraint in bone.constraints:
        targets = constraint.targets if constraint.type == "ARMATURE" else (constraint,)
        for target in targets:
            for subtarget in (getattr(target, "subtarget", ""), getattr(target, "pole_subtarget", "")):
                if getattr(target, "target", None) == character and subtarget in character.pose.bones:
                    found.add(subtarget)
    return found


def switches_of(character: bpy.types.Object, *, ik: bool) -> tuple[Switch, ...]:
    """What is to be keyed on a generated Rigify character so that its FK or its IK controls show a dance."""
    bones = character.pose.bones
    found = [switch for switch in switches(bones, ik=ik) if switch[1] in bones[switch[0]]]
    return tuple(
        (bone, name, _root(bones[bone], name) if name in _PARENTS else value) for bone, name, value in found
    )  # fmt: skip


def _root(bone: bpy.types.PoseBone, name: str) -> float:
    """The number by which a list of parents knows the root bone."""
    for item in bone.id_properties_ui(name).as_dict().get("items") or ():
        if item[1] == "Root":
            return float(item[-1])
    return float(ROOT)
