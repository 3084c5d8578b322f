"""Key poses, accents and beats in a dance that is edited: they stay at their times, and what is new obeys them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.dance import Dance
from backend.directions import KeyPose
from backend.editing.editor import Edit, apply
from backend.editing.operations import operation_from
from backend.errors import PirouetteError
from backend.motion.locking import lock_errors
from tests.backend.editing.fakes import FakeArtist
from tests.backend.editing.measures import check_unchanged

TIMES_S = (14.0, 40.0)  # in the fourth section and in the ninth


def done(dance: Dance, artist: FakeArtist, op: str, **fields: object) -> Edit:
    return apply(dance, operation_from(json.loads(json.dumps({"op": op, **fields}))), artist)


@pytest.fixture(scope="module")
def keyed(dance: Dance) -> Dance:
    """The dance with two key poses: one of another moment, which it does not pass through, and one of its own."""
    other, own = 900, round(TIMES_S[1] * 30)
    keys = (
        KeyPose(TIMES_S[0], dance.motion.poses[other], dance.motion.pelvis[other]),
        KeyPose(TIMES_S[1], dance.motion.poses[own], dance.motion.pelvis[own], place=True, heading=True),
    )
    return replace(dance, key_poses=keys, accents_s=(12.5,))


def test_new_movement_passes_exactly_through_the_key_poses_of_its_span(keyed: Dance, artist: FakeArtist) -> None:
    edit = done(keyed, artist, "regenerate", span="#4", seed=5)
    assert [key.time_s for key in artist.locks[-1]] == [14.0]
    errors = lock_errors(edit.dance.motion, [keyed.key_poses[0]])
    assert errors.distance_m < 1e-4
    assert errors.largest_angle_deg < 0.05
    assert edit.report["missed_key_poses_s"] == []
    check_unchanged(keyed, edit)


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("mirror", {"span": "#4"}),
        ("replace", {"span": "#4", "source": {"kind": "here", "span": "#6"}}),
        ("insert", {"at": "#4", "source": {"kind": "prompt", "prompt": "jump"}}),
    ],
    ids=str,
)
def test_whatever_is_new_at_its_time_passes_through_a_key_pose(
    keyed: Dance, artist: FakeArtist, op: str, fields: dict[str, object]
) -> None:
    edit = done(keyed, artist, op, **fields)
    assert lock_errors(edit.dance.motion, [keyed.key_poses[0]]).largest_angle_deg < 0.05
    check_unchanged(keyed, edit)


def test_a_key_pose_that_moved_movement_misses_is_told_and_stays(keyed: Dance, artist: FakeArtist) -> None:
    edit = done(keyed, artist, "delete", span="#2")
    assert edit.dance.key_poses == keyed.key_poses
    assert edit.dance.accents_s == keyed.accents_s
    assert edit.report["missed_key_poses_s"] == list(TIMES_S)
    check_unchanged(keyed, edit)


def test_a_key_pose_of_a_locked_section_changes_nothing(keyed: Dance, artist: FakeArtist) -> None:
    locked = done(keyed, artist, "lock", span="#4").dance
    edit = done(locked, artist, "regenerate", span="#5")
    assert edit.report["missed_key_poses_s"] == [14.0]
    check_unchanged(locked, edit)


def test_a_key_pose_behind_the_end_waits_until_the_dance_gets_there(keyed: Dance, artist: FakeArtist) -> None:
    shorter = done(keyed, artist, "delete", span="#9:").dance
    assert shorter.motion.duration_s < TIMES_S[1]
    assert len(shorter.key_poses) == 2
    edit = done(shorter, artist, "continue", counts=16)
    assert lock_errors(edit.dance.motion, [keyed.key_poses[1]]).largest_angle_deg < 0.05


def test_other_beats_leave_every_frame_and_lead_what_is_new(dance: Dance, artist: FakeArtist) -> None:
    beats = [round(float(beat_s) + 0.3, 4) for beat_s in dance.grid.beats_s]
    edit = done(dance, artist, "beats", beats_s=beats)
    assert edit.touched == ()
    np.testing.assert_array_equal(edit.dance.motion.poses, dance.motion.poses)
    np.testing.assert_allclose(edit.dance.grid.beats_s, beats)
    np.testing.assert_array_equal(edit.dance.grid.downbeat, dance.grid.downbeat)
    assert edit.dance.sections == dance.sections
    marked = done(dance, artist, "beats", beats_s=beats[:4], downbeat=[False, True, False, False])
    assert marked.dance.grid.downbeat.tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"beats_s": [1.0]}, "too few"),
        ({"beats_s": [1.0, 0.5]}, "comes after"),
        ({"beats_s": [1.0, 1.05]}, "nearer than"),
        ({"beats_s": [1.0, 2.0], "downbeat": [True]}, "do not fit"),
        ({"beats_s": [1.0, "two"]}, "cannot be 'two'"),
        ({"beats_s": 3.0}, "cannot be 3.0"),
        ({}, "needs beats_s"),
    ],
    ids=str,
)
def test_beats_that_are_none_are_refused(
    dance: Dance, artist: FakeArtist, fields: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PirouetteError, match=sentence):
        done(dance, artist, "beats", **fields)


def test_a_pose_of_new_movement_lands_on_an_accent(keyed: Dance, artist: FakeArtist) -> None:
    at = round(12.5 * 30)
    edits = [done(each, artist, "regenerate", span="#4", seed=5) for each in (keyed, replace(keyed, accents_s=()))]
    landing, plain = (np.linalg.norm(np.diff(e.dance.motion.joints(), axis=0), axis=-1).mean(axis=1) for e in edits)
    assert landing[at - 1 : at + 1].mean() < 0.8 * plain[at - 1 : at + 1].mean()
    assert abs(int(landing[at - 8 : at + 8].argmin()) - 8) <= 1
    check_unchanged(keyed, edits[0])
    assert edits[0].report["missed_key_poses_s"] == []
