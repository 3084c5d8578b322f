"""Turn any animation of the dancer into a take with sections and codes, which can then be edited like a dance."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import bpy
import numpy as np
from bpy.props import EnumProperty

from ..core.dance import Beats, DanceDocument, Placement, Settings
from ..core.edits import encode_request
from ..core.environment import BackendCommand
from ..core.errors import PirouetteError
from ..core.reply import document_from_result
from ..core.resample import resample, resampled_frames
from ..core.sections import heard_from
from ..core.session import SESSION
from ..core.skeleton import FPS
from ..preferences import backend_command, log_path
from ..scene.armature import find_dancer
from ..scene.markers import marked, write_markers
from ..scene.readback import read_animation
from ..scene.section_list import mark_sections, show_sections
from ..scene.storage import load, store
from ..scene.strips import FrameRange
from ..scene.take import next_number, write_take
from ..scene.timing import scene_fps
from ..version import addon_version
from .making import ask
from .readiness import BACKEND_PROBLEM
from .stepping import Step, StepsOperator
from .watching import WATCH

_SHORTEST_FRAMES = 8
_RANGES = (
    ("AUTO", "Automatic", "The preview range where there is one, else the active Action, else the scene range"),
    ("ACTION", "Action", "From the active Action's first key to its last"),
    ("SCENE", "Scene Range", "The scene's frame range"),
    ("PREVIEW", "Preview Range", "The preview range"),
)


def animated_range(context: bpy.types.Context, dancer: bpy.types.Object, *, chosen: str = "AUTO") -> FrameRange:
    """The frames that are read. Raises PirouetteError bad_range."""
    scene, animation = context.scene, dancer.animation_data
    action = animation.action if animation is not None else None
    if chosen == "AUTO":
        chosen = "PREVIEW" if scene.use_preview_range else "ACTION" if action is not None else "SCENE"
    if chosen == "PREVIEW":
        found = FrameRange(scene.frame_preview_start, scene.frame_preview_end)
    elif chosen == "ACTION":
        if action is None:
            raise PirouetteError("bad_range", "The dancer has no active Action.", "Choose another range.")
        found = FrameRange(int(np.floor(action.frame_range[0])), int(np.ceil(action.frame_range[1])))
    else:
        found = FrameRange(scene.frame_start, scene.frame_end)
    if found.frames < _SHORTEST_FRAMES:
        raise PirouetteError("bad_range", f"{found.frames} frames are too few for a dance.", "Choose a longer range.")
    return found


def encoded_animation(
    context: bpy.types.Context, dancer: bpy.types.Object, command: BackendCommand, *, chosen: str = "AUTO"
) -> Generator[Step, None, DanceDocument]:
    """What the armature does in a range, as a dance with codes; music that is known from a take goes along."""
    frames, fps, log = animated_range(context, dancer, chosen=chosen), scene_fps(context.scene), log_path(context)
    reading = read_animation(context.scene, dancer.name, first=frames.first, last=frames.last)
    with closing(reading):
        while True:
            try:
                next(reading)
            except StopIteration as end:
                poses, pelvis = end.value
                break
            yield Step.WRITE
    count = resampled_frames(frames.frames, source_fps=fps, target_fps=FPS)
    poses, pelvis = resample(poses, pelvis, source_fps=fps, target_fps=FPS, frames=count)
    placement = Placement(frames.first, frames.frames, fps)
    beats, sound = Beats(np.zeros(0), np.zeros(0, dtype=np.bool_), 0.0, 4, clear=False), None
    known = load(dancer)
    if known is not None and known.placement.fps == fps:
        beats, sound = heard_from(known, (frames.first - known.placement.first_frame) / fps, count / FPS)
    document = DanceDocument(poses, pelvis, np.zeros((count, 4), dtype=np.bool_), FPS, beats, placement)
    if sound is not None:
        document = replace(document, sound=sound)
    message = yield from ask(SESSION, encode_request(document), command, log_path=log)
    return document_from_result(message, settings=Settings(), placement=placement, addon_version=addon_version())


class PIROUETTE_OT_encode_animation(StepsOperator, bpy.types.Operator):
    """Turn what the dancer does now, whoever animated it, into a take with sections that can be edited like a dance"""

    bl_idname = "pirouette.encode_animation"
    bl_label = "Animation to Dance"
    bl_options = {"UNDO"}

    _activity = "edit"

    frames: EnumProperty(name="Frames", description="Which frames are read", items=_RANGES, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """On a dancer, while nothing else is being made."""
        problem = PirouetteError("busy", "Something is being made.") if SESSION.busy else BACKEND_PROBLEM.now(context)
        if problem is None and find_dancer(context) is None:
            problem = PirouetteError("no_take", "There is no dancer.", "Select one.")
        if problem is not None:
            cls.poll_message_set(str(problem))
        return problem is None

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read, encode, write as a new take."""
        dancer, command = find_dancer(context), backend_command(context)
        name, title = dancer.name, _title(dancer)
        document = yield from encoded_animation(context, dancer, command, chosen=self.frames)
        dancer = bpy.data.objects.get(name)
        if dancer is None:
            raise PirouetteError("no_take", f"The dancer “{name}” is no longer there.")
        number = next_number(dancer)
        with closing(write_take(dancer, document, number=number, name=f"Dance {number:03d} {title}")) as steps:
            for _ in steps:
                yield Step.WRITE
        store(dancer, document, number=number)
        show_sections(dancer, select=0)
        mark_sections(bpy.context.scene, dancer)
        if len(document.beats.beats_s) and not marked(bpy.context.scene).edited:
            for _ in write_markers(bpy.context.scene, document.beats, document.placement):
                pass
        WATCH.look_again()
        SESSION.warning = " ".join(document.warnings)


def _title(dancer: bpy.types.Object) -> str:
    animation = dancer.animation_data
    return animation.action.name if animation is not None and animation.action is not None else "animation"


CLASSES = (PIROUETTE_OT_encode_animation,)
