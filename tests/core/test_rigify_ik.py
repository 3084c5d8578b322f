"""Where a dance leads the IK controls of a character with Rigify's names, judged by where its FK controls are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core.quaternions import between, seen_from, times
from blender_addon.core.retarget import Retargeted, RetargetOptions, retarget
from blender_addon.core.rig import BoneMap, BoneRow
from blender_addon.core.rigify_ik import ControlTrack, ik_tracks
from blender_addon.core.rigify_switches import switches
from tests.core.made_up_characters import MadeUp, danced, made_up, posed_heads, posed_matrices

DANCE = danced(600)
NAMES = {"b0": "torso", "b15": "head"} | {
    f"b{joint}": f"{part}.{side}"
    for part, joints in {
        "thigh_fk": (1, 2), "shin_fk": (4, 5), "foot_fk": (7, 8), "toe_fk": (10, 11), "shoulder": (13, 14),
        "upper_arm_fk": (16, 17), "forearm_fk": (18, 19), "hand_fk": (20, 21),
    }.items()
    for joint, side in zip(joints, "LR", strict=True)
}  # fmt: skip
LIMBS = {
    ("upper_arm_fk", "forearm_fk", "hand_fk"): ("hand_ik", "upper_arm_ik_target", 1.0),
    ("thigh_fk", "shin_fk", "foot_fk"): ("foot_ik", "thigh_ik_target", -1.0),
}
SIDES = [(limb, side) for limb in LIMBS for side in "LR"]


def rigified() -> MadeUp:
    """A made-up character with Rigify's names and IK controls, which the root carries; poles have other axes."""
    made = made_up(5, arms_down_deg=30.0)
    rig = replace(made.rig, names=tuple(NAMES.get(name, name) for name in made.rig.names))
    added: list[tuple[str, np.ndarray, np.ndarray]] = []
    for (_, middle, end), (control, pole, behind) in LIMBS.items():
        for side in "LR":
            last, joint = rig.number(f"{end}.{side}"), rig.number(f"{middle}.{side}")
            added.append((f"{control}.{side}", rig.heads[last] + [0.0, 0.0, 0.01], np.eye(3)))
            added.append((f"{pole}.{side}", rig.heads[joint] + [0.0, 0.5 * behind, 0.0], rig.rest[joint, :3, :3]))
    rest = np.tile(np.eye(4), (len(added), 1, 1))
    for number, (_, head, axes) in enumerate(added):
        rest[number, :3, :3], rest[number, :3, 3] = axes, head
    names = tuple(name for name, _, _ in added)
    heads = np.array([head for _, head, _ in added])
    rig = replace(
        rig,
        names=(*rig.names, *names),
        parents=np.concatenate([rig.parents, np.zeros(len(added), dtype=int)]),
        heads=np.concatenate([rig.heads, heads]),
        tails=np.concatenate([rig.tails, heads + np.array([0.0, 0.0, 0.1])]),
        rest=np.concatenate([rig.rest, rest]),
        rotation_modes=(*rig.rotation_modes, *("QUATERNION",) * len(added)),
        deform=np.concatenate([rig.deform, np.zeros(len(added), dtype=bool)]),
        parent_axes=frozenset(name for name in names if "target" in name),
    )
    rows = tuple(BoneRow(row.joint, tuple(NAMES.get(bone, bone) for bone in row.bones)) for row in made.bone_map.rows)
    return MadeUp(rig, BoneMap(rows, root="root", controls="rigify_fk"))


def on(made: MadeUp, travel: str = "hips") -> Retargeted:
    options = RetargetOptions(feet="off", travel=travel)  # type: ignore[arg-type]
    return retarget(made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, options=options)


def tracks_of(made: MadeUp, result: Retargeted) -> dict[str, ControlTrack]:
    return {track.bone: track for track in ik_tracks(made.rig, made.bone_map, result)}


def places(made: MadeUp, result: Retargeted, track: ControlTrack) -> np.ndarray:
    """Where a control is (T, 3) in armature space, as Blender evaluates it under the root."""
    number = made.rig.number(track.bone)
    root = np.zeros(3) if result.root_locations is None else result.root_locations @ made.rig.rest[0, :3, :3].T
    axes = made.rig.rest[0 if track.bone in made.rig.parent_axes else number, :3, :3]
    assert track.locations is not None
    return made.rig.heads[number] + track.locations @ axes.T + root


def limb_heads(made: MadeUp, result: Retargeted, limb: tuple[str, ...], side: str) -> list[np.ndarray]:
    heads = posed_heads(made.rig, result)
    return [heads[:, made.rig.number(f"{bone}.{side}")] for bone in limb]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.mark.parametrize("travel", ["hips", "root"])
