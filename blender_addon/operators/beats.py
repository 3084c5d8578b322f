"""Beats on the timeline: detect, add, move, delete, accent, say where the bars start."""

from __future__ import annotations

from collections.abc import Generator

import bpy
from bpy.props import FloatProperty, IntProperty

from ..core.dance import Placement
from ..core.errors import PirouetteError
from ..core.reply import beats_from_result
from ..core.session import SESSION
from ..preferences import backend_command, log_path
from ..scene.audio import Mixdown
from ..scene.markers import beat_markers, heard_beats, nearest_beat, rename_beats, set_beat, write_markers
from ..scene.strips import check_sound, chosen_range, music_scene
from ..scene.timing import scene_fps
from .making import ask, mix
from .readiness import allowed, problem_before_dance
from .stepping import Step, StepsOperator

_ONES = (3, 4)


class PIROUETTE_OT_beats_detect(StepsOperator, bpy.types.Operator):
    """Listen to the music and mark its beats anew; beats that you have moved, added or deleted are forgotten"""

    bl_idname = "pirouette.beats_detect"
    bl_label = "Detect Beats"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is music to listen to."""
        return allowed(cls, problem_before_dance(context))

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Mix, listen, mark."""
        scene, music, settings = context.scene, music_scene(context), context.scene.pirouette
        asks_for_strip = settings.source == "STRIP"
        strip = settings.strip if asks_for_strip else ""
        frames = chosen_range(music if asks_for_strip else scene, source=settings.source, strip_name=settings.strip)
        check_sound(music, frames, strip_name=strip)
        command, log, name, fps = backend_command(context), log_path(context), scene.name, scene_fps(scene)

        def work() -> Generator[Step, None, None]:
            sound = yield from mix(SESSION, Mixdown(music.name, frames, strip))
            request = {"type": "analyse", "sample_rate_hz": sound.sample_rate_hz}, {"audio": sound.mono}
            beats = beats_from_result((yield from ask(SESSION, request, command, log_path=log)))
            for _ in write_markers(bpy.data.scenes[name], beats, Placement(frames.first, frames.frames, fps)):
                yield Step.WRITE

        return work()


