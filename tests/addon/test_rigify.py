"""A dance on characters that Rigify makes, by their FK and by their IK controls, as Blender evaluates them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from blender_addon.core.bone_map import map_bones
from blender_addon.core.bone_presets import read_presets
from blender_addon.core.calibration import LIMBS
from blender_addon.core.retarget import Retargeted, RetargetOptions, retarget
from blender_addon.core.retarget_back import bones_to_read, dance_of
from blender_addon.core.rig import BoneMap, BoneRow, Rig
from blender_addon.core.rigify_ik import ControlTrack, ik_tracks
from blender_addon.core.rotation_modes import channel, in_mode
from blender_addon.core.skeleton import forward_kinematics
from blender_addon.scene.character import read_rig
from blender_addon.scene.rigify import switches_for, switches_of
from tests.core.made_up_characters import danced

PRESETS = Path(__file__).parents[2] / "blender_addon" / "presets" / "bone_maps"
METARIGS = {"human": "armature_human_metarig_add", "basic": "armature_basic_human_metarig_add"}
DANCE = danced(240)
FRAMES = np.arange(0, 240, 8)
BODY = {
    0: "ORG-spine", 9: "ORG-spine.003", 13: "ORG-shoulder.L", 14: "ORG-shoulder.R",
    1: "DEF-thigh.L", 4: "DEF-shin.L", 7: "DEF-foot.L", 10: "DEF-toe.L",
    2: "DEF-thigh.R", 5: "DEF-shin.R", 8: "DEF-foot.R", 11: "DEF-toe.R",
    16: "DEF-upper_arm.L", 18: "DEF-forearm.L", 20: "DEF-hand.L",
    17: "DEF-upper_arm.R", 19: "DEF-forearm.R", 21: "DEF-hand.R",
    12: "ORG-spine.004", 15: "ORG-spine.006",
}  # fmt: skip
CHAINS = {"left leg": (1, 4, 7), "right leg": (2, 5, 8), "left arm": (16, 18, 20), "right arm": (17, 19, 21)}


@dataclass(frozen=True)
class Character:
    """A generated character and its bones."""

    owner: bpy.types.Object
    rig: Rig
    bone_map: BoneMap


@pytest.fixture(scope="module", params=["basic", pytest.param("human", marks=pytest.mark.slow)])
def character(rigify: None, request: pytest.FixtureRequest) -> Iterator[Character]:
    getattr(bpy.ops.object, METARIGS[request.param])()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    owner = next(found for found in bpy.data.objects if found.type == "ARMATURE" and found != metarig)
    rig = read_rig(owner)
    yield Character(owner, rig, map_bones(rig, read_presets(PRESETS)))
    for found in list(bpy.data.objects):
        bpy.data.objects.remove(found)


def on(character: Character, **options: object) -> Retargeted:
    chosen = RetargetOptions(**options)  # type: ignore[arg-type]
    return retarget(
        character.rig, character.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts, options=chosen
    )


def posed(character: Character, result: Retargeted, tracks: tuple[ControlTrack, ...] = ()) -> np.ndarray:
    """Matrices (F, 20, 4, 4), armature space, of BODY's bones as Blender evaluates the controls at FRAMES."""
    owner = character.owner
    bones = owner.pose.bones
    for bone in bones:
        bone.matrix_basis = Matrix()
    for bone, name, value in switches_of(owner, ik=bool(tracks)):
        bones[bone][name] = type(bones[bone][name])(value)
    moves = [ControlTrack(bone, turns) for bone, turns in zip(result.bones, result.rotations, strict=True)]
    moves.append(ControlTrack(result.hips, None, result.locations))
    if result.root:
        moves.append(ControlTrack(result.root, None, result.root_locations))
    if tracks:
        moves = [move for move in moves if "_fk." not in move.bone or "spine" in move.bone]
    found = []
    values = {
        (move.bone, channel(bones[move.bone].rotation_mode)[0]): in_mode(move.rotations, bones[move.bone].rotation_mode)
        for move in (*moves, *tracks)
        if move.rotations is not None
    }
    values |= {(move.bone, "location"): move.locations for move in (*moves, *tracks) if move.locations is not None}
    owner.update_tag()
    for frame in FRAMES:
        for (bone, path), rows in values.items():
            setattr(bones[bone], path, rows[frame])
        bpy.context.view_layer.update()
        found.append([np.array(bones[name].matrix) for name in BODY.values()])
    return np.array(found)


def place_of(joint: int) -> int:
    return list(BODY).index(joint)


def apart_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    crossed = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.degrees(np.arctan2(crossed, np.einsum("...i,...i->...", first, second)))


def limb_error_deg(shown: np.ndarray, joints: np.ndarray) -> float:
    heads = shown[..., :3, 3]
    return float(
        max(
            apart_deg(
                heads[:, place_of(end)] - heads[:, place_of(joint)], joints[FRAMES, end] - joints[FRAMES, joint]
            ).max()
            for joint, end in LIMBS.items()
        )
    )


