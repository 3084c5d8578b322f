"""What is known of Auto-Rig Pro's rigs, on a made-up character with their names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blender_addon.core.auto_rig_pro import fk_switches
from blender_addon.core.retarget_back import bones_to_read
from blender_addon.core.rig import BoneMap, BoneRow
from tests.core.made_up_characters import made_up

NAMES = {"b0": "c_root_master.x", "b1": "c_thigh_fk.l", "b2": "c_thigh_fk.r", "b16": "c_arm_fk.l", "b15": "c_head.x"}


def test_limbs_are_switched_to_fk_where_their_fk_controls_are_mapped() -> None:
    assert fk_switches({"c_thigh_fk.l", "c_arm_fk.r", "c_head.x"}) == (
        ("c_foot_ik.l", "ik_fk_switch", 1.0),
        ("c_hand_ik.r", "ik_fk_switch", 1.0),
    )
    assert fk_switches({"thigh_stretch.l", "b1"}) == ()


def test_the_bones_that_follow_fk_and_ik_are_read() -> None:
    made = made_up(1)
    rig = made.rig
    added = {"thigh.l": "b1", "arm.l": "b15", "root.x": "b15", "head.x": "b15"}  # arm.l begins elsewhere
    at = [rig.number(bone) for bone in added.values()]
    rig = replace(
        rig,
        names=(*(NAMES.get(name, name) for name in rig.names), *added),
        parents=np.concatenate([rig.parents, np.zeros(len(added), dtype=int)]),
        heads=np.concatenate([rig.heads, rig.heads[at]]),
        tails=np.concatenate([rig.tails, rig.tails[at]]),
        rest=np.concatenate([rig.rest, rig.rest[at]]),
    )
    rows = tuple(BoneRow(int(bone[1:]), (name,)) for bone, name in NAMES.items())
    read = bones_to_read(rig, BoneMap(rows))
    assert read.bones == ("root.x", "thigh.l", "c_thigh_fk.r", "c_arm_fk.l", "head.x")
    assert read.thighs == ("thigh.l", "c_thigh_fk.r")
