"""A character is exported, opened again in a new file, and has to be where it was, when it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import numpy as np
import pytest

from blender_addon.core.errors import PirouetteError
from blender_addon.core.glb import animation_span_s
from blender_addon.scene import exporting
from tests.addon.exported_characters import FRAMES, dancing, opened, seen
from tests.characters import stage
from tests.core.made_up_characters import placed, turn

RATES = {"24": (24, 1.0), "30": (30, 1.0), "23.976": (24, 1.001)}
FORMATS = ("FBX", "GLTF", "BVH")
FIRST = 11
LAST = FIRST + FRAMES - 1

CHARACTERS = {
    "plain": {},
    "hundredth_lying": {"unit": 100.0, "world": placed(0.01, turn((1, 0, 0), 90))},
    "turned_away": {"world": np.block([[turn((0, 0, 1), 70), np.ones((3, 1))], [np.zeros((1, 3)), 1.0]])},
    "long_spine_and_twists": {"spine_bones": 6, "twist_bones": True, "arms_down_deg": 60.0},
}


@pytest.fixture
def scene() -> Iterator[bpy.types.Scene]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    yield bpy.context.scene
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def written(armature: bpy.types.Object, kind: str, folder: Path) -> Path:
    path = folder / f"hero{exporting.EXTENSIONS[kind]}"
    done = exporting.export(bpy.context, armature, kind=kind, path=path)
    assert (done.first, done.last) == (FIRST, LAST)
    return path


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("character", ["plain", "hundredth_lying"])
def test_joints_come_back_within_a_millimetre_and_in_time(
    scene: bpy.types.Scene, tmp_path: Path, kind: str, rate: str, character: str
) -> None:
    fps, base = RATES[rate]
    armature, _ = dancing(scene, first_frame=FIRST, fps=(fps, base), **CHARACTERS[character])
    seconds = np.arange(FRAMES) * base / fps
    wanted = seen(scene, armature, np.arange(FIRST, LAST + 1))
    path = written(armature, kind, tmp_path)
    found = opened(path, seconds, fps=fps)
    assert set(wanted.names) <= set(found.names)
    away_m = np.linalg.norm(found.of(wanted.names) - wanted.places, axis=-1)
    assert away_m.max() < 0.001
    assert found.lasts_s == pytest.approx(seconds[-1], abs=0.02 * base / fps)
    late = opened(path, seconds + 0.5 * base / fps, fps=fps)  # else half a frame would make no difference
    assert np.linalg.norm(late.of(wanted.names) - wanted.places, axis=-1).max() > 0.005


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("character", ["turned_away", "long_spine_and_twists"])
def test_characters_of_other_builds_come_back_as_well(
    scene: bpy.types.Scene, tmp_path: Path, kind: str, character: str
) -> None:
    armature, _ = dancing(scene, first_frame=FIRST, **CHARACTERS[character])
    wanted = seen(scene, armature, np.arange(FIRST, LAST + 1))
    found = opened(written(armature, kind, tmp_path), np.arange(FRAMES) / 30.0, fps=30)
    assert np.linalg.norm(found.of(wanted.names) - wanted.places, axis=-1).max() < 0.001


@pytest.mark.parametrize("kind", ["FBX", "GLTF"])
def test_the_mesh_is_carried_along(scene: bpy.types.Scene, tmp_path: Path, kind: str) -> None:
    armature, _ = dancing(scene, first_frame=FIRST)
    scene.frame_set(FIRST + 20)
    wanted = corners(scene)
    opened(written(armature, kind, tmp_path), np.array([20 / 30.0]), fps=30)
    found = corners(bpy.context.scene)
    nearest = np.linalg.norm(found[None] - wanted[:, None], axis=-1).min(axis=1)  # exporters order corners anew
    assert nearest.max() < 0.001


def corners(scene: bpy.types.Scene) -> np.ndarray:
    """The skin's corners (N, 3) in the world, as it is bent."""
    graph = bpy.context.evaluated_depsgraph_get()
    skin = next(t for t in scene.objects if t.type == "MESH" and t.find_armature() is not None)
    bent = skin.evaluated_get(graph)
    return np.array([bent.matrix_world @ corner.co for corner in bent.data.vertices])


