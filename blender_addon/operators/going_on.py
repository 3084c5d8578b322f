"""Continue from what the dancer does, and fill between two passages."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ..core import edits
from ..core.dance import DanceDocument
from ..core.errors import PirouetteError
from ..core.sections import section_at
from ..core.session import SESSION
from ..preferences import log_path
from ..scene.armature import find_dancer
from ..scene.movement import hole_at, moved_spans, shown_take, whole_movement
from ..scene.storage import load
from ..scene.strips import FrameRange
from .directing import time_in_take
from .editing import EditPlan, edit_dance
from .passages import FEWEST_FRAMES, continue_steps, passage_steps, read_stage
from .readiness import BACKEND_PROBLEM, BUSY, allowed
from .section_base import SectionOperator, desk, locked_error, new_seed, section_of
from .stepping import Step, StepsOperator

_PANEL = (("PANEL", "As Set in the Panel", "What the panel says"),)
_FROM = (
    *_PANEL,
    ("END", "The End", "Behind the last frame that the dancer moves in"),
    ("PLAYHEAD", "The Playhead", "Behind the current frame"),
)
_FILLS = (
    *_PANEL,
    ("SECTION", "Selected Section", "The section that is selected in the list"),
    ("PREVIEW", "Preview Range", "The frames of the preview range"),
    ("GAP", "Gap at the Playhead", "The hole between two passages that the current frame lies in"),
)


def problem_before_going_on(context: bpy.types.Context) -> PirouetteError | None:
    """Why the buttons are disabled: what can be told at a glance."""
    if SESSION.busy:
        return BUSY
    dancer = find_dancer(context)
    if dancer is None or dancer.animation_data is None:
        return PirouetteError("no_take", "The dancer does not move yet.", "Generate a dance, or animate it.")
    return BACKEND_PROBLEM.now(context)


class _NeedsMovement:
    """An operator that goes on from what the dancer does."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to go on from; the reason why not is the button's tooltip."""
        return allowed(cls, problem_before_going_on(context))


