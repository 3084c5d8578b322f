"""A character that is linked from another file and overridden in this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.characters.armatures import armature_of
from tests.core.made_up_rigs import JOINT, Build, made_up_rig

MADE = made_up_rig(Build(root=True, fingers=0), np.random.default_rng(1))
BONE = {joint: bones[0] for joint, bones in MADE.bones.items()}


def written(path: Path, *, mapped: bool) -> Path:
    """A file with a character in a collection, whose bones are known or not."""
    character = armature_of(MADE.rig, "Hero")
    if mapped:
        bpy.context.scene.pirouette.character = character
        bpy.ops.pirouette.map_bones()
    collection = bpy.data.collections.new("Cast")
    collection.objects.link(character)
    bpy.data.libraries.write(str(path), {collection})
    bpy.data.objects.remove(character)
    bpy.data.collections.remove(collection)
    return path


def linked(path: Path) -> bpy.types.Object:
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Cast"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    found = wanted.collections[0].objects[0]
    bpy.context.scene.pirouette.character = found
    return found


def overridden(path: Path) -> bpy.types.Object:
    linked(path).override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    return override()


def override() -> bpy.types.Object:
    return next(thing for thing in bpy.data.objects if thing.name == "Hero" and thing.override_library is not None)


def heads(character: bpy.types.Object) -> np.ndarray:
    found = []
    for frame in (5, 40, 90):
        bpy.context.scene.frame_set(frame)
        found.append([character.matrix_world @ bone.head for bone in character.pose.bones])
    return np.array(found)


def test_a_linked_character_says_what_to_do(dance: Callable[..., bpy.types.Object], tmp_path: Path) -> None:
    dance()
    linked(written(tmp_path / "cast.blend", mapped=False))
    with pytest.raises(RuntimeError, match="library override"):
        bpy.ops.pirouette.retarget()


@pytest.mark.parametrize("mapped", [False, True])
def test_a_library_override_dances(dance: Callable[..., bpy.types.Object], tmp_path: Path, mapped: bool) -> None:
    dance()
    character = overridden(written(tmp_path / "cast.blend", mapped=mapped))
    bpy.context.scene.pirouette.character = character
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    assert np.ptp(heads(character), axis=0).max() > 0.05


def test_what_is_known_of_an_override_is_kept_in_its_file(
    dance: Callable[..., bpy.types.Object], tmp_path: Path
) -> None:
    dance()
    character = overridden(written(tmp_path / "cast.blend", mapped=True))
    bpy.context.scene.pirouette.character = character
    kept = character.pirouette_character
    kept.rows[JOINT["Neck"]].bone = ""
    kept.rows[JOINT["Head"]].bone, kept.feet, kept.follows = BONE[JOINT["Neck"]], "OFF", False
    bpy.ops.pirouette.retarget()
    before = heads(character)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    kept = override().pirouette_character
    assert (kept.rows[JOINT["Head"]].bone, kept.feet, kept.follows) == (BONE[JOINT["Neck"]], "OFF", False)
    assert kept.dancer is not None
    np.testing.assert_allclose(heads(override()), before, atol=1e-5)
