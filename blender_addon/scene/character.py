"""A character: an armature of the animator's own, its bones at rest, and which of them are the dance's joints."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np

from ..core.bone_map import map_bones
from ..core.bone_presets import Preset, read_presets
from ..core.calibration import posed_as_rest
from ..core.errors import PirouetteError
from ..core.locations import ADDON_FOLDER
from ..core.rig import BoneMap, BoneRow, Controls, Rig
from ..core.skeleton import JOINT_NAMES
from .armature import is_dancer
from .bone_constraints import constrained_bones, copied_bones, overruled_bones
from .vrm import preset_of_vrm

BUNDLED_PRESETS = ADDON_FOLDER / "presets" / "bone_maps"
_CONTROLS: dict[str, Controls] = {"deform": "deform", "rigify_fk": "rigify_fk"}


def is_character(candidate: bpy.types.Object | None) -> bool:
    """Whether this object can take a dance over: an armature that is no dancer."""
    return candidate is not None and candidate.type == "ARMATURE" and not is_dancer(candidate)


def find_character(context: bpy.types.Context) -> bpy.types.Object | None:
    """The character that the panel is about, if it is still in the scene."""
    chosen = context.scene.pirouette.character
    return chosen if is_character(chosen) and chosen.name in context.scene.objects else None


def editable(character: bpy.types.Object) -> None:
    """Raises PirouetteError bad_rig where Blender does not let the character be keyed."""
    if character.library is not None:
        raise PirouetteError(
            "bad_rig", f"“{character.name}” is linked from another file.", "Make a library override of it first."
        )
    if character.mode == "EDIT":
        raise PirouetteError("bad_rig", f"“{character.name}” is in Edit Mode.", "Leave Edit Mode first.")
    if len(character.data.bones) == 0:
        raise PirouetteError("bad_rig", f"“{character.name}” has no bones.", "Choose another armature.")


def read_rig(character: bpy.types.Object) -> Rig:
    """The character's armature at rest, parents first. Raises PirouetteError bad_rig for one without bones."""
    editable(character)
    bones = sorted(character.data.bones, key=lambda bone: len(bone.parent_recursive))
    number = {bone.name: index for index, bone in enumerate(bones)}
    return Rig(
        names=tuple(number),
        parents=np.array([number[bone.parent.name] if bone.parent else -1 for bone in bones]),
        heads=np.array([bone.head_local for bone in bones], dtype=np.float64),
        tails=np.array([bone.tail_local for bone in bones], dtype=np.float64),
        rest=np.array([bone.matrix_local for bone in bones], dtype=np.float64),
        world=np.array(character.matrix_world, dtype=np.float64),
        rotation_modes=tuple(character.pose.bones[name].rotation_mode for name in number),
        deform=np.array([bone.use_deform for bone in bones]),
        constrained=constrained_bones(character),
        overruled=overruled_bones(character),
        copies=copied_bones(character),
        parent_axes=frozenset(bone.name for bone in bones if not bone.use_local_location),
        own_turn=frozenset(bone.name for bone in bones if not bone.use_inherit_rotation),
        connected=frozenset(bone.name for bone in bones if bone.use_connect),
    )


def all_presets(own: Path) -> tuple[Preset, ...]:
    """The animator's own presets and then the bundled ones. Raises PirouetteError for one that cannot be read."""
    return (*read_presets(own), *read_presets(BUNDLED_PRESETS))


def find_bones(character: bpy.types.Object, presets: tuple[Preset, ...]) -> BoneMap:
    """Look for the bones and keep what was found. Raises PirouetteError bad_rig where there is no body."""
    rig = read_rig(character)
    reference = reference_of(character, rig)
    own = preset_of_vrm(character.data)
    known = presets if own is None else (own, *presets)
    found = map_bones(rig if reference is None else posed_as_rest(rig, reference), known)
    if not found.rows:
        raise PirouetteError(
            "bad_rig",
            f"“{character.name}” has no bones that look like a body.",
            "Fill the table in by hand; or pose it upright, arms out, press Current Pose as Rest and find them again.",
        )
    store_bone_map(character, found)
    return found


def store_bone_map(character: bpy.types.Object, bone_map: BoneMap) -> None:
    """Keep a map on the character: a row for every joint, empty where there is no bone."""
    kept = character.pirouette_character
    by_joint = {row.joint: row for row in bone_map.rows}
    for joint in range(len(JOINT_NAMES)):
        row = by_joint.get(joint, BoneRow(joint, (), 0.0, "no bone was found"))
        # A library override cannot remove the rows of the file that it comes from: they are filled in anew.
        item = kept.rows[joint] if joint < len(kept.rows) else kept.rows.add()
        item.joint, item.name = joint, JOINT_NAMES[joint]
        item.bone = row.bones[0] if row.bones else ""
        item.more = json.dumps(row.bones[1:]) if row.bones[1:] else ""
        item.confidence, item.reason = row.confidence, row.reason
    kept.source, kept.root, kept.controls = bone_map.source, bone_map.root, bone_map.controls


def bone_map_of(character: bpy.types.Object) -> BoneMap:
    """The map that is kept on the character. Raises PirouetteError bad_rig for none, or for a bone that is gone."""
    kept = character.pirouette_character
    rows = tuple(
        BoneRow(row.joint, bones, row.confidence, row.reason)
        for row in kept.rows
        if (bones := (row.bone, *(json.loads(row.more) if row.more else ())))[0]
    )
    if not rows:
        raise PirouetteError("bad_rig", f"The bones of “{character.name}” are not known yet.", "Find them first.")
    there = character.data.bones
    gone = [bone for row in rows for bone in row.bones if bone not in there]
    if kept.root and kept.root not in there:
        gone.append(kept.root)
    if gone:
        raise PirouetteError(
            "bad_rig", f"“{character.name}” has no bone “{gone[0]}” any more.", "Find its bones again or fix the table."
        )
    return BoneMap(rows, kept.source or "table", kept.root, _CONTROLS.get(kept.controls, "deform"))


def reference_of(character: bpy.types.Object, rig: Rig) -> np.ndarray | None:
    """The pose (B, 4, 4) that counts as the character's rest; None: its own rest. Raises PirouetteError bad_rig."""
    text = character.pirouette_character.reference
    if not text:
        return None
    kept = json.loads(text)
    if set(kept) != set(rig.names):
        raise PirouetteError(
            "bad_rig", f"The pose kept as rest is not of “{character.name}” as it is now.", "Set it again or clear it."
        )
    return np.array([kept[name] for name in rig.names], dtype=np.float64).reshape(-1, 4, 4)


def keep_reference(character: bpy.types.Object) -> None:
    """Let the pose that is seen now count as the character's rest."""
    pose = {bone.name: [value for row in bone.matrix for value in row] for bone in character.pose.bones}
    character.pirouette_character.reference = json.dumps(pose)
