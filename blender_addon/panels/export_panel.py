"""The character and its dance into another program."""

import bpy

from ..operators.export import FORMATS
from .character_panel import CharacterPart
from .dance import draw_text

_HINTS = {
    "FBX": "Unity: Bake Axis Conversion on. Unreal: Convert Scene Unit on. Blender: Animation Offset 0.",
    "GLTF": "Godot, Unreal and the web read it as it is. The clip begins at second 0.",
    "BVH": "In metres, Y up. A program that reads centimetres wants a scale of 100.",
}


def export_hint(kind: str) -> str:
    """What to set in the other program, for FBX, GLTF or BVH."""
    return _HINTS[kind]


class PIROUETTE_PT_character_export(CharacterPart, bpy.types.Panel):
    """Three formats, and what to mind with each."""

    bl_label = "Export"

    def draw(self, context: bpy.types.Context) -> None:
        """A button and a hint for each format."""
        for kind, name, _ in FORMATS:
            column = self.layout.column(align=True)
            column.operator("pirouette.export_character", text=name, icon="EXPORT").format = kind
            draw_text(column, context, export_hint(kind), icon="INFO")


CLASSES = (PIROUETTE_PT_character_export,)
