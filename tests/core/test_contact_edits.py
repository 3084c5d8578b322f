"""Feet planted and freed by the animator, over what the dance says."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.contact_edits import ContactEdit, foot_stands, with_edit, with_edits

TIMES_S = np.arange(10) / 10.0
STANDS = np.zeros((10, 4), dtype=bool)
STANDS[2:5] = (True, False, True, False)  # the left foot


def test_a_planted_foot_stands_with_ankle_and_ball_and_the_other_is_left_alone() -> None:
    found = with_edits(STANDS, [ContactEdit("RIGHT", 0.3, 0.6, True)], TIMES_S)
    np.testing.assert_array_equal(found[:, 1], [0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(found[:, 3], found[:, 1])
    np.testing.assert_array_equal(found[:, [0, 2]], STANDS[:, [0, 2]])


def test_a_freed_foot_does_not_stand_and_the_dance_keeps_its_own_contacts() -> None:
    found = with_edits(STANDS, [ContactEdit("LEFT", 0.0, 0.4, False)], TIMES_S)
    np.testing.assert_array_equal(foot_stands(found, "LEFT"), [0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    assert STANDS[2:5, 0].all()


def test_the_later_edit_counts() -> None:
    edits = [ContactEdit("LEFT", 0.0, 1.0, True), ContactEdit("LEFT", 0.5, 0.7, False)]
    np.testing.assert_array_equal(foot_stands(with_edits(STANDS, edits, TIMES_S), "LEFT"), [1] * 5 + [0] * 2 + [1] * 3)


def test_edits_mean_the_same_moments_at_any_rate() -> None:
    edit = ContactEdit("LEFT", 0.25, 0.75, True)
    slow, fast = np.arange(24) / 24.0, np.arange(60) / 60.0
    for times_s in (slow, fast):
        found = foot_stands(with_edits(np.zeros((len(times_s), 4), dtype=bool), [edit], times_s), "LEFT")
        np.testing.assert_array_equal(found, (times_s >= 0.25) & (times_s < 0.75))


def test_a_new_edit_takes_the_place_of_what_it_covers() -> None:
    edits = with_edit((), ContactEdit("LEFT", 0.0, 1.0, True))
    edits = with_edit(edits, ContactEdit("LEFT", 0.4, 0.6, False))
    assert edits == (
        ContactEdit("LEFT", 0.0, 0.4, True),
        ContactEdit("LEFT", 0.4, 0.6, False),
        ContactEdit("LEFT", 0.6, 1.0, True),
    )
    assert with_edit(edits, ContactEdit("LEFT", 0.3, 0.7, True)) == (ContactEdit("LEFT", 0.0, 1.0, True),)
    assert len(with_edit(edits, ContactEdit("RIGHT", 0.0, 1.0, False))) == 4


def test_edits_that_touch_are_one() -> None:
    edits = with_edit((ContactEdit("RIGHT", 0.0, 0.5, False),), ContactEdit("RIGHT", 0.5, 0.8, False))
    assert edits == (ContactEdit("RIGHT", 0.0, 0.8, False),)


def test_contacts_of_other_frames_and_a_third_foot_are_refused() -> None:
    with pytest.raises(ValueError, match="contacts"):
        with_edits(STANDS[:-1], [], TIMES_S)
    with pytest.raises(ValueError, match="LEFT or RIGHT"):
        with_edits(STANDS, [ContactEdit("MIDDLE", 0.0, 1.0, True)], TIMES_S)  # type: ignore[arg-type]
