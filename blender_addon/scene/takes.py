"""The takes that are on a dancer, and which of them is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.errors import PirouetteError
from .action_curves import curve_owner
from .storage import CURRENT
from .take import TAKE_MARK

_NEAR = 1e-3  # of a frame


@dataclass(frozen=True)
class Take:
    """A take on its NLA strip. Holds Blender data: look it up again after anything that may undo or load."""

    number: int
    track: bpy.types.NlaTrack
    strip: bpy.types.NlaStrip

    @property
    def action(self) -> bpy.types.Action:
        """The take's Action."""
        return self.strip.action

    @property
    def name(self) -> str:
        """As the animator reads it."""
        return str(self.track.name)

    def owner(self) -> bpy.types.ActionChannelbag | bpy.types.Action | None:
        """What holds its F-curves."""
        return curve_owner(self.action, getattr(self.strip, "action_slot", None))

    def frames(self) -> np.ndarray:
        """The whole frames (F,) of the scene that it is seen at."""
        first, last = np.ceil(self.strip.frame_start - _NEAR), np.floor(self.strip.frame_end + _NEAR)
        return np.arange(int(first), int(last) + 1)

    def scene_frame(self, frame: float) -> float:
        """Where a frame of the Action is seen in the scene: its strip may have been moved or stretched."""
        return float(self.strip.frame_start + (frame - self.strip.action_frame_start) * self.strip.scale)

    def action_frame(self, frame: float) -> float:
        """Which frame of the Action is seen at a frame of the scene."""
        return float(self.strip.action_frame_start + (frame - self.strip.frame_start) / (self.strip.scale or 1.0))


def takes(dancer: bpy.types.Object) -> Iterator[Take]:
    """All takes on a dancer, from the lowest track to the highest."""
    if dancer.animation_data is None:
        return
    for track in dancer.animation_data.nla_tracks:
        for strip in track.strips:
            if strip.action is not None and int(strip.action.get(TAKE_MARK, 0)):
                yield Take(int(strip.action[TAKE_MARK]), track, strip)


def find_take(dancer: bpy.types.Object, number: int | None = None) -> Take | None:
    """A take by its number, by default the current one."""
    number = int(dancer.get(CURRENT, 0)) if number is None else number
    return next((take for take in takes(dancer) if take.number == number), None)


def current_take(dancer: bpy.types.Object | None) -> Take:
    """The take that is worked on. Raises PirouetteError no_take."""
    take = find_take(dancer) if dancer is not None else None
    if take is None:
        raise PirouetteError("no_take", "There is no dance to edit.", "Generate one, or turn your animation into one.")
    return take


def hear_take(dancer: bpy.types.Object, number: int) -> None:
    """Show this take and no other, and work on it. Raises PirouetteError no_take."""
    chosen = find_take(dancer, number)
    if chosen is None:
        raise PirouetteError("no_take", f"There is no take {number} any more.")
    animation = dancer.animation_data
    if animation.use_tweak_mode:
        animation.use_tweak_mode = False
    for track in animation.nla_tracks:
        track.is_solo = False
        track.mute = track != chosen.track
    dancer[CURRENT] = number


def is_heard(dancer: bpy.types.Object, take: Take) -> bool:
    """Whether this take is what the dancer shows, as far as its tracks say."""
    tracks = dancer.animation_data.nla_tracks
    solo = [track for track in tracks if track.is_solo]
    heard = solo or [track for track in tracks if not track.mute]
    return bool(heard) and heard[-1] == take.track
