"""What a character dances, read back: the dance that it was given."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core.calibration import LIMBS
from blender_addon.core.quaternions import angle, from_matrices, inverse, times
from blender_addon.core.retarget import RetargetOptions, retarget
from blender_addon.core.retarget_back import bones_to_read, dance_of, grounded
from blender_addon.core.rig import BoneMap, BoneRow
from blender_addon.core.skeleton import forward_kinematics, global_rotations
from tests.core.made_up_characters import MadeUp, danced, made_up, placed, posed_matrices, turn

DANCE = danced()


BUILDS = {
    "a_pose": {},
    "t_pose": {"arms_down_deg": 0.0},
    "wide": {"arms_down_deg": 60.0, "legs_apart_deg": 15.0},
    "four_spine_bones": {"spine_bones": 4},
    "six_spine_bones": {"spine_bones": 6, "neck_bones": 3},
    "twist_bones": {"twist_bones": True},
    "no_root": {"root_bone": False},
    "hundredth": {"unit": 100.0, "world": placed(0.01, turn((1, 0, 0), 90))},
    "faces_elsewhere": {"world": placed(1.0, turn((0, 0, 1), 140), (1.0, 2.0, 3.0))},
}


def read_back(
    made: MadeUp, options: RetargetOptions | None = None, bone_map: BoneMap | None = None
) -> tuple[np.ndarray, np.ndarray]:
    options = options or RetargetOptions(feet="off")
    result = retarget(made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, options=options)
    bone_map = bone_map or made.bone_map
    read = bones_to_read(made.rig, bone_map)
    matrices = posed_matrices(made.rig, result)
    turns = matrices[..., :3, :3][:, [made.rig.number(bone) for bone in read.bones]]
    hips = matrices[..., :3, 3][:, [made.rig.number(bone) for bone in read.thighs]].mean(axis=1)
    return dance_of(made.rig, bone_map, turns, hips, facing=options.facing, reference=options.reference)


def limb_error_deg(poses: np.ndarray, pelvis: np.ndarray) -> float:
    joints = forward_kinematics(poses, pelvis)
    errors = []
    for joint, end in LIMBS.items():
        own, wanted = (found[:, end] - found[:, joint] for found in (joints, DANCE.joints))
        errors.append(np.arctan2(np.linalg.norm(np.cross(own, wanted), axis=-1), np.einsum("ti,ti->t", own, wanted)))
    return float(np.degrees(np.max(errors)))


def turned_apart_deg(poses: np.ndarray, joints: list[int]) -> float:
    own, wanted = (from_matrices(global_rotations(found)[:, joints]) for found in (poses, DANCE.poses))
    return float(np.degrees(angle(times(inverse(wanted), own)).max()))


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_dance_comes_back_from_a_character_as_it_was(build: str, seed: int) -> None:
    poses, pelvis = read_back(made_up(seed, **BUILDS[build]))
    assert limb_error_deg(poses, pelvis) < 0.01
    assert turned_apart_deg(poses, list(range(22))) < 0.01
    assert np.abs(pelvis - DANCE.pelvis).max() < 1e-4


def test_a_character_that_faces_elsewhere_is_read_as_it_was_told_to_face() -> None:
    made = made_up(2, **BUILDS["faces_elsewhere"])
    plain = made_up(2)
    faced = MadeUp(replace(plain.rig, world=made.rig.world), plain.bone_map)
    poses, pelvis = read_back(faced, RetargetOptions(feet="off", facing="character"))
    assert limb_error_deg(poses, pelvis) < 0.01
    assert np.abs(pelvis - DANCE.pelvis).max() < 1e-4


@pytest.mark.parametrize("bones", [1, 2])
def test_a_short_spine_keeps_the_chest_and_the_limbs(bones: int) -> None:
    poses, pelvis = read_back(made_up(3, spine_bones=bones))
    assert limb_error_deg(poses, pelvis) < 0.01
    assert turned_apart_deg(poses, [0, 9, 13, 14, 15, 20, 21]) < 0.01
    assert np.abs(pelvis - DANCE.pelvis).max() < 1e-4
    between = angle(from_matrices(global_rotations(poses)[:, 3]))
    assert np.ptp(between) > 0.05  # the joints without a bone of their own bend along


@pytest.mark.parametrize("missing", [(10, 11), (13, 14), (12,), (20, 21), (12, 15)])
def test_joints_without_a_bone_go_with_what_carries_them(missing: tuple[int, ...]) -> None:
    made = made_up(4)
    rows = tuple(row for row in made.bone_map.rows if row.joint not in missing)
    poses, pelvis = read_back(made, bone_map=replace(made.bone_map, rows=rows))
    others = [joint for joint in range(22) if joint not in missing]
    assert turned_apart_deg(poses, others) < 0.01
    assert limb_error_deg(poses, pelvis) < 0.01
    for joint in missing:
        if joint not in (12,):
            assert np.abs(poses[:, joint]).max() < 1e-6


def test_a_pose_that_counts_as_rest_counts_when_reading_too() -> None:
    made = made_up(6, arms_down_deg=40.0)
    reference = made.rig.rest.copy()
    number = made.rig.number("b15")
    reference[number, :3, :3] = turn((1, 0, 0), 20) @ reference[number, :3, :3]
    options = RetargetOptions(feet="off", reference=reference)
    poses, pelvis = read_back(made, options)
    assert turned_apart_deg(poses, list(range(22))) < 0.01
    assert np.abs(pelvis - DANCE.pelvis).max() < 1e-4


def test_a_dance_in_the_air_is_stood_on_the_floor() -> None:
    floating = DANCE.pelvis + np.array([0.0, 0.0, 0.7])
    down = grounded(DANCE.poses, floating)
    assert np.ptp(down - floating, axis=0).max() < 1e-9
    lowest = forward_kinematics(DANCE.poses, down)[:, [10, 11], 2].min(axis=1)
    assert np.percentile(lowest, 5) == pytest.approx(0.02, abs=1e-6)
    assert np.abs(down[:, :2] - floating[:, :2]).max() == 0.0
    barely = down + np.array([0.0, 0.0, 0.005])
    assert np.array_equal(grounded(DANCE.poses, barely), barely)


def test_a_character_without_known_thighs_is_told() -> None:
    made = made_up(1)
    rows = tuple(row for row in made.bone_map.rows if row.joint != 2)
    with pytest.raises(ValueError, match="R_Hip"):
        bones_to_read(made.rig, replace(made.bone_map, rows=rows))
    with pytest.raises(ValueError, match="orientations of shape"):
        dance_of(made.rig, made.bone_map, np.zeros((3, 2, 3, 3)), np.zeros((3, 3)))


def test_of_a_rigify_character_the_bones_behind_the_controls_are_read() -> None:
    made = made_up(1)
    names = {"b1": "thigh_fk.L", "b2": "thigh_fk.R", "b4": "shin_fk.L", "b0": "torso", "b15": "head"}
    behind = {"b5": "ORG-thigh.L", "b7": "ORG-spine"}
    renamed = tuple({**names, **behind}.get(name, name) for name in made.rig.names)
    rows = tuple(
        BoneRow(row.joint, tuple(names.get(bone, bone) for bone in row.bones))
        for row in made.bone_map.rows
        if row.joint in (0, 1, 2, 4, 15)
    )
    rig = replace(made.rig, names=renamed)
    read = bones_to_read(rig, BoneMap(rows, controls="rigify_fk"))
    assert read.bones == ("ORG-spine", "ORG-thigh.L", "thigh_fk.R", "shin_fk.L", "head")
    assert read.thighs == ("ORG-thigh.L", "thigh_fk.R")
    assert bones_to_read(rig, BoneMap(rows)).bones == ("torso", "thigh_fk.L", "thigh_fk.R", "shin_fk.L", "head")


def test_a_minute_is_read_quickly() -> None:
    made = made_up(1, twist_bones=True)
    read = bones_to_read(made.rig, made.bone_map)
    numbers = [made.rig.number(bone) for bone in read.bones]
    matrices = np.repeat(made.rig.rest[None, numbers, :3, :3], 1800, axis=0)
    started_s = time.thread_time()
    poses, _ = dance_of(made.rig, made.bone_map, matrices, np.zeros((1800, 3)))
    assert time.thread_time() - started_s < 1.0
    assert poses.shape == (1800, 24, 3)
