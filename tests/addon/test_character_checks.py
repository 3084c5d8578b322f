"""What an animator sees and says of a character: the preview, the stick figure, which foot stands when."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np
import pytest
from mathutils import Vector

from tests.addon.drawing import drawn
from tests.addon.installed import part
from tests.characters import stage

Dance = Callable[..., bpy.types.Object]
FOOT = (0, 2)  # the left ankle and ball


@pytest.fixture
def character(character: bpy.types.Object) -> bpy.types.Object:
    """A dance of frames 1 to 240 at 24 frames a second, and a character whose bones are known."""
    assert bpy.ops.pirouette.map_bones() == {"FINISHED"}
    return character


def heads(character: bpy.types.Object, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    return np.array([character.matrix_world @ bone.head for bone in character.pose.bones])


def contacts(character: bpy.types.Object) -> np.ndarray:
    """Where the feet stand for the retargeting: (F, 4)."""
    there = part("scene.contacts").standing_of(bpy.context, character)
    edits = part("scene.contacts").edits_of(character)
    return part("core.contact_edits").with_edits(there.contacts, edits, there.times_s)


def test_the_preview_shows_what_retarget_writes_and_writes_nothing(character: bpy.types.Object) -> None:
    frames, actions = (1, 30, 121, 240), len(bpy.data.actions)
    character.pose.bones["root"].location = (0.3, 0.0, 0.0)
    bone = character.pose.bones["b16"]
    bone.rotation_quaternion = (0.9, 0.1, 0.2, 0.3)
    assert bpy.ops.pirouette.preview_retarget() == {"FINISHED"}
    seen = [heads(character, frame) for frame in frames]
    assert len(bpy.data.actions) == actions
    assert character.animation_data is None
    assert bpy.ops.pirouette.stop_preview_retarget() == {"FINISHED"}
    np.testing.assert_allclose(bone.rotation_quaternion, (0.9, 0.1, 0.2, 0.3), atol=1e-6)
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    for frame, shown in zip(frames, seen, strict=True):
        np.testing.assert_allclose(heads(character, frame), shown, atol=1e-4)


def test_a_control_rig_is_shown_by_the_bones_behind_its_controls_and_its_switches_are_put_back(dance: Dance) -> None:
    if not stage.has_rigify():
        pytest.skip("this Blender was built without Rigify")
    dance()
    character = stage.rigify("rigify basic")
    bpy.context.scene.pirouette.character = character
    switches = character.pose.bones["thigh_parent.L"]
    switches["IK_FK"] = 0.25
    frames = (1, 60, 200)
    assert bpy.ops.pirouette.preview_retarget() == {"FINISHED"}
    seen = [heads(character, frame) for frame in frames]
    assert switches["IK_FK"] == 1.0
    bpy.ops.pirouette.stop_preview_retarget()
    assert switches["IK_FK"] == 0.25
    bpy.ops.pirouette.retarget()
    shown = [bone.name.startswith("DEF-") for bone in character.pose.bones]
    for frame, was in zip(frames, seen, strict=True):
        np.testing.assert_allclose(heads(character, frame)[shown], was[shown], atol=2e-4)
    character.pirouette_character.rigify_ik = True
    bpy.ops.pirouette.retarget()
    bpy.context.scene.frame_set(60)
    thigh, shin = (character.pose.bones[f"ORG-{name}.L"].head for name in ("thigh", "shin"))
    lines = part("panels.character_overlay").figure_lines(character)["left"]
    assert any((start - thigh).length + (end - shin).length < 1e-4 for start, end in lines)


def test_there_is_nothing_to_stop_without_a_preview(character: bpy.types.Object) -> None:
    assert not bpy.ops.pirouette.stop_preview_retarget.poll()
    assert bpy.ops.pirouette.preview_retarget.poll()
    bpy.context.scene.pirouette.character = None
    assert not bpy.ops.pirouette.preview_retarget.poll()


def test_the_stick_figure_has_every_limb_on_its_side(character: bpy.types.Object) -> None:
    lines = part("panels.character_overlay").figure_lines(character)
    assert (len(lines["left"]), len(lines["right"])) == (10, 10)
    assert all(max(start.x, end.x) > 0.0 for start, end in lines["left"])
    assert all(min(start.x, end.x) < 0.0 for start, end in lines["right"])
    assert lines["middle"]
    assert not part("panels.character_overlay").missing_in_words(character)
    knee, ankle = (character.data.bones[name].head_local for name in ("b4", "b7"))
    assert any((start - knee).length + (end - ankle).length < 1e-5 for start, end in lines["left"])


def test_doubtful_and_missing_bones_are_told(character: bpy.types.Object) -> None:
    overlay, rows = part("panels.character_overlay"), character.pirouette_character.rows
    for row in rows:
        row.confidence = 0.9
    assert not overlay.figure_lines(character)["doubtful"]
    rows[18].confidence = 0.4
    rows[10].bone = ""
    lines = overlay.figure_lines(character)
    assert len(lines["doubtful"]) == 3
    centre = sum((start + end for start, end in lines["doubtful"]), Vector()) / 6.0
    assert (centre - character.pose.bones["b18"].head).length < 1e-5
    assert overlay.missing_in_words(character) == "No bone for L Foot"


def test_the_stick_figure_follows_the_pose_and_shows_the_selected_row(character: bpy.types.Object) -> None:
    overlay = part("panels.character_overlay")
    character.pirouette_character.active_row = 18
    before = overlay.figure_lines(character)
    bone = character.pose.bones["b16"]
    bone.rotation_mode, bone.rotation_euler = "XYZ", (1.0, 0.0, 0.5)
    bpy.context.view_layer.update()
    after = overlay.figure_lines(character)
    assert len(before["chosen"]) == len(after["chosen"]) == 1
    assert (before["chosen"][0][1] - after["chosen"][0][1]).length > 0.05


def test_a_foot_is_planted_through_the_preview_range(character: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 51, 80
    before = contacts(character)
    assert bpy.ops.pirouette.plant_foot(foot="LEFT") == {"FINISHED"}
    after = contacts(character)
    assert after[50:80][:, FOOT].all()
    after[50:80, 0], after[50:80, 2] = before[50:80, 0], before[50:80, 2]
    np.testing.assert_array_equal(after, before)


def test_a_foot_is_freed_for_the_step_that_the_playhead_is_in(character: bpy.types.Object) -> None:
    scene = bpy.context.scene
    bpy.ops.pirouette.clear_contact_edits()
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 1, 240
    bpy.ops.pirouette.free_foot(foot="RIGHT")
    scene.frame_preview_start, scene.frame_preview_end = 100, 130
    bpy.ops.pirouette.plant_foot(foot="RIGHT")
    scene.use_preview_range = False
    scene.frame_set(110)
    assert bpy.ops.pirouette.free_foot(foot="RIGHT") == {"FINISHED"}
    assert not contacts(character)[:, [1, 3]].any()
    assert len(character.pirouette_character.contact_edits) == 1


def test_a_moment_around_the_playhead_and_one_edit_forgotten(character: bpy.types.Object) -> None:
    scene = bpy.context.scene
    before = contacts(character)
    for frame in (60, 180):
        scene.frame_set(frame)
        bpy.ops.pirouette.plant_foot(foot="LEFT", around_s=0.5)
    assert contacts(character)[53:66][:, FOOT].all()
    there = part("scene.contacts").standing_of(bpy.context, character)
    edit = part("scene.contacts").edits_of(character)[0]
    assert there.frames_of(edit.start_s, edit.end_s) == (54, 66)
    bpy.ops.pirouette.clear_contact_edits(edit=1)
    assert len(character.pirouette_character.contact_edits) == 1
    with pytest.raises(RuntimeError, match="only 1"):
        bpy.ops.pirouette.clear_contact_edits(edit=2)
    bpy.ops.pirouette.clear_contact_edits()
    np.testing.assert_array_equal(contacts(character), before)


def test_frames_outside_of_the_dance_are_refused(character: bpy.types.Object) -> None:
    bpy.context.scene.frame_set(900)
    with pytest.raises(RuntimeError, match="not at these frames"):
        bpy.ops.pirouette.plant_foot(foot="LEFT")


def test_a_planted_foot_stands_on_the_character(character: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 1, 240
    bpy.ops.pirouette.free_foot(foot="LEFT")
    bpy.ops.pirouette.retarget()
    free = ball_steps(character, range(1, 241))
    ways = np.convolve(free, np.ones(3), mode="valid")
    first = int(np.argmin(np.where(ways > 0.02, ways, np.inf))) + 1  # a moment in which the foot goes a little
    scene.frame_preview_start, scene.frame_preview_end = first, first + 3
    bpy.ops.pirouette.plant_foot(foot="LEFT")
    bpy.ops.pirouette.retarget()
    assert ball_steps(character, range(first, first + 4)).sum() < 0.1 * ways[first - 1]


def ball_steps(character: bpy.types.Object, frames: range) -> np.ndarray:
    """How far the left ball goes over the floor from each frame to the next."""
    path = np.array([heads(character, frame)[character.pose.bones.find("b10")] for frame in frames])
    return np.linalg.norm(np.diff(path[:, :2], axis=0), axis=-1)


def test_the_spans_near_the_playhead_are_told(character: bpy.types.Object) -> None:
    scene, panel = bpy.context.scene, part("panels.contacts_panel")
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 1, 240
    for foot in ("LEFT", "RIGHT"):
        bpy.ops.pirouette.free_foot(foot=foot)
    scene.frame_preview_start, scene.frame_preview_end = 100, 110
    bpy.ops.pirouette.plant_foot(foot="LEFT")
    scene.frame_set(115)
    there = part("scene.contacts").standing_of(bpy.context, character)
    told = panel.near_in_words(bpy.context, character, there)
    assert told == ["Left stands 100 – 110", "Right stands nowhere near here"]


def test_the_panel_of_the_feet_draws_with_its_buttons_and_edits(character: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 51, 80
    bpy.ops.pirouette.plant_foot(foot="LEFT")
    shown = drawn("contacts_panel", "PIROUETTE_PT_contacts")
    buttons = ("pirouette.plant_foot", "pirouette.free_foot", "pirouette.clear_contact_edits")
    for words in (*buttons, "Left stands 51 – 80"):
        assert words in shown
    character.pirouette_character.feet = "OFF"
    assert "Hold Feet" in drawn("contacts_panel", "PIROUETTE_PT_contacts")