def test_only_the_character_and_what_it_moves_is_in_the_file(scene: bpy.types.Scene, tmp_path: Path) -> None:
    armature, _ = dancing(scene, first_frame=FIRST)
    hat = bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat"))
    hat.data.from_pydata([(0, 0, 0), (0, 0, 1), (1, 0, 0)], [], [(0, 1, 2)])
    chair = bpy.data.objects.new("Chair", hat.data.copy())
    for thing in (hat, chair):
        scene.collection.objects.link(thing)
    hat.parent, hat.parent_type, hat.parent_bone = armature, "BONE", "b15"
    bpy.data.actions.new("Something else").use_fake_user = True
    path = written(armature, "GLTF", tmp_path)
    opened(path, np.zeros(1), fps=30)
    names = {thing.name for thing in bpy.context.scene.objects}
    assert {"Hero", "Skin", "Hat"} <= names
    assert "Chair" not in names
    assert len(bpy.data.actions) == 1


def state(scene: bpy.types.Scene) -> dict[str, Any]:
    """All that an export touches."""
    layer = bpy.context.view_layer
    return {
        "frame": (scene.frame_current, scene.frame_subframe, scene.frame_start, scene.frame_end),
        "rate": (scene.render.fps, scene.render.fps_base),
        "selected": sorted(thing.name for thing in layer.objects if thing.select_get()),
        "active": layer.objects.active.name,
        "modes": {thing.name: thing.mode for thing in scene.objects},
        "hidden": {t.name: (t.hide_get(), t.hide_viewport, t.hide_select) for t in scene.objects},
        "tracks": [(t.name, t.mute, t.is_solo) for t in bpy.data.objects["Hero"].animation_data.nla_tracks],
        "action": bpy.data.objects["Hero"].animation_data.action,
        "pose": [tuple(v for row in b.matrix for v in row) for b in bpy.data.objects["Hero"].pose.bones],
        "data": sorted(x.name for kind in (bpy.data.objects, bpy.data.actions, bpy.data.meshes) for x in kind),
    }


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("fails", [False, True])
def test_the_scene_is_as_it_was(
    scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, fails: bool
) -> None:
    armature, _ = dancing(scene, first_frame=FIRST, fps=(24, 1.001))
    other = bpy.data.objects.new("Other", None)
    scene.collection.objects.link(other)
    other.select_set(True)
    skin = bpy.data.objects["Skin"]
    skin.hide_set(True)
    skin.hide_select = True
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="POSE")
    scene.frame_start, scene.frame_end = 3, 700
    scene.frame_set(20, subframe=0.25)
    before = state(scene)
    if fails:
        with pytest.raises(PirouetteError, match="was not written") as caught:
            exporting.export(bpy.context, armature, kind=kind, path=unwritable(tmp_path, kind))
        assert caught.value.code == "missing_file"
    else:
        written(armature, kind, tmp_path)
    assert state(scene) == before


def unwritable(folder: Path, kind: str) -> Path:
    """A file's name that is a folder's."""
    path = folder / f"hero{exporting.EXTENSIONS[kind]}"
    path.mkdir()
    return path


def test_a_switched_off_exporter_and_a_missing_folder_are_told(scene: bpy.types.Scene, tmp_path: Path) -> None:
    armature, _ = dancing(scene, first_frame=FIRST)
    addon_utils.disable("io_scene_fbx")
    try:
        with pytest.raises(PirouetteError, match="switched off") as caught:
            exporting.export(bpy.context, armature, kind="FBX", path=tmp_path / "hero.fbx")
        assert caught.value.code == "no_exporter"
    finally:
        addon_utils.enable("io_scene_fbx", default_set=True)
    with pytest.raises(PirouetteError, match="no folder"):
        exporting.export(bpy.context, armature, kind="BVH", path=tmp_path / "nowhere" / "hero.bvh")


