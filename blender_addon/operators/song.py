"""Put a song on the timeline, for the first dance in an empty scene."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ..core.session import SESSION
from ..scene.strips import music_scene, strip_range


class PIROUETTE_OT_add_song(bpy.types.Operator):
    """Add a sound file to the timeline, starting at the scene's first frame"""

    bl_idname = "pirouette.add_song"
    bl_label = "Add a Song"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_sound: BoolProperty(default=True, options={"HIDDEN"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})
    fit_range: BoolProperty(name="Fit Scene Range", description="Let the scene end where the song ends", default=True)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the strip in the lowest channel that is free there."""
        path = Path(bpy.path.abspath(self.filepath))
        if not path.is_file():
            self.report({"ERROR"}, f"There is no file {path}.")
            return {"CANCELLED"}
        scene = music_scene(context)
        editor = scene.sequence_editor or scene.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences
        channel = 1 + max((strip.channel for strip in strips), default=0)
        strip = strips.new_sound(path.stem, str(path), channel, scene.frame_start)
        if strip.sound is None or strip.sound.samplerate <= 0:
            strips.remove(strip)
            self.report({"ERROR"}, f"{path.name} is not sound that Blender can read.")
            return {"CANCELLED"}
        if self.fit_range:
            scene.frame_end = max(strip_range(strip).last, scene.frame_start)
        SESSION.error = None
        return {"FINISHED"}


CLASSES = (PIROUETTE_OT_add_song,)
