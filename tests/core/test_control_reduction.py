"""Few keys for controls that nothing carries: each stays where it was, and feet that stand stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core.control_reduction import ReducedControls, reduced_controls
from blender_addon.core.foot_pins import standing
from blender_addon.core.quaternions import turned
from blender_addon.core.resample import axis_angle_to_quaternion, continuous_quaternions
from blender_addon.core.rig import Rig
from blender_addon.core.rigify_ik import ControlTrack
from tests.core.bezier import bezier
from tests.core.made_up_characters import danced, made_up

DANCE = danced(240)
RIG = made_up(3).rig


def tracks(rig: Rig) -> tuple[ControlTrack, ...]:
    """A foot that turns and goes, a pole that goes, a control that stays as it is."""
    number, pole = rig.number("b7"), rig.number("b4")
    turns = continuous_quaternions(axis_angle_to_quaternion(DANCE.poses[:, 7]))
    way = (DANCE.joints[:, 7] - DANCE.joints[0, 7]) @ rig.location_axes(number)
    aside = (DANCE.joints[:, 4] - DANCE.joints[0, 4]) @ rig.location_axes(pole)
    still = np.tile([1.0, 0.0, 0.0, 0.0], (len(turns), 1))
    return (
        ControlTrack("b7", turns, way, (1, 4, 7)),
        ControlTrack("b4", None, aside),
        ControlTrack("b5", still),
    )


def values(found: ReducedControls, bone: str, path: str) -> np.ndarray:
    return np.stack(
        [bezier(curve, len(DANCE.poses)) for curve in found.curves if (curve.bone, curve.path) == (bone, path)], axis=-1
    )


@pytest.mark.parametrize("limit_cm", [0.2, 1.0])
def test_both_ends_of_a_control_stay_within_the_limit(limit_cm: float) -> None:
    given = tracks(RIG)
    found = reduced_controls(RIG, given, limit_cm=limit_cm, fps=30.0)
    number = RIG.number("b7")
    axes, along = RIG.rest[number, :3, :3], np.array([0.0, 1.0, 0.0])
    length = np.linalg.norm(RIG.tails[number] - RIG.heads[number])
    shown = values(found, "b7", "rotation_quaternion")
    shown /= np.linalg.norm(shown, axis=-1, keepdims=True)
    heads = values(found, "b7", "location") @ axes.T
    wanted = given[0].locations @ axes.T
    tails = heads + turned(shown, along * length) @ axes.T
    wanted_tails = wanted + turned(given[0].rotations, along * length) @ axes.T
    farthest = max(np.linalg.norm(a - b, axis=-1).max() for a, b in ((heads, wanted), (tails, wanted_tails)))
    assert 0.3 * limit_cm < 100.0 * farthest <= limit_cm
    assert found.error_cm <= limit_cm
    assert found.keys < 0.4 * found.keys_before


def test_a_pole_does_not_turn_and_what_is_still_has_two_keys() -> None:
    found = reduced_controls(RIG, tracks(RIG), limit_cm=0.5, fps=30.0)
    assert {curve.path for curve in found.curves if curve.bone == "b4"} == {"location"}
    assert {len(curve.frames) for curve in found.curves if curve.bone == "b5"} == {2}


def test_a_foot_that_stands_does_not_creep() -> None:
    stands = standing(DANCE.contacts[:, 0], fps=30.0)
    both = stands[1:] & stands[:-1]
    assert both.sum() > 30
    given = tracks(RIG)

    def creep_cm_s(found: ReducedControls) -> float:
        off = values(found, "b7", "location") - given[0].locations
        return float(np.linalg.norm(np.diff(off, axis=0), axis=-1)[both].max() * 3000.0)

    careful = reduced_controls(RIG, given, limit_cm=1.0, fps=30.0, contacts=DANCE.contacts)
    assert creep_cm_s(careful) <= 1.01
    assert creep_cm_s(reduced_controls(RIG, given, limit_cm=1.0, fps=30.0)) > 2.0  # else it would be no feat


def test_controls_turn_in_their_own_rotation_mode() -> None:
    modes = tuple("XYZ" if name == "b7" else mode for name, mode in zip(RIG.names, RIG.rotation_modes, strict=True))
    rig = replace(RIG, rotation_modes=modes)
    found = reduced_controls(rig, tracks(rig), limit_cm=0.5, fps=30.0)
    assert {curve.path for curve in found.curves if curve.bone == "b7"} == {"location", "rotation_euler"}
