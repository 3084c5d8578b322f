"""Presets of bones: they are read, checked, saved and shared; what is wrong in a file is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.core.bone_map import map_bones
from blender_addon.core.bone_presets import preset_of, read_preset, read_presets, save_preset
from blender_addon.core.errors import PirouetteError
from blender_addon.core.rig import BoneRow
from tests.core.made_up_rigs import Build, made_up_rig

PRESETS = Path(__file__).parents[2] / "blender_addon" / "presets" / "bone_maps"


def test_the_packs_that_are_shipped_can_be_read_and_have_names_of_their_own() -> None:
    presets = read_presets(PRESETS)
    assert len(presets) == len({preset.name for preset in presets}) == len(list(PRESETS.glob("*.json")))
    assert {"Rigify controls", "Rigify bones", "Mixamo", "Auto-Rig Pro", "Unreal mannequin", "MakeHuman", "CMU"} <= {
        preset.name for preset in presets
    }
    assert [preset.order for preset in presets] == sorted(preset.order for preset in presets)


def test_the_animators_table_is_saved_and_finds_the_same_bones_again(tmp_path: Path) -> None:
    made = made_up_rig(Build(spine=5, twists=1), np.random.default_rng(0))
    found = map_bones(made.rig)
    head = BoneRow(15, made.bones[12][:1])
    table = replace(found, rows=tuple(head if row.joint == 15 else row for row in found.rows))
    save_preset(tmp_path / "mine.json", preset_of("Mine", table))
    (preset,) = read_presets(tmp_path, tmp_path / "no such folder")
    found = map_bones(made.rig, [preset])
    assert found.source == "Mine"
    assert [(row.joint, row.bones) for row in found.rows] == [(row.joint, row.bones) for row in table.rows]
    assert found.root == table.root


WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([], "no fields"),
    "another format": ({"format": 2, "name": "x", "bones": {"Pelvis": "a"}}, "format is 2"),
    "unknown field": ({"format": 1, "name": "x", "bones": {"Pelvis": "a"}, "colour": 1}, "colour"),
    "no bones": ({"format": 1, "name": "x", "bones": {}}, "bones has no entries"),
    "unknown joint": ({"format": 1, "name": "x", "bones": {"Tail": "a"}}, "Tail"),
    "empty chain": ({"format": 1, "name": "x", "bones": {"Pelvis": []}}, "bones.Pelvis"),
    "a number for a name": ({"format": 1, "name": "x", "bones": {"Pelvis": [3]}}, "bones.Pelvis"),
    "no name": ({"format": 1, "bones": {"Pelvis": "a"}}, "name"),
    "one side": ({"format": 1, "name": "x", "bones": {"Pelvis": "a"}, "sides": ["L", "L"]}, "sides"),
    "controls": ({"format": 1, "name": "x", "bones": {"Pelvis": "a"}, "controls": "ik"}, "controls"),
    "order": ({"format": 1, "name": "x", "bones": {"Pelvis": "a"}, "order": True}, "order"),
    "prefix": ({"format": 1, "name": "x", "bones": {"Pelvis": "a"}, "prefix": "yes"}, "prefix"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_preset_says_what_is_wrong_in_it(name: str, tmp_path: Path) -> None:
    values, said = WRONG[name]
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(PirouetteError) as caught:
        read_preset(path)
    assert caught.value.code == "damaged_file"
    assert said in caught.value.message
    assert "wrong.json" in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b" " * 1_000_001])
def test_what_is_no_preset_at_all_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(PirouetteError) as caught:
        read_preset(path)
    assert caught.value.code == "damaged_file"


def test_a_preset_that_is_not_there_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(PirouetteError) as caught:
        read_preset(tmp_path / "gone.json")
    assert caught.value.code == "missing_file"
    made = made_up_rig(Build(), np.random.default_rng(0))
    with pytest.raises(PirouetteError):
        save_preset(tmp_path / "no folder" / "x.json", preset_of("x", map_bones(made.rig)))