class PIROUETTE_OT_continue_dance(_NeedsMovement, StepsOperator, bpy.types.Operator):
    """Dance on from what the dancer does, whoever animated it, to the music that follows; written as a new take"""

    bl_idname = "pirouette.continue_dance"
    bl_label = "Continue Dance"
    bl_options = {"UNDO"}

    _activity = "edit"

    counts: IntProperty(
        name="Counts", description="How many beats of the music are danced on; 0: as set in the panel", default=0,
        min=0, max=512, options={"SKIP_SAVE"},
    )  # fmt: skip
    begin: EnumProperty(name="From", description="Where the new movement begins", items=_FROM, options={"SKIP_SAVE"})
    novelty: FloatProperty(
        name="Novelty", description="How far it gets away from what was danced before; -1: as set in the panel",
        default=-1.0, min=-1.0, max=1.0, options={"SKIP_SAVE"},
    )  # fmt: skip
    seed: IntProperty(name="Seed", description="-1 draws one", default=-1, min=-1, options={"SKIP_SAVE"})

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Count the music, read the armature, ask, join, write."""
        dancer, settings = find_dancer(context), context.scene.pirouette
        whole = whole_movement(dancer)
        begin = settings.continue_from if self.begin == "PANEL" else self.begin
        start = whole.last + 1 if begin == "END" else context.scene.frame_current + 1
        if not whole.first + FEWEST_FRAMES <= start <= whole.last + 1:
            raise PirouetteError(
                "bad_range",
                f"The dancer moves from frame {whole.first} to {whole.last}: it cannot go on from frame {start - 1}.",
                f"Go to a frame at least {FEWEST_FRAMES} frames into the movement.",
            )
        stage = read_stage(context, dancer, seed=new_seed() if self.seed < 0 else self.seed)
        if self.novelty >= 0.0:
            stage = replace(stage, settings=replace(stage.settings, novelty=self.novelty))
        return continue_steps(context, stage, whole, start, self.counts or settings.continue_counts, "continued")


class PIROUETTE_OT_fill_between(_NeedsMovement, SectionOperator, bpy.types.Operator):
    """Dance these frames anew so that they go on from what is before and arrive exactly at what is behind them"""

    bl_idname = "pirouette.fill_between"
    bl_label = "Fill In-Between"
    bl_options = {"UNDO"}

    frames: EnumProperty(name="Fill", description="Which frames", items=_FILLS, options={"SKIP_SAVE"})
    seed: IntProperty(name="Seed", description="-1 draws one", default=-1, min=-1, options={"SKIP_SAVE"})

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """In the take itself where one is shown, else as a new take."""
        dancer, settings = find_dancer(context), context.scene.pirouette
        which = settings.fill_frames if self.frames == "PANEL" else self.frames
        seed = new_seed() if self.seed < 0 else self.seed
        if which == "SECTION":
            return self._in_take(context, dancer, None, seed)
        new = _preview(context) if which == "PREVIEW" else hole_at(dancer, context.scene.frame_current)
        if _in_shown_take(dancer, new):
            return self._in_take(context, dancer, new, seed)
        whole = whole_movement(dancer)
        check_between(dancer, whole, new)
        return passage_steps(read_stage(context, dancer, seed=seed), whole, new, log_path(context), name="filled")

    def _in_take(
        self, context: bpy.types.Context, dancer: bpy.types.Object, new: FrameRange | None, seed: int
    ) -> Generator[Step, None, None]:
        chosen = self.section - 1 if self.section else dancer.pirouette.active
        model = context.scene.pirouette.model

        def plan(document: DanceDocument) -> EditPlan:
            if new is None:
                index = chosen
                span, replaced = edits.span_of(section_of(document, index)), (index,)
            else:
                time_of = time_in_take(shown_take(dancer), document)
                first = round(time_of(new.first) * document.fps)
                last = round(time_of(new.last + 1) * document.fps)
                replaced = tuple(
                    number
                    for number, section in enumerate(document.sections)
                    if document.frames_of(section)[0] < last and document.frames_of(section)[1] > first
                )
                index = section_at(document.sections, first / document.fps) or 0
                span = f"{first / document.fps:.6f}:{last / document.fps:.6f}"
            for number in replaced:
                if document.sections[number].locked:
                    raise locked_error(document.sections[number], number)
            section = section_of(document, index)
            operation = edits.regenerate(section, seed=seed, strength=1.0, model=model) | {"span": span}
            return EditPlan(operation, replaced=replaced, select=index)

        return edit_dance(desk(context, hand_edits=self.hand_edits), plan)


def _preview(context: bpy.types.Context) -> FrameRange:
    scene = context.scene
    if not scene.use_preview_range:
        raise PirouetteError("bad_range", "There is no preview range.", "Press P in the timeline and draw one.")
    return FrameRange(scene.frame_preview_start, scene.frame_preview_end)


def _in_shown_take(dancer: bpy.types.Object, new: FrameRange) -> bool:
    """Whether the frames lie inside the take that the dancer shows."""
    take = shown_take(dancer)
    if take is None or load(dancer) is None or len(moved_spans(dancer)) != 1:
        return False
    return take.strip.frame_start < new.first and new.last < take.strip.frame_end


def check_between(dancer: bpy.types.Object, whole: FrameRange, new: FrameRange) -> None:
    """Raises PirouetteError bad_range unless there is movement on both sides of the frames."""
    if new.first - whole.first < FEWEST_FRAMES or whole.last - new.last < FEWEST_FRAMES:
        raise PirouetteError(
            "bad_range",
            f"Frames {new.first} to {new.last} do not lie between two passages: the dancer moves from frame "
            f"{whole.first} to {whole.last}.",
            f"Leave at least {FEWEST_FRAMES} frames of movement on either side.",
        )


CLASSES = (PIROUETTE_OT_continue_dance, PIROUETTE_OT_fill_between)
