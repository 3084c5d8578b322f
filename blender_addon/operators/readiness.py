"""Whether a dance can be made now, and what to press when it cannot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import bpy

from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..preferences import backend_problem
from ..scene.armature import find_dancer
from ..scene.storage import CURRENT
from ..scene.strips import music_scene, sound_strips

_LOOK_AGAIN_S = 1.0  # the panel asks at every redraw, and the answer is on the disk


@dataclass(frozen=True)
class Fix:
    """The button that sets a problem right."""

    operator: str
    text: str
    icon: str


_SET_UP = Fix("pirouette.set_up_backend", "Set Up Backend", "IMPORT")
_ADD_SONG = Fix("pirouette.add_song", "Add a Song…", "FILE_SOUND")
_REPORT = Fix("pirouette.copy_report", "Copy Report", "COPYDOWN")
BUSY = PirouetteError("busy", "Something is being made.")
_FIXES = {
    "no_environment": _SET_UP,
    "no_sound": _ADD_SONG,
    "backend_died": _REPORT,
    "internal": _REPORT,
    "bad_request": _REPORT,
}


def fix_for(problem: PirouetteError) -> Fix | None:
    """The button for a problem, where one can help."""
    return _FIXES.get(problem.code)


class _BackendProblem:
    """The backend's problem, looked up at most once a second."""

    def __init__(self) -> None:
        self._asked_s = float("-inf")
        self._problem: PirouetteError | None = None

    def now(self, context: bpy.types.Context) -> PirouetteError | None:
        if time.monotonic() - self._asked_s > _LOOK_AGAIN_S:
            self._problem = backend_problem(context)
            self._asked_s = time.monotonic()
        return self._problem

    def forget(self) -> None:
        self._asked_s = float("-inf")


BACKEND_PROBLEM = _BackendProblem()


def allowed(operator: Any, problem: PirouetteError | None) -> bool:
    """Whether there is no problem; else it becomes the tooltip of the operator's button."""
    if problem is not None:
        operator.poll_message_set(str(problem))
    return problem is None


def problem_before_backend(context: bpy.types.Context) -> PirouetteError | None:
    """Why the backend cannot be asked now: what can be told at a glance."""
    return BUSY if SESSION.busy else BACKEND_PROBLEM.now(context)


def problem_before_edit(context: bpy.types.Context) -> PirouetteError | None:
    """Why the buttons for sections are disabled: what can be told at a glance."""
    if SESSION.busy:
        return BUSY
    dancer = find_dancer(context)
    if dancer is None or not dancer.get(CURRENT, 0):
        return PirouetteError("no_take", "There is no dance to edit.", "Generate one first.")
    if dancer.pirouette.problem:
        return PirouetteError("damaged_file", dancer.pirouette.problem)
    return BACKEND_PROBLEM.now(context)


def problem_before_dance(context: bpy.types.Context) -> PirouetteError | None:
    """Why Generate is disabled: what can be told at a glance; the rest is checked after the click."""
    if SESSION.activity == "setup":
        return PirouetteError("busy", "The backend is being set up.")
    if SESSION.busy:
        return BUSY
    if context.scene.library is not None:
        return PirouetteError("busy", "This scene is linked from another file.")
    if not sound_strips(music_scene(context)):
        return PirouetteError("no_sound", "There is no sound on the timeline.", "Add a song first.")
    return BACKEND_PROBLEM.now(context)
