"""What bones' names say, however they are spelt."""

from __future__ import annotations

import pytest

from blender_addon.core.bone_names import read_name


@pytest.mark.parametrize(
    ("name", "side", "part"),
    [
        ("mixamorig:LeftUpLeg", "L", "thigh"),
        ("thigh.R", "R", "thigh"),
        ("lThighBend", "L", "thigh"),
        ("CC_Base_R_Calf", "R", "shin"),
        ("Bip001 L UpperArm", "L", "upper_arm"),
        ("leftforearm", "L", "forearm"),
        ("lclavicle", "L", "collar"),
        ("ValveBiped.Bip01_R_Hand", "R", "hand"),
        ("DEF-foot.L", "L", "foot"),
        ("左足首", "L", "foot"),
        ("右ひじ", "R", "forearm"),
        ("右肩", "R", "collar"),
        ("頭", "", "head"),
        ("Hips", "", "pelvis"),
        ("ｌｅｆｔ＿ｈａｎｄ", "L", "hand"),
    ],
)
def test_a_name_tells_side_and_part(name: str, side: str, part: str) -> None:
    read = read_name(name)
    assert read.side == side
    assert max(read.parts, key=lambda one: read.parts[one]) == part
    assert not read.helper


@pytest.mark.parametrize(
    "name", ["foot_ik.L", "LeftHandIndex1", "左足ＩＫ", "HeadTop_End", "hand_socket_r", "MCH-foot.L"]
)
def test_helpers_and_fingers_are_no_part(name: str) -> None:
    read = read_name(name)
    assert read.helper
    assert not read.parts


def test_a_twist_bone_is_told_from_what_it_twists() -> None:
    assert read_name("upperarm_twist_01_l").twist
    assert not read_name("upperarm_l").twist


def test_a_word_may_stand_for_two_parts_and_for_none() -> None:
    assert {"collar", "upper_arm"} <= set(read_name("L_Shoulder").parts)
    assert {"thigh", "shin"} <= set(read_name("leg.L").parts)
    assert not read_name("qx7f_L").parts
    assert not read_name("").parts
