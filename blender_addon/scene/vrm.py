"""Which bones a VRM character itself says are a person's: what the VRM add-on for Blender keeps on its armature."""

from __future__ import annotations

import bpy

from ..core.bone_presets import Preset
from ..core.vrm_bones import vrm_preset


def preset_of_vrm(armature: bpy.types.Armature) -> Preset | None:
    """The armature's own humanoid map as a preset, of VRM 1 or else of VRM 0; None where it has none."""
    extension = getattr(armature, "vrm_addon_extension", None)
    if extension is None:
        return None
    newer = extension.vrm1.humanoid.human_bones
    names = [item.identifier for item in newer.bl_rna.properties]
    named = {name: getattr(newer, name) for name in names if hasattr(getattr(newer, name), "node")}
    older = {item.bone: item for item in extension.vrm0.humanoid.human_bones}
    for human_bones in (named, older):
        found = {name: str(item.node.bone_name) for name, item in human_bones.items()}
        preset = vrm_preset({name: bone for name, bone in found.items() if bone in armature.bones})
        if preset is not None:
            return preset
    return None
