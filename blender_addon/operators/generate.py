"""Generate and Cancel."""

import random
import time
from collections.abc import Generator

import bpy

from ..core.dance import Settings
from ..core.errors import Cancelled, PirouetteError
from ..core.genres import ANY_GENRE
from ..core.progress import in_words
from ..core.session import SESSION
from ..preferences import backend_command, log_path
from ..scene.strips import check_sound, chosen_range, music_scene
from ..scene.timing import scene_fps
from ..version import addon_version
from .making import DanceRequest, Step, make_dance
from .readiness import problem_before_dance

_TICK_S = 0.02
_WORK_BUDGET_S = 0.02  # how long one tick may go on; a single step may last a little longer
_WAIT_S = 1.0


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
    asked = Settings(
        genre="" if settings.genre == ANY_GENRE else settings.genre,
        text=settings.prompt.strip(),
        seed=random.SystemRandom().randrange(1 << 31) if settings.new_seed else settings.seed,
        source=settings.source,
        strip=settings.strip if asks_for_strip else "",
    )
    return DanceRequest(scene.name, music.name, frames, fps, asked)


class PIROUETTE_OT_generate_dance(bpy.types.Operator):
    """Make a dance to the music on the timeline, as a new take"""

    bl_idname = "pirouette.generate_dance"
    bl_label = "Generate Dance"
    bl_options = {"UNDO"}

    _timer: bpy.types.Timer | None = None
    _steps: Generator[Step, None, None] | None = None
    _step = Step.WORK
    _seed = 0
    _shown: tuple[str, float, str] | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a dance can be made; the reason why not is the button's tooltip."""
        problem = problem_before_dance(context)
        if problem is not None:
            cls.poll_message_set(str(problem))
        return problem is None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the dance: to the end in background mode, else as a modal operator."""
        if not self._begin(context):
            return {"CANCELLED"}
        if bpy.app.background or context.window is None:
            return self._run_to_end(context)
        self._timer = context.window_manager.event_timer_add(_TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take some steps at each tick; Esc cancels."""
        if event.type == "ESC" and event.value == "PRESS":
            SESSION.cancel_requested = True
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"} if self._step is Step.WRITE else {"PASS_THROUGH"}
        outcome = self._tick(context)
        shown = (SESSION.progress.label, round(SESSION.progress.fraction, 2), in_words(SESSION.progress.time_left_s))
        if shown != self._shown:  # drawing costs more than many a tick
            self._shown = shown
            redraw(context)
        return outcome or ({"RUNNING_MODAL"} if self._step is Step.WRITE else {"PASS_THROUGH"})

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, such as when another file is opened."""
        self._end(context, cancelled=True)

    def _begin(self, context: bpy.types.Context) -> bool:
        SESSION.begin("dance")
        try:
            request = read_request(context)
            command = backend_command(context)
        except PirouetteError as error:
            self._end(context, error=error)
            return False
        self._seed = request.settings.seed
        self._steps = make_dance(SESSION, request, command, log_path=log_path(context), addon_version=addon_version())
        return True

    def _run_to_end(self, context: bpy.types.Context) -> set[str]:
        while True:
            outcome = self._tick(context)
            if outcome is not None:
                return outcome
            if self._step is Step.WAIT:
                SESSION.wait(_WAIT_S)

    def _tick(self, context: bpy.types.Context) -> set[str] | None:
        """Some steps, as many as fit into the budget; the operator's result once the dance has ended."""
        started_s = time.perf_counter()
        SESSION.pump()
        try:
            while True:
                if SESSION.cancel_requested and self._step is not Step.WAIT:
                    raise Cancelled
                self._step = next(self._steps)
                if self._step is Step.WAIT or time.perf_counter() - started_s > _WORK_BUDGET_S:
                    break
        except StopIteration:
            context.scene.pirouette.seed = self._seed
            self._end(context, warning=SESSION.warning)
            return {"FINISHED"}
        except Cancelled:
            self._end(context, cancelled=True)
            return {"CANCELLED"}
        except PirouetteError as error:
            self._end(context, error=error)
            return {"CANCELLED"}
        except BaseException:
            self._end(
                context, error=PirouetteError("internal", "Pirouette has failed.", "Copy the report and send it.")
            )
            raise
        return None

    def _end(
        self,
        context: bpy.types.Context,
        *,
        error: PirouetteError | None = None,
        warning: str = "",
        cancelled: bool = False,
    ) -> None:
        """Leave the modal state, close what is open, and say what there is to say."""
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        SESSION.end(error=error, warning="Cancelled." if cancelled else warning)
        if error is not None:
            # An error that is reported in background mode becomes the script's exception; a popup would only annoy.
            self.report({"ERROR"} if bpy.app.background else {"WARNING"}, str(error))
        redraw(context)


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


def redraw(context: bpy.types.Context) -> None:
    """Draw the sidebars again, where the progress is shown."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                for region in area.regions:
                    if region.type in ("UI", "WINDOW") and (area.type != "VIEW_3D" or region.type == "UI"):
                        region.tag_redraw()


CLASSES = (PIROUETTE_OT_generate_dance, PIROUETTE_OT_cancel)
