"""A locked section is never altered, blended into or moved."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.dance import Dance
from backend.editing.editor import Edit, apply
from backend.editing.operations import operation_from
from backend.errors import PirouetteError
from tests.backend.editing.fakes import FakeArtist
from tests.backend.editing.measures import check_seams, check_unchanged


def done(dance: Dance, op: str, **fields: object) -> Edit:
    return apply(dance, operation_from(json.loads(json.dumps({"op": op, **fields}))), FakeArtist())


@pytest.fixture(scope="module")
def locked(dance: Dance) -> Dance:
    """The dance with its sixth section locked."""
    return done(dance, "lock", span="#6").dance


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("regenerate", {"span": "#6"}),
        ("regenerate", {"span": "#5:#6"}),
        ("regenerate", {"span": "22.0:23.0"}),
        ("delete", {"span": "#6"}),
        ("delete", {"span": "#2"}),
        ("insert", {"at": "#3", "source": {"kind": "here", "span": "#9"}}),
        ("insert", {"at": "24.0", "source": {"kind": "here", "span": "#9"}}),
        ("duplicate", {"span": "#6", "to": "#2"}),
        ("replace", {"span": "#6", "source": {"kind": "here", "span": "#9"}}),
        ("reorder", {"span": "#6", "to": "#2"}),
        ("reorder", {"span": "#2", "to": "#9"}),
        ("split", {"at": "24.0"}),
        ("merge", {"span": "#6:#7"}),
        ("mirror", {"span": "#6"}),
        ("retime", {"span": "#6", "counts": 4}),
        ("retime", {"span": "#3", "counts": 4}),
        ("transfer", {"span": "#6", "movement_from": {"kind": "here", "span": "#9"}}),
        ("describe", {"span": "#6", "prompt": "slow"}),
    ],
    ids=str,
)
def test_what_would_change_or_move_a_locked_section_is_refused_by_its_name(
    locked: Dance, op: str, fields: dict[str, object]
) -> None:
    with pytest.raises(PirouetteError, match="“6” is locked") as caught:
        done(locked, op, **fields)
    assert caught.value.code == "locked"
    assert caught.value.hint == "Unlock it first."


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("regenerate", {"span": "#5", "pinned": False}),
        ("regenerate", {"span": "#7"}),
        ("mirror", {"span": "#2"}),
        ("mirror", {"span": "#5"}),
        ("replace", {"span": "#5", "source": {"kind": "here", "span": "#9"}}),
        ("transfer", {"span": "#4", "movement_from": {"kind": "here", "span": "#9"}}),
        ("delete", {"span": "#7"}),
        ("retime", {"span": "#9", "counts": 12}),
        ("reorder", {"span": "#9", "to": "#8"}),
        ("duplicate", {"span": "#6", "to": "#9"}),
    ],
    ids=str,
)
def test_around_a_locked_section_everything_else_can_be_edited(
    locked: Dance, op: str, fields: dict[str, object]
) -> None:
    edit = done(locked, op, **fields)
    first, last = locked.frames_of(locked.sections[5])
    np.testing.assert_array_equal(edit.dance.motion.poses[first:last], locked.motion.poses[first:last])
    np.testing.assert_array_equal(edit.dance.motion.pelvis[first:last], locked.motion.pelvis[first:last])
    assert edit.dance.sections[5] == locked.sections[5]
    check_unchanged(locked, edit)
    check_seams(locked, edit, fast_itself=True)


def test_what_is_pulled_to_arrive_before_a_locked_section_is_told(locked: Dance) -> None:
    report = done(locked, "mirror", span="#4").report
    assert report["pulled_m"] >= 0.0
    assert report["pulled_deg"] <= 180.0


def test_an_unlocked_section_can_be_edited_again(locked: Dance) -> None:
    assert done(done(locked, "unlock", span="#6").dance, "delete", span="#6").dance.motion.frames == 1624 - 148


def test_snapping_leaves_the_borders_of_a_locked_section(dance: Dance) -> None:
    off = done(done(dance, "split", at="23.3").dance, "lock", span="23.5:24.0").dance
    names = [section.name for section in off.sections if section.locked]
    snapped = done(off, "snap", to="structure").dance
    assert [section for section in snapped.sections if section.locked] == [
        section for section in off.sections if section.locked
    ]
    assert names == ["6b"]
    assert len(snapped.sections) < len(off.sections)
