"""One function for every operation: dance in, dance out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from backend.dance import Dance
from backend.editing import extending, making, marking, moving
from backend.editing.artist import Artist
from backend.editing.joining import Edit
from backend.editing.locking import missed_key_poses
from backend.editing.operations import (
    Beats,
    Continue,
    Delete,
    Describe,
    Duplicate,
    Encode,
    Insert,
    Lock,
    Merge,
    Mirror,
    Operation,
    Regenerate,
    Reorder,
    Replace,
    Retime,
    Snap,
    Split,
    Transfer,
    Unlock,
)
from backend.editing.parts import has_codes
from backend.errors import PirouetteError
from backend.library.own import codec_in

__all__ = ["Edit", "apply"]


def apply(dance: Dance, operation: Operation, artist: Artist, *, sources: Mapping[str, Dance] | None = None) -> Edit:
    """Do an operation; the report says what was touched and moved, and becomes the report of the dance.

    sources: "other", and phrases of the library by their id. Raises PirouetteError, with "locked" where a locked
    section would have to change.
    """
    began = time.perf_counter()
    models = str(artist.describe().get("models", ""))
    given = {name: _readable(source, models) for name, source in (sources or {}).items()}
    edit = _done(_readable(dance, models), operation, artist, given)
    edited = edit.dance
    if has_codes(dance) and not has_codes(edited):
        edited = marking.encode(edited, Encode(), artist).dance
    if has_codes(edited) and codec_in(edited.model_version) != codec_in(models):
        edited = replace(edited, model_version=models)
    report = {
        "operation": operation.to_dict(),
        "touched": [list(span) for span in edit.touched],
        "moved": [list(run) for run in edit.moved],
        "seams": [],
        "frames": edit.dance.motion.frames,
        "duration_s": round(edit.dance.motion.duration_s, 3),
        "off_beat_ms": 0.0,
        "missed_key_poses_s": missed_key_poses(edited),
        **edit.report,
        "seconds": round(time.perf_counter() - began, 4),
    }
    return replace(edit, dance=replace(edited, report=report), report=report)


def _readable(dance: Dance, models: str) -> Dance:
    """The dance without its codes, where another codec made them: they would be misread."""
    if not has_codes(dance) or codec_in(dance.model_version) == codec_in(models):
        return dance
    return replace(dance, movement_codes=dance.movement_codes[:0], pose_codes=dance.pose_codes[:0])


def _done(dance: Dance, operation: Operation, artist: Artist, sources: Mapping[str, Dance]) -> Edit:
    match operation:
        case Regenerate():
            return making.regenerate(dance, operation, artist)
        case Insert():
            return moving.insert(dance, operation, artist, sources)
        case Delete():
            return moving.delete(dance, operation, artist)
        case Duplicate():
            return moving.duplicate(dance, operation, artist)
        case Replace():
            return making.replace_span(dance, operation, artist, sources)
        case Reorder():
            return moving.reorder(dance, operation, artist)
        case Mirror():
            return making.mirror(dance, operation, artist)
        case Retime():
            return moving.retime(dance, operation, artist)
        case Continue():
            return extending.continue_dance(dance, operation, artist)
        case Transfer():
            return making.transfer(dance, operation, artist, sources)
        case _:
            return _marked(dance, operation, artist)


def _marked(dance: Dance, operation: Operation, artist: Artist) -> Edit:
    match operation:
        case Split():
            return marking.split(dance, operation, artist)
        case Merge():
            return marking.merge(dance, operation, artist)
        case Lock():
            return marking.lock(dance, operation.span, locked=True)
        case Unlock():
            return marking.lock(dance, operation.span, locked=False)
        case Describe():
            return marking.describe(dance, operation)
        case Snap():
            return marking.snap(dance, operation, artist)
        case Encode():
            return marking.encode(dance, operation, artist)
        case Beats():
            return marking.set_beats(dance, operation)
    raise PirouetteError("bad_request", f"There is no operation {operation.op!r}.")
