"""The bones of any character are found: by presets, by names, by shape; left is where geometry says it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from blender_addon.core.bone_map import map_bones, missing_joints
from blender_addon.core.bone_presets import Preset, read_presets
from blender_addon.core.rig import BoneMap, Rig
from blender_addon.core.skeleton import JOINT_NAMES, MIRROR
from blender_addon.core.vrm_bones import vrm_preset
from tests.core.made_up_rigs import Build, MadeUp, made_up_rig

PRESETS = Path(__file__).parents[2] / "blender_addon" / "presets" / "bone_maps"
JOINT = {name: number for number, name in enumerate(JOINT_NAMES)}
_LIMBS = ("Hip", "Knee", "Ankle", "Foot", "Collar", "Shoulder", "Elbow", "Wrist")


@pytest.fixture(scope="module")
def presets() -> tuple[Preset, ...]:
    return read_presets(PRESETS)


def labels(
    limbs: str, sides: str, *, pattern: str = "{side}{limb}", body: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Names of a convention for the made-up rigs' labels; limbs: from hip to toes, from collar to hand."""
    named = dict(body or {})
    for limb, name in zip(_LIMBS, limbs.split(), strict=True):
        for letter, side in zip("LR", sides.split(), strict=True):
            named[f"{limb}.{letter}"] = pattern.format(side=side, limb=name)
    return named


def renamed(made: MadeUp, names: Mapping[str, str]) -> MadeUp:
    """The same character with other names; names: by label, what is not in it keeps its name."""
    new = {name: names.get(label, label) for name, label in made.labels.items()}
    rig = dataclasses.replace(made.rig, names=tuple(new[name] for name in made.rig.names))
    return MadeUp(rig, {joint: tuple(new[name] for name in bones) for joint, bones in made.bones.items()})


def inserted(rig: Rig, *, above: tuple[str, ...], name: str) -> Rig:
    """The rig with one more bone between some bones and their parent, where the parent is."""
    numbers = [rig.number(one) for one in above]
    parent = int(rig.parents[numbers[0]])
    order = [*range(parent + 1), -1, *range(parent + 1, len(rig.names))]
    place = {old: new for new, old in enumerate(order)}
    parents = []
    for old in order:
        own = int(rig.parents[old]) if old != -1 and old not in numbers else -1
        parents.append(parent if old == -1 else parent + 1 if old in numbers else place[own] if own >= 0 else -1)
    from_ = [parent if old == -1 else old for old in order]
    return dataclasses.replace(
        rig,
        names=tuple(name if old == -1 else rig.names[old] for old in order),
        parents=np.array(parents), heads=rig.heads[from_], tails=rig.tails[from_], rest=rig.rest[from_],
        rotation_modes=tuple(rig.rotation_modes[old] for old in from_), deform=rig.deform[from_],
    )  # fmt: skip


def turning(bone_map: BoneMap) -> dict[int, str]:
    return {row.joint: row.bones[0] for row in bone_map.rows}


def truth(made: MadeUp) -> dict[int, str]:
    return {joint: bones[0] for joint, bones in made.bones.items()}


def chained(bone: str, count: int) -> dict[str, str]:
    return {f"spine{index}": bone.format(index=index, next=index + 1) for index in range(count)}


