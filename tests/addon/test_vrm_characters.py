"""Characters that tell which of their bones are a person's, as the VRM add-on keeps it."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import pytest

from tests.addon.installed import part
from tests.characters.armatures import character_of

NAMES = {
    "hips": 0, "spine": 3, "chest": 6, "upper_chest": 9, "neck": 12, "head": 15,
    "left_upper_leg": 1, "left_lower_leg": 4, "left_foot": 7, "left_toes": 10,
    "right_upper_leg": 2, "right_lower_leg": 5, "right_foot": 8, "right_toes": 11,
    "left_shoulder": 13, "left_upper_arm": 16, "left_lower_arm": 18, "left_hand": 20,
    "right_shoulder": 14, "right_upper_arm": 17, "right_lower_arm": 19, "right_hand": 21,
}  # fmt: skip


def group(name: str, **fields: object) -> type:
    made = type(name, (bpy.types.PropertyGroup,), {"__annotations__": fields})
    bpy.utils.register_class(made)
    return made


@pytest.fixture
def extension() -> Iterator[None]:
    """The properties that the VRM add-on gives to armatures, as far as they are read."""
    pointer = bpy.props.PointerProperty
    text = bpy.props.StringProperty()
    node = group("TrialNode", bone_name=text)
    newer = group("TrialBone1", node=pointer(type=node))
    older = group("TrialBone0", node=pointer(type=node), bone=text)
    bones = group("TrialBones1", **{name: pointer(type=newer) for name in NAMES})
    humanoid1 = group("TrialHumanoid1", human_bones=pointer(type=bones))
    humanoid0 = group("TrialHumanoid0", human_bones=bpy.props.CollectionProperty(type=older))
    vrm1 = group("TrialVrm1", humanoid=pointer(type=humanoid1))
    vrm0 = group("TrialVrm0", humanoid=pointer(type=humanoid0))
    whole = group("TrialExtension", vrm0=pointer(type=vrm0), vrm1=pointer(type=vrm1))
    bpy.types.Armature.vrm_addon_extension = pointer(type=whole)
    yield
    del bpy.types.Armature.vrm_addon_extension
    for made in (whole, vrm0, vrm1, humanoid0, humanoid1, bones, older, newer, node):
        bpy.utils.unregister_class(made)


@pytest.mark.parametrize("version", [0, 1])
def test_the_characters_own_map_counts_first(scene: bpy.types.Scene, extension: None, version: int) -> None:
    character = character_of("Hero")
    scene.pirouette.character = character
    bpy.ops.pirouette.map_bones()
    rows = character.pirouette_character.rows
    found = {row.joint: row.bone for row in rows}
    told = character.data.vrm_addon_extension
    for name, joint in NAMES.items():
        if version == 1:
            getattr(told.vrm1.humanoid.human_bones, name).node.bone_name = found[joint]
        else:
            item = told.vrm0.humanoid.human_bones.add()
            parts = name.split("_")
            item.bone = parts[0] + "".join(part.capitalize() for part in parts[1:])
            item.node.bone_name = found[joint]
    bpy.ops.pirouette.map_bones()
    assert character.pirouette_character.source == "VRM"
    assert {row.joint: row.bone for row in rows if row.joint < 22} == {j: b for j, b in found.items() if j < 22}


def test_a_map_without_bones_is_passed_over(scene: bpy.types.Scene, extension: None) -> None:
    character = character_of("Hero")
    assert part("scene.vrm").preset_of_vrm(character.data) is None
