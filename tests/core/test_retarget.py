"""A dance on characters that nobody drew, judged by the positions that Blender's armatures would show."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core.calibration import LIMBS
from blender_addon.core.quaternions import angle
from blender_addon.core.retarget import Retargeted, RetargetOptions, retarget
from blender_addon.core.rig import BoneMap, BoneRow, Rig
from tests.core.made_up_characters import MadeUp, danced, heads_of, made_up, posed_heads, turn

DANCE = danced()
POSES, PELVIS, JOINTS, CONTACTS = DANCE.poses, DANCE.pelvis, DANCE.joints, DANCE.contacts
FREE = RetargetOptions(feet="off")


def on(made: MadeUp, options: RetargetOptions = FREE) -> Retargeted:
    return retarget(made.rig, made.bone_map, POSES, PELVIS, fps=30.0, contacts=CONTACTS, options=options)


def apart_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(
        np.arctan2(np.linalg.norm(np.cross(first, second), axis=-1), np.einsum("...i,...i->...", first, second))
    )


def limb_error_deg(made: MadeUp, heads: np.ndarray, joints: np.ndarray = JOINTS) -> float:
    errors = []
    for joint, end in LIMBS.items():
        own = heads_of(made, heads, end) - heads_of(made, heads, joint)
        errors.append(apart_deg(own, joints[:, end] - joints[:, joint]).max())
    return float(np.max(errors))


def placed(
    scale: float = 1.0, turned: np.ndarray | None = None, at: tuple[float, float, float] = (0, 0, 0)
) -> np.ndarray:
    world = np.eye(4)
    world[:3, :3] = scale * (np.eye(3) if turned is None else turned)
    world[:3, 3] = at
    return world


BUILDS = {
    "t_pose": {"arms_down_deg": 0.0},
    "a_pose_30": {"arms_down_deg": 30.0, "spine_bones": 4},
    "a_pose_60": {"arms_down_deg": 60.0, "legs_apart_deg": 15.0},
    "one_spine_bone": {"spine_bones": 1},
    "two_spine_bones": {"spine_bones": 2},
    "six_spine_bones": {"spine_bones": 6, "neck_bones": 3},
    "twist_bones": {"twist_bones": True},
    "no_root": {"root_bone": False},
    "hundredth": {"unit": 100.0, "world": placed(0.01, turn((1, 0, 0), 90))},
    "hundredfold": {"unit": 0.01, "world": placed(100.0)},
    "faces_elsewhere": {"world": placed(1.0, turn((0, 0, 1), 140), (1.0, 2.0, 3.0))},
}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_limbs_point_as_the_dances_do(build: str, seed: int) -> None:
    made = made_up(seed, **BUILDS[build])
    result = on(made)
    assert limb_error_deg(made, posed_heads(made.rig, result)) < 0.01
    assert result.figures.limb_error_deg < 0.01


def test_the_made_up_characters_would_be_wrong_without_calibration() -> None:
    """Else the test above could not fail: their arms hang, their rolls are random."""
    made = made_up(1)
    heads = np.repeat((made.rig.heads @ made.rig.world[:3, :3].T)[None], len(POSES), axis=0)
    assert limb_error_deg(made, heads) > 30.0


def test_left_stays_left_whichever_way_the_character_rests() -> None:
    for degrees in (0, 90, 180, 270):
        made = made_up(4)
        facing = turn((0, 0, 1), degrees)  # the armature's own bones face elsewhere, its object does not
        rig = replace(
            made.rig,
            heads=made.rig.heads @ facing.T,
            tails=made.rig.tails @ facing.T,
            rest=np.array([np.block([[facing, np.zeros((3, 1))], [np.zeros((1, 3)), 1]]) @ m for m in made.rig.rest]),
        )
        made = MadeUp(rig, made.bone_map)
        heads = posed_heads(rig, on(made))
        assert limb_error_deg(made, heads) < 0.01
        across = heads_of(made, heads, 1) - heads_of(made, heads, 2)
        assert apart_deg(across, JOINTS[:, 1] - JOINTS[:, 2]).max() < 12.0


def test_a_character_dances_as_it_stands_where_that_is_wanted() -> None:
    made = made_up(5, world=placed(1.0, turn((0, 0, 1), 90), (2.0, 0.0, 0.0)))
    made = MadeUp(replace(made.rig, heads=made.rig.heads, world=made.rig.world), made.bone_map)
    plain = made_up(5)
    faced = MadeUp(replace(plain.rig, world=placed(1.0, turn((0, 0, 1), 90), (2.0, 0.0, 0.0))), plain.bone_map)
    heads = posed_heads(faced.rig, on(faced, replace(FREE, facing="character")))
    assert limb_error_deg(faced, heads, JOINTS @ turn((0, 0, 1), 90).T) < 0.01
    straight = posed_heads(plain.rig, on(plain))
    np.testing.assert_allclose(heads, straight @ turn((0, 0, 1), 90).T + [2.0, 0.0, 0.0], atol=1e-6)


def test_hips_travel_in_proportion_to_the_legs() -> None:
    made = made_up(2)
    result = on(made)
    heads = posed_heads(made.rig, result)
    rest = made.rig.heads
    number = {joint: made.rig.number(made.bone_map.bones(joint)[0]) for joint in (1, 4, 7)}
    leg = sum(np.linalg.norm(rest[number[b]] - rest[number[a]]) for a, b in ((1, 4), (4, 7)))
    smpl = sum(np.linalg.norm(JOINTS[0, b] - JOINTS[0, a]) for a, b in ((1, 4), (4, 7)))
    middle = 0.5 * (heads_of(made, heads, 1) + heads_of(made, heads, 2))
    dance = 0.5 * (JOINTS[:, 1] + JOINTS[:, 2])
    np.testing.assert_allclose(np.diff(middle, axis=0), np.diff(dance, axis=0) * leg / smpl, rtol=0.02, atol=1e-4)


@pytest.mark.parametrize("bones", [2, 3, 5, 6])
def test_a_spine_of_any_length_carries_the_chest_where_the_dance_has_it(bones: int) -> None:
    made = made_up(3, spine_bones=bones)
    result = on(made)
    names = [f"spine{number}" for number in range(bones)]
    bends = np.array([angle(result.rotations[result.bones.index(name)]).max() for name in names])
    assert (bends > 0.01).all()  # each bone takes its share
    chest = posed_heads(made.rig, result)
    one = made_up(3, spine_bones=1)
    collars = [
        heads_of(m, posed_heads(m.rig, on(m)), 13) - heads_of(m, posed_heads(m.rig, on(m)), 14) for m in (made, one)
    ]
    assert chest.shape[0] == len(POSES)
    assert apart_deg(collars[0], collars[1]).max() < 1e-3


def test_a_pose_can_count_as_the_rest_pose() -> None:
    made = made_up(6, arms_down_deg=0.0)
    rig = made.rig
    number = rig.number("b16")
    curled = turn((0.3, 0.9, 0.1), 70)  # the rig rests with a raised arm; its pose brings it back
    moved = {number} | {n for n in range(len(rig.names)) if number in _above(rig, n)}
    rest = rig.rest.copy()
    heads, tails = rig.heads.copy(), rig.tails.copy()
    for n in moved:
        rest[n, :3, :3] = curled @ rest[n, :3, :3]
        heads[n] = heads[number] + curled @ (rig.heads[n] - rig.heads[number])
        tails[n] = rig.heads[number] + curled @ (rig.tails[n] - rig.heads[number])
        rest[n, :3, 3] = heads[n]
    bent = MadeUp(replace(rig, heads=heads, tails=tails, rest=rest), made.bone_map)
    result = on(bent, replace(FREE, reference=rig.rest))
    wanted = posed_heads(rig, on(made))
    np.testing.assert_allclose(posed_heads(bent.rig, result), wanted, atol=1e-6)
    assert limb_error_deg(bent, posed_heads(bent.rig, result)) < 0.01


def _above(rig: Rig, number: int) -> list[int]:
    line = []
    while rig.parents[number] >= 0:
        number = int(rig.parents[number])
        line.append(number)
    return line


def test_in_place_stays_above_where_it_began_and_keeps_the_limbs() -> None:
    made = made_up(2)
    walking = PELVIS + np.linspace(0.0, 4.0, len(PELVIS))[:, None] * [1.0, 0.0, 0.0]
    result = retarget(
        made.rig, made.bone_map, POSES, walking, fps=30.0, contacts=CONTACTS, options=replace(FREE, travel="in_place")
    )
    heads = posed_heads(made.rig, result)
    assert np.abs(heads_of(made, heads, 0)[:, :2] - made.rig.heads[1, :2]).max() < 0.35
    assert limb_error_deg(made, heads) < 0.01


def test_the_root_bone_takes_the_way_over_the_floor_and_the_body_stays_where_it_was() -> None:
    made = made_up(2, unit=100.0, world=placed(0.01, turn((1, 0, 0), 90)))
    free, rooted = on(made), on(made, replace(FREE, travel="root"))
    assert rooted.root == "root"
    assert rooted.root_locations is not None
    body = [n for n, name in enumerate(made.rig.names) if name != "root"]
    with_root, without = posed_heads(made.rig, rooted), posed_heads(made.rig, free)
    np.testing.assert_allclose(with_root[:, body], without[:, body], atol=1e-5)
    moved = with_root[:, made.rig.number("root")]
    assert np.ptp(moved[:, :2], axis=0).max() > 0.05
    assert np.ptp(moved[:, 2]) < 1e-6


def test_a_root_that_is_none_is_refused() -> None:
    made = made_up(2, root_bone=False)
    with pytest.raises(ValueError, match="no root bone"):
        on(made, replace(FREE, travel="root"))
    with pytest.raises(ValueError, match="does not carry"):
        on(MadeUp(made.rig, replace(made.bone_map, root="b4")), replace(FREE, travel="root"))


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.diag([1.0, 1.0, 1.2, 1.0]), "unevenly"),
        (np.diag([-1.0, 1.0, 1.0, 1.0]), "mirrored"),
        (np.diag([0.0, 0.0, 0.0, 1.0]), "scale of 0"),
    ],
)
def test_scales_that_would_bend_limbs_are_refused_with_a_reason(matrix: np.ndarray, reason: str) -> None:
    made = made_up(1)
    with pytest.raises(ValueError, match=reason):
        on(MadeUp(replace(made.rig, world=matrix), made.bone_map))


def test_missing_legs_are_named() -> None:
    made = made_up(1)
    rows = tuple(row for row in made.bone_map.rows if row.joint != 5)
    with pytest.raises(ValueError, match="R_Knee"):
        on(MadeUp(made.rig, replace(made.bone_map, rows=rows)))


def test_missing_toes_hands_and_neck_leave_the_rest_as_it_is() -> None:
    made = made_up(1)
    rows = tuple(row for row in made.bone_map.rows if row.joint not in (10, 11, 12, 13, 14, 20, 21))
    fewer = MadeUp(made.rig, replace(made.bone_map, rows=rows))
    assert limb_error_deg(made, posed_heads(made.rig, on(fewer))) < 0.01


def test_the_animator_is_told_what_is_missing_and_what_else_moves_bones() -> None:
    made = made_up(1)
    assert on(made, RetargetOptions()).warnings == ()
    rows = tuple(row for row in made.bone_map.rows if row.joint != 13)
    rig = replace(made.rig, constrained=frozenset({"b18", "root"}))
    told = on(MadeUp(rig, replace(made.bone_map, rows=rows)), RetargetOptions()).warnings
    assert len(told) == 2
    assert "L_Collar" in told[0]
    assert "b18" in told[1]
    assert "root" not in told[1]


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_shortest_dances_are_taken_over(frames: int) -> None:
    made = made_up(1)
    result = retarget(
        made.rig, made.bone_map, POSES[:frames], PELVIS[:frames], fps=30.0, contacts=np.ones((frames, 4), dtype=bool)
    )
    assert result.rotations.shape == (len(result.bones), frames, 4)
    assert np.isfinite(result.rotations).all()
    assert np.isfinite(result.locations).all()
    with pytest.raises(ValueError, match="needs frames"):
        retarget(made.rig, made.bone_map, POSES[:0], PELVIS[:0], fps=30.0)


def test_a_pelvis_beside_the_spine_is_led_by_what_carries_both() -> None:
    made = made_up(1)
    rig = made.rig
    parents = rig.parents.copy()
    parents[rig.number("spine0")] = rig.number("root")  # as MMD characters: two halves under one centre
    halves = MadeUp(replace(rig, parents=parents), replace(made.bone_map, root=""))
    result = on(halves)
    assert result.hips == "root"
    heads = posed_heads(halves.rig, result)
    assert limb_error_deg(halves, heads) < 0.01
    gaps = np.linalg.norm(
        heads_of(halves, heads, 3 if halves.bone_map.bones(3) else 9) - heads_of(halves, heads, 0), axis=-1
    )
    assert np.ptp(gaps) < 1e-6


def test_rotations_never_jump_to_the_opposite_quaternion() -> None:
    result = on(made_up(7))
    assert np.einsum("ntk,ntk->nt", result.rotations[:, 1:], result.rotations[:, :-1]).min() > 0.0
    np.testing.assert_allclose(np.linalg.norm(result.rotations, axis=-1), 1.0, atol=1e-9)


def test_a_minute_on_65_bones_takes_less_than_a_second() -> None:
    made = made_up(1, spine_bones=6, neck_bones=3, twist_bones=True)
    rig = made.rig
    more = 65 - len(rig.names)
    rig = replace(
        rig,
        names=(*rig.names, *(f"finger{n}" for n in range(more))),
        parents=np.concatenate([rig.parents, np.full(more, rig.number("b20"))]),
        heads=np.concatenate([rig.heads, np.repeat(rig.heads[-1:], more, axis=0)]),
        tails=np.concatenate([rig.tails, np.repeat(rig.tails[-1:], more, axis=0)]),
        rest=np.concatenate([rig.rest, np.repeat(rig.rest[-1:], more, axis=0)]),
        rotation_modes=("QUATERNION",) * 65,
        deform=np.ones(65, dtype=bool),
    )
    long = danced(1800)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        retarget(rig, made.bone_map, long.poses, long.pelvis, fps=30.0, contacts=long.contacts)
        best = min(best, time.process_time() - start)
    assert best < 1.0


def test_rigify_controls_follow_the_body_where_mechanisms_carry_them() -> None:
    """Arms hang on bones that constraints move: what counts is the joint that carries them, not the bone's parent."""
    made = made_up(3, spine_bones=2)
    rig = made.rig
    loose = rig.parents.copy()
    for name in ("b16", "b17", "b1", "b2"):
        loose[rig.number(name)] = rig.number("root")
    controls = replace(made.bone_map, controls="rigify_fk")
    result = retarget(replace(rig, parents=loose), controls, POSES, PELVIS, fps=30.0, options=FREE)
    np.testing.assert_allclose(result.rotations, on(made).rotations, atol=1e-9)


