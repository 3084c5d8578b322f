"""Continue from what the dancer does, and fill between."""

import bpy

from ..scene.armature import find_dancer
from .dance import SidebarPanel


class PIROUETTE_PT_going_on(SidebarPanel, bpy.types.Panel):
    """Dance on, or in between."""

    bl_label = "Continue and In-Between"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only on a dancer."""
        return find_dancer(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Continue, then fill."""
        settings, layout = context.scene.pirouette, self.layout
        column = layout.column(align=True)
        row = column.row(align=True)
        row.prop(settings, "continue_from", text="")
        row.prop(settings, "continue_counts")
        column.prop(settings, "novelty", slider=True)
        row = column.row(align=True)
        row.scale_y = 1.3
        row.operator("pirouette.continue_dance", icon="FORWARD")
        column = layout.column(align=True)
        column.prop(settings, "fill_frames", text="")
        row = column.row(align=True)
        row.scale_y = 1.3
        row.operator("pirouette.fill_between", icon="ARROW_LEFTRIGHT")


CLASSES = (PIROUETTE_PT_going_on,)
