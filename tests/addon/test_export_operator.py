"""The whole way: a dance, a character, an export, the file opened again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.exported_characters import opened, seen, skin_on
from tests.addon.installed import part
from tests.characters.armatures import armature_of
from tests.core.made_up_characters import made_up

FORMATS = {"FBX": ".fbx", "GLTF": ".glb", "BVH": ".bvh"}


@pytest.fixture
def hero(scene: bpy.types.Scene, dance: Callable[..., bpy.types.Object]) -> bpy.types.Object:
    """A character that has taken a dance over."""
    dancer = dance()
    rig = made_up(5).rig
    found = armature_of(rig)
    skin_on(bpy.context.scene, found, rig)
    bpy.context.scene.pirouette.character = found
    bpy.context.view_layer.objects.active = dancer
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_the_dance_on_the_character_is_what_another_program_opens(
    hero: bpy.types.Object, tmp_path: Path, kind: str
) -> None:
    scene = bpy.context.scene
    strip = hero.animation_data.nla_tracks[-1].strips[0]
    first, last = round(strip.frame_start), round(strip.frame_end)  # the file that it is in is left below
    frames = np.arange(first, last + 1)[::8]
    wanted = seen(scene, hero, frames)
    assert np.ptp(wanted.places, axis=0).max() > 0.05  # it moves
    path = tmp_path / f"hero{FORMATS[kind]}"
    assert bpy.ops.pirouette.export_character(filepath=str(path), format=kind) == {"FINISHED"}
    fps = scene.render.fps / scene.render.fps_base
    found = opened(path, (frames - frames[0]) / fps, fps=round(fps))
    assert np.linalg.norm(found.of(wanted.names) - wanted.places, axis=-1).max() < 0.002
    assert found.lasts_s == pytest.approx((last - first) / fps, abs=0.5 / fps)


def test_the_files_ending_follows_the_format(hero: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.pirouette.export_character(filepath=str(tmp_path / "hero.fbx"), format="BVH")
    bpy.ops.pirouette.export_character(filepath=str(tmp_path / "hero v1.2"), format="BVH")
    assert sorted(path.name for path in tmp_path.glob("hero*")) == ["hero v1.2.bvh", "hero.bvh"]


def test_a_folder_that_is_missing_and_a_file_without_a_name_are_told(hero: bpy.types.Object, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="There is no folder"):
        bpy.ops.pirouette.export_character(filepath=str(tmp_path / "nowhere" / "hero.fbx"), format="FBX")
    with pytest.raises(RuntimeError, match="No file was named"):
        bpy.ops.pirouette.export_character(format="FBX")


def test_each_format_has_a_hint_that_fits_the_sidebar(scene: bpy.types.Scene) -> None:
    panel = part("panels.export_panel")
    for kind in FORMATS:
        assert 20 < len(panel.export_hint(kind)) < 120
