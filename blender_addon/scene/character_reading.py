"""Read what a character does, whatever moves it: its own keys, the NLA, constraints, IK, a moving object."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import bpy
import numpy as np

from ..core.errors import PirouetteError
from ..core.retarget import Facing
from ..core.retarget_back import ReadBones, bones_to_read, dance_of, grounded
from .character import bone_map_of, read_rig, reference_of

_FACINGS: dict[str, Facing] = {"DANCE": "dance", "CHARACTER": "character"}


def check_readable(context: bpy.types.Context, character: bpy.types.Object) -> None:
    """Raises PirouetteError bad_rig where Blender does not evaluate the character, or shows its rest pose."""
    if character.name not in context.view_layer.objects:
        raise PirouetteError(
            "bad_rig", f"“{character.name}” is not in this view layer, so it does not move.", "Switch its layer on."
        )
    if character.data.pose_position == "REST":
        raise PirouetteError(
            "bad_rig", f"“{character.name}” shows its rest pose.", "Switch it to Pose Position, in its Armature tab."
        )


def read_character(
    scene: bpy.types.Scene, name: str, *, first: int, last: int
) -> Generator[None, None, tuple[np.ndarray, np.ndarray]]:
    """The dance of a mapped character as it is seen in frames first to last: poses (F, 24, 3) and pelvis (F, 3).

    It stands on the floor at Z 0, and is danced from where the character's object is in the first frame.
    The scene is back at its frame afterwards, also when the steps are not run to their end.
    Raises PirouetteError bad_rig where the character's bones are not known, or its scale cannot be kept.
    """
    character = bpy.data.objects[name]
    rig, bone_map = read_rig(character), bone_map_of(character)
    reference, facing = reference_of(character, rig), _FACINGS[character.pirouette_character.facing]
    try:
        bones = bones_to_read(rig, bone_map)
        turns, hips, world = yield from _evaluated(scene, name, bones, first=first, last=last)
        poses, pelvis = dance_of(replace(rig, world=world), bone_map, turns, hips, facing=facing, reference=reference)
    except ValueError as error:
        raise PirouetteError("bad_rig", f"“{name}” cannot be read: {error}.", "Look at its table of bones.") from error
    return poses.astype(np.float32), grounded(poses, pelvis).astype(np.float32)


def _evaluated(
    scene: bpy.types.Scene, name: str, read: ReadBones, *, first: int, last: int
) -> Generator[None, None, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Orientations (F, N, 3, 3), the middle of the hip joints (F, 3) and the object's matrix (4, 4) in the first frame.

    All in armature space as it is in the first frame: where the object itself moves, so does the dance.
    """
    before, subframe = scene.frame_current, scene.frame_subframe
    count = last - first + 1
    turns, hips = np.empty((count, len(read.bones), 3, 3)), np.empty((count, 3))
    world = np.eye(4)
    try:
        for index in range(count):
            scene.frame_set(first + index)
            character = bpy.data.objects[name]
            now = np.array(character.matrix_world, dtype=np.float64)
            if index == 0:
                world = now
            moved = _way(world, now)
            bones = character.pose.bones
            posed = np.array([bones[bone].matrix for bone in read.bones], dtype=np.float64)
            turns[index] = _unscaled(moved[:3, :3] @ posed[:, :3, :3])
            thighs = np.array([bones[bone].head for bone in read.thighs], dtype=np.float64)
            hips[index] = moved[:3, :3] @ thighs.mean(axis=0) + moved[:3, 3]
            yield
    finally:
        scene.frame_set(before, subframe=subframe)
    return turns, hips, world


def _way(start: np.ndarray, now: np.ndarray) -> np.ndarray:
    """From an object's space as it is now into its space at the start (4, 4)."""
    if np.array_equal(start, now):
        return np.eye(4)
    try:
        return np.asarray(np.linalg.inv(start) @ now)
    except np.linalg.LinAlgError as error:
        raise ValueError("the character's object has a scale of 0; give it one") from error


def _unscaled(axes: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(axes, axis=-2, keepdims=True)
    return np.asarray(axes / np.where(lengths == 0.0, 1.0, lengths))
