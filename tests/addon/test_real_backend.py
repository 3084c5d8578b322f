"""The whole way once with the real backend: a song on the timeline becomes keyframes made by the trained model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.core.locations import backend_folder
from blender_addon.core.skeleton import forward_kinematics
from tests.addon.installed import MODULE, add_sound, keyed, part, stored

SONG = Path(__file__).resolve().parents[1] / "fixtures" / "songs" / "mentalgroove.opus"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("PIROUETTE_BACKEND_PYTHON" not in os.environ, reason="no Python for the backend is named"),
    pytest.mark.skipif(
        not list((backend_folder() / "weights").glob("*.safetensors")), reason="there are no trained weights"
    ),
]


@pytest.fixture
def dancer(scene: bpy.types.Scene) -> bpy.types.Object:
    """Ten seconds of dance by the trained model."""
    bpy.context.preferences.addons[MODULE].preferences.backend_command = ""
    part("operators.readiness").BACKEND_PROBLEM.forget()
    add_sound(SONG)
    scene.frame_end = 240
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def test_a_song_on_the_timeline_becomes_a_dance(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    document = part("scene.storage").load(dancer)
    assert document.duration_s == pytest.approx(10.0, abs=0.1)
    assert len(document.beats.beats_s) > 10
    assert document.model_version
    joints = forward_kinematics(document.poses, document.pelvis)
    assert joints[..., 2].min() > -0.06  # nothing in the floor
    assert 0.5 < np.median(document.pelvis[:, 2]) < 1.2  # somebody who mostly stands
    assert np.ptp(joints, axis=0).max() > 0.3  # and moves
    assert dancer.animation_data.nla_tracks[0].strips[0].frame_end == 240.0
    scene.frame_set(120)
    found = dancer.pose.bones["Head"].head.z
    assert found == pytest.approx(joints[round(119 / 24 * 30), 15, 2], abs=0.03)


def test_a_dance_is_edited_section_by_section(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    before, document = keyed(dancer), stored(dancer)
    assert len(document.movement_codes) > 0
    assert len(document.sound) >= 300
    assert bpy.ops.pirouette.section_regenerate(section=2, seed=77, prompt="a wide turn") == {"FINISHED"}
    item = dancer.pirouette.sections[1]
    changed = np.flatnonzero(np.abs(np.abs(keyed(dancer)) - np.abs(before)).max(axis=1) > 1e-5) + 1
    assert changed.min() >= item.first_frame - 3
    assert changed.max() <= item.last_frame + 3
    assert len(changed) > 0.6 * (item.last_frame - item.first_frame)
    count, frames = len(dancer.pirouette.sections), stored(dancer).placement.frames
    assert bpy.ops.pirouette.section_duplicate(section=2) == {"FINISHED"}
    assert len(dancer.pirouette.sections) == count + 1
    assert bpy.ops.pirouette.section_delete(section=3) == {"FINISHED"}
    assert len(dancer.pirouette.sections) == count
    assert abs(stored(dancer).placement.frames - frames) <= 1
    assert bpy.ops.pirouette.section_mirror(section=1) == {"FINISHED"}
    assert bpy.ops.pirouette.section_transfer(section=2, keep="MOVEMENT", from_section=1, source="SECTION") == {
        "FINISHED"
    }
    assert bpy.ops.pirouette.section_split(section=2) == {"FINISHED"}
    assert bpy.ops.pirouette.section_merge(section=2) == {"FINISHED"}
    assert bpy.ops.pirouette.section_snap(to="EIGHTS") == {"FINISHED"}
    assert len(keyed(dancer)) == stored(dancer).placement.frames


def test_a_phrase_of_the_library_is_found_seen_and_inserted(dancer: bpy.types.Object) -> None:
    library = bpy.context.window_manager.pirouette_library
    library.query = "turn"
    assert bpy.ops.pirouette.library_search() == {"FINISHED"}
    if not library.results:
        pytest.skip("there is no library")
    assert bpy.ops.pirouette.library_preview() == {"FINISHED"}
    assert bpy.ops.pirouette.library_preview_stop() == {"FINISHED"}
    count = len(dancer.pirouette.sections)
    assert bpy.ops.pirouette.section_insert(section=1, source="LIBRARY") == {"FINISHED"}
    assert len(dancer.pirouette.sections) == count + 1
    assert bpy.ops.pirouette.library_add(section=1, name="Mine") == {"FINISHED"}
    library.query = "Mine"
    assert bpy.ops.pirouette.library_search() == {"FINISHED"}
    assert any(item.own for item in library.results)


def test_any_animation_becomes_a_dance(dancer: bpy.types.Object) -> None:
    assert bpy.ops.pirouette.encode_animation(frames="SCENE") == {"FINISHED"}
    assert len(stored(dancer).movement_codes) > 0
    assert stored(dancer).placement.frames == 240


def off(dancer: bpy.types.Object, item: Any) -> tuple[float, float]:
    """How far the dance is from a lock at its frame: degrees of the worst locked joint, metres on the floor."""
    bpy.context.scene.frame_set(item.frame)
    pose, pelvis = part("scene.locks").capture(bpy.context, dancer)
    quaternions = part("core.resample").axis_angle_to_quaternion
    joints = [joint for joint, locked in enumerate(item.joints) if locked and joint > 0]
    dots = np.abs((quaternions(pose[joints]) * quaternions(np.array(item.pose)[joints])).sum(axis=-1))
    degrees = np.degrees(2 * np.arccos(np.minimum(dots, 1.0))).max(initial=0.0)
    return float(degrees), float(np.linalg.norm(pelvis[:2] - np.array(item.pelvis)[:2]))


def test_a_dance_passes_through_its_locks_follows_edited_beats_and_goes_on(
    dancer: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    for frame, options in ((80, {"part": "BODY"}), (160, {"part": "ARMS"})):
        scene.frame_set(frame)
        bpy.ops.pirouette.lock_pose(**options)
    scene.frame_set(120)
    bpy.ops.pirouette.lock_place(place="DANCER", facing="DANCER")
    place = dancer.pirouette.locks[2]
    place.pelvis = (place.pelvis[0] + 0.4, place.pelvis[1], place.pelvis[2])
    bpy.ops.pirouette.beats_shift(beats=0.5)
    bpy.ops.pirouette.beat_accent(frame=80)
    dancer.pirouette.sections[1].prompt = "a wide turn"
    scene.pirouette.seed = 21
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
    made = stored(dancer)
    assert len(made.key_poses) == 3
    assert made.accents_s
    assert "a wide turn" in {section.prompt for section in made.sections}
    for item in dancer.pirouette.locks[:2]:
        assert off(dancer, item)[0] < 1.0
    assert off(dancer, place)[1] < 0.01
    count = made.placement.frames
    assert bpy.ops.pirouette.section_regenerate(section=2, seed=3) == {"FINISHED"}
    for item in dancer.pirouette.locks[:2]:
        assert off(dancer, item)[0] < 1.0
    assert bpy.ops.pirouette.continue_dance(counts=8, novelty=0.5, seed=1) == {"FINISHED"}
    longer = stored(dancer)
    assert longer.placement.frames > count + 60
    step_m = np.linalg.norm(np.diff(longer.pelvis[:, :2], axis=0), axis=1)
    assert step_m.max() < 0.15


def test_locked_sections_are_kept_and_a_stretch_is_filled(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    first = stored(dancer)
    dancer.pirouette.sections[1].locked = True
    start, end = first.frames_of(first.sections[1])
    scene.pirouette.seed = 33
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
    made = stored(dancer)
    assert np.abs(made.poses[start:end] - first.poses[start:end]).max() < 1e-4
    assert np.abs(made.pelvis[start:end] - first.pelvis[start:end]).max() < 1e-4
    assert np.abs(made.poses[end + 30 :] - first.poses[end + 30 :]).max() > 0.1
    scene.use_preview_range = True
    dancer.pirouette.sections[1].locked = False
    scene.frame_preview_start, scene.frame_preview_end = 100, 150
    before = keyed(dancer)
    assert bpy.ops.pirouette.fill_between(frames="PREVIEW", seed=5) == {"FINISHED"}
    changed = np.flatnonzero(np.abs(np.abs(keyed(dancer)) - np.abs(before)).max(axis=1) > 1e-5) + 1
    assert 96 <= changed.min() <= changed.max() <= 154


def test_a_gap_in_somebodys_animation_is_filled(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    take = dancer.animation_data.nla_tracks[0].strips[0].action
    own = take.copy()
    for curve in part("scene.action_curves").curve_owner(own).fcurves:
        for point in reversed(curve.keyframe_points):
            if 90 < point.co[0] < 160:
                curve.keyframe_points.remove(point)
    dancer.animation_data.nla_tracks[0].mute = True
    dancer.animation_data.action = own
    scene.frame_set(120)
    ends = [stored(dancer).poses[round(frame / 24 * 30)].copy() for frame in (89, 159)]
    assert bpy.ops.pirouette.fill_between(frames="GAP", seed=4) == {"FINISHED"}
    made = stored(dancer)
    for frame, pose in zip((89, 159), ends, strict=True):
        assert np.abs(made.poses[round(frame / 24 * 30)] - pose).max() < 0.2
    step_m = np.linalg.norm(np.diff(made.pelvis[:, :2], axis=0), axis=1)
    assert step_m.max() < 0.15
