"""Notice keys that the animator changes by hand, beside Blender, for the icons in the list of sections."""

from __future__ import annotations

import time
from collections.abc import Generator

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..scene.armature import find_dancer
from ..scene.hand_edits import edited_frames, edited_sections
from ..scene.storage import load
from ..scene.takes import find_take
from .stepping import redraw

_BUDGET_S = 0.01
_PAUSE_S, _SETTLE_S = 0.05, 0.6


class Watch:
    """Which sections of the current take hold keys made by hand, as far as is known."""

    def __init__(self) -> None:
        self._stale = True
        self._steps: Generator[None, None, None] | None = None
        self._known: tuple[str, int, frozenset[int]] = ("", 0, frozenset())

    def look_again(self) -> None:
        """Something has changed."""
        self._stale = True
        self._steps = None

    def edited(self, dancer: bpy.types.Object) -> frozenset[int]:
        """The numbers of the sections with keys made by hand."""
        name, take, sections = self._known
        return sections if (name, take) == (dancer.name, dancer.pirouette.take) else frozenset()

    def look(self, dancer: bpy.types.Object) -> Generator[None, None, None]:
        """Compare the take with its document in short steps."""
        take = find_take(dancer)
        found: frozenset[int] = frozenset()
        number = 0 if take is None else take.number
        document = None if take is None else load(dancer, number)
        if take is not None and document is not None:
            edited: np.ndarray = yield from edited_frames(dancer, take, document)
            found = edited_sections(document, edited)
        self._known = (dancer.name, number, found)

    def tick(self) -> float:
        """Some steps, if there is anything to look at; returns the seconds until the next."""
        context = bpy.context
        if SESSION.busy or not (self._stale or self._steps):
            return _SETTLE_S
        dancer = find_dancer(context)
        if dancer is None:
            return _SETTLE_S
        if self._steps is None:
            self._stale, self._steps = False, self.look(dancer)
        started_s, known = time.perf_counter(), self._known
        try:
            while time.perf_counter() - started_s < _BUDGET_S:
                next(self._steps)
        except (StopIteration, PirouetteError):  # a damaged document has told so in the list
            self._steps = None
            if self._known != known:
                redraw(context)
        except ReferenceError:  # the take was removed in the middle
            self.look_again()
        return _PAUSE_S if self._steps is not None else _SETTLE_S


WATCH = Watch()


def _tick() -> float:
    return WATCH.tick()


@persistent
def _changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    if depsgraph.id_type_updated("ACTION"):
        WATCH.look_again()


@persistent
def _other_state(*_: object) -> None:
    WATCH.look_again()


def attach() -> None:
    """Begin to watch."""
    handlers = bpy.app.handlers
    handlers.depsgraph_update_post.append(_changed)
    for kind in (handlers.undo_post, handlers.redo_post, handlers.load_post):
        kind.append(_other_state)
    if not bpy.app.background:
        bpy.app.timers.register(_tick, first_interval=_SETTLE_S, persistent=True)


def detach() -> None:
    """Watch no longer."""
    handlers = bpy.app.handlers
    handlers.depsgraph_update_post.remove(_changed)
    for kind in (handlers.undo_post, handlers.redo_post, handlers.load_post):
        kind.remove(_other_state)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