_MIXAMO = labels(
    "UpLeg Leg Foot ToeBase Shoulder Arm ForeArm Hand", "Left Right",
    body={"pelvis": "Hips", "spine0": "Spine", "spine1": "Spine1", "spine2": "Spine2", "neck0": "Neck", "head": "Head"},
)  # fmt: skip
CONVENTIONS: dict[str, dict[str, str]] = {
    "Mixamo": {label: f"mixamorig7:{name}" for label, name in _MIXAMO.items()},
    "Ready Player Me": {**_MIXAMO, "eye.L": "LeftEye", "eye.R": "RightEye"},
    "CMU": {**_MIXAMO, "spine0": "LowerBack", "spine1": "Spine", "spine2": "Spine1"},
    "Unreal mannequin": labels(
        "thigh calf foot ball clavicle upperarm lowerarm hand", "l r", pattern="{limb}_{side}",
        body={"root": "root", "pelvis": "pelvis", "neck0": "neck_01", "head": "head"} | chained("spine_0{next}", 3),
    ),
    "MakeHuman": labels(
        "upperleg01 lowerleg01 foot toe1-1 clavicle upperarm01 lowerarm01 wrist", "L R", pattern="{limb}.{side}",
        body={"pelvis": "root", "neck0": "neck01", "head": "head"} | chained("spine0{next}", 3) | {"root": "floor"},
    ),
    "Rigify bones": labels(
        "thigh shin foot toe shoulder upper_arm forearm hand", "L R", pattern="{limb}.{side}",
        body={"pelvis": "spine", "neck0": "spine.004", "head": "spine.005"} | chained("spine.00{next}", 3),
    ),
    "Auto-Rig Pro": labels(
        "thigh_stretch leg_stretch foot toes_01 shoulder arm_stretch forearm_stretch hand", "l r",
        pattern="{limb}.{side}",
        body={"pelvis": "root.x", "neck0": "neck.x", "head": "head.x"} | chained("spine_0{next}.x", 3),
    ),
    "VRM 0 (VRoid)": labels(
        "UpperLeg LowerLeg Foot ToeBase Shoulder UpperArm LowerArm Hand", "L R", pattern="J_Bip_{side}_{limb}",
        body={"pelvis": "J_Bip_C_Hips", "spine0": "J_Bip_C_Spine", "spine1": "J_Bip_C_Chest",
              "spine2": "J_Bip_C_UpperChest", "neck0": "J_Bip_C_Neck", "head": "J_Bip_C_Head"},
    ),
    "VRM 1": labels(
        "UpperLeg LowerLeg Foot Toes Shoulder UpperArm LowerArm Hand", "left right",
        body={"pelvis": "hips", "spine0": "spine", "spine1": "chest", "spine2": "upperChest", "neck0": "neck"},
    ),
    "SMPL": labels(" ".join(_LIMBS), "L R", pattern="m_avg_{side}_{limb}",
                   body={"pelvis": "m_avg_Pelvis", "neck0": "m_avg_Neck", "head": "m_avg_Head"}
                   | chained("m_avg_Spine{next}", 3)),
    "SMPL-X": labels(" ".join(_LIMBS).lower(), "left right", pattern="{side}_{limb}",
                     body={"neck0": "neck"} | chained("spine{next}", 3)),
    "Daz Genesis 9": labels("thigh shin foot toes shoulder upperarm forearm hand", "l r", pattern="{side}_{limb}",
                            body={"pelvis": "hip", "neck0": "neck1"} | chained("spine{next}", 3)),
    "3ds Max Biped": labels("Thigh Calf Foot Toe0 Clavicle UpperArm Forearm Hand", "L R",
                            pattern="Bip001 {side} {limb}",
                            body={"pelvis": "Bip001 Pelvis", "spine0": "Bip001 Spine", "spine1": "Bip001 Spine1",
                                  "spine2": "Bip001 Spine2", "neck0": "Bip001 Neck", "head": "Bip001 Head"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_known_rig_is_found_by_its_preset(name: str, presets: tuple[Preset, ...]) -> None:
    build = Build(root=True, extras=True, a_pose_deg=45.0, scale=0.01, lying=True)
    made = renamed(made_up_rig(build, np.random.default_rng(1)), CONVENTIONS[name])
    found = map_bones(made.rig, presets)
    assert found.source == name
    assert turning(found) == truth(made)
    assert all(row.confidence > 0.6 and row.reason for row in found.rows)


@pytest.mark.parametrize("sides", ["左 右", "L R"])
def test_an_mmd_model_turns_at_its_centre_though_legs_and_spine_hang_from_different_bones(
    sides: str, presets: tuple[Preset, ...]
) -> None:
    pattern = "{side}{limb}" if sides == "左 右" else "{limb}.{side}"
    body = {
        "root": "全ての親",
        "pelvis": "センター",
        "spine0": "上半身",
        "spine1": "上半身2",
        "neck0": "首",
        "head": "頭",
    }
    names = labels("足 ひざ 足首 足先EX 肩 腕 ひじ 手首", sides, pattern=pattern, body=body)
    made = renamed(made_up_rig(Build(root=True, spine=2), np.random.default_rng(2)), names)
    rig = inserted(made.rig, above=(names["Hip.L"], names["Hip.R"]), name="下半身")
    found = map_bones(rig, presets)
    assert found.source.startswith("MMD")
    assert turning(found) == truth(made)
    assert found.root == "全ての親"
    assert turning(map_bones(rig)) == truth(made)  # and without presets by what the names say


def test_a_daz_figure_turns_at_its_hip_with_bend_and_twist_bones_as_chains(presets: tuple[Preset, ...]) -> None:
    limbs = "ThighBend Shin Foot Toe Collar ShldrBend ForearmBend Hand"
    names = labels(limbs, "l r", body={"pelvis": "hip", "neck0": "neckLower", "neck1": "neckUpper", "head": "head"})
    names |= {"spine0": "abdomenLower", "spine1": "abdomenUpper", "spine2": "chestLower", "spine3": "chestUpper"}
    for letter, side in (("L", "l"), ("R", "r")):
        for limb, name in (("Hip", "Thigh"), ("Shoulder", "Shldr"), ("Elbow", "Forearm")):
            names[f"{limb}_twist0.{letter}"] = f"{side}{name}Twist"
    made = renamed(made_up_rig(Build(spine=4, neck=2, twists=1), np.random.default_rng(3)), names)
    rig = inserted(made.rig, above=("lThighBend", "rThighBend"), name="pelvis")
    found = map_bones(rig, presets)
    assert (found.source, turning(found)) == ("Daz Genesis", truth(made))
    assert found.bones(JOINT["L_Hip"]) == ("lThighBend", "lThighTwist")
    assert found.bones(JOINT["Neck"]) == ("neckLower", "neckUpper")
    assert [found.bones(joint) for joint in (3, 6, 9)] == [
        ("abdomenLower", "abdomenUpper"),
        ("chestLower",),
        ("chestUpper",),
    ]


NAMINGS = {
    "camel case": labels("Thigh LowerLeg Ankle Toe Clavicle UpArm LoArm Wrist", "Left Right"),
    "snake case": labels("up_leg low_leg foot toe_base clav up_arm low_arm hand", "l r", pattern="{limb}_{side}_jnt"),
    "shoulders are arms": labels("hip knee ankle ball scapula shoulder elbow wrist", "L R", pattern="{side}_{limb}_01"),
    "glued": labels("upleg leg foot toes clavicle arm forearm hand", "left right", pattern="{side}{limb}"),
}


@pytest.mark.parametrize("name", NAMINGS)
def test_names_in_any_spelling_are_understood(name: str) -> None:
    build = Build(spine=4, neck=2, fingers=5, leaf_twists=True, extras=True, root=True)
    made = renamed(made_up_rig(build, np.random.default_rng(4)), NAMINGS[name])
    found = map_bones(made.rig)
    assert found.source == "names"
    assert turning(found) == truth(made)


@pytest.mark.parametrize("spine", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize(
    ("scale", "lying", "turned_deg", "a_pose_deg"), [(0.01, True, 0.0, 30.0), (100.0, False, 137.0, 60.0)]
)
def test_shape_alone_finds_all_22_bones(
    spine: int, a_pose_deg: float, scale: float, lying: bool, turned_deg: float, presets: tuple[Preset, ...]
) -> None:
    build = Build(
        spine=spine, neck=1 + spine % 3, a_pose_deg=a_pose_deg, fingers=(0, 1, 5)[spine % 3], twists=spine % 3,
        leaf_twists=spine % 2 == 0, extras=spine > 3, root=spine % 2 == 1, scale=scale, lying=lying,
        turned_deg=turned_deg, build=0.1,
    )  # fmt: skip
    made = made_up_rig(build, np.random.default_rng(spine))
    found = map_bones(made.rig, presets)
    assert found.source == "structure"
    assert {row.joint: row.bones for row in found.rows} == made.bones
    assert not missing_joints(found)
    assert (found.root != "") == build.root


def test_every_made_up_character_is_mapped_and_none_has_its_sides_exchanged() -> None:
    random = np.random.default_rng(20)
    for seed in range(25):
        build = Build(
            spine=int(random.integers(1, 7)), neck=int(random.integers(1, 4)), a_pose_deg=float(random.uniform(0, 60)),
            fingers=int(random.choice([0, 1, 3, 5])), twists=int(random.integers(0, 3)),
            leaf_twists=bool(random.integers(2)), extras=bool(random.integers(2)), root=bool(random.integers(2)),
            scale=float(random.choice([0.01, 1.0, 100.0])), lying=bool(random.integers(2)),
            turned_deg=float(random.uniform(0, 360)), build=0.15, bent=bool(random.integers(2)),
        )  # fmt: skip
        made = made_up_rig(build, np.random.default_rng(seed))
        assert turning(map_bones(made.rig)) == truth(made), build


def test_geometry_decides_where_names_exchange_left_and_right(presets: tuple[Preset, ...]) -> None:
    made = renamed(made_up_rig(Build(), np.random.default_rng(5)), CONVENTIONS["Mixamo"])
    swap = {name: name.replace("Left", "?").replace("Right", "Left").replace("?", "Right") for name in made.rig.names}
    rig = dataclasses.replace(made.rig, names=tuple(swap[name] for name in made.rig.names))
    found = map_bones(rig, presets)
    assert turning(found) == {joint: swap[name] for joint, name in truth(made).items()}
    row = next(row for row in found.rows if row.joint == JOINT["L_Hip"])
    assert row.bones == ("mixamorig7:RightUpLeg",)
    assert "name says the other side" in row.reason
    assert row.confidence < 1.0


def test_arms_alone_may_be_named_the_wrong_way_round(presets: tuple[Preset, ...]) -> None:
    names = dict(CONVENTIONS["SMPL-X"])
    for limb in ("Collar", "Shoulder", "Elbow", "Wrist"):
        names[f"{limb}.L"], names[f"{limb}.R"] = names[f"{limb}.R"], names[f"{limb}.L"]
    made = renamed(made_up_rig(Build(), np.random.default_rng(6)), names)
    assert turning(map_bones(made.rig, presets)) == truth(made)


@pytest.mark.parametrize("turned_deg", [0.0, 90.0, 180.0, 250.0])
@pytest.mark.parametrize("plain", [True, False])
def test_a_character_may_face_anywhere(turned_deg: float, plain: bool) -> None:
    made = made_up_rig(Build(turned_deg=turned_deg), np.random.default_rng(7), plain_names=plain)
    assert turning(map_bones(made.rig)) == truth(made)


def test_an_armature_that_was_never_turned_upright_is_still_found_by_shape() -> None:
    made = made_up_rig(Build(lying=True), np.random.default_rng(8))
    assert turning(map_bones(dataclasses.replace(made.rig, world=np.eye(4)))) == truth(made)


def test_a_character_that_lies_askew_is_found_by_shape() -> None:
    made = made_up_rig(Build(), np.random.default_rng(5))
    lies, askew = np.radians(90.0), np.radians(40.0)
    about_x = np.array([[1, 0, 0], [0, np.cos(lies), -np.sin(lies)], [0, np.sin(lies), np.cos(lies)]])
    about_z = np.array([[np.cos(askew), -np.sin(askew), 0], [np.sin(askew), np.cos(askew), 0], [0, 0, 1]])
    world = np.eye(4)
    world[:3, :3] = about_z @ about_x
    rig = dataclasses.replace(made.rig, world=world @ made.rig.world)
    assert turning(map_bones(rig)) == truth(made)


def test_a_mirrored_object_mirrors_left_and_right() -> None:
    made = made_up_rig(Build(), np.random.default_rng(9))
    rig = dataclasses.replace(made.rig, world=np.diag([-1.0, 1.0, 1.0, 1.0]) @ made.rig.world)
    assert turning(map_bones(rig)) == {MIRROR[joint]: name for joint, name in truth(made).items()}


def test_a_character_without_collars_has_rows_for_the_other_joints() -> None:
    made = made_up_rig(Build(collars=False), np.random.default_rng(10))
    found = map_bones(made.rig)
    assert turning(found) == truth(made)
    assert missing_joints(found) == (JOINT["L_Collar"], JOINT["R_Collar"])


@pytest.mark.parametrize("fingers", [0, 5])
def test_a_sword_in_one_hand_is_no_part_of_the_arm(fingers: int) -> None:
    made = made_up_rig(Build(a_pose_deg=45.0, armed=True, fingers=fingers, root=True), np.random.default_rng(5))
    assert turning(map_bones(made.rig)) == truth(made)


def test_what_is_no_body_gives_an_empty_map_for_the_animator_to_fill_in() -> None:
    count = 20
    heads = np.stack([np.zeros(count), np.zeros(count), np.arange(count) * 0.1], axis=1)
    rig = Rig(
        tuple(f"link{index}" for index in range(count)), np.arange(count) - 1, heads, heads + np.array([0.0, 0.0, 0.1]),
        np.tile(np.eye(4), (count, 1, 1)), np.eye(4), ("QUATERNION",) * count, np.ones(count, bool),
    )  # fmt: skip
    found = map_bones(rig, read_presets(PRESETS))
    assert (found.rows, found.source) == ((), "table")


@pytest.mark.parametrize("spelling", [str, str.lower])
def test_the_humanoid_map_of_a_vrm_character_is_a_preset(spelling: Callable[[str], str]) -> None:
    made = made_up_rig(Build(), np.random.default_rng(13))
    human = {"Hip": "UpperLeg", "Knee": "LowerLeg", "Ankle": "Foot", "Foot": "Toes", "Collar": "Shoulder"}
    human |= {"Shoulder": "UpperArm", "Elbow": "LowerArm", "Wrist": "Hand"}
    bones = {f"{word}{human[limb]}": made.bones[JOINT[f"{side}_{limb}"]][0]
             for limb in _LIMBS for side, word in (("L", "left"), ("R", "right"))}  # fmt: skip
    body = {
        "hips": "Pelvis",
        "spine": "Spine1",
        "chest": "Spine2",
        "upperChest": "Spine3",
        "neck": "Neck",
        "head": "Head",
    }
    bones |= {word: made.bones[JOINT[joint]][0] for word, joint in body.items()}
    preset = vrm_preset({spelling(key): bone for key, bone in bones.items()} | {"leftEye": "", "jaw": "x"})
    assert preset is not None
    found = map_bones(made.rig, [preset])
    assert (found.source, turning(found)) == ("VRM", truth(made))
    assert vrm_preset({"jaw": "x"}) is None
