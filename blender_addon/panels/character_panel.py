"""The dance on the animator's own character: its bones as a table, how it takes the dance, how it came out."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..character_properties import SURE, joints_without_bone
from ..core.body import MAPPED
from ..core.session import SESSION
from ..operators.character_base import PROBLEMS
from ..operators.retarget import problem_before_retarget, selected_characters
from ..scene import character_preview
from ..scene.character import find_character
from .dance import SidebarPanel, draw_problem, draw_text, is_wide

_ROWS = 8
_MEASURES = (
    ("limb_error_deg", "Limbs off by", "{:.2f}°"),
    ("foot_slide_cm_s", "Feet slide", "{:.1f} cm/s"),
    ("foot_slide_unlocked_cm_s", "Not held, they would", "{:.1f} cm/s"),
    ("penetration_cm", "Below the floor", "{:.1f} cm"),
)


class PIROUETTE_UL_bone_rows(bpy.types.UIList):
    """Joint, bone and how sure the choice is."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        """One line for a joint."""
        split = layout.split(factor=0.34)
        split.label(text=item.name.replace("_", " "))
        row = split.row(align=True)
        row.alert = not item.bone
        row.prop(item, "bone", text="", icon="BONE_DATA")
        if is_wide(context):
            row.label(text=f"{item.confidence:.0%}" if item.bone else "–")
        row.label(text="", icon=sureness_icon(item))

    def filter_items(self, context, data, property_name) -> tuple[list[int], list[int]]:
        """The hands' own joints only where there are bones for them."""
        items = getattr(data, property_name)
        shown = [self.bitflag_filter_item if item.joint in MAPPED or item.bone else 0 for item in items]
        return shown, []


def sureness_icon(item: Any) -> str:
    """Of a row: found, doubtful or missing."""
    if not item.bone:
        return "ERROR"
    return "CHECKMARK" if item.confidence >= SURE else "QUESTION"


class PIROUETTE_PT_character(SidebarPanel, bpy.types.Panel):
    """Pick the character, preview, retarget."""

    bl_label = "On Your Character"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Top to bottom in the order in which an animator goes."""
        layout, settings = self.layout, context.scene.pirouette
        row = layout.row(align=True)
        row.prop(settings, "character", text="", icon="ARMATURE_DATA")
        row.operator("pirouette.choose_character", text="", icon="EYEDROPPER")
        character = find_character(context)
        if character is not None:
            _draw_found(layout, context, character)
        _draw_buttons(layout, context, character)
        if character is not None:
            _draw_outcome(layout, context, character)
            layout.operator("pirouette.character_to_dance", icon="LOOP_BACK")


def _draw_found(layout: bpy.types.UILayout, context: bpy.types.Context, character: bpy.types.Object) -> None:
    kept = character.pirouette_character
    if not any(row.bone for row in kept.rows):
        layout.operator("pirouette.map_bones", icon="VIEWZOOM")
        return
    row = layout.row()
    row.label(text=found_in_words(kept), icon="ERROR" if joints_without_bone(kept) else "CHECKMARK")
    row.prop(context.scene.pirouette, "show_bone_map", text="", icon="OUTLINER_OB_ARMATURE")


def found_in_words(kept: Any) -> str:
    """Such as ``22 of 22 joints, Mixamo``, short enough for a narrow sidebar."""
    how = {"names": "by name", "structure": "by shape", "table": "by hand"}
    there = len(MAPPED) - len(joints_without_bone(kept))
    return f"{there} of {len(MAPPED)} joints, {how.get(kept.source, kept.source)}"


def _draw_buttons(layout: bpy.types.UILayout, context: bpy.types.Context, character: bpy.types.Object | None) -> None:
    column = layout.column(align=True)
    column.scale_y = 1.3
    column.operator("pirouette.retarget", icon="PLAY").on = "CHOSEN"
    if character_preview.active() is not None:
        column.operator("pirouette.stop_preview_retarget", icon="SNAP_FACE")
    else:
        column.operator("pirouette.preview_retarget", icon="HIDE_OFF")
    several = selected_characters(context)
    if len(several) > 1:
        button = column.operator("pirouette.retarget", text=f"Retarget {len(several)} Selected", icon="GROUP")
        button.on = "SELECTED"
    problem = problem_before_retarget(context)
    if SESSION.activity == "character":
        row = layout.row(align=True)
        row.progress(text=SESSION.progress.label or "Working it out", factor=SESSION.progress.fraction)
        row.operator("pirouette.cancel", text="", icon="X")
    elif problem is not None and problem.code != "busy" and (character is not None or problem.code == "no_take"):
        draw_text(layout, context, str(problem), icon="INFO")
    elif "character" in PROBLEMS:
        draw_problem(layout, context, PROBLEMS["character"])


def _draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context, character: bpy.types.Object) -> None:
    """The quality line, what to know, and the link to the dance."""
    kept = character.pirouette_character
    report = report_of(character)
    if not report:
        return
    column = layout.column(align=True)
    for name, value in quality(report):
        row = column.split(factor=0.5)
        row.label(text=name)
        row.label(text=value)
    for warning in report.get("warnings", ()):
        draw_text(layout, context, warning, icon="INFO")
    row = layout.row(align=True)
    row.prop(kept, "follows", icon="LINKED" if kept.follows else "UNLINKED", toggle=True)


def report_of(character: bpy.types.Object) -> dict[str, Any]:
    """What was measured when the character took the dance over; empty when it has none."""
    text = character.pirouette_character.report
    return json.loads(text) if text else {}


def quality(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what tells whether a dance came out well on a character."""
    return [(name, form.format(report[key])) for key, name, form in _MEASURES if key in report]


