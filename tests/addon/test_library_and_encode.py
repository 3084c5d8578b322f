"""The library of movements, and animation that becomes a dance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_addon.core.skeleton import axis_angle_to_matrix
from tests.addon.installed import keyed, part, stored

Dance = Callable[..., bpy.types.Object]


def library() -> bpy.types.PropertyGroup:
    return bpy.context.window_manager.pirouette_library


def search(words: str = "", genre: str = "ANY") -> list[str]:
    library().query, library().genre = words, genre
    assert bpy.ops.pirouette.library_search() == {"FINISHED"}
    return [item.name for item in library().results]


def test_a_search_lists_what_goes_with_the_words(scene: bpy.types.Scene) -> None:
    assert search() == ["Pirouette", "Basic Step", "Body Wave"]
    assert search("turn one foot") == ["Pirouette"]
    assert search("", "salsa") == ["Basic Step"]
    assert search("nothing of the kind") == []
    item = (search("turn"), library().results[0])[1]
    assert (item.identity, item.genre, item.counts, item.licence, item.own) == ("turn", "ballet", 4, "CC0", False)


def test_the_selected_phrase_is_inserted_and_replaces(dance: Dance) -> None:
    dancer = dance()
    search("wave")
    assert bpy.ops.pirouette.section_insert(section=1, source="LIBRARY") == {"FINISHED"}
    assert [item.name for item in dancer.pirouette.sections][:3] == ["1", "Body Wave", "2"]
    search("basic")
    assert bpy.ops.pirouette.section_replace(section=1, source="LIBRARY") == {"FINISHED"}
    assert dancer.pirouette.sections[0].name == "Basic Step"
    library().results.clear()
    with pytest.raises(RuntimeError, match="No phrase is selected"):
        bpy.ops.pirouette.section_insert(section=1, source="LIBRARY")


def everything() -> dict[str, list[str]]:
    kinds = ("armatures", "actions", "meshes", "objects")
    return {kind: sorted(thing.name for thing in getattr(bpy.data, kind)) for kind in kinds}


@pytest.mark.parametrize("with_dancer", [True, False])
def test_a_preview_dances_beside_and_goes_without_a_trace(
    dance: Dance, scene: bpy.types.Scene, with_dancer: bool
) -> None:
    dancer = dance() if with_dancer else None
    before, keys = everything(), keyed(dancer) if dancer else None
    scene.frame_set(20)
    active = bpy.context.view_layer.objects.active
    search("wave")
    assert bpy.ops.pirouette.library_preview() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active == active
    figure = bpy.data.objects["Phrase Preview"]
    heights = []
    for frame in (20, 20 + 18, 20 + 71 + 18):  # a quarter of the phrase's 72 frames, and the same once more
        scene.frame_set(frame)
        heights.append(figure.pose.bones["L_Wrist"].head.z)
    assert abs(heights[0] - heights[1]) > 0.1
    assert heights[1] == pytest.approx(heights[2], abs=1e-4)
    if dancer is not None:
        assert (figure.matrix_world.translation - dancer.matrix_world.translation).length > 0.5
    search("turn")
    bpy.ops.pirouette.library_preview()  # another one takes its place
    assert len(part("scene.preview").preview_objects()) == 2
    assert bpy.ops.pirouette.library_preview_stop() == {"FINISHED"}
    assert everything() == before
    if dancer is not None:
        assert np.array_equal(keyed(dancer), keys)


def test_a_preview_is_never_saved(dance: Dance, tmp_path: Path) -> None:
    dance()
    before = everything()
    bpy.ops.pirouette.library_preview(library_id="turn")
    path = str(tmp_path / "dance.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert everything() == before


def test_an_unknown_phrase_is_told(dance: Dance) -> None:
    dance()
    before = everything()
    with pytest.raises(RuntimeError, match="no phrase “gone”"):
        bpy.ops.pirouette.library_preview(library_id="gone")
    assert everything() == before


def test_a_section_of_ones_own_is_found_again_and_inserted(dance: Dance) -> None:
    dancer = dance()
    bpy.ops.pirouette.section_regenerate(section=2, seed=12)
    wanted = stored(dancer).poses[60:120]
    assert bpy.ops.pirouette.library_add(section=2, name="My Turn", genre="salsa", description="wide") == {"FINISHED"}
    assert search("my turn") == ["My Turn"]
    assert library().results[0].own
    bpy.ops.pirouette.section_insert(section=4, source="LIBRARY")
    assert np.array_equal(stored(dancer).poses[240:300], wanted)
    with pytest.raises(RuntimeError, match="has no name"):
        bpy.ops.pirouette.library_add(section=2, name=" ")


@pytest.fixture
def animated(dance: Dance) -> bpy.types.Object:
    """A dancer with an animation of the animator's own on it: an arm that goes up, and steps to the side."""
    bpy.context.scene.render.fps = 30
    dancer = dance()
    own = bpy.data.actions.new("My Wave")
    dancer.animation_data.action = own
    arm, root = dancer.pose.bones["L_Shoulder"], dancer.pose.bones["Pelvis"]
    for frame, angle in ((31, 0.0), (61, 1.2), (121, -0.4)):
        arm.rotation_quaternion = (np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2))
        arm.keyframe_insert("rotation_quaternion", frame=frame)
        root.location = (angle, 0.0, 0.0)
        root.keyframe_insert("location", frame=frame)
    return dancer


