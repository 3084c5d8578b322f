"""Where a character's feet stand on the scene's frames: what its dance says, and what the animator says over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.contact_edits import ContactEdit, Foot, foot_stands
from ..core.curves import Span, spans_of
from ..core.errors import PirouetteError
from .armature import find_dancer
from .storage import load
from .takes import Take, find_take
from .timing import scene_fps


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a dance's feet stand, on the scene's frames. first: of the dance; contacts: (F, 4)."""

    first: int
    fps: float
    contacts: np.ndarray

    @property
    def times_s(self) -> np.ndarray:
        """(F,) of the frames."""
        return np.arange(len(self.contacts)) / self.fps

    def span_s(self, first: int, last: int) -> tuple[float, float]:
        """From half a frame before a scene frame to half a frame after another, so that rounding loses none."""
        return (first - self.first - 0.5) / self.fps, (last - self.first + 0.5) / self.fps

    def frames_of(self, start_s: float, end_s: float) -> tuple[int, int]:
        """The first and the last scene frame of a span."""
        first, end = (int(np.ceil(value * self.fps - 1e-3)) for value in (start_s, end_s))
        return self.first + first, self.first + max(end - 1, first)


def dancer_of(context: bpy.types.Context, character: bpy.types.Object) -> bpy.types.Object | None:
    """Whose dance the character has or would get."""
    return character.pirouette_character.dancer or find_dancer(context)


def standing_of(context: bpy.types.Context, character: bpy.types.Object) -> Standing:
    """Where the feet of the character's dance stand, as the dance says. Raises PirouetteError no_take."""
    dancer = dancer_of(context, character)
    take = find_take(dancer) if dancer is not None else None
    if take is None:
        raise PirouetteError("no_take", "There is no dance whose feet could be planted.", "Generate one first.")
    frames = take.frames()
    places = np.array([take.action_frame(frame) for frame in frames])
    return Standing(int(frames[0]), scene_fps(context.scene), contacts_at(dancer, take, places))


def contacts_at(dancer: bpy.types.Object, take: Take, places: np.ndarray) -> np.ndarray:
    """Which of ankles and balls stand (F, 4) at frames (F,) of the take's Action, as the dance knows it.

    Raises PirouetteError damaged_file.
    """
    document = load(dancer, take.number)
    if document is None or not len(document.contacts):
        return np.zeros((len(places), 4), dtype=bool)
    seconds = (places - document.placement.first_frame) / document.placement.fps
    nearest = np.clip(np.round(seconds * document.fps).astype(int), 0, len(document.contacts) - 1)
    return np.asarray(document.contacts[nearest], dtype=bool)


def edits_of(character: bpy.types.Object) -> tuple[ContactEdit, ...]:
    """What the animator has said about the character's feet, in order of time."""
    kept = character.pirouette_character.contact_edits
    return tuple(ContactEdit(edit.foot, edit.start_s, edit.end_s, edit.stands) for edit in kept)


def keep_edits(character: bpy.types.Object, edits: Iterable[ContactEdit]) -> None:
    """Let these be the character's edits."""
    kept = character.pirouette_character.contact_edits
    kept.clear()
    for edit in edits:
        item = kept.add()
        item.foot, item.start_s, item.end_s, item.stands = edit.foot, edit.start_s, edit.end_s, edit.stands


def spans_near(there: Standing, contacts: np.ndarray, foot: Foot, *, frame: int, within_s: float) -> list[Span]:
    """First frame and the one after the last of each span in which a foot stands, near a frame of the scene."""
    reach = within_s * there.fps
    found = [Span(span.start + there.first, span.end + there.first) for span in spans_of(foot_stands(contacts, foot))]
    return [span for span in found if span.end > frame - reach and span.start <= frame + reach]