def turned_apart_deg(first: np.ndarray, second: np.ndarray, joint: int) -> float:
    """How far a joint's bone is turned otherwise at most."""
    own, other = (found[:, place_of(joint), :3, :3] for found in (first, second))
    own, other = (found / np.linalg.norm(found, axis=-2, keepdims=True) for found in (own, other))
    cosine = 0.5 * (np.einsum("fij,fij->f", own, other) - 1.0)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max())


def test_the_controls_are_found(character: Character) -> None:
    assert character.bone_map.controls == "rigify_fk"
    assert {row.joint for row in character.bone_map.rows} == set(range(22))


def test_by_fk_the_body_points_as_the_dance_does(character: Character) -> None:
    result = on(character, feet="off")
    shown = posed(character, result)
    assert limb_error_deg(shown, DANCE.joints) < 0.5
    heads = shown[..., :3, 3]
    hips = 0.5 * (heads[:, place_of(1)] + heads[:, place_of(2)])
    wanted = 0.5 * (DANCE.joints[FRAMES, 1] + DANCE.joints[FRAMES, 2])
    leg, smpl_leg = (
        np.linalg.norm(found[0, 1] - found[0, 0]) + np.linalg.norm(found[0, 2] - found[0, 1])
        for found in (heads[:, [place_of(joint) for joint in CHAINS["left leg"]]], DANCE.joints[:, CHAINS["left leg"]])
    )
    np.testing.assert_allclose(hips - hips[0], (wanted - wanted[0]) * leg / smpl_leg, atol=0.01)


@pytest.mark.parametrize("travel", ["hips", "root"])
def test_by_ik_hands_and_feet_are_where_fk_leads_them(character: Character, travel: str) -> None:
    result = on(character, travel=travel)
    fk, ik = posed(character, result), posed(character, result, ik_tracks(character.rig, character.bone_map, result))
    apart_mm = 1000.0 * np.linalg.norm(fk[..., :3, 3] - ik[..., :3, 3], axis=-1).max(axis=0)
    for joint in (7, 8, 10, 11, 20, 21):
        assert apart_mm[place_of(joint)] < 5.0, BODY[joint]
        assert turned_apart_deg(fk, ik, joint) < 0.5, BODY[joint]
    for chain in CHAINS.values():
        upper, middle, end = (place_of(joint) for joint in chain)
        planes = []
        for heads in (fk[..., :3, 3], ik[..., :3, 3]):
            crossed = np.cross(heads[:, middle] - heads[:, upper], heads[:, end] - heads[:, middle])
            planes.append(crossed)
        bent = np.linalg.norm(planes[0], axis=-1) > 0.1 * np.linalg.norm(planes[0], axis=-1).max()
        assert apart_deg(planes[0], planes[1])[bent].max() < 5.0


def test_what_the_character_does_is_read_back_whichever_way_it_is_switched(character: Character) -> None:
    result = on(character, feet="off")
    read = bones_to_read(character.rig, character.bone_map)
    assert all(bone.startswith("ORG-") for bone in read.bones)
    bones = character.owner.pose.bones
    for tracks in ((), ik_tracks(character.rig, character.bone_map, result)):
        posed(character, result, tracks)
        turns = np.array([[bones[name].matrix.to_3x3().normalized() for name in read.bones]])
        hips = np.mean([np.array(bones[name].head) for name in read.thighs], axis=0)[None]
        poses, pelvis = dance_of(character.rig, character.bone_map, turns, hips)
        joints = forward_kinematics(poses, pelvis)[0]
        wanted = DANCE.joints[FRAMES[-1]]
        for joint, end in LIMBS.items():
            assert apart_deg(joints[end] - joints[joint], wanted[end] - wanted[joint]) < (5.0 if tracks else 0.5)
        assert np.abs(pelvis[0] - DANCE.pelvis[FRAMES[-1]]).max() < 0.005


def test_other_rigs_are_switched_to_the_controls_that_are_mapped(rigify: None) -> None:
    owner = bpy.data.objects.new("Other", bpy.data.armatures.new("Other"))
    bpy.context.scene.collection.objects.link(owner)
    bpy.context.view_layer.objects.active = owner
    bpy.ops.object.mode_set(mode="EDIT")
    for name in ("c_thigh_fk.l", "c_thigh_fk.r", "c_foot_ik.l", "c_foot_ik.r"):
        owner.data.edit_bones.new(name).tail = (0.0, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    owner.pose.bones["c_foot_ik.l"]["ik_fk_switch"] = 0.0  # the right one has none
    bone_map = BoneMap((BoneRow(1, ("c_thigh_fk.l",)), BoneRow(2, ("c_thigh_fk.r",))))
    assert switches_for(owner, bone_map) == (("c_foot_ik.l", "ik_fk_switch", 1.0),)
    bpy.data.armatures.remove(owner.data)
