"""Why a dance that is written is not seen, and which dances cannot be carried over."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from tests.addon.installed import part
from tests.characters.armatures import armature_of
from tests.core.made_up_characters import made_up

Dance = Callable[..., bpy.types.Object]


def character_in(scene: bpy.types.Scene) -> bpy.types.Object:
    scene.pirouette.character = armature_of(made_up(3).rig)
    return scene.pirouette.character


def warnings() -> str:
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    return " ".join(json.loads(bpy.context.scene.pirouette.retarget_report)["warnings"])


def test_a_character_that_shows_its_rest_pose_is_told(dance: Dance) -> None:
    dance()
    character = character_in(bpy.context.scene)
    assert not warnings()
    character.data.pose_position = "REST"
    assert "rest pose" in warnings()


def test_an_nla_that_is_off_is_told(dance: Dance) -> None:
    dance()
    character_in(bpy.context.scene).animation_data_create().use_nla = False
    assert "NLA" in warnings()


@pytest.mark.parametrize("changed", [{"use_reverse": True}, {"repeat": 2.0}])
def test_a_take_that_plays_otherwise_than_its_keys_is_refused(dance: Dance, changed: dict[str, Any]) -> None:
    take = part("scene.takes").current_take(dance())
    for name, value in changed.items():
        setattr(take.strip, name, value)
    character = character_in(bpy.context.scene)
    with pytest.raises(RuntimeError, match="backwards or repeats"):
        bpy.ops.pirouette.retarget()
    assert character.animation_data is None or not character.animation_data.nla_tracks


def test_a_take_that_is_cut_and_stretched_is_carried_over_as_it_is_seen(dance: Dance) -> None:
    dancer = dance()
    strip = part("scene.takes").current_take(dancer).strip
    strip.action_frame_start, strip.action_frame_end, strip.scale = 11.0, 71.0, 1.5
    character = character_in(bpy.context.scene)
    character.pirouette_character.feet = "OFF"
    bpy.ops.pirouette.retarget()
    for frame in range(int(strip.frame_start), int(strip.frame_end), 11):
        bpy.context.scene.frame_set(frame)
        for joint, bones in {"L_Elbow": ("b18", "b20"), "R_Knee": ("b5", "b8")}.items():
            of_dancer = dancer.pose.bones[joint].tail - dancer.pose.bones[joint].head
            own = character.pose.bones[bones[1]].head - character.pose.bones[bones[0]].head
            assert np.degrees(of_dancer.angle(own)) < 0.5
