"""The switches that a generated Rigify character has: custom properties that choose FK or IK controls."""

from __future__ import annotations

import bpy

from ..core.rigify_switches import ROOT, Switch, switches

_PARENTS = ("IK_parent", "pole_parent")


def switches_of(character: bpy.types.Object, *, ik: bool) -> tuple[Switch, ...]:
    """What is to be keyed on this character so that its FK or its IK controls show a dance: bone, property, value."""
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
