"""The table of a character's bones: found, put right by hand, saved, loaded and shared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..character_properties import joints_without_bone
from ..core.bone_map import map_by_preset
from ..core.bone_presets import preset_of, read_preset, read_presets, save_preset
from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..scene import character_preview
from ..scene.character import (
    BUNDLED_PRESETS,
    bone_map_of,
    find_character,
    is_character,
    keep_reference,
    read_rig,
    store_bone_map,
)
from .character_base import CharacterOperator, know_bones, known_presets, look_for_bones, presets_folder
from .readiness import BUSY, allowed


class PIROUETTE_OT_choose_character(bpy.types.Operator):
    """Take the selected armature, or the armature of the selected mesh, as the character"""

    bl_idname = "pirouette.choose_character"
    bl_label = "Use Selected"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """When such a thing is selected, while nothing is being made."""
        problem = BUSY if SESSION.busy else None
        if problem is None and selected_character(context) is None:
            problem = PirouetteError(
                "no_character", "No armature but the dancer's is selected.", "Select your character."
            )
        return allowed(cls, problem)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose it, and look for its bones if they are not known."""
        character = selected_character(context)
        context.scene.pirouette.character = character
        try:
            know_bones(character)
        except PirouetteError as error:
            self.report({"WARNING"}, str(error))
        return {"FINISHED"}


def rows_of(character: bpy.types.Object) -> list[Any]:
    """The table's rows. Raises PirouetteError bad_range where it has none yet."""
    rows = list(character.pirouette_character.rows)
    if not rows:
        raise PirouetteError("bad_range", "The table has no rows yet.", "Press Find Bones first.")
    return rows


def selected_character(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature that is selected, itself or by its mesh; the active one first."""
    active = context.view_layer.objects.active
    selected = [thing for thing in context.view_layer.objects if thing.select_get()]
    for thing in ([active] if active in selected else []) + selected:
        found = thing if thing.type == "ARMATURE" else thing.find_armature()
        if is_character(found):
            return found
    return None


class PIROUETTE_OT_map_bones(CharacterOperator, bpy.types.Operator):
    """Look for the character's bones: by presets of known rigs, then by their names, then by the shape alone"""

    bl_idname = "pirouette.map_bones"
    bl_label = "Find Bones"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Find them and say which are missing."""
        look_for_bones(character)
        missing = joints_without_bone(character.pirouette_character)
        return f"No bone was found for {', '.join(missing)}." if missing else "All bones were found."


class PIROUETTE_OT_map_selected_bone(CharacterOperator, bpy.types.Operator):
    """Put the bone that is active in Pose Mode into this row of the table"""

    bl_idname = "pirouette.map_selected_bone"
    bl_label = "Use Active Bone"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Into the selected row."""
        bone, rows = character.data.bones.active, rows_of(character)
        if bone is None:
            raise PirouetteError("bad_range", "No bone is active.", "Click a bone in Pose Mode.")
        row = rows[min(character.pirouette_character.active_row, len(rows) - 1)]
        row.bone = bone.name
        return f"“{bone.name}” is the bone of {row.name.replace('_', ' ')}."


class PIROUETTE_OT_exchange_sides(CharacterOperator, bpy.types.Operator):
    """Exchange left and right in the whole table"""

    bl_idname = "pirouette.exchange_sides"
    bl_label = "Exchange Sides"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Row by row."""
        rows = {row.name: row for row in rows_of(character)}
        for name, row in rows.items():
            if name.startswith("L_"):
                other = rows[f"R_{name[2:]}"]
                (bone, more), (others, others_more) = (row.bone, row.more), (other.bone, other.more)
                row.bone, other.bone = others, bone
                row.more, other.more = others_more, more
        return ""


class PIROUETTE_OT_save_bone_map(CharacterOperator, ExportHelper, bpy.types.Operator):
    """Save the table of bones as a preset: characters with the same bones are then known at once"""

    bl_idname = "pirouette.save_bone_map"
    bl_label = "Save Bone Preset"

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})
    title: StringProperty(name="Name", description="What the preset is called; empty: as the character")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Into the folder that is looked through."""
        folder = presets_folder()
        folder.mkdir(parents=True, exist_ok=True)
        name = self.title or find_character(context).name
        self.filepath = str(folder / f"{re.sub(r'[^0-9A-Za-z _.-]', '_', name)}.json")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """As JSON."""
        path = Path(bpy.path.abspath(self.filepath))
        save_preset(path, preset_of(self.title or character.name, bone_map_of(character)))
        return f"The table of “{character.name}” is in {path.name}."


class PIROUETTE_OT_load_bone_map(CharacterOperator, ImportHelper, bpy.types.Operator):
    """Fill the table in from a preset that you or others have saved"""

    bl_idname = "pirouette.load_bone_map"
    bl_label = "Load Bone Preset"
    bl_options = {"UNDO"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})
    keep: BoolProperty(
        name="Keep for Other Characters",
        description="Copy the preset to your own ones, which are looked through for every character",
        default=False,
    )

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Check that it fits before anything is changed."""
        path = Path(bpy.path.abspath(self.filepath))
        preset = read_preset(path)
        store_bone_map(character, map_by_preset(read_rig(character), preset))
        if self.keep:
            folder = presets_folder()
            folder.mkdir(parents=True, exist_ok=True)
            save_preset(folder / path.name, preset)
        return ""


def _preset_items(self: object, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    try:
        presets = known_presets()
    except PirouetteError:  # the operators that read them tell which file it is
        presets = read_presets(BUNDLED_PRESETS)
    _items[:] = [(preset.name, preset.name, f"The table of bones of {preset.name}") for preset in presets]
    return _items


_items: list[tuple[str, str, str]] = []  # Blender keeps no reference of its own to these texts


class PIROUETTE_OT_apply_bone_preset(CharacterOperator, bpy.types.Operator):
    """Fill the table in as for this kind of rig"""

    bl_idname = "pirouette.apply_bone_preset"
    bl_label = "Bone Preset"
    bl_options = {"UNDO"}
    bl_property = "preset"

    preset: EnumProperty(name="Preset", description="Which kind of rig it is", items=_preset_items)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """A list to search in."""
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """The preset of this name."""
        preset = next(preset for preset in known_presets() if preset.name == self.preset)
        store_bone_map(character, map_by_preset(read_rig(character), preset))
        return ""


class PIROUETTE_OT_pose_as_rest(CharacterOperator, bpy.types.Operator):
    """Let the pose that the character is in now count as its T-pose, where its own rest pose is an odd one"""

    bl_idname = "pirouette.pose_as_rest"
    bl_label = "Current Pose as Rest"
    bl_options = {"UNDO"}

    clear: BoolProperty(name="Clear", description="Go back to the character's own rest pose", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        return "Go back to the character's own rest pose" if properties.clear else cls.__doc__ or ""

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Keep it on the character; the armature itself is not changed."""
        if self.clear:
            character.pirouette_character.reference = ""
            return "The character's own rest pose counts again."
        character_preview.stop()  # what the animator has posed counts, not what is tried out
        keep_reference(character)
        return "This pose counts as the T-pose from the next Retarget on."


CLASSES = (
    PIROUETTE_OT_choose_character,
    PIROUETTE_OT_map_bones,
    PIROUETTE_OT_map_selected_bone,
    PIROUETTE_OT_exchange_sides,
    PIROUETTE_OT_save_bone_map,
    PIROUETTE_OT_load_bone_map,
    PIROUETTE_OT_apply_bone_preset,
    PIROUETTE_OT_pose_as_rest,
)