def test_the_frames_are_the_dances_where_it_is_on_a_track(scene: bpy.types.Scene) -> None:
    armature, _ = dancing(scene, first_frame=FIRST)
    assert exporting.dance_frames(scene, armature) == (FIRST, LAST)
    action = armature.animation_data.action
    track = armature.animation_data.nla_tracks.new()
    track.strips.new("Dance", 101, action)
    other = armature.animation_data.nla_tracks.new()
    other.strips.new("Idle", 500, action)
    armature.animation_data.action = None
    assert exporting.dance_frames(scene, armature) == (101, 500 + FRAMES - 1)
    action["pirouette_character_take"] = 1
    other.mute = True
    assert exporting.dance_frames(scene, armature) == (101, 101 + FRAMES - 1)
    armature.animation_data_clear()
    assert exporting.dance_frames(scene, armature) == (scene.frame_start, scene.frame_end)


@pytest.mark.parametrize("kind", FORMATS)
def test_of_a_control_rig_the_bones_that_move_the_mesh_are_written(
    scene: bpy.types.Scene, tmp_path: Path, kind: str
) -> None:
    scene.render.fps = 30
    rig = stage.rigify("rigify basic")
    for bone in rig.pose.bones:
        if "IK_FK" in bone:
            bone["IK_FK"] = 1.0
    swing(rig, ("torso", "upper_arm_fk.L", "forearm_fk.L", "thigh_fk.R", "shin_fk.R", "head"))
    wanted = seen(scene, rig, np.arange(FIRST, LAST + 1))
    deform = tuple(bone.name for bone in rig.data.bones if bone.use_deform)
    path = tmp_path / f"rig{exporting.EXTENSIONS[kind]}"
    assert exporting.export(bpy.context, rig, kind=kind, path=path).warning == ""
    found = opened(path, np.arange(FRAMES) / 30.0, fps=30)
    assert np.linalg.norm(found.of(deform) - wanted.of(deform), axis=-1).max() < 0.001
    assert len(found.names) < len(wanted.names) / 2


def test_stretched_bones_are_told(scene: bpy.types.Scene, tmp_path: Path) -> None:
    scene.render.fps = 30
    rig = stage.rigify("rigify basic")
    rig.pose.bones["foot_ik.L"].location = (0.0, 0.0, 0.4)
    rig.pose.bones["torso"].location = (0.0, 0.0, 0.5)
    swing(rig, ("head",))
    done = exporting.export(bpy.context, rig, kind="FBX", path=tmp_path / "rig.fbx")
    assert "is stretched by up to" in done.warning
    assert exporting.export(bpy.context, rig, kind="BVH", path=tmp_path / "rig.bvh").warning == ""


def swing(rig: bpy.types.Object, names: tuple[str, ...]) -> None:
    """Keys that let these controls turn to and fro."""
    for number, name in enumerate(names):
        bone = rig.pose.bones[name]
        bone.rotation_mode = "XYZ"
        for frame in range(FIRST, LAST + 1):
            bone.rotation_euler = 0.4 * np.sin(frame / 6 + number + np.arange(3))
            bone.keyframe_insert("rotation_euler", frame=frame)


def test_a_gltf_clip_begins_at_0_and_lasts_as_long_as_the_dance(scene: bpy.types.Scene, tmp_path: Path) -> None:
    for fps, base in RATES.values():
        armature, _ = dancing(scene, first_frame=FIRST, fps=(fps, base))
        start_s, end_s = animation_span_s(written(armature, "GLTF", tmp_path))
        assert start_s == 0.0
        assert end_s == pytest.approx((FRAMES - 1) * base / fps, abs=1e-4)
        bpy.data.objects.remove(armature)
