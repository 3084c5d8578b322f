"""A body from the animator's own SMPL file, and its shape."""

import bpy

from ..body_properties import SHAPES
from ..core.session import SESSION
from ..operators.body import ACTIVITY, shaped_character
from ..operators.character_base import PROBLEMS
from .dance import SidebarPanel, draw_problem


class PIROUETTE_PT_smpl_body(SidebarPanel, bpy.types.Panel):
    """Add a body, shape it."""

    bl_label = "SMPL Body"
    bl_parent_id = "PIROUETTE_PT_character"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The file, the button, the shape of the body that is there."""
        layout = self.layout
        layout.prop(context.scene, "pirouette_body_file", text="", icon="FILE")
        layout.operator("pirouette.add_smpl_body", icon="OUTLINER_OB_ARMATURE")
        if SESSION.activity == ACTIVITY:
            layout.progress(text="Reading the body", factor=SESSION.progress.fraction)
            layout.operator("pirouette.cancel", icon="X")
        elif ACTIVITY in PROBLEMS:
            draw_problem(layout, context, PROBLEMS[ACTIVITY])
        armature = shaped_character(context)
        if armature is not None:
            _draw_shape(layout, armature)


def _draw_shape(layout: bpy.types.UILayout, armature: bpy.types.Object) -> None:
    kept = armature.pirouette_body
    column = layout.column(align=True)
    column.label(text=f"Shape of {armature.name} ({kept.kind})")
    for number in range(min(SHAPES, kept.shapes)):
        column.prop(kept, "betas", index=number, text=f"Shape {number + 1}", slider=True)
    layout.operator("pirouette.shape_smpl_body", icon="MOD_ARMATURE")


CLASSES = (PIROUETTE_PT_smpl_body,)