def seen(dancer: bpy.types.Object, frames: range) -> np.ndarray:
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        found.append([tuple(bone.head) for bone in dancer.pose.bones])
    return np.array(found)


def test_animation_by_hand_becomes_a_take_that_looks_the_same_and_can_be_edited(animated: bpy.types.Object) -> None:
    scene = bpy.context.scene
    frames = range(31, 122, 9)
    before = seen(animated, frames)
    scene.frame_set(77)
    assert bpy.ops.pirouette.encode_animation(frames="ACTION") == {"FINISHED"}
    assert scene.frame_current == 77
    document = stored(animated)
    assert (document.placement.first_frame, document.placement.frames) == (31, 91)
    assert np.abs(seen(animated, frames) - before).max() < 1e-4
    assert [track.name for track in animated.animation_data.nla_tracks][-1] == "Dance 002 My Wave"
    assert animated.animation_data.action is None
    assert len(document.movement_codes) == 24
    assert document.beats.beats_s[:3].tolist() == [0.0, 0.5, 1.0]  # a second into the music that the first take knows
    assert len(document.sound) == 91
    assert bpy.ops.pirouette.section_regenerate(section=1, seed=5) == {"FINISHED"}
    assert np.abs(seen(animated, frames) - before).max() > 0.01


def test_constraints_are_read_as_they_are_seen(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.render.fps = 30
    dancer = dance()
    limit = dancer.pose.bones["R_Elbow"].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.min_x = limit.max_x = 0.9
    limit.owner_space = "LOCAL"
    scene.frame_start, scene.frame_end = 11, 60
    wanted = seen(dancer, range(11, 60, 7))
    bpy.ops.pirouette.encode_animation(frames="SCENE")
    poses = stored(dancer).poses[:, 19]
    assert np.allclose(np.trace(axis_angle_to_matrix(poses), axis1=1, axis2=2), 1 + 2 * np.cos(0.9), atol=1e-3)
    dancer.pose.bones["R_Elbow"].constraints.remove(limit)
    assert np.abs(seen(dancer, range(11, 60, 7)) - wanted).max() < 1e-4


def test_the_animators_own_animation_goes_into_the_library(animated: bpy.types.Object) -> None:
    before = everything()
    assert bpy.ops.pirouette.library_add(source="ANIMATION", name="Greeting") == {"FINISHED"}
    assert everything() == before
    assert search("greeting") == ["Greeting"]


def test_too_short_an_animation_is_told(animated: bpy.types.Object, scene: bpy.types.Scene) -> None:
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 10, 12
    with pytest.raises(RuntimeError, match="3 frames are too few"):
        bpy.ops.pirouette.encode_animation()
