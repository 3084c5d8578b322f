"""Any animation, of the dancer or of a character, becomes a take with sections and codes, to be edited like a dance."""

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
from ..scene.armature import create_dancer, find_dancer, is_dancer, make_active
from ..scene.character import find_character
from ..scene.character_preview import stop as stop_preview
from ..scene.character_reading import check_readable, read_character
from ..scene.mannequin import add_mannequin
from ..scene.markers import marked, write_markers
from ..scene.readback import read_animation
from ..scene.section_list import mark_sections, show_sections
from ..scene.storage import load, store
from ..scene.strips import FrameRange
from ..scene.take import next_number, write_take
from ..scene.timing import scene_fps
from ..version import addon_version
from .carrying import carried_on
from .character_base import CharacterSteps, know_bones, problem_with_character
from .making import ask
from .readiness import allowed, problem_before_backend
from .stepping import Step, StepsOperator, undisturbed
from .watching import WATCH

_SHORTEST_FRAMES = 8
_RANGES = (
    ("AUTO", "Automatic", "The preview range where there is one, else the active Action, else the scene range"),
    ("ACTION", "Action", "From the active Action's first key to its last"),
    ("SCENE", "Scene Range", "The scene's frame range"),
    ("PREVIEW", "Preview Range", "The preview range"),
)


Motion = tuple[np.ndarray, np.ndarray]  # poses (F, 24, 3) axis-angle and pelvis (F, 3), metres
Reading = Generator[None, None, Motion]


def animated_range(context: bpy.types.Context, animated: bpy.types.Object, *, chosen: str = "AUTO") -> FrameRange:
    """The frames that are read. Raises PirouetteError bad_range."""
    scene, animation = context.scene, animated.animation_data
    action = animation.action if animation is not None else None
    if chosen == "AUTO":
        chosen = "PREVIEW" if scene.use_preview_range else "ACTION" if action is not None else "SCENE"
    if chosen == "PREVIEW":
        found = FrameRange(scene.frame_preview_start, scene.frame_preview_end)
    elif chosen == "ACTION":
        if action is None:
            raise PirouetteError("bad_range", f"“{animated.name}” has no active Action.", "Choose another range.")
        found = FrameRange(int(np.floor(action.frame_range[0])), int(np.ceil(action.frame_range[1])))
    else:
        found = FrameRange(scene.frame_start, scene.frame_end)
    if found.frames < _SHORTEST_FRAMES:
        raise PirouetteError("bad_range", f"{found.frames} frames are too few for a dance.", "Choose a longer range.")
    return found


def encoded_animation(
    context: bpy.types.Context, dancer: bpy.types.Object, command: BackendCommand, *, chosen: str = "AUTO"
) -> Generator[Step, None, DanceDocument]:
    """What the dancer does in a range, as a dance with codes; music that is known from a take goes along."""
    frames = animated_range(context, dancer, chosen=chosen)
    reading = read_animation(context.scene, dancer.name, first=frames.first, last=frames.last)
    return (yield from _encoded(context, reading, frames, command, known=load(dancer)))


def encoded_character(
    context: bpy.types.Context,
    character: bpy.types.Object,
    command: BackendCommand,
    *,
    chosen: str = "AUTO",
    known: DanceDocument | None = None,
) -> Generator[Step, None, DanceDocument]:
    """What a character does in a range, as a dance with codes; the music of a known dance goes along."""
    stop_preview()  # else that would be read
    frames = animated_range(context, character, chosen=chosen)
    reading = read_character(context.scene, character.name, first=frames.first, last=frames.last)
    return (yield from _encoded(context, reading, frames, command, known=known))