class BeatOperator:
    """An operator on the beats that are on the timeline."""

    frame: IntProperty(
        name="Frame", description="Where; -1: at the current frame", default=-1, min=-1, options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where beats were heard."""
        if SESSION.busy:
            cls.poll_message_set("Something is being made.")
            return False
        if heard_beats(context.scene) is None:
            cls.poll_message_set("Detect the beats first, or generate a dance.")
            return False
        return True

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """The work. Raises PirouetteError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, then count the beats anew."""
        scene = context.scene
        try:
            self.act(scene, scene.frame_current if self.frame < 0 else self.frame)
        except PirouetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        rename_beats(scene)
        return {"FINISHED"}


def chosen_beats(scene: bpy.types.Scene, frame: int) -> list[bpy.types.TimelineMarker]:
    """The selected beats; where none is, the nearest to a frame. Raises PirouetteError no_beats."""
    return [marker for marker in beat_markers(scene) if marker.select] or [nearest_beat(scene, frame)]


class PIROUETTE_OT_beat_add(BeatOperator, bpy.types.Operator):
    """Add a beat at the current frame: the next dance, or section that is regenerated, steps on it"""

    bl_idname = "pirouette.beat_add"
    bl_label = "Add Beat"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """One more marker."""
        if any(marker.frame == frame for marker in beat_markers(scene)):
            raise PirouetteError("bad_range", f"There is a beat at frame {frame} already.")
        scene.timeline_markers.new("♪2", frame=frame).select = False


class PIROUETTE_OT_beat_move(BeatOperator, bpy.types.Operator):
    """Move the nearest beat to the current frame; you can also drag the beats in the timeline"""

    bl_idname = "pirouette.beat_move"
    bl_label = "Move Beat Here"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """Another place for one marker."""
        nearest_beat(scene, frame).frame = frame


class PIROUETTE_OT_beat_delete(BeatOperator, bpy.types.Operator):
    """Take away the selected beats, or the one nearest to the current frame: the dance no longer steps on them"""

    bl_idname = "pirouette.beat_delete"
    bl_label = "Delete Beat"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """Fewer markers."""
        markers = chosen_beats(scene, frame)
        if len(beat_markers(scene)) - len(markers) < 2:
            raise PirouetteError("bad_range", "A dance needs two beats at least.", "Detect them again instead.")
        for marker in markers:
            scene.timeline_markers.remove(marker)


class PIROUETTE_OT_beat_accent(BeatOperator, bpy.types.Operator):
    """Accent the selected beats, or else the nearest one, or take it back: a movement lands there, sharp and held"""

    bl_idname = "pirouette.beat_accent"
    bl_label = "Accent"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """Names with or without an accent, the same for all."""
        markers = chosen_beats(scene, frame)
        accent = not all(marker.name.endswith(" >") for marker in markers)
        for marker in markers:
            set_beat(marker, accent=accent)


class PIROUETTE_OT_beat_one(BeatOperator, bpy.types.Operator):
    """Let a bar start on the beat nearest to the current frame, and all bars before and behind accordingly"""

    bl_idname = "pirouette.beat_one"
    bl_label = "This Is the One"
    bl_options = {"REGISTER", "UNDO"}

    metre: IntProperty(
        name="Beats a Bar", description="How many beats a bar has: 3 in a waltz, else 4; 0: as heard", default=0, min=0,
        max=4, options={"SKIP_SAVE"},
    )  # fmt: skip

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """Every third or fourth beat from this one, both ways."""
        heard = heard_beats(scene)
        metre = self.metre or (4 if heard is None else heard.metre)
        if metre not in _ONES:
            raise PirouetteError("bad_range", f"A bar of {metre} beats cannot be danced.", "Choose 3 or 4.")
        markers = beat_markers(scene)
        one = markers.index(nearest_beat(scene, frame))
        for index, marker in enumerate(markers):
            set_beat(marker, downbeat=(index - one) % metre == 0)


class PIROUETTE_OT_beats_shift(BeatOperator, bpy.types.Operator):
    """Move all beats earlier or later"""

    bl_idname = "pirouette.beats_shift"
    bl_label = "Shift All Beats"
    bl_options = {"REGISTER", "UNDO"}

    beats: FloatProperty(
        name="Beats", description="By how much of a beat: 0.5 puts the dance on the off-beat", default=0.0, min=-4.0,
        max=4.0, options={"SKIP_SAVE"},
    )  # fmt: skip
    by_frames: IntProperty(name="Frames", description="By how many frames", default=0, options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        if properties.beats:
            way = "later" if properties.beats > 0 else "earlier"
            return f"Move all beats {abs(properties.beats):g} of a beat {way}: the next dance steps there"
        way = "later" if properties.by_frames > 0 else "earlier"
        return f"Move all beats {abs(properties.by_frames)} frame(s) {way}: the next dance steps there"

    def act(self, scene: bpy.types.Scene, frame: int) -> None:
        """Each beat by its share of the way to its neighbour, so that a changing tempo keeps its shape."""
        markers = beat_markers(scene)
        frames = [marker.frame for marker in markers]
        if len(frames) < 2 or not (self.beats or self.by_frames):
            raise PirouetteError("bad_range", "This would move nothing.", "Say by how much.")
        for index, marker in enumerate(markers):
            at = min(index, len(frames) - 2)
            step = frames[at + 1] - frames[at]
            marker.frame = round(frames[index] + self.beats * step) + self.by_frames


CLASSES = (
    PIROUETTE_OT_beats_detect,
    PIROUETTE_OT_beat_add,
    PIROUETTE_OT_beat_move,
    PIROUETTE_OT_beat_delete,
    PIROUETTE_OT_beat_accent,
    PIROUETTE_OT_beat_one,
    PIROUETTE_OT_beats_shift,
)
