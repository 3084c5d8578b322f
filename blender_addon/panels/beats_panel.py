"""The beats of the music: what was heard, what the animator has changed, and the buttons for it."""

import bpy

from ..core.edited_beats import in_words
from ..scene.markers import heard_beats, marked
from .dance import SidebarPanel, draw_text


class PIROUETTE_PT_beats(SidebarPanel, bpy.types.Panel):
    """Move, add, delete and accent beats."""

    bl_label = "Beats"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """What there is, then what can be done with it."""
        layout, heard = self.layout, heard_beats(context.scene)
        if heard is None:
            layout.operator("pirouette.beats_detect", icon="SPEAKER")
            return
        beats = marked(context.scene)
        changes = in_words(beats)
        column = layout.column(align=True)
        column.label(text=f"{heard.tempo_bpm:.0f} BPM in {heard.metre}/4" if heard.clear else "No clear beat")
        if changes:
            draw_text(column, context, f"Yours: {changes}", icon="MARKER_HLT")
        column = layout.column(align=True)
        row = column.row(align=True)
        row.operator("pirouette.beat_add", text="Add", icon="ADD")
        row.operator("pirouette.beat_move", text="Move", icon="SNAP_ON")
        row.operator("pirouette.beat_delete", text="Delete", icon="REMOVE")
        row = column.row(align=True)
        row.operator("pirouette.beat_accent", icon="KEYTYPE_EXTREME_VEC")
        row.operator("pirouette.beat_one", text="The One")
        _draw_shift(layout)
        layout.operator("pirouette.beats_detect", text="Detect Again", icon="SPEAKER")


def _draw_shift(layout: bpy.types.UILayout) -> None:
    row = layout.row(align=True)
    row.label(text="Shift All")
    for text, name, value in (
        ("−½", "beats", -0.5),
        ("−1 f", "by_frames", -1),
        ("+1 f", "by_frames", 1),
        ("+½", "beats", 0.5),
    ):
        button = row.operator("pirouette.beats_shift", text=text)
        button.beats, button.by_frames = 0.0, 0
        setattr(button, name, value)


CLASSES = (PIROUETTE_PT_beats,)
