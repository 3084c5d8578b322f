"""Generate and Cancel."""

import random
from collections.abc import Generator

import bpy

from ..core.dance import Settings
from ..core.errors import PirouetteError
from ..core.genres import ANY_GENRE
from ..core.session import SESSION
from ..preferences import backend_command, log_path
from ..scene.armature import find_dancer
from ..scene.locks import hold_frames
from ..scene.strips import check_sound, chosen_range, music_scene
from ..scene.timing import scene_fps
from ..version import addon_version
from .directing import read_directions
from .making import DanceRequest, make_dance
from .readiness import allowed, problem_before_dance
from .stepping import Step, StepsOperator


def read_request(context: bpy.types.Context) -> DanceRequest:
    """What the animator asks for. Raises PirouetteError when it cannot be done."""
    scene, music, settings = context.scene, music_scene(context), context.scene.pirouette
    fps = scene_fps(scene)
    if abs(scene_fps(music) - fps) > 1e-6:
        raise PirouetteError(
            "bad_range",
            f"The music's scene “{music.name}” runs at {scene_fps(music):g} frames a second, this one at {fps:g}.",
            "Give both the same frame rate.",
        )
    if settings.genre == "":
        raise PirouetteError(
            "unknown_genre", "The genre of this scene is not known to this version.", "Choose another."
        )
    asks_for_strip = settings.source == "STRIP"
    range_scene = music if asks_for_strip else scene
    frames = chosen_range(range_scene, source=settings.source, strip_name=settings.strip)
    check_sound(music, frames, strip_name=settings.strip if asks_for_strip else "")
    directions, kept = read_directions(context, find_dancer(context), frames, fps)
    asked = Settings(
        genre="" if settings.genre == ANY_GENRE else settings.genre,
        text=settings.prompt.strip(),
        seed=random.SystemRandom().randrange(1 << 31) if settings.new_seed else settings.seed,
        source=settings.source,
        strip=settings.strip if asks_for_strip else "",
        model=settings.model,
        novelty=settings.novelty,
        strategy=directions.strategy,
        reuse=directions.reuse,
    )
    return DanceRequest(scene.name, music.name, frames, fps, asked, directions, kept)


class PIROUETTE_OT_generate_dance(StepsOperator, bpy.types.Operator):
    """Make a dance to the music on the timeline, as a new take that follows all your directions"""

    bl_idname = "pirouette.generate_dance"
    bl_label = "Generate Dance"
    bl_options = {"UNDO"}

    _seed = 0

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a dance can be made; the reason why not is the button's tooltip."""
        return allowed(cls, problem_before_dance(context))

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Mix, ask, write."""
        dancer = find_dancer(context)
        if dancer is not None:
            hold_frames(context.scene, dancer)
        request = read_request(context)
        command = backend_command(context)
        self._seed = request.settings.seed
        return make_dance(SESSION, request, command, log_path=log_path(context), addon_version=addon_version())

    def succeeded(self, context: bpy.types.Context) -> None:
        """Keep the seed that was drawn."""
        context.scene.pirouette.seed = self._seed


class PIROUETTE_OT_cancel(bpy.types.Operator):
    """Stop what Pirouette is doing; the scene stays as it is"""

    bl_idname = "pirouette.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while there is something to cancel."""
        if not SESSION.busy:
            cls.poll_message_set("Nothing is being made.")
        return SESSION.busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask for it; the running operator sees to the rest at its next tick."""
        SESSION.cancel_requested = True
        return {"FINISHED"}


CLASSES = (PIROUETTE_OT_generate_dance, PIROUETTE_OT_cancel)
