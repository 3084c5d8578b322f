"""Generate, from the timeline's sound to keyframes, against a stand-in for the backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.installed import add_sound, part

Dance = Callable[..., bpy.types.Object]


def takes(dancer: bpy.types.Object) -> list[tuple[str, bool]]:
    """Name and silence of each NLA track."""
    return [(track.name, track.mute) for track in dancer.animation_data.nla_tracks]


def curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if hasattr(action, "layers"):
        return list(action.layers[0].strips[0].channelbag(action.slots[0]).fcurves)
    return list(action.fcurves)


def test_a_click_makes_a_dancer_keyed_over_the_whole_range(dance: Dance) -> None:
    dancer = dance(seed=7, genre="salsa")
    assert takes(dancer) == [("Dance 001 salsa seed 7", False)]
    strip = dancer.animation_data.nla_tracks[0].strips[0]
    written = curves(strip.action)
    assert len(written) == 3 + 24 * 4
    for curve in written:
        points = np.empty(len(curve.keyframe_points) * 2)
        curve.keyframe_points.foreach_get("co", points)
        assert np.array_equal(points[::2], np.arange(1, 241))
        assert {point.interpolation for point in curve.keyframe_points} == {"LINEAR"}
    assert (strip.frame_start, strip.frame_end) == (1.0, 240.0)


def test_the_dancer_is_active_and_has_a_body(dance: Dance) -> None:
    dancer = dance()
    assert dancer.type == "ARMATURE"
    assert dancer.select_get()
    assert [child.type for child in dancer.children] == ["MESH"]
    assert bpy.context.scene.pirouette.dancer == dancer


def test_the_nla_moves_the_pose(dance: Dance, scene: bpy.types.Scene) -> None:
    dancer = dance()
    places = []
    for frame in (1, 4, 7):
        scene.frame_set(frame)
        places.append(dancer.pose.bones["Pelvis"].head.copy())
    assert (places[0] - places[1]).length + (places[1] - places[2]).length > 0.01


def test_a_second_take_goes_on_the_same_dancer_and_silences_the_first(dance: Dance) -> None:
    first = dance(seed=1)
    before = first.animation_data.nla_tracks[0].strips[0].action
    values = [tuple(point.co) for point in curves(before)[0].keyframe_points]
    second = dance(seed=2)
    assert second == first
    assert takes(first) == [("Dance 001 seed 1", True), ("Dance 002 seed 2", False)]
    assert first.animation_data.nla_tracks[0].strips[0].action == before
    assert [tuple(point.co) for point in curves(before)[0].keyframe_points] == values


def test_a_new_seed_each_time_is_drawn_and_kept(dance: Dance, scene: bpy.types.Scene) -> None:
    dancer = dance(new_seed=True, seed=5)
    name = dancer.animation_data.nla_tracks[0].name
    assert name == f"Dance 001 seed {scene.pirouette.seed}"
    assert scene.pirouette.seed != 5


def test_the_animators_own_action_is_kept_on_a_silent_track(dance: Dance) -> None:
    dancer = dance()
    own = bpy.data.actions.new("My Wave")
    dancer.animation_data.action = own
    dancer.pose.bones["L_Elbow"].keyframe_insert("rotation_quaternion", frame=5)
    dance(seed=2)
    assert dancer.animation_data.action is None
    assert takes(dancer) == [("Dance 001 seed 1", True), ("My Wave", True), ("Dance 002 seed 2", False)]
    assert len(curves(own)) == 4


def test_other_objects_keep_their_animation_and_their_place(dance: Dance, scene: bpy.types.Scene) -> None:
    prop = bpy.data.objects.new("Prop", None)
    scene.collection.objects.link(prop)
    prop.keyframe_insert("location", frame=3)
    action = prop.animation_data.action
    dance()
    assert prop.animation_data.action == action
    assert len(curves(action)) == 3
    assert not prop.select_get()


def test_a_take_is_one_undo_step(dance: Dance, scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    bpy.ops.ed.undo_push(message="the song")
    dance()
    # Blender's window pushes this step when the operator has finished; without a window nobody does.
    bpy.ops.ed.undo_push(message="Generate Dance")
    bpy.ops.ed.undo()
    assert [list(kind) for kind in (bpy.data.armatures, bpy.data.actions, bpy.data.meshes, bpy.data.objects)] == [
        []
    ] * 4
    assert len(bpy.context.scene.timeline_markers) == 0
    assert len(part("scene.strips").sound_strips(bpy.context.scene)) == 1


def test_range_sync_and_current_frame_are_left_alone(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.sync_mode, scene.frame_current = "NONE", 37
    dance()
    assert (scene.frame_start, scene.frame_end, scene.frame_current, scene.sync_mode) == (1, 240, 37, "NONE")


def test_preview_range_and_strip_are_sources(dance: Dance, scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 61, 180
    dancer = dance(source="PREVIEW")
    strip = dancer.animation_data.nla_tracks[-1].strips[0]
    assert (strip.frame_start, strip.frame_end) == (61.0, 180.0)
    dance(source="STRIP", strip="Song", seed=2)
    strip = dancer.animation_data.nla_tracks[-1].strips[0]
    assert (strip.frame_start, strip.frame_end) == (1.0, 288.0)
    assert (scene.frame_preview_start, scene.frame_preview_end, scene.use_preview_range) == (61, 180, True)


@pytest.mark.parametrize("mode", ["EDIT", "POSE"])
def test_it_works_from_any_mode(dance: Dance, scene: bpy.types.Scene, mode: str) -> None:
    other = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    scene.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    bpy.ops.object.mode_set(mode=mode)
    dancer = dance()
    assert dancer.name == "Dancer"
    assert bpy.context.mode == "OBJECT"


def test_it_works_when_the_active_collection_is_hidden(dance: Dance, scene: bpy.types.Scene) -> None:
    hidden = bpy.data.collections.new("Hidden")
    scene.collection.children.link(hidden)
    layer = bpy.context.view_layer.layer_collection.children["Hidden"]
    bpy.context.view_layer.active_layer_collection = layer
    layer.exclude = True
    dancer = dance()
    assert dancer.name in bpy.context.view_layer.objects


def test_a_moved_dancer_stays_where_it_was_put(dance: Dance) -> None:
    dancer = dance()
    dancer.location = (3.0, 0.0, 0.0)
    assert dance(seed=2).location[0] == 3.0


def test_the_report_and_settings_are_kept_with_the_take(dance: Dance) -> None:
    dancer = dance(genre="salsa", prompt="a slow turn", seed=3)
    document = part("scene.storage").load(dancer)
    assert (document.settings.genre, document.settings.text, document.settings.seed) == ("salsa", "a slow turn", 3)
    assert document.placement.frames == 240
    assert document.addon_version == "0.1.0"
