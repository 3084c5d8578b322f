"""Feet that stand on characters of any build, judged by what Blender's armatures would show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core.calibration import Foot
from blender_addon.core.curves import Span, ease_off, highest_near, lead_between, smooth, spans_of
from blender_addon.core.foot_lock import Leg, foot_lock, moved
from blender_addon.core.quaternions import turned
from blender_addon.core.retarget import Retargeted, RetargetOptions, retarget
from blender_addon.core.two_bone import reach
from tests.core.made_up_characters import FEET, MadeUp, danced, heads_of, made_up, posed_heads, slide_cm_s

DANCE = danced(300)
SEEDS = (1, 2, 3, 4)


def on(made: MadeUp, **options: object) -> Retargeted:
    chosen = replace(RetargetOptions(), **options)
    return retarget(
        made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts, options=chosen
    )


def knee_bends_deg(made: MadeUp, result: Retargeted) -> np.ndarray:
    heads = posed_heads(made.rig, result)
    bends = []
    for hip, knee, ankle in ((1, 4, 7), (2, 5, 8)):
        thigh = heads_of(made, heads, knee) - heads_of(made, heads, hip)
        shin = heads_of(made, heads, ankle) - heads_of(made, heads, knee)
        cross = np.linalg.norm(np.cross(thigh, shin), axis=-1)
        bends.append(np.degrees(np.arctan2(cross, np.einsum("ti,ti->t", thigh, shin))))
    return np.array(bends)


@pytest.mark.parametrize("seed", SEEDS)
def test_standing_feet_slide_less_than_a_centimetre_a_second(seed: int) -> None:
    made = made_up(seed)
    locked, free = on(made), on(made, feet="off")
    slide = slide_cm_s(made, locked, DANCE.contacts)
    assert slide <= 1.0
    assert slide <= 0.2 * slide_cm_s(made, free, DANCE.contacts)
    assert locked.figures.foot_slide_cm_s == pytest.approx(slide, abs=0.02)


@pytest.mark.parametrize("seed", SEEDS)
def test_knees_are_no_faster_than_the_dances(seed: int) -> None:
    made = made_up(seed)
    locked, free = knee_bends_deg(made, on(made)), knee_bends_deg(made, on(made, feet="off"))
    fastest = [np.percentile(np.abs(np.diff(bends, axis=-1)), 99.5) for bends in (locked, free)]
    assert fastest[0] <= 1.1 * fastest[1]
    assert np.abs(np.diff(locked, axis=-1)).max() <= 1.3 * np.abs(np.diff(free, axis=-1)).max()


@pytest.mark.parametrize("mode", ["auto", "ground"])
def test_soles_stay_above_the_floor(mode: str) -> None:
    made = made_up(2)
    result = on(made, feet=mode)
    assert result.figures.penetration_cm <= 0.5
    assert result.figures.penetration_unlocked_cm > 1.0  # else there was nothing to lift
    heads = posed_heads(made.rig, result)
    assert min(heads_of(made, heads, joint)[:, 2].min() for joint in FEET) > -0.005


def test_ground_mode_leaves_feet_their_place() -> None:
    made = made_up(2)
    free, ground = on(made, feet="off"), on(made, feet="ground")
    before, after = (posed_heads(made.rig, result) for result in (free, ground))
    sideways = (heads_of(made, after, 7) - heads_of(made, before, 7))[:, :2]
    assert np.percentile(np.linalg.norm(sideways, axis=-1), 95) < 0.01


def test_no_lock_changes_nothing_and_a_weak_one_changes_less() -> None:
    made = made_up(2)
    free, off, half, full = on(made, feet="off"), on(made, strength=0.0), on(made, strength=0.5), on(made)
    np.testing.assert_array_equal(free.rotations, off.rotations)
    assert (
        slide_cm_s(made, full, DANCE.contacts)
        < slide_cm_s(made, half, DANCE.contacts)
        < slide_cm_s(made, free, DANCE.contacts)
    )


def test_arms_and_spine_are_as_without_a_lock() -> None:
    made = made_up(2)
    free, full = on(made, feet="off"), on(made)
    upper = [n for n, bone in enumerate(free.bones) if bone not in {f"b{j}" for j in (1, 2, 4, 5, 7, 8, 10, 11)}]
    np.testing.assert_array_equal(free.rotations[upper], full.rotations[upper])


def test_a_strength_beyond_one_and_contacts_of_another_length_are_refused() -> None:
    made = made_up(1)
    with pytest.raises(ValueError, match="0 to 1"):
        on(made, strength=1.5)
    with pytest.raises(ValueError, match="contacts"):
        retarget(made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts[:-1])


def long_thighs(made: MadeUp, share: float) -> MadeUp:
    """The character with knees at another share of the way from hips to ankles."""
    heads, tails, rest = made.rig.heads.copy(), made.rig.tails.copy(), made.rig.rest.copy()
    for joints in ((1, 4, 7), (2, 5, 8)):
        hip, knee, ankle = (made.rig.number(made.bone_map.bones(joint)[0]) for joint in joints)
        way = heads[ankle] - heads[hip]
        beside = heads[knee] - heads[hip] - way * ((heads[knee] - heads[hip]) @ way / (way @ way))
        heads[knee] = heads[hip] + share * way + beside
        tails[hip], rest[knee, :3, 3] = heads[knee], heads[knee]
    return MadeUp(replace(made.rig, heads=heads, tails=tails, rest=rest), made.bone_map)


@pytest.mark.parametrize("share", [0.4, 0.65])
def test_feet_stand_on_legs_of_other_proportions(share: float) -> None:
    made = long_thighs(made_up(1), share)
    free, held = on(made, feet="off").figures, on(made).figures
    assert free.foot_slide_cm_s > 5.0  # such legs carry the feet away
    assert held.foot_slide_cm_s < 1.0


def leg_over(frames: int, hip_height: np.ndarray) -> Leg:
    """A leg bent by 20 degrees under hips that rise and sink, whose foot stands flat."""
    lean = np.radians(10.0)
    thigh = np.tile(0.4 * np.array([0.0, -np.sin(lean), -np.cos(lean)]), (frames, 1))
    shin = np.tile(0.4 * np.array([0.0, np.sin(lean), -np.cos(lean)]), (frames, 1))
    same = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 1))
    hip = np.stack([np.full(frames, 0.1), np.zeros(frames), hip_height], axis=-1)
    return Leg(hip, thigh, shin, np.tile([1.0, 0.0, 0.0], (frames, 1)), same, same)


FOOT = Foot(
    np.array([0.0, -0.13, -0.06]), np.array([[0.0, 0.04, -0.08], [0.0, -0.13, -0.08]]), np.array([0.0, -0.06, -0.02])
)


def test_a_planted_foot_stands_however_far_the_dances_goes() -> None:
    frames = 60
    legs = leg_over(frames, np.full(frames, 0.85)), leg_over(frames, np.full(frames, 0.85))
    for leg in legs:  # across the floor by 20 cm, more than a standing foot may be drawn
        leg.hip[:, 1] += np.linspace(0.0, 0.2, frames)
    contacts, planted = np.ones((frames, 4), dtype=bool), np.zeros((frames, 2), dtype=bool)
    planted[:, 0] = True
    lock = foot_lock(legs, (FOOT, FOOT), contacts, floor_m=0.0, fps=30.0, planted=planted)
    held, stepping = (moved(leg, lock.turns[side], lock.sunk_m).path().ankle for side, leg in enumerate(legs))
    assert np.ptp(held[:, :2], axis=0).max() < 1e-3
    assert np.ptp(stepping[:, :2], axis=0).max() > 0.05


def test_hips_sink_where_a_leg_is_too_short_for_its_foot() -> None:
    frames = 60
    standing_height = 0.08 + 0.8 * np.cos(np.radians(10.0))
    height = standing_height + np.clip((np.arange(frames) - 25) * 0.003, 0.0, 0.03)  # above what the leg can reach
    legs = leg_over(frames, height), leg_over(frames, height)
    contacts = np.ones((frames, 4), dtype=bool)
    lock = foot_lock(legs, (FOOT, FOOT), contacts, floor_m=0.0, fps=30.0)
    after = moved(legs[0], lock.turns[0], lock.sunk_m)
    assert lock.sunk_m[45:].min() > 0.005
    ankle = after.path().ankle
    assert np.ptp(ankle, axis=0).max() < 1e-3
    assert np.abs(np.diff(after.hip[:, 2])).max() < 0.004


def test_a_knee_bends_as_it_was_bent_and_never_through() -> None:
    frames = 200
    leg = leg_over(frames, np.full(frames, 0.85))
    reaches = np.linspace(0.35, 0.85, frames)
    target = reaches[:, None] * np.array([0.1, 0.2, -0.97]) / np.linalg.norm([0.1, 0.2, -0.97])
    thigh_turn, shin_turn = reach(leg.thigh, leg.shin, leg.hinge, target)
    thigh, shin = turned(thigh_turn, leg.thigh), turned(shin_turn, leg.shin)
    within = reaches < 0.799
    np.testing.assert_allclose((thigh + shin)[within], target[within], atol=1e-9)
    hinge = turned(thigh_turn, leg.hinge)
    assert np.einsum("ti,ti->t", np.cross(thigh, shin), hinge).min() > 0.0
    bends = np.degrees(np.arccos(np.einsum("ti,ti->t", thigh, shin) / 0.16))
    assert np.all(np.diff(bends) <= 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_leg_that_is_where_it_should_be_does_not_move(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = 50
    leg = leg_over(frames, np.full(frames, 0.85))
    aside = turned(np.tile([np.cos(0.2), *(np.sin(0.2) * np.array([0.0, 0.6, 0.8]))], (frames, 1)), leg.thigh)
    bend = random.uniform(0.3, 1.5, frames)
    half = np.stack([np.cos(bend / 2), np.sin(bend / 2), np.zeros(frames), np.zeros(frames)], axis=-1)
    shin = turned(half, aside)
    turns = reach(aside, shin, leg.hinge, aside + shin)
    for turn in turns:
        np.testing.assert_allclose(np.abs(turn[:, 0]), 1.0, atol=1e-9)


def test_a_straight_leg_bends_as_knees_do() -> None:
    thigh = np.array([[0.0, 0.0, -0.4]])
    hinge = np.array([[1.0, 0.0, 0.0]])
    turns = reach(thigh, thigh.copy(), hinge, np.array([[0.0, 0.0, -0.6]]))
    knee = turned(turns[0], thigh)
    assert knee[0, 1] < -0.2  # to the front
    np.testing.assert_allclose(knee + turned(turns[1], thigh), [[0.0, 0.0, -0.6]], atol=1e-9)


def test_spans_close_short_gaps_and_drop_short_touches() -> None:
    flags = np.array([0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0], dtype=bool)
    assert spans_of(flags, shortest=3, widest_gap=1) == [Span(1, 7)]
    assert spans_of(flags) == [Span(1, 4), Span(5, 7), Span(10, 11)]
    assert spans_of(np.zeros(3, dtype=bool)) == []


def test_a_curve_eases_from_span_to_span() -> None:
    curve = np.zeros((30, 1))
    curve[5:8], curve[20:25] = 1.0, -2.0
    lead_between(curve, [Span(5, 8), Span(20, 25)], ease_frames=6)
    assert curve[7, 0] == 1.0
    assert 0.8 < curve[8, 0] < 1.0
    np.testing.assert_allclose(curve[13:15], 0.0)
    assert np.abs(np.diff(curve[:, 0])).max() < 0.7
    assert ease_off(np.array([0.0, 0.5, 1.0, 2.0])).tolist() == [1.0, 0.5, 0.0, 0.0]


def test_smoothing_holds_at_the_ends_and_keeps_what_is_even() -> None:
    np.testing.assert_allclose(smooth(np.full((9, 2), 3.0), 2.0), 3.0)
    values = np.arange(9.0)
    assert smooth(values, 1.0)[4] == pytest.approx(4.0)
    assert highest_near(values, 2).tolist() == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 8.0, 8.0]