class CharacterPart(SidebarPanel):
    """A panel below the character's, closed at first, shown where there is a character."""

    bl_parent_id = "PIROUETTE_PT_character"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a character."""
        return find_character(context) is not None


class PIROUETTE_PT_character_bones(CharacterPart, bpy.types.Panel):
    """The table of bones."""

    bl_label = "Bones"

    def draw(self, context: bpy.types.Context) -> None:
        """The table, why the selected row is as it is, presets."""
        layout, character = self.layout, find_character(context)
        kept = character.pirouette_character
        row = layout.row()
        row.template_list("PIROUETTE_UL_bone_rows", "", kept, "rows", kept, "active_row", rows=_ROWS)
        side = row.column(align=True)
        side.operator("pirouette.map_bones", text="", icon="VIEWZOOM")
        side.operator("pirouette.map_selected_bone", text="", icon="EYEDROPPER")
        side.operator("pirouette.exchange_sides", text="", icon="ARROW_LEFTRIGHT")
        side.separator()
        side.operator("pirouette.apply_bone_preset", text="", icon="PRESET")
        side.operator("pirouette.load_bone_map", text="", icon="FILE_FOLDER")
        side.operator("pirouette.save_bone_map", text="", icon="FILE_TICK")
        if 0 <= kept.active_row < len(kept.rows):
            chosen = kept.rows[kept.active_row]
            more = ", ".join(json.loads(chosen.more)) if chosen.more else ""
            text = f"{chosen.name.replace('_', ' ')}: {chosen.reason}" + (f"; {more} follow" if more else "")
            draw_text(layout, context, text, icon=sureness_icon(chosen))
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(kept, "root")
        row = layout.row(align=True)
        row.operator("pirouette.pose_as_rest").clear = False
        if kept.reference:
            row.operator("pirouette.pose_as_rest", text="", icon="X").clear = True


class PIROUETTE_PT_character_way(CharacterPart, bpy.types.Panel):
    """How the character takes the dance over."""

    bl_label = "Feet, Travel, Keys"

    def draw(self, context: bpy.types.Context) -> None:
        """One line for each choice."""
        layout, kept = self.layout, find_character(context).pirouette_character
        layout.enabled = not SESSION.busy
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.prop(kept, "feet")
        strength = layout.row()
        strength.active = kept.feet != "OFF"
        strength.prop(kept, "strength", slider=True)
        layout.prop(kept, "travel")
        layout.prop(kept, "facing")
        layout.prop(kept, "simplify")
        limit = layout.row()
        limit.active = kept.simplify
        limit.prop(kept, "error_cm")
        if kept.controls == "rigify_fk":
            layout.prop(kept, "rigify_ik")


CLASSES = (
    PIROUETTE_UL_bone_rows,
    PIROUETTE_PT_character,
    PIROUETTE_PT_character_bones,
    PIROUETTE_PT_character_way,
)
