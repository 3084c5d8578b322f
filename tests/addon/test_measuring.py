"""The command that measures characters: it sees good maps as good, and what is wrong as wrong."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.characters import judging, stage
from tests.characters.measure import DANCES, Row, line, measure


@pytest.fixture
def dance(scene: bpy.types.Scene) -> stage.Dance:
    found = stage.read_dance(DANCES / "one_minute_dance.npz", frames=120)
    stage.new_scene(found)
    return found


def test_a_made_up_character_keeps_all_bounds(dance: stage.Dance) -> None:
    row = measure(stage.made_up("scale 0.01, lying", seed=3), dance)
    assert row.missed() == []
    assert (row.joints, row.found_by, row.sides) == (22, "structure", "ok")
    assert row.slide_unlocked_cm_s > 1.0  # else nothing was held
    assert row.limb_error_deg == pytest.approx(row.told["limb_error_deg"], abs=0.05)
    assert row.slide_cm_s == pytest.approx(row.told["foot_slide_cm_s"], abs=0.05)
    assert row.penetration_cm == pytest.approx(row.told["penetration_cm"], abs=0.1)
    assert "scale 0.01" in line(row)
    assert "<-" not in line(row)


def test_exchanged_sides_and_a_wrong_bone_are_seen(dance: stage.Dance) -> None:
    from tests.characters.measure import _sides_exchanged

    cast = stage.made_up("A-pose 45", seed=1)
    bpy.context.scene.pirouette.character = cast.character
    bpy.ops.pirouette.map_bones()
    assert not _sides_exchanged(cast.character)
    rows = cast.character.pirouette_character.rows
    rows[16].bone, rows[17].bone = rows[17].bone, rows[16].bone
    assert _sides_exchanged(cast.character)


def test_a_foot_that_slides_and_a_limb_that_points_elsewhere_are_seen(dance: stage.Dance) -> None:
    frames = len(dance.joints)
    heads = {joint: dance.joints[:, joint].copy() for joint in range(24)}
    seen = judging.Seen(heads, np.zeros((frames, 1, 3)), 0.0)
    own = judging.foot_slide_cm_s(seen, dance.contacts, fps=30.0)
    assert judging.limb_error_deg(seen, dance.joints) < 1e-6
    for joint in (7, 8, 10, 11):
        heads[joint] = heads[joint] + np.arange(frames)[:, None] * [0.02, 0.0, 0.0]
    assert judging.foot_slide_cm_s(seen, dance.contacts, fps=30.0) > own + 30.0
    assert judging.limb_error_deg(seen, dance.joints) > 10.0
    assert judging.penetration_cm(judging.Seen(heads, np.full((frames, 1, 3), -0.03), 0.0)) == pytest.approx(3.0)


def test_a_missed_bound_is_told_in_words() -> None:
    row = Row("x", "y", 20, joints=21, sides="wrong", limb_error_deg=0.6, slide_cm_s=1.2, slide_unlocked_cm_s=4.0)
    told = " ".join(row.missed())
    for words in ("21 of 22", "exchanged", "0.60°", "1.20 cm/s", "30%"):
        assert words in told


@pytest.mark.parametrize(
    ("options", "bound_deg"),
    [({}, 0.5), ({"fewer_keys": True}, 2.0), ({"ik": True}, 0.5), ({"ik": True, "found_by": "Rigify"}, 10.0)],
)
def test_limbs_may_be_off_by_what_fewer_keys_and_blenders_own_ik_cost(options: dict, bound_deg: float) -> None:
    for error_deg, missed in ((0.9 * bound_deg, False), (1.1 * bound_deg, True)):
        row = Row("x", "y", 20, limb_error_deg=error_deg, **options)
        assert any("limbs off" in words for words in row.missed()) == missed


def test_a_blend_file_gives_its_armatures(dance: stage.Dance, tmp_path: Path) -> None:
    stage.made_up("A-pose 30", seed=2)
    path = tmp_path / "character.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    stage.new_scene(dance)
    found = stage.import_file(path)
    assert [thing.name for thing in found] == ["A-pose 30"]