@pytest.mark.parametrize(("limb", "side"), SIDES)
def test_a_control_goes_with_its_hand_or_foot(limb: tuple[str, ...], side: str, travel: str) -> None:
    made = rigified()
    result = on(made, travel)
    track = tracks_of(made, result)[f"{LIMBS[limb][0]}.{side}"]
    end = made.rig.number(f"{limb[-1]}.{side}")
    matrices = posed_matrices(made.rig, result)[:, end] @ np.linalg.inv(made.rig.rest[end])
    wanted = (matrices @ np.append(made.rig.heads[made.rig.number(track.bone)], 1.0))[:, :3]
    np.testing.assert_allclose(places(made, result, track), wanted, atol=1e-6)
    assert track.rotations is not None
    w, vector = track.rotations[:, 0], track.rotations[:, 1:]
    np.testing.assert_allclose(4.0 * w**2 - 1.0, np.trace(matrices[:, :3, :3], axis1=1, axis2=2), atol=1e-6)
    turned = np.einsum("tij,tj->ti", matrices[:, :3, :3], vector)  # identity axes: the turn's own axis stays
    np.testing.assert_allclose(turned, vector, atol=1e-6)


@pytest.mark.parametrize(("limb", "side"), SIDES)
def test_a_pole_lies_where_the_limb_is_bent_on_whichever_side_that_is(limb: tuple[str, ...], side: str) -> None:
    made = rigified()
    result = on(made)
    start, joint, stop = limb_heads(made, result, limb, side)
    pole = places(made, result, tracks_of(made, result)[f"{LIMBS[limb][1]}.{side}"])
    along = unit(stop - start)
    bent = (joint - start) - along * np.einsum("ti,ti->t", joint - start, along)[:, None]
    out = (pole - joint) - along * np.einsum("ti,ti->t", pole - joint, along)[:, None]
    length = np.linalg.norm(joint - start, axis=-1) + np.linalg.norm(stop - joint, axis=-1)
    clear = np.linalg.norm(bent, axis=-1) > 0.025 * length
    assert clear.sum() > 100
    assert np.einsum("ti,ti->t", unit(bent), unit(out))[clear].min() > np.cos(np.radians(1.0))
    assert np.linalg.norm(pole - joint, axis=-1).min() > 0.2


def test_a_pole_does_not_jump_while_the_limb_is_straight() -> None:
    made = rigified()
    result = on(made)
    rig, frames = made.rig, len(DANCE.poses)
    upper, fore, hand = (rig.number(f"{bone}.L") for bone in ("upper_arm_fk", "forearm_fk", "hand_fk"))
    straight = between(rig.heads[hand] - rig.heads[fore], rig.heads[fore] - rig.heads[upper])
    tremble = np.random.default_rng(1).normal(scale=2e-3, size=(frames, 3))
    rotations = result.rotations.copy()
    rotations[result.bones.index("forearm_fk.L")] = times(
        seen_from(straight[None], rig.rest[fore, :3, :3]),
        unit(np.concatenate([np.ones((frames, 1)), tremble], axis=1)),
    )
    trembling = replace(result, rotations=rotations)
    pole = places(made, trembling, tracks_of(made, trembling)["upper_arm_ik_target.L"])
    start, joint, stop = limb_heads(made, trembling, ("upper_arm_fk", "forearm_fk", "hand_fk"), "L")
    bent = unit(np.cross(joint - start, stop - joint))
    assert np.einsum("ti,ti->t", bent[1:], bent[:-1]).min() < 0.0  # its plane says nothing
    seen = np.einsum("tji,tj->ti", posed_matrices(rig, trembling)[:, upper, :3, :3], unit(pole - joint))
    assert np.degrees(np.arccos(np.clip(np.einsum("ti,ti->t", seen[1:], seen[:-1]), -1.0, 1.0))).max() < 5.0


def test_what_is_no_rigify_character_is_refused() -> None:
    made = rigified()
    result = on(made)
    with pytest.raises(ValueError, match="made by Rigify"):
        ik_tracks(made.rig, replace(made.bone_map, controls="deform"), result)
    renamed = tuple(name.replace("thigh_ik_target.R", "gone") for name in made.rig.names)
    with pytest.raises(ValueError, match=r"thigh_ik_target\.R"):
        ik_tracks(replace(made.rig, names=renamed), made.bone_map, result)


def test_switches_are_of_the_bones_that_there_are() -> None:
    names = ("torso", "thigh_parent.L")
    fk, ik = switches(names, ik=False), switches(names, ik=True)
    assert {bone for bone, _, _ in fk} == set(names)
    assert ("thigh_parent.L", "IK_FK", 1.0) in fk
    assert {("thigh_parent.L", "IK_FK", 0.0), ("thigh_parent.L", "pole_vector", 1.0)} <= set(ik)
    assert switches((), ik=True) == ()
