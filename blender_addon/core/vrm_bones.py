"""The humanoid map that a VRM character carries: the surest preset there is. No bpy."""

from __future__ import annotations

from collections.abc import Mapping

from .bone_presets import Preset

_SPINE = ("spine", "chest", "upperChest")
_BODY = {"hips": "Pelvis", "neck": "Neck", "head": "Head"}
_LIMBS = {
    "upperleg": "Hip", "lowerleg": "Knee", "foot": "Ankle", "toes": "Foot",
    "shoulder": "Collar", "upperarm": "Shoulder", "lowerarm": "Elbow", "hand": "Wrist",
}  # fmt: skip


def vrm_preset(human_bones: Mapping[str, str]) -> Preset | None:
    """A preset of VRM 0's or VRM 1's names of human bones and the armature's bones they stand for.

    VRM 1 spells them leftUpperLeg, some writers left_upper_leg; both are known. Bones of fingers, eyes and jaw are left
    out. None where there are no hips.
    """
    plain = {key.replace("_", "").lower(): bone for key, bone in human_bones.items() if bone}
    bones = {joint: (plain[name],) for name, joint in _BODY.items() if name in plain}
    spine = [plain[name.lower()] for name in _SPINE if name.lower() in plain]
    if "Pelvis" not in bones or not spine:
        return None
    for index, joint in enumerate(("Spine1", "Spine2", "Spine3")):
        bones[joint] = (spine[min(index, len(spine) - 1)],)
    for side, letter in (("left", "L"), ("right", "R")):
        for name, limb in _LIMBS.items():
            if side + name in plain:
                bones[f"{letter}_{limb}"] = (plain[side + name],)
    return Preset("VRM", bones, order=0)
