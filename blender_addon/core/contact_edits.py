"""Where a character's feet stand, as the animator says it over what the dance says. No bpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .curves import BoolArray
from .quaternions import FloatArray

Foot = Literal["LEFT", "RIGHT"]
COLUMNS: dict[Foot, tuple[int, int]] = {"LEFT": (0, 2), "RIGHT": (1, 3)}  # ankle and ball, of ``dance.CONTACT_JOINTS``
_SAME_S = 1e-6


@dataclass(frozen=True)
class ContactEdit:
    """A foot stands, or does not, from start_s to end_s: seconds from the dance's start, the end not included."""

    foot: Foot
    start_s: float
    end_s: float
    stands: bool


def with_edits(contacts: BoolArray, edits: Iterable[ContactEdit], times_s: FloatArray) -> BoolArray:
    """The contacts (F, 4) of ankles and balls as they are after the edits, of which later ones count.

    times_s: (F,) seconds of the frames from the dance's start.
    Raises ValueError for other shapes or a foot that there is not.
    """
    times = np.asarray(times_s, dtype=np.float64)
    if contacts.shape != (len(times), 4):
        raise ValueError(f"contacts of shape {contacts.shape} for {len(times)} frames")
    found = np.array(contacts, dtype=bool)
    for edit in edits:
        if edit.foot not in COLUMNS:
            raise ValueError(f"{edit.foot!r} is no foot; expected LEFT or RIGHT")
        inside = (times >= edit.start_s - _SAME_S) & (times < edit.end_s - _SAME_S)
        for column in COLUMNS[edit.foot]:
            found[inside, column] = edit.stands
    return found


def planted(edits: Iterable[ContactEdit], times_s: FloatArray) -> BoolArray:
    """Where the animator has the left and the right foot (F, 2) stand, at the frames' seconds (F,)."""
    return with_edits(np.zeros((len(times_s), 4), dtype=bool), edits, times_s)[:, :2]


def with_edit(edits: Sequence[ContactEdit], edit: ContactEdit) -> tuple[ContactEdit, ...]:
    """The edits in order of time after one more, which takes the place of what it covers; equal neighbours are one."""
    kept = [part for other in edits for part in without_span(other, edit.foot, edit.start_s, edit.end_s)]
    added = edit
    for other in list(kept):
        touches = other.start_s <= added.end_s + _SAME_S and added.start_s <= other.end_s + _SAME_S
        if (other.foot, other.stands) == (edit.foot, edit.stands) and touches:
            added = replace(added, start_s=min(added.start_s, other.start_s), end_s=max(added.end_s, other.end_s))
            kept.remove(other)
    return tuple(sorted([*kept, added], key=lambda one: (one.start_s, one.foot)))


def without_span(edit: ContactEdit, foot: Foot, start_s: float, end_s: float) -> list[ContactEdit]:
    """What is left of an edit where a span of a foot is cut out."""
    if edit.foot != foot or edit.end_s <= start_s + _SAME_S or edit.start_s >= end_s - _SAME_S:
        return [edit]
    parts = [replace(edit, end_s=start_s), replace(edit, start_s=end_s)]
    return [part for part in parts if part.end_s - part.start_s > _SAME_S]


def foot_stands(contacts: BoolArray, foot: Foot) -> BoolArray:
    """(F,) whether any of a foot stands."""
    return np.asarray(contacts[:, list(COLUMNS[foot])].any(axis=-1))
