"""Which foot stands when: what the dance says near the playhead, and what the animator says over it."""

from __future__ import annotations

import bpy

from ..core.contact_edits import COLUMNS, with_edits
from ..core.errors import PirouetteError
from ..scene.character import find_character
from ..scene.contacts import Standing, edits_of, spans_near, standing_of
from .character_panel import CharacterPart
from .dance import draw_text, is_wide

_NEAR_S = 1.5
_MOST = 12  # edits that are listed
_FEET = {"LEFT": "Left", "RIGHT": "Right"}


def draw_contacts(layout: bpy.types.UILayout, context: bpy.types.Context, character: bpy.types.Object) -> None:
    """Buttons for each foot, the spans near the playhead, the list of edits."""
    try:
        there = standing_of(context, character)
    except PirouetteError as error:
        draw_text(layout, context, str(error), icon="INFO")
        return
    for foot, name in _FEET.items():
        row = layout.split(factor=0.3)
        row.label(text=f"{name} Foot" if is_wide(context) else name)
        row = row.row(align=True)
        row.operator("pirouette.plant_foot", text="Plant", icon="PINNED").foot = foot
        row.operator("pirouette.free_foot", text="Free", icon="UNPINNED").foot = foot
    for text in near_in_words(context, character, there):
        line = layout.row()
        line.active = False
        line.label(text=text)
    _draw_edits(layout, character, there)


def near_in_words(context: bpy.types.Context, character: bpy.types.Object, there: Standing) -> list[str]:
    """Such as ``Left stands 12 – 30, 41 – 60``: of each foot, near the playhead, edits counted in."""
    frame, told = context.scene.frame_current, []
    contacts = with_edits(there.contacts, edits_of(character), there.times_s)
    for foot in COLUMNS:
        spans = spans_near(there, contacts, foot, frame=frame, within_s=_NEAR_S)
        words = ", ".join(f"{span.start} – {span.end - 1}" for span in spans) or "nowhere near here"
        told.append(f"{_FEET[foot]} stands {words}")
    return told


def _draw_edits(layout: bpy.types.UILayout, character: bpy.types.Object, there: Standing) -> None:
    edits = edits_of(character)
    if not edits:
        return
    row = layout.row()
    row.label(text="Said by You")
    row.operator("pirouette.clear_contact_edits", text="Clear All", icon="TRASH").edit = 0
    column = layout.column(align=True)
    for place, edit in enumerate(edits[:_MOST], 1):
        first, last = there.frames_of(edit.start_s, edit.end_s)
        does = "stands" if edit.stands else "is free"
        row = column.row(align=True)
        row.label(text=f"{_FEET[edit.foot]} {does} {first} – {last}", icon="PINNED" if edit.stands else "UNPINNED")
        row.operator("pirouette.clear_contact_edits", text="", icon="X").edit = place
    if len(edits) > _MOST:
        column.label(text=f"and {len(edits) - _MOST} more")


class PIROUETTE_PT_contacts(CharacterPart, bpy.types.Panel):
    """Where the character's feet stand."""

    bl_label = "Where Feet Stand"

    def draw(self, context: bpy.types.Context) -> None:
        """Off: a word why nothing here has an effect."""
        character = find_character(context)
        if character.pirouette_character.feet != "AUTO":
            draw_text(self.layout, context, "Feet are not held: choose Hold Feet above.", icon="INFO")
        draw_contacts(self.layout, context, character)


CLASSES = (PIROUETTE_PT_contacts,)
