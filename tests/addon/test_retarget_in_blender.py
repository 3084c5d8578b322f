"""What the retargeting computes, against what Blender's own armatures evaluate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import bpy
import numpy as np
import pytest

from blender_addon.core.retarget import Retargeted, RetargetOptions, retarget
from blender_addon.core.rig import Rig
from blender_addon.core.rotation_modes import channel, in_mode
from blender_addon.scene.character import read_rig
from tests.characters.armatures import add_bones
from tests.core.made_up_characters import MadeUp, danced, heads_of, made_up, placed, posed_heads, turn

MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
DANCE = danced(90)
FRAMES = range(0, 90, 6)


@pytest.fixture
def armature() -> Iterator[bpy.types.Object]:
    found = bpy.data.objects.new("Character", bpy.data.armatures.new("Character"))
    bpy.context.scene.collection.objects.link(found)
    yield found
    bpy.data.armatures.remove(found.data)


def built(found: bpy.types.Object, rig: Rig) -> None:
    """The made-up character as a Blender armature, every bone in another rotation mode."""
    add_bones(found, rig)
    bpy.context.view_layer.objects.active = found
    for number, name in enumerate(rig.names):
        found.pose.bones[name].rotation_mode = MODES[number % len(MODES)]


def evaluated(found: bpy.types.Object, result: Retargeted, names: tuple[str, ...]) -> np.ndarray:
    """World positions (F, B, 3) of the bones' heads at FRAMES."""
    values = {}
    for name, rotations in zip(result.bones, result.rotations, strict=True):
        mode = found.pose.bones[name].rotation_mode
        values[name] = (channel(mode)[0], in_mode(rotations, mode))
    heads = []
    for frame in FRAMES:
        for name, (path, rows) in values.items():
            setattr(found.pose.bones[name], path, rows[frame])
        found.pose.bones[result.hips].location = result.locations[frame]
        bpy.context.view_layer.update()
        heads.append([found.matrix_world @ found.pose.bones[name].head for name in names])
    return np.array(heads)


CHARACTERS = {
    "a_pose": {},
    "hundredth_lying": {"unit": 100.0, "world": placed(0.01, turn((1, 0, 0), 90))},
    "turned_away": {"world": placed(1.0, turn((0, 0, 1), 110), (2.0, -1.0, 0.5)), "twist_bones": True},
    "long_spine": {"spine_bones": 6, "neck_bones": 2, "arms_down_deg": 60.0},
}


@pytest.mark.parametrize("name", CHARACTERS)
@pytest.mark.parametrize("feet", ["off", "auto"])
def test_blender_shows_what_was_computed_in_every_rotation_mode(
    armature: bpy.types.Object, name: str, feet: str
) -> None:
    made: MadeUp = made_up(3, **CHARACTERS[name])
    built(armature, made.rig)
    options = RetargetOptions(feet=feet)  # type: ignore[arg-type]
    result = retarget(
        made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, contacts=DANCE.contacts, options=options
    )
    shown = evaluated(armature, result, made.rig.names)
    np.testing.assert_allclose(shown, posed_heads(made.rig, result)[list(FRAMES)], atol=2e-4)
    if feet == "off":
        elbow = heads_of(made, shown, 18) - heads_of(made, shown, 16)
        wanted = (DANCE.joints[:, 18] - DANCE.joints[:, 16])[list(FRAMES)]
        cosine = np.einsum("fi,fi->f", elbow, wanted) / np.linalg.norm(elbow, axis=-1) / np.linalg.norm(wanted, axis=-1)
        assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max() < 0.5


def test_a_bone_without_local_location_is_placed_in_the_axes_of_the_one_above(armature: bpy.types.Object) -> None:
    made: MadeUp = made_up(4)
    built(armature, made.rig)
    armature.data.bones["b0"].use_local_location = False
    rig = replace(made.rig, parent_axes=frozenset({"b0"}))
    options = RetargetOptions(feet="off")
    there, own = (
        retarget(found, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, options=options)
        for found in (rig, made.rig)
    )
    assert np.abs(there.locations - own.locations).max() > 0.01
    np.testing.assert_allclose(
        evaluated(armature, there, rig.names), posed_heads(made.rig, own)[list(FRAMES)], atol=2e-4
    )


def shown_as_computed(found: bpy.types.Object, made: MadeUp, **options: object) -> Retargeted:
    """The dance on the armature as it stands in Blender, whose heads are where those of the plain character are."""
    result = retarget(
        read_rig(found), made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, options=RetargetOptions("off", **options)
    )
    plain = retarget(made.rig, made.bone_map, DANCE.poses, DANCE.pelvis, fps=30.0, options=RetargetOptions("off"))
    names = tuple(name for name in made.rig.names if name != "root")
    wanted = posed_heads(made.rig, plain)[list(FRAMES)][:, [made.rig.number(name) for name in names]]
    np.testing.assert_allclose(evaluated(found, result, names), wanted, atol=2e-4)
    return result


@pytest.mark.parametrize("bones", [("b0",), ("b4", "b18"), ("b1", "b16", "b15"), ("spine0",)])
def test_bones_that_do_not_inherit_rotation_dance_all_the_same(
    armature: bpy.types.Object, bones: tuple[str, ...]
) -> None:
    made = made_up(5)
    built(armature, made.rig)
    for name in bones:
        armature.data.bones[name].use_inherit_rotation = False
    shown_as_computed(armature, made)


@pytest.mark.parametrize("travel", ["hips", "root"])
def test_hips_that_are_connected_are_moved_by_the_bone_above_them(armature: bpy.types.Object, travel: str) -> None:
    made = made_up(6)
    built(armature, made.rig)
    bpy.ops.object.mode_set(mode="EDIT")
    root, hips = armature.data.edit_bones["root"], armature.data.edit_bones["b0"]
    root.tail, hips.use_connect = hips.head, True
    bpy.ops.object.mode_set(mode="OBJECT")
    assert shown_as_computed(armature, made, travel=travel).hips == "root"