def _encoded(
    context: bpy.types.Context,
    reading: Reading,
    frames: FrameRange,
    command: BackendCommand,
    *,
    known: DanceDocument | None,
) -> Generator[Step, None, DanceDocument]:
    """What is read, at the model's rate, with the codes that the backend finds for it."""
    fps, log = scene_fps(context.scene), log_path(context)
    poses, pelvis = yield from undisturbed(reading)
    count = resampled_frames(frames.frames, source_fps=fps, target_fps=FPS)
    poses, pelvis = resample(poses, pelvis, source_fps=fps, target_fps=FPS, frames=count)
    placement = Placement(frames.first, frames.frames, fps)
    beats, sound = Beats(np.zeros(0), np.zeros(0, dtype=np.bool_), 0.0, 4, clear=False), None
    if known is not None and known.placement.fps == fps:
        beats, sound = heard_from(known, (frames.first - known.placement.first_frame) / fps, count / FPS)
    document = DanceDocument(poses, pelvis, np.zeros((count, 4), dtype=np.bool_), FPS, beats, placement)
    if sound is not None:
        document = replace(document, sound=sound)
    message = yield from ask(SESSION, encode_request(document), command, log_path=log)
    return document_from_result(message, settings=Settings(), placement=placement, addon_version=addon_version())


def _put_down(dancer: bpy.types.Object, document: DanceDocument, title: str) -> Generator[Step, None, None]:
    """Write an encoded dance on a dancer as a new take."""
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
        problem = problem_before_backend(context)
        if problem is None and find_dancer(context) is None:
            problem = PirouetteError("no_take", "There is no dancer.", "Select one.")
        return allowed(cls, problem)

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read, encode, write as a new take."""
        dancer, command = find_dancer(context), backend_command(context)
        name, title = dancer.name, _title(dancer, "animation")
        document = yield from encoded_animation(context, dancer, command, chosen=self.frames)
        yield from _put_down(_still_there(name), document, title)
        yield from carried_on(_still_there(name))


class PIROUETTE_OT_character_to_dance(CharacterSteps, bpy.types.Operator):
    """Turn what your character does now, whoever animated it, into a dance: continue it, vary it, edit its sections"""

    bl_idname = "pirouette.character_to_dance"
    bl_label = "Character to Dance"
    bl_options = {"UNDO"}

    frames: EnumProperty(name="Frames", description="Which frames are read", items=_RANGES, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a character, while nothing else is being made."""
        return allowed(cls, problem_before_backend(context) or problem_with_character(context))

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read, encode, write as a new take of the character's dancer, or of a new one."""
        character, command = find_character(context), backend_command(context)
        check_readable(context, character)
        know_bones(character)
        dancer = _dancer_of(context, character)
        name, title = dancer.name if dancer is not None else "", _title(character, character.name)
        known = load(dancer) if dancer is not None else None
        return _character_steps(context, character, command, self.frames, dancer=name, known=known, title=title)


def _character_steps(
    context: bpy.types.Context,
    character: bpy.types.Object,
    command: BackendCommand,
    chosen: str,
    *,
    dancer: str,
    known: DanceDocument | None,
    title: str,
) -> Generator[Step, None, None]:
    document = yield from encoded_character(context, character, command, chosen=chosen, known=known)
    created: list[bpy.types.ID] = []
    try:
        if dancer:
            found = _still_there(dancer)
        else:
            found = create_dancer(bpy.context)
            created.append(found.data)
            created.append(add_mannequin(bpy.context, found).data)
            yield Step.WRITE
        yield from _put_down(found, document, title)
    except BaseException:  # a cancel closes the generator: that is one, too
        bpy.data.batch_remove(created)
        raise
    bpy.context.scene.pirouette.dancer = found
    make_active(bpy.context, found)


def _dancer_of(context: bpy.types.Context, character: bpy.types.Object) -> bpy.types.Object | None:
    """The dancer whose dance the character has, else the scene's; None where there is none."""
    own = character.pirouette_character.dancer
    there = is_dancer(own) and own.name in context.scene.objects and own.library is None
    return own if there else find_dancer(context)


def _still_there(name: str) -> bpy.types.Object:
    dancer = bpy.data.objects.get(name)
    if dancer is None:
        raise PirouetteError("no_take", f"The dancer “{name}” is no longer there.")
    return dancer


def _title(animated: bpy.types.Object, otherwise: str) -> str:
    animation = animated.animation_data
    return animation.action.name if animation is not None and animation.action is not None else otherwise


CLASSES = (PIROUETTE_OT_encode_animation, PIROUETTE_OT_character_to_dance)
