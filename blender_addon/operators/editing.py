"""Editing a dance in short steps: look for keys made by hand, ask the backend, write what has changed over the take."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..core.dance import DanceDocument
from ..core.edited_dance import locks_passed, near_locks
from ..core.edits import Operation, edit_request, encode_again
from ..core.environment import BackendCommand
from ..core.errors import PirouetteError
from ..core.reply import EditResult, edit_from_result
from ..core.sections import changed_frames, scene_mask, scene_span
from ..core.session import Session
from ..scene.hand_edits import edited_frames, edited_sections, names_of, read_in
from ..scene.markers import marked, write_markers
from ..scene.readback import check_rotation_modes
from ..scene.rewriting import rewrite_take
from ..scene.section_list import mark_sections, show_sections
from ..scene.storage import load, store
from ..scene.takes import Take, current_take
from .carrying import carried_on
from .directing import directed_now
from .making import ask
from .stepping import Step, undisturbed
from .watching import WATCH

_WRITE_STEPS = 34  # one for each channel and some, for the bar
_OFF_BEAT_MS = 60.0  # what an audience begins to see


@dataclass(frozen=True, eq=False)
class EditPlan:
    """What is to be done with a dance. replaced: numbers of the sections whose movement gives way to another;
    other: the dance that material is taken from; select: the section to select afterwards, None: the same.
    """

    operation: Operation
    replaced: tuple[int, ...] = ()
    other: DanceDocument | None = None
    select: int | None = None


@dataclass(frozen=True)
class Desk:
    """Where an edit is made and by whom. hand_edits: ``ASK``, ``KEEP`` or ``DISCARD``."""

    session: Session
    command: BackendCommand
    log_path: Path
    addon_version: str
    user_folder: str
    dancer_name: str
    hand_edits: str = "ASK"

    def dancer(self) -> bpy.types.Object:
        """The dancer, looked up anew. Raises PirouetteError no_take."""
        dancer = bpy.data.objects.get(self.dancer_name)
        if dancer is None:
            raise PirouetteError("no_take", f"The dancer “{self.dancer_name}” is no longer there.")
        return dancer


def edit_dance(desk: Desk, plan: Callable[[DanceDocument], EditPlan]) -> Generator[Step, None, None]:
    """All the steps of an edit. Raises PirouetteError, Cancelled; then nothing has changed."""
    dancer = desk.dancer()
    check_rotation_modes(dancer)
    before = document_of(dancer)
    directed = directed_now(bpy.context.scene, dancer, current_take(dancer), before)
    planned = plan(directed)
    edited = yield from undisturbed(edited_frames(dancer, current_take(dancer), before))
    base, given_up = yield from _with_hand_edits(desk, directed, planned, edited)
    result = yield from _ask(desk, base, planned.operation, planned.other)
    after = replace(result.document, key_poses=locks_passed(before, directed, result))
    changed = _changed(base, after, result) | near_locks(
        before.key_poses, after.key_poses, after.placement, fps=after.fps
    )
    if after.placement.frames == base.placement.frames:
        changed |= given_up
    after = replace(after, kept_keys=_kept_marks(base, after, changed))
    dancer = desk.dancer()
    take = current_take(dancer)
    yield from _unchanged_meanwhile(dancer, take, before, edited)
    with closing(rewrite_take(dancer, take, after, changed, frames_before=before.placement.frames)) as steps:
        for index, _ in enumerate(steps):
            desk.session.report("write", done=index, total=_WRITE_STEPS)
            yield Step.WRITE
    _keep(dancer, take, after, select=planned.select, frames_before=before.placement.frames)
    desk.session.warning = _warning(before, after)
    yield from carried_on(dancer)


def document_of(dancer: bpy.types.Object, number: int | None = None) -> DanceDocument:
    """The document of a take, by default of the current one. Raises PirouetteError no_take, damaged_file."""
    document = load(dancer, number)
    if document is None:
        raise PirouetteError(
            "no_take", "This dance has no document to edit it by.", "Generate one, or turn your animation into one."
        )
    return document


def _with_hand_edits(
    desk: Desk, before: DanceDocument, planned: EditPlan, edited: np.ndarray
) -> Generator[Step, None, tuple[DanceDocument, np.ndarray]]:
    """The dance as it is keyed, its codes read anew, and the scene frames whose hand-made keys are given up.

    Keys in sections that are not replaced are always kept. Raises PirouetteError hand_edits when it has to be asked.
    """
    given_up = np.zeros(len(edited), dtype=bool)
    in_the_way = edited_sections(before, edited) & set(planned.replaced)
    if in_the_way and desk.hand_edits == "ASK":
        raise PirouetteError(
            "hand_edits",
            f"You have changed keys by hand in {names_of(before, sorted(in_the_way))}.",
            "Say whether to keep them (read them into the dance first) or to discard them.",
        )
    if desk.hand_edits == "DISCARD":
        for index in in_the_way:
            section = before.sections[index]
            first, end = scene_span(before.placement, section.start_s, section.end_s)
            given_up[first:end] = edited[first:end]
    kept = edited & ~given_up
    if not kept.any():
        return before, given_up
    dancer = desk.dancer()
    document = yield from undisturbed(read_in(dancer, current_take(dancer), before, kept))
    encoded = yield from _ask(desk, document, encode_again(), None)
    return replace(encoded.document, kept_keys=document.kept_keys), given_up


def _ask(
    desk: Desk, document: DanceDocument, operation: Operation, other: DanceDocument | None
) -> Generator[Step, None, EditResult]:
    request = edit_request(document, operation, user_folder=desk.user_folder, other=other)
    message = yield from ask(desk.session, request, desk.command, log_path=desk.log_path)
    return edit_from_result(message, before=document, addon_version=desk.addon_version)


def _changed(before: DanceDocument, after: DanceDocument, result: EditResult) -> np.ndarray:
    """Which scene frames of the result have to be written: what the backend tells, and whatever else differs."""
    changed = changed_frames(before, after)
    for first, last in result.touched:
        changed[max(first, 0) : last] = True
    for first, last, to in result.moved:
        changed[max(to, 0) : to + last - first] = True
    mask = scene_mask(after.placement, changed, fps=after.fps)
    mask[before.placement.frames :] = True
    return mask


def _kept_marks(before: DanceDocument, after: DanceDocument, changed: np.ndarray) -> np.ndarray:
    """The marks of keys that stay as the animator has made them."""
    marks = np.zeros(after.placement.frames, dtype=np.int32)
    common = min(len(before.kept_keys), len(marks))
    marks[:common] = before.kept_keys[:common]
    marks[changed] = 0
    return marks if marks.any() else np.zeros(0, dtype=np.int32)


def _unchanged_meanwhile(
    dancer: bpy.types.Object, take: Take, before: DanceDocument, edited: np.ndarray
) -> Generator[Step, None, None]:
    """Blender was usable while the backend worked. Raises PirouetteError busy when the take is no longer the same."""
    now = document_of(dancer, take.number)
    same = np.array_equal(now.poses, before.poses) and np.array_equal(now.pelvis, before.pelvis)
    if same and now.sections == before.sections:
        keyed = yield from undisturbed(edited_frames(dancer, take, now))
        same = not (keyed & ~edited).any()
    else:
        same = False
    if not same:
        raise PirouetteError("busy", "The dance was changed while this was being made.", "Do it again.")


def _keep(
    dancer: bpy.types.Object, take: Take, document: DanceDocument, *, select: int | None, frames_before: int
) -> None:
    """The document, the list and the markers, in one go."""
    scene = bpy.context.scene
    store(dancer, document, number=take.number)
    show_sections(dancer, select=select)
    mark_sections(scene, dancer)
    if document.placement.frames != frames_before and not marked(scene).edited:
        for _ in write_markers(scene, document.beats, document.placement, accents_s=document.accents_s):
            pass
    WATCH.look_again()


def _warning(before: DanceDocument, after: DanceDocument) -> str:
    told = [warning for warning in after.warnings if warning not in before.warnings]
    off_ms = after.report.get("off_beat_ms")
    if isinstance(off_ms, int | float) and off_ms > _OFF_BEAT_MS and off_ms != before.report.get("off_beat_ms"):
        told.append(f"What follows starts up to {off_ms:.0f} ms beside the beat.")
    return " ".join(told)
