"""The dance on the animator's own character, by the operators that the buttons call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from tests.addon.installed import part
from tests.characters.armatures import character_of

Dance = Callable[..., bpy.types.Object]


def heads(character: bpy.types.Object, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    return np.array([character.matrix_world @ bone.head for bone in character.pose.bones])


def test_one_call_does_the_whole_job(character: bpy.types.Object) -> None:
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    report = json.loads(bpy.context.scene.pirouette.retarget_report)
    assert report["joints_mapped"] == 22
    assert report["character"] == "Hero"
    assert report["limb_error_deg"] < 0.5
    assert report["penetration_cm"] < 1.0
    assert len(character.animation_data.nla_tracks) == 1
    assert np.abs(heads(character, 20) - heads(character, 60)).max() > 0.02


def test_bones_are_found_and_told_with_reasons(character: bpy.types.Object) -> None:
    assert bpy.ops.pirouette.map_bones() == {"FINISHED"}
    rows = character.pirouette_character.rows
    assert [row.joint for row in rows] == list(range(24))
    assert all(row.bone and row.reason and row.confidence > 0.3 for row in rows[:22])


def test_a_second_time_writes_over_the_first(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.retarget()
    actions = {action.name for action in bpy.data.actions}
    character.pirouette_character.feet = "OFF"
    bpy.ops.pirouette.retarget()
    assert {action.name for action in bpy.data.actions} == actions
    assert len(character.animation_data.nla_tracks) == 1


def test_keys_made_by_hand_on_the_character_are_kept_on_their_track(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.retarget()
    take = next(part("scene.character_take").character_takes(character))
    curve = part("scene.action_curves").curve_owner(take.action).fcurves[0]
    curve.keyframe_points[5].co.y += 0.3
    kept = curve.keyframe_points[5].co.y
    bpy.ops.pirouette.retarget()
    tracks = character.animation_data.nla_tracks
    assert [track.mute for track in tracks] == [True, False]
    old = part("scene.action_curves").curve_owner(tracks[0].strips[0].action).fcurves[0]
    assert old.keyframe_points[5].co.y == kept
    assert "by hand" in bpy.context.scene.pirouette.last_warning


def snapshot(character: bpy.types.Object) -> dict[str, Any]:
    """All of the character that a dance must leave as it is."""
    curves = part("scene.action_curves")
    found: dict[str, Any] = {}
    for action in bpy.data.actions:
        if "pirouette_take" in action or "pirouette_character_take" in action:
            continue
        for path, curve in curves.curves_by_path(curves.curve_owner(action)).items():
            keys = curves.read_keys(curve)
            found[f"{action.name} {path}"] = keys.places.tobytes() + keys.kinds.tobytes()
    animation = character.animation_data
    for driver in animation.drivers if animation else ():
        variables = [(v.name, v.targets[0].data_path) for v in driver.driver.variables]
        found[f"driver {driver.data_path}"] = (driver.driver.expression, variables)
    for bone in character.pose.bones:
        found[f"constraints {bone.name}"] = [(c.type, c.influence, c.mute) for c in bone.constraints]
        found[f"mode {bone.name}"] = bone.rotation_mode
    for bone in character.data.bones:
        found[f"rest {bone.name}"] = np.array(bone.matrix_local).tobytes()
    found["world"] = np.array(character.matrix_world).tobytes()
    return found


def with_a_life_of_its_own(character: bpy.types.Object) -> None:
    """An active Action, an NLA track, a driver and a constraint."""
    names = [bone.name for bone in character.pose.bones]
    track_action = bpy.data.actions.new("Wave")
    animation = character.animation_data_create()
    animation.action = track_action
    for frame in (1, 50):
        character.pose.bones[names[4]].rotation_euler = (0.1 * frame, 0.0, 0.0)
        character.pose.bones[names[4]].keyframe_insert("rotation_euler", frame=frame)
    slot = getattr(animation, "action_slot", None)
    track = animation.nla_tracks.new()
    strip = track.strips.new("Wave", 1, track_action)
    if slot is not None:
        strip.action_slot = slot
    animation.action = bpy.data.actions.new("Walk")
    for frame in (1, 30):
        character.pose.bones[names[0]].location = (0.0, 0.1 * frame, 0.0)
        character.pose.bones[names[0]].keyframe_insert("location", frame=frame)
        character.pose.bones["prop"].location = (0.0, 0.0, 0.01 * frame)
        character.pose.bones["prop"].keyframe_insert("location", frame=frame)
    driver = character.pose.bones["prop"].driver_add("scale", 0).driver
    driver.expression = "1.5"
    constraint = character.pose.bones["prop"].constraints.new("LIMIT_SCALE")
    constraint.influence = 0.4


def test_what_else_the_character_does_is_left_alone(character: bpy.types.Object) -> None:
    with_a_life_of_its_own(character)
    bpy.context.view_layer.update()
    before = snapshot(character)
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    assert snapshot(character) == before
    bpy.context.scene.frame_set(30)
    assert character.pose.bones["prop"].location.z == pytest.approx(0.3)  # its own animation is heard on


def test_the_dance_is_the_same_whatever_else_moves_the_bones_and_begins_where_the_root_is(
    character: bpy.types.Object,
) -> None:
    bpy.ops.pirouette.retarget()
    alone = heads(character, 40)
    other = character_of("Busy")
    with_a_life_of_its_own(other)
    bpy.context.scene.pirouette.character = other
    bpy.ops.pirouette.retarget()
    names = [bone.name for bone in character.pose.bones]
    busy = heads(other, 40)
    body = [index for index, name in enumerate(names) if name != "prop"]
    root = names.index("root")  # it stays where the walk had brought it when the dance was put on
    assert np.linalg.norm(busy[root]) > 1.0
    np.testing.assert_allclose(busy[body] - busy[root], alone[body] - alone[root], atol=1e-4)


def test_undo_takes_all_of_it_back(character: bpy.types.Object) -> None:
    with_a_life_of_its_own(character)
    bpy.ops.ed.undo_push(message="before")
    before, actions = snapshot(character), set(bpy.data.actions.keys())
    assert bpy.ops.pirouette.retarget("EXEC_DEFAULT", True) == {"FINISHED"}
    assert set(bpy.data.actions.keys()) != actions
    bpy.ops.ed.undo()
    character = bpy.data.objects["Hero"]
    assert snapshot(character) == before
    assert set(bpy.data.actions.keys()) == actions
    assert character.animation_data.action.name == "Walk"
    assert len(character.animation_data.nla_tracks) == 1
    assert not character.pirouette_character.rows


def test_a_character_follows_when_a_section_changes(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.retarget()
    take = next(part("scene.character_take").character_takes(character))
    before = part("scene.character_take")._checksum(take.action)
    assert bpy.ops.pirouette.section_regenerate() == {"FINISHED"}
    take = next(part("scene.character_take").character_takes(character))
    after = part("scene.character_take")._checksum(take.action)
    assert after != before
    assert len(character.animation_data.nla_tracks) == 1
    character.pirouette_character.follows = False
    assert bpy.ops.pirouette.section_regenerate() == {"FINISHED"}
    take = next(part("scene.character_take").character_takes(character))
    assert part("scene.character_take")._checksum(take.action) == after


def test_a_character_shows_the_take_that_the_dancer_shows(character: bpy.types.Object, dance: Dance) -> None:
    bpy.ops.pirouette.retarget()
    dance(seed=5)
    tracks = {track.name: track for track in character.animation_data.nla_tracks}
    assert [track.mute for track in tracks.values()] == [True, False]  # the new take has been followed
    bpy.ops.pirouette.show_take(take=1)
    assert [track.mute for track in character.animation_data.nla_tracks] == [False, True]


def test_a_character_that_cannot_follow_is_told_and_the_dance_is_kept(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.retarget()
    character.pirouette_character.rows[4].bone = "no such bone"
    assert bpy.ops.pirouette.section_regenerate() == {"FINISHED"}
    assert "“Hero” has not followed" in bpy.context.scene.pirouette.last_warning


def test_a_character_in_edit_mode_or_without_a_dance_is_refused_in_words(
    character: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    dancer = bpy.context.view_layer.objects.active
    bpy.context.view_layer.objects.active = character
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Edit Mode"):
        bpy.ops.pirouette.retarget()
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.data.objects.remove(dancer)
    with pytest.raises(RuntimeError, match="no dance"):
        bpy.ops.pirouette.retarget()


def test_several_characters_get_the_dance_at_once(character: bpy.types.Object) -> None:
    others = [
        character_of("Ann", unit=100.0, world=0.01 * np.diag([1, 1, 1, 100.0])),
        character_of("Ben", spine_bones=5),
    ]
    for thing in (character, *others):
        thing.select_set(True)
    assert bpy.ops.pirouette.retarget(on="SELECTED") == {"FINISHED"}
    report = json.loads(bpy.context.scene.pirouette.retarget_report)
    assert [one["character"] for one in report["characters"]] == ["Ann", "Ben", "Hero"]
    assert all(one["joints_mapped"] == 22 and one["limb_error_deg"] < 0.5 for one in report["characters"])
    for thing in (character, *others):
        assert len(thing.animation_data.nla_tracks) == 1


def test_uneven_scale_is_refused_and_nothing_is_written(character: bpy.types.Object) -> None:
    character.scale = (1.0, 1.0, 2.0)
    bpy.context.view_layer.update()
    actions = set(bpy.data.actions.keys())
    with pytest.raises(RuntimeError, match=r"unevenly.*\. Apply its scale, or make it even\.$"):
        bpy.ops.pirouette.retarget()
    assert set(bpy.data.actions.keys()) == actions
    assert character.animation_data is None or not character.animation_data.nla_tracks


def test_a_table_is_saved_and_loaded_on_a_character_with_the_same_bones(
    character: bpy.types.Object, tmp_path: Any
) -> None:
    bpy.ops.pirouette.map_bones()
    wrist = character.pirouette_character.rows[20]
    wrist.bone = "prop"
    bpy.ops.pirouette.save_bone_map(filepath=str(tmp_path / "mine.json"), title="Mine")
    other = character_of("Twin")
    bpy.context.scene.pirouette.character = other
    assert bpy.ops.pirouette.load_bone_map(filepath=str(tmp_path / "mine.json")) == {"FINISHED"}
    assert [row.bone for row in other.pirouette_character.rows] == [
        row.bone for row in character.pirouette_character.rows
    ]
    assert other.pirouette_character.source == "Mine"


def test_a_preset_of_another_rig_is_refused(character: bpy.types.Object, tmp_path: Any) -> None:
    text = {"format": 1, "name": "Other", "bones": {"Pelvis": "nix", "Head": "nox"}}
    (tmp_path / "other.json").write_text(json.dumps(text))
    bpy.ops.pirouette.map_bones()
    before = [row.bone for row in character.pirouette_character.rows]
    with pytest.raises(RuntimeError, match="no bone “nix”"):
        bpy.ops.pirouette.load_bone_map(filepath=str(tmp_path / "other.json"))
    assert [row.bone for row in character.pirouette_character.rows] == before


def test_the_pose_that_counts_as_rest_can_be_set_and_cleared(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.retarget()
    straight = heads(character, 40)
    for track in character.animation_data.nla_tracks:
        track.mute = True
    bpy.context.scene.frame_set(1)
    bone = character.pose.bones[character.pirouette_character.rows[16].bone]
    for other in character.pose.bones:
        other.matrix_basis = Matrix.Identity(4)
    bone.rotation_mode = "QUATERNION"
    bone.rotation_quaternion = (0.9, 0.1, 0.4, 0.1)
    bpy.context.view_layer.update()
    bpy.ops.pirouette.pose_as_rest()
    bpy.ops.pirouette.retarget()
    character.animation_data.nla_tracks[-1].mute = False
    np.testing.assert_allclose(heads(character, 40), straight, atol=2e-3)
    bpy.ops.pirouette.pose_as_rest(clear=True)
    assert character.pirouette_character.reference == ""


def test_fewer_keys_stay_within_their_limit(character: bpy.types.Object) -> None:
    bpy.ops.pirouette.retarget()
    every = json.loads(bpy.context.scene.pirouette.retarget_report)
    frames = range(1, 240, 7)
    wanted = np.array([heads(character, frame) for frame in frames])
    character.pirouette_character.simplify = True
    character.pirouette_character.error_cm = 0.5
    bpy.ops.pirouette.retarget()
    few = json.loads(bpy.context.scene.pirouette.retarget_report)
    assert few["keys"] < 0.6 * every["keys"]
    assert 0.0 < few["fewer_keys_error_cm"] <= 0.5
    shown = np.array([heads(character, frame) for frame in frames])
    assert np.linalg.norm(shown - wanted, axis=-1).max() < 0.0052
