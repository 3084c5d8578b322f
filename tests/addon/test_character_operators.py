"""What the buttons of the character's panel do where something is in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest

from tests.addon.drawing import drawn
from tests.addon.installed import part
from tests.characters.armatures import character_of

Dance = Callable[..., bpy.types.Object]


@pytest.fixture
def no_body(scene: bpy.types.Scene) -> bpy.types.Object:
    """An armature of one bone, chosen as the character."""
    bpy.ops.object.armature_add()
    found = bpy.context.object
    scene.pirouette.character = found
    return found


@pytest.fixture
def own_presets(scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the animator's own presets."""
    for module in ("character_base", "bone_map"):
        monkeypatch.setattr(part(f"operators.{module}"), "presets_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("activity", ["dance", "edit", "library", "character", "body"])
def test_nothing_else_begins_while_something_is_made(character: bpy.types.Object, activity: str) -> None:
    names = ("generate_dance", "beats_detect", "encode_animation", "retarget", "preview_retarget", "map_bones")
    names = (*names, "choose_character", "character_to_dance", "add_smpl_body", "plant_foot", "export_character")
    character.select_set(True)
    assert all(getattr(bpy.ops.pirouette, name).poll() for name in names)
    part("core.session").SESSION.begin(activity)
    assert [name for name in names if getattr(bpy.ops.pirouette, name).poll()] == []


def test_the_table_of_a_character_without_a_body_can_be_filled_in_by_hand(no_body: bpy.types.Object) -> None:
    with pytest.raises(RuntimeError, match="by hand"):
        bpy.ops.pirouette.map_bones()
    kept = no_body.pirouette_character
    assert len(kept.rows) == 24
    assert "operator pirouette.map_bones" in drawn("character_panel", "PIROUETTE_PT_character")
    kept.active_row = 15
    no_body.data.bones.active = no_body.data.bones[0]
    assert bpy.ops.pirouette.map_selected_bone() == {"FINISHED"}
    assert kept.rows[15].bone == no_body.data.bones[0].name
    assert "1 of 22 joints, by hand" in drawn("character_panel", "PIROUETTE_PT_character")


def test_a_table_that_was_never_filled_in_says_so(no_body: bpy.types.Object) -> None:
    for operator in (bpy.ops.pirouette.exchange_sides, bpy.ops.pirouette.map_selected_bone):
        with pytest.raises(RuntimeError, match="Press Find Bones first"):
            operator()


def test_a_preset_of_the_animators_that_is_damaged_is_named_with_its_folder(
    character: bpy.types.Object, own_presets: Path
) -> None:
    (own_presets / "mine.json").write_text("{")
    with pytest.raises(RuntimeError, match=f"mine.json is no bone preset.*{own_presets}"):
        bpy.ops.pirouette.map_bones()
    names = [item[0] for item in part("operators.bone_map")._preset_items(None, bpy.context)]
    assert "Mixamo" in names
    (own_presets / "mine.json").unlink()
    assert bpy.ops.pirouette.map_bones() == {"FINISHED"}


def test_a_preset_that_is_kept_is_tried_for_every_character(character: bpy.types.Object, own_presets: Path) -> None:
    bpy.ops.pirouette.map_bones()
    elsewhere = own_presets / "sent" / "theirs.json"
    elsewhere.parent.mkdir()
    bpy.ops.pirouette.save_bone_map(filepath=str(elsewhere), title="Theirs")
    assert bpy.ops.pirouette.load_bone_map(filepath=str(elsewhere), keep=True) == {"FINISHED"}
    twin = character_of("Twin")
    bpy.context.scene.pirouette.character = twin
    bpy.ops.pirouette.map_bones()
    assert twin.pirouette_character.source == "Theirs"


def test_of_several_characters_the_one_that_cannot_dance_is_left_out_and_told(character: bpy.types.Object) -> None:
    bent, other = character_of("Bent"), character_of("Zoe")
    bent.scale = (1.0, 1.0, 2.0)
    bpy.context.view_layer.update()
    for thing in (character, bent, other):
        thing.select_set(True)
    assert bpy.ops.pirouette.retarget(on="SELECTED") == {"FINISHED"}
    settings = bpy.context.scene.pirouette
    assert [one["character"] for one in json.loads(settings.retarget_report)["characters"]] == ["Hero", "Zoe"]
    assert "“Bent” was left out" in part("core.session").SESSION.warning
    assert bent.animation_data is None
    for thing in (character, other):
        thing.select_set(False)
    with pytest.raises(RuntimeError, match="unevenly"):
        bpy.ops.pirouette.retarget(on="SELECTED")


def test_the_report_of_several_tells_the_worst_of_every_figure(character: bpy.types.Object) -> None:
    made = part("operators.retarget")
    names = {*made.WORST, "seconds", "frames"}
    reports = [{"character": "A", **dict.fromkeys(names, 1.0)}, {"character": "B", **dict.fromkeys(names, 2.0)}]
    made.keep_report(bpy.context.scene, reports)
    told = json.loads(bpy.context.scene.pirouette.retarget_report)
    assert {told[name] for name in made.WORST} == {2.0}
    assert (told["character"], told["seconds"]) == ("A", 3.0)
    bpy.ops.pirouette.retarget()
    report = json.loads(bpy.context.scene.pirouette.retarget_report)
    assert set(made.WORST) <= set(report["characters"][0])


def test_what_went_wrong_stands_below_the_button_until_it_goes_right(character: bpy.types.Object) -> None:
    character.scale = (1.0, 1.0, 2.0)
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError):
        bpy.ops.pirouette.retarget()
    assert "cannot take the dance" in drawn("character_panel", "PIROUETTE_PT_character")
    character.scale = (1.0, 1.0, 1.0)
    bpy.context.view_layer.update()
    bpy.ops.pirouette.retarget()
    assert "cannot take the dance" not in drawn("character_panel", "PIROUETTE_PT_character")


def test_while_a_character_is_at_work_its_panel_has_a_bar_and_cancel(character: bpy.types.Object) -> None:
    assert "pirouette.cancel" not in drawn("character_panel", "PIROUETTE_PT_character")
    part("core.session").SESSION.begin("character")
    shown = drawn("character_panel", "PIROUETTE_PT_character")
    assert "progress Working it out" in shown
    assert "operator pirouette.cancel" in shown


def test_the_pose_that_counts_as_rest_is_the_animators_and_not_the_previews(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.pose_as_rest()
    own = character.pirouette_character.reference
    bpy.ops.pirouette.preview_retarget()
    bpy.ops.pirouette.pose_as_rest()
    assert part("scene.character_preview").active() is None
    assert character.pirouette_character.reference == own


def test_a_character_that_is_linked_from_another_file_is_told_and_left_alone(
    scene: bpy.types.Scene, tmp_path: Path
) -> None:
    hero = character_of("Hero")
    bpy.data.libraries.write(str(tmp_path / "hero.blend"), {hero})
    bpy.data.objects.remove(hero)
    with bpy.data.libraries.load(str(tmp_path / "hero.blend"), link=True) as (_, wanted):
        wanted.objects = ["Hero"]
    scene.collection.objects.link(wanted.objects[0])
    scene.pirouette.character = wanted.objects[0]
    with pytest.raises(RuntimeError, match=r"linked from another file\. Make a library override"):
        bpy.ops.pirouette.map_bones()
    assert not wanted.objects[0].pirouette_character.rows
