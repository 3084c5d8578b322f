"""Write the character and its dance to a file for another program."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..scene import character_preview
from ..scene.armature import find_dancer
from ..scene.character import find_character
from ..scene.exporting import EXTENSIONS, export
from ..scene.timing import scene_fps
from .readiness import BUSY, allowed

FORMATS = (
    ("FBX", "FBX", "For Unreal, Unity, Maya, MotionBuilder, Cinema 4D and 3ds Max"),
    ("GLTF", "glTF", "One .glb file for Godot, Unreal, Unity with an importer, the web and VR"),
    ("BVH", "BVH", "The skeleton's movement alone, without the mesh, for motion capture programs"),
)


def exported_character(context: bpy.types.Context) -> bpy.types.Object | None:
    """The character of the panel, else the active armature, else the dancer."""
    chosen = find_character(context)
    if chosen is not None:
        return chosen
    active = context.view_layer.objects.active
    return active if active is not None and active.type == "ARMATURE" else find_dancer(context)


class PIROUETTE_OT_export_character(bpy.types.Operator):
    """Write the character, its meshes and the dance it shows to a file; the scene stays as it is"""

    bl_idname = "pirouette.export_character"
    bl_label = "Export"

    filepath: StringProperty(name="File", description="Where to write it", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.fbx;*.glb;*.bvh", options={"HIDDEN"})
    format: EnumProperty(name="Format", description="What the other program reads", items=FORMATS, default="FBX")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With an armature, while nothing is being made."""
        problem = BUSY if SESSION.busy else None
        if problem is None and exported_character(context) is None:
            problem = PirouetteError("no_character", "There is no character to export.", "Choose an armature.")
        return allowed(cls, problem)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
        name = bpy.path.clean_name(exported_character(context).name)
        self.filepath = str(folder / f"{name}{EXTENSIONS[self.format]}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """The file's ending follows the format."""
        path = _with_ending(self.filepath, self.format)
        changed = path != self.filepath
        self.filepath = path
        return changed

    def draw(self, context: bpy.types.Context) -> None:
        """The format, in the file browser."""
        self.layout.use_property_split = True
        self.layout.prop(self, "format")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        if not self.filepath:
            self.report({"ERROR"}, "No file was named. Choose where to write it.")
            return {"CANCELLED"}
        path = Path(bpy.path.abspath(_with_ending(self.filepath, self.format)))
        character = exported_character(context)
        character_preview.stop()  # what is written down is exported, not what is tried out
        try:
            found = export(context, character, kind=self.format, path=path)
        except PirouetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        fps = scene_fps(context.scene)
        told = f"“{character.name}” is in {path.name}: frames {found.first} to {found.last} at {fps:.6g} a second."
        self.report({"WARNING" if found.warning else "INFO"}, f"{told} {found.warning}".strip())
        return {"FINISHED"}


def _with_ending(filepath: str, kind: str) -> str:
    ending = EXTENSIONS[kind]
    if filepath.lower().endswith(ending):
        return filepath
    path = Path(filepath)
    return str(path.with_suffix(ending) if path.suffix.lower() in EXTENSIONS.values() else Path(f"{filepath}{ending}"))


CLASSES = (PIROUETTE_OT_export_character,)
