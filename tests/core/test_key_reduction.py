"""Dances with fewer keys on characters that nobody drew: how far joints are away, judged by other means."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core.channel_rotations import rotations_of
from blender_addon.core.key_reduction import Reduced, reduced
from blender_addon.core.quaternions import to_matrices
from blender_addon.core.resample import continuous_quaternions
from blender_addon.core.retarget import Retargeted, RetargetOptions, retarget
from blender_addon.core.rig import Rig
from blender_addon.core.rotation_modes import EULER_ORDERS, in_mode
from tests.core.bezier import bezier
from tests.core.made_up_characters import MadeUp, danced, made_up, placed, posed_heads, slide_cm_s, turn

DANCE = danced(240)
FRAMES = len(DANCE.poses)


def on(made: MadeUp, **options: object) -> Retargeted:
    chosen = replace(RetargetOptions(), **options)
    return retarget(
        made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts, options=chosen
    )


def fewer(made: MadeUp, result: Retargeted, limit_cm: float = 0.5, contacts: np.ndarray | None = None) -> Reduced:
    return reduced(made.rig, made.bone_map, result, limit_cm=limit_cm, fps=30.0, contacts=contacts)


def shown_by(made: MadeUp, result: Retargeted, few: Reduced, frames: int = FRAMES) -> Retargeted:
    """The dance that the curves show."""
    channels: dict[tuple[str, str], dict[int, np.ndarray]] = {}
    for curve in few.curves:
        channels.setdefault((curve.bone, curve.path), {})[curve.index] = bezier(curve, frames)
    values = {key: np.stack([parts[i] for i in range(len(parts))], axis=-1) for key, parts in channels.items()}
    rotations = []
    for name in result.bones:
        mode = made.rig.rotation_modes[made.rig.number(name)]
        path = next(path for bone, path in values if bone == name and path.startswith("rotation"))
        rotations.append(rotations_of(values[name, path], mode))
    root = values[result.root, "location"] if result.root else None
    return replace(
        result, rotations=np.array(rotations), locations=values[result.hips, "location"], root_locations=root
    )


def away_cm(made: MadeUp, result: Retargeted, shown: Retargeted) -> float:
    """The farthest that the head or the tail of a bone is away from its place."""
    tails = _with_tails(made)
    return 100.0 * float(np.linalg.norm(posed_heads(tails, shown) - posed_heads(tails, result), axis=-1).max())


def _with_tails(made: MadeUp) -> Rig:
    """The rig with a bone at the end of each of its bones, so that heads are all there is to look at."""
    rig = made.rig
    count = len(rig.names)
    ends = rig.rest.copy()
    ends[:, :3, 3] = rig.tails
    return replace(
        rig,
        names=(*rig.names, *(f"end of {name}" for name in rig.names)),
        parents=np.concatenate([rig.parents, np.arange(count)]),
        heads=np.concatenate([rig.heads, rig.tails]),
        rest=np.concatenate([rig.rest, ends]),
    )


BUILDS = {
    "a_pose": {},
    "six_spine_bones": {"spine_bones": 6, "neck_bones": 3},
    "twist_bones": {"twist_bones": True},
    "hundredth": {"unit": 100.0, "world": placed(0.01, turn((1, 0, 0), 90))},
    "hundredfold": {"unit": 0.01, "world": placed(100.0, turn((1, 0, 0), 90))},
}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("limit_cm", [0.1, 0.5, 2.0])
def test_no_joint_is_ever_farther_away_than_the_limit(build: str, limit_cm: float) -> None:
    made = made_up(1, **BUILDS[build])
    result = on(made)
    few = fewer(made, result, limit_cm)
    away = away_cm(made, result, shown_by(made, result, few))
    assert away <= limit_cm
    assert away == pytest.approx(few.error_cm, abs=1e-3 * limit_cm + 1e-3)
    assert away_cm(made, few.shown, shown_by(made, result, few)) < 1e-3


def test_fingers_count_as_well_though_the_dance_does_not_know_them() -> None:
    made = with_fingers(made_up(1), "b20")
    result = on(made)
    few = fewer(made, result)
    assert away_cm(made, result, shown_by(made, result, few)) <= 0.5
    heedless = fewer(made_up(1), result)
    assert away_cm(made, result, shown_by(made, result, heedless)) > 0.55  # else it would be no feat


def with_fingers(made: MadeUp, hand: str) -> MadeUp:
    """The character with a long finger ahead of a hand, and a thumb aside."""
    rig = made.rig
    number = rig.number(hand)
    tips = [rig.tails[number] + 0.15 * rig.rest[number, :3, axis] for axis in (1, 0)]
    matrix = rig.rest[number].copy()
    matrix[:3, 3] = rig.tails[number]
    more = replace(
        rig,
        names=(*rig.names, "finger", "thumb"),
        parents=np.array([*rig.parents, number, number]),
        heads=np.array([*rig.heads, rig.tails[number], rig.tails[number]]),
        tails=np.array([*rig.tails, *tips]),
        rest=np.array([*rig.rest, matrix, matrix]),
        rotation_modes=(*rig.rotation_modes, "QUATERNION", "QUATERNION"),
        deform=np.array([*rig.deform, True, True]),
    )
    return MadeUp(more, made.bone_map)


def test_a_dance_needs_a_sixth_of_its_keys_for_half_a_centimetre() -> None:
    made = made_up(2)
    result = on(made)
    counts = [fewer(made, result, limit_cm).keys for limit_cm in (0.1, 0.5, 2.0)]
    assert counts[0] > counts[1] > counts[2]
    few = fewer(made, result)
    assert few.keys_before == FRAMES * len(few.curves)
    assert few.keys < few.keys_before / 6


@pytest.mark.parametrize("mode", ["AXIS_ANGLE", *EULER_ORDERS])
def test_the_limit_holds_in_every_rotation_mode(mode: str) -> None:
    made = made_up(3)
    made = MadeUp(replace(made.rig, rotation_modes=(mode,) * len(made.rig.names)), made.bone_map)
    result = on(made)
    few = fewer(made, result)
    assert away_cm(made, result, shown_by(made, result, few)) <= 0.5
    assert few.keys < 0.5 * few.keys_before


def test_the_root_bones_path_is_reduced_with_the_rest() -> None:
    made = made_up(4)
    result = on(made, travel="root")
    few = fewer(made, result)
    assert {curve.bone for curve in few.curves if curve.path == "location"} == {result.hips, result.root}
    assert away_cm(made, result, shown_by(made, result, few)) <= 0.5
    assert away_cm(made, few.shown, shown_by(made, result, few)) < 1e-3


def test_all_channels_of_a_bones_rotation_have_their_keys_on_the_same_frames() -> None:
    made = made_up(5)
    few = fewer(made, on(made))
    frames: dict[tuple[str, str], set[tuple[float, ...]]] = {}
    for curve in few.curves:
        frames.setdefault((curve.bone, curve.path), set()).add(tuple(curve.frames))
        assert curve.frames[0] == 0
        assert curve.frames[-1] == FRAMES - 1
        assert np.array_equal(curve.frames, np.round(curve.frames))
        assert (np.diff(curve.frames) > 0).all()
    assert all(len(kinds) == 1 for kinds in frames.values())


def test_handles_lie_on_one_line_through_their_key() -> None:
    made = made_up(5)
    for curve in fewer(made, on(made)).curves:
        keys = np.stack([curve.frames, curve.values], axis=-1)
        left, right = keys - curve.handle_left, curve.handle_right - keys
        assert (left[:, 0] > 0).all()
        assert (right[:, 0] > 0).all()
        np.testing.assert_allclose(left[:, 1] / left[:, 0], right[:, 1] / right[:, 0], atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_standing_feet_do_not_begin_to_slide(seed: int) -> None:
    made = made_up(seed)
    result = on(made)
    few, heedless = fewer(made, result, 1.0, DANCE.contacts), fewer(made, result, 1.0)
    before = slide_cm_s(made, result, DANCE.contacts)
    assert slide_cm_s(made, shown_by(made, result, few), DANCE.contacts) <= before + 0.5
    assert few.creep_cm_s <= 1.0
    assert slide_cm_s(made, shown_by(made, result, heedless), DANCE.contacts) > before + 2.0  # else it would be no feat


def test_who_stands_still_has_two_keys_a_curve_and_a_single_frame_has_one() -> None:
    made = made_up(6)
    result = on(made)
    for frames, keys in ((24, 2), (2, 2), (1, 1)):
        still = replace(
            result,
            rotations=np.repeat(result.rotations[:, :1], frames, axis=1),
            locations=np.repeat(result.locations[:1], frames, axis=0),
        )
        few = fewer(made, still)
        assert {len(curve.frames) for curve in few.curves} == {keys}
        assert few.error_cm < 1e-3


def test_a_limit_must_be_above_nothing() -> None:
    made = made_up(6)
    result = on(made)
    for limit_cm in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="above 0 cm"):
            fewer(made, result, limit_cm)


def test_a_minute_takes_less_than_two_seconds() -> None:
    made = made_up(7)
    dance = danced(1800)
    result = retarget(made.rig, made.bone_map, dance.poses, dance.pelvis, fps=30.0, contacts=dance.contacts)
    assert len(result.bones) >= 22
    took_s = []
    while not took_s or (took_s[-1] >= 2.0 and len(took_s) < 3):  # others may be busy
        started_s = time.thread_time()
        few = reduced(made.rig, made.bone_map, result, limit_cm=0.5, fps=30.0, contacts=dance.contacts)
        took_s.append(time.thread_time() - started_s)
    assert min(took_s) < 2.0
    assert few.error_cm <= 0.5


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", *EULER_ORDERS])
def test_channels_and_rotations_are_two_ways_of_saying_one_thing(mode: str) -> None:
    rng = np.random.default_rng(3)
    quaternions = continuous_quaternions(np.cumsum(rng.normal(size=(50, 4)), axis=0))
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    back = rotations_of(in_mode(quaternions, mode), mode)
    np.testing.assert_allclose(to_matrices(back), to_matrices(quaternions), atol=1e-9)


def test_values_of_no_length_do_not_turn() -> None:
    for mode in ("QUATERNION", "AXIS_ANGLE"):
        np.testing.assert_array_equal(rotations_of(np.zeros((2, 4)), mode)[:, 0], 1.0)
    np.testing.assert_array_equal(rotations_of(np.array([[2.0, 0.0, 0.0, 0.0]]), "QUATERNION"), [[1.0, 0.0, 0.0, 0.0]])
