"""Operators that work in short steps: beside Blender in a window, to the end where there is none."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from enum import Enum
from typing import TypeVar

import bpy

from ..core.errors import Cancelled, PirouetteError
from ..core.progress import in_words
from ..core.session import SESSION

_TICK_S = 0.02
_WORK_BUDGET_S = 0.02  # how long one tick may go on; a single step may last a little longer
_DRAW_EVERY_S = 0.1
_WAIT_S = 1.0

T = TypeVar("T")


class Step(Enum):
    """What a step leaves to do."""

    WORK = "work"  # there is more to do at once
    WAIT = "wait"  # the backend is at work
    WRITE = "write"  # keys are being read or written: nobody else may touch the scene until that is done
    BOUND = "bound"  # as WRITE, and it is too late to cancel: what it belongs to is written


_ALONE = (Step.WRITE, Step.BOUND)


def undisturbed(steps: Generator[None, None, T]) -> Generator[Step, None, T]:
    """Steps that read or write the scene: nobody else may touch it meanwhile. Returns what they return."""
    return _each_as(Step.WRITE, steps)


def bound(steps: Generator[Step, None, T]) -> Generator[Step, None, T]:
    """Steps that belong to what is written already: they are not cancelled. Returns what they return."""
    return _each_as(Step.BOUND, steps)


def _each_as(step: Step, steps: Generator[object, None, T]) -> Generator[Step, None, T]:
    with closing(steps):
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: T = end.value
                return found
            yield step


class StepsOperator:
    """The half of an operator that runs ``steps``; a subclass says what they are."""

    _activity = "dance"  # what the panel shows a bar for
    _timer: bpy.types.Timer | None = None
    _running: Generator[Step, None, None] | None = None
    _step = Step.WORK
    _shown: tuple[str, float, str] | None = None
    _drawn_s = 0.0

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """The work. Raises PirouetteError when it cannot be begun."""
        raise NotImplementedError

    def succeeded(self, context: bpy.types.Context) -> None:
        """Called once after the last step."""

    def failed(self, context: bpy.types.Context, error: PirouetteError) -> None:
        """Called when a step has failed; says so where a window shows it and the panel does not."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do the work: to the end in background mode, else as a modal operator."""
        SESSION.begin(self._activity)
        try:
            self._running = self.steps(context)
        except PirouetteError as error:
            self._end(context, error=error)
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
            return {"RUNNING_MODAL"} if self._step in _ALONE else {"PASS_THROUGH"}
        outcome = self._tick(context)
        shown = (SESSION.progress.label, round(SESSION.progress.fraction, 2), in_words(SESSION.progress.time_left_s))
        now_s = time.perf_counter()
        if shown != self._shown and now_s - self._drawn_s > _DRAW_EVERY_S:  # drawing costs more than many a tick
            self._shown, self._drawn_s = shown, now_s
            redraw(context)
        return outcome or ({"RUNNING_MODAL"} if self._step in _ALONE else {"PASS_THROUGH"})

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, such as when another file is opened."""
        self._end(context, cancelled=True)

    def _run_to_end(self, context: bpy.types.Context) -> set[str]:
        while True:
            outcome = self._tick(context)
            if outcome is not None:
                return outcome
            if self._step is Step.WAIT:
                SESSION.wait(_WAIT_S)

    def _tick(self, context: bpy.types.Context) -> set[str] | None:
        """Some steps, as many as fit into the budget; the operator's result once the work has ended."""
        assert self._running is not None
        started_s = time.perf_counter()
        SESSION.pump()
        try:
            while True:
                if SESSION.cancel_requested and self._step not in (Step.WAIT, Step.BOUND):
                    raise Cancelled
                self._step = next(self._running)
                if self._step is Step.WAIT or time.perf_counter() - started_s > _WORK_BUDGET_S:
                    break
        except StopIteration:
            self.succeeded(context)
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
        if self._running is not None:
            self._running.close()
            self._running = None
        SESSION.end(error=error, warning="Cancelled." if cancelled else warning)
        if error is not None:
            # An error that is reported in background mode becomes the script's exception; a popup would only annoy.
            self.report({"ERROR"} if bpy.app.background else {"WARNING"}, str(error))
            self.failed(context, error)
        redraw(context)


def redraw(context: bpy.types.Context) -> None:
    """Draw the sidebars again, where the progress is shown, and the timelines, where the sections are."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            wanted = {"VIEW_3D": ("UI",), "PREFERENCES": ("UI", "WINDOW"), "DOPESHEET_EDITOR": ("WINDOW",)}
            for region in area.regions:
                if region.type in wanted.get(area.type, ()):
                    region.tag_redraw()