def test_a_bone_that_is_two_joints_is_not_carried_by_itself() -> None:
    made = made_up(3, spine_bones=2)
    rows = (*made.bone_map.rows, BoneRow(6, ("spine1",)))
    twice = BoneMap(tuple(sorted(rows, key=lambda row: row.joint)), "table", "root", "rigify_fk")
    result = retarget(made.rig, twice, POSES, PELVIS, fps=30.0, options=FREE)
    assert limb_error_deg(made, posed_heads(made.rig, result)) < 0.01


@pytest.mark.parametrize(("joint", "bone"), [(4, "b5"), (4, "b1"), (0, "b20"), (15, "neck0")])
def test_a_bone_in_two_rows_of_the_table_is_refused(joint: int, bone: str) -> None:
    made = made_up(2)
    rows = tuple(BoneRow(row.joint, (bone,)) if row.joint == joint else row for row in made.bone_map.rows)
    with pytest.raises(ValueError, match=f"“{bone}” is in two rows"):
        retarget(made.rig, replace(made.bone_map, rows=rows), DANCE.poses, DANCE.pelvis, fps=30.0)


def test_a_limb_without_length_is_refused() -> None:
    made = made_up(2)
    heads = made.rig.heads.copy()
    heads[made.rig.number("b4")] = heads[made.rig.number("b1")]
    with pytest.raises(ValueError, match="begin in one place"):
        retarget(replace(made.rig, heads=heads), made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0)
