"""Made-up characters with a skin and a dance keyed on them, and what is found in a file that they are exported to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from blender_addon.core.retarget import Retargeted, retarget
from blender_addon.core.rig import Rig
from tests.characters.armatures import armature_of
from tests.core.made_up_characters import MadeUp, danced, made_up

FRAMES = 36


@dataclass(frozen=True)
class Seen:
    """Where joints are in the world: names; places: (F, B, 3) metres; lasts_s: from the first key to the last."""

    names: tuple[str, ...]
    places: np.ndarray
    lasts_s: float

    def of(self, names: tuple[str, ...]) -> np.ndarray:
        """Places (F, N, 3) of these joints."""
        return self.places[:, [self.names.index(name) for name in names]]


def dancing(
    scene: bpy.types.Scene, *, first_frame: int = 1, fps: tuple[int, float] = (30, 1.0), **build: object
) -> tuple[bpy.types.Object, MadeUp]:
    """A made-up character with a skin that dances from a frame on, keyed on every one of 36."""
    scene.render.fps, scene.render.fps_base = fps
    made = made_up(5, **build)  # type: ignore[arg-type]
    dance = danced(FRAMES)
    result = retarget(made.rig, made.bone_map, dance.poses, dance.pelvis, fps=30.0, contacts=dance.contacts)
    armature = armature_of(made.rig)
    skin_on(scene, armature, made.rig)
    _key(armature, result, first_frame)
    return armature, made


def skin_on(scene: bpy.types.Scene, armature: bpy.types.Object, rig: Rig) -> bpy.types.Object:
    """A triangle on each bone, carried by it alone."""
    mesh = bpy.data.meshes.new("Skin")
    corners, faces = [], []
    for number in range(len(rig.names)):
        along, side = rig.tails[number] - rig.heads[number], rig.rest[number, :3, 0]
        aside = 0.2 * np.linalg.norm(along) * side
        faces.append(tuple(range(len(corners), len(corners) + 3)))
        corners += [tuple(rig.heads[number]), tuple(rig.tails[number]), tuple(rig.heads[number] + aside)]
    mesh.from_pydata(corners, [], faces)
    skin = bpy.data.objects.new("Skin", mesh)
    scene.collection.objects.link(skin)
    for number, name in enumerate(rig.names):
        skin.vertex_groups.new(name=name).add(list(faces[number]), 1.0, "REPLACE")
    skin.parent = armature
    skin.modifiers.new("Armature", "ARMATURE").object = armature
    return skin


def _key(armature: bpy.types.Object, result: Retargeted, first_frame: int) -> None:
    for frame in range(result.rotations.shape[1]):
        for name, turns in zip(result.bones, result.rotations, strict=True):
            bone = armature.pose.bones[name]
            bone.rotation_mode, bone.rotation_quaternion = "QUATERNION", turns[frame]
            bone.keyframe_insert("rotation_quaternion", frame=first_frame + frame)
        hips = armature.pose.bones[result.hips]
        hips.location = result.locations[frame]
        hips.keyframe_insert("location", frame=first_frame + frame)
    armature.animation_data.action.name = "Dance"


def seen(scene: bpy.types.Scene, armature: bpy.types.Object, frames: np.ndarray, *, lasts_s: float = 0.0) -> Seen:
    """Where the armature's bones begin on frames (F,), which need not be whole."""
    names = tuple(bone.name for bone in armature.pose.bones)
    places = []
    for frame in frames:
        scene.frame_set(int(np.floor(frame)), subframe=float(frame % 1.0))
        places.append([armature.matrix_world @ bone.head for bone in armature.pose.bones])
    return Seen(names, np.array(places), lasts_s)


def opened(path: Path, seconds: np.ndarray, *, fps: int) -> Seen:
    """What is in a file at seconds (F,) from its first key, seen in a new file of this whole rate.

    Blender's own importers reckon with the rate's whole number alone or with its wrong multiple: so it has to be whole.
    """
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, 1.0
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    elif path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_anim.bvh(filepath=str(path), use_fps_scale=True)
    armature = next(thing for thing in scene.objects if thing.type == "ARMATURE")
    animation = armature.animation_data
    action = animation.action or animation.nla_tracks[0].strips[0].action
    first, last = action.frame_range
    rate = scene.render.fps
    return seen(scene, armature, first + seconds * rate, lasts_s=(last - first) / rate)
