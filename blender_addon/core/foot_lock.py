"""Feet that stand still on any character: pinned through the spans in which the dance's feet stand. No bpy.

The legs reach their pins by two-bone inverse kinematics; where a leg is too short for its pin, the hips sink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .calibration import Foot
from .curves import BoolArray, highest_near, smooth
from .foot_pins import FootPath, pinned
from .quaternions import FloatArray, inverse, times, turned
from .two_bone import reach

FeetMode = Literal["auto", "ground", "off"]
REACH = 0.992  # of the straight leg: farther than this a leg reaches only where it did before
_STRAIGHT = 0.9993
_IN_THE_AIR = 0.02  # how much a foot that does not stand counts
_SETTLE_S = 0.07
_DEEPEST = 0.2  # of the leg's length: how far hips sink


@dataclass(frozen=True, eq=False)
class Leg:
    """A leg over the frames, in stage axes. hip: (T, 3) metres; thigh, shin: (T, 3) from joint to joint, metres;
    hinge: (T, 3) the axis about which its knee bends; turns, toe_turns: (T, 4) of foot and toes from rest.
    """

    hip: FloatArray
    thigh: FloatArray
    shin: FloatArray
    hinge: FloatArray
    turns: FloatArray
    toe_turns: FloatArray

    @property
    def length_m(self) -> float:
        """Of the straight leg."""
        return float(np.linalg.norm(self.thigh[0]) + np.linalg.norm(self.shin[0]))

    def path(self) -> FootPath:
        """Its foot."""
        return FootPath(self.hip + self.thigh + self.shin, self.turns, self.toe_turns)


@dataclass(frozen=True, eq=False)
class LegTurns:
    """How far the bones of a leg are turned on (T, 4), in stage axes."""

    thigh: FloatArray
    shin: FloatArray
    foot: FloatArray


@dataclass(frozen=True, eq=False)
class Locked:
    """sunk_m: (T,) how far the hips sink, below 0 where they rise; turns: of the left and the right leg."""

    sunk_m: FloatArray
    turns: tuple[LegTurns, LegTurns]


def foot_lock(
    legs: tuple[Leg, Leg], feet: tuple[Foot, Foot], contacts: BoolArray, *, floor_m: float, fps: float,
    mode: FeetMode = "auto", strength: float = 1.0, planted: BoolArray | None = None,
    danced: FloatArray | None = None,
) -> Locked:  # fmt: skip
    """Hold feet where they stand, and above the floor.

    contacts: (T, 4) where the left and right ankle and the left and right ball stand; mode: ``auto`` holds them in
    place, ``ground`` only at the floor's height, ``off`` changes nothing; strength: 0 to 1; planted: (T, 2) where the
    left and right foot are held however far the dance's go; danced: (T, 4, 3) the dance's own ankles and balls, in
    the order of the contacts and the character's metres, by which is told whether a foot stays.
    Raises ValueError for contacts of other frames or a strength out of range.
    """
    frames = len(legs[0].hip)
    if contacts.shape != (frames, 4):
        raise ValueError(f"contacts of shape {contacts.shape} for {frames} frames")
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"a foot lock's strength is 0 to 1, not {strength}")
    if mode == "off" or strength == 0.0:
        same = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 1))
        return Locked(np.zeros(frames), (LegTurns(same, same, same), LegTurns(same, same, same)))
    paths = [
        pinned(
            leg.path(),
            feet[side],
            heel=contacts[:, side],
            toes=contacts[:, 2 + side],
            floor_m=floor_m,
            leg_m=leg.length_m,
            fps=fps,
            strength=strength,
            hold=mode == "auto",
            planted=None if planted is None else planted[:, side],
            danced=None if danced is None else (danced[:, side], danced[:, 2 + side]),
        )
        for side, leg in enumerate(legs)
    ]
    sunk = _sinking(legs, paths, contacts, fps=fps)
    down = np.stack([np.zeros_like(sunk), np.zeros_like(sunk), sunk], axis=-1)
    turns = []
    for leg, path in zip(legs, paths, strict=True):
        thigh, shin = reach(leg.thigh, leg.shin, leg.hinge, path.ankle - (leg.hip - down))
        turns.append(LegTurns(thigh, shin, times(path.turns, inverse(leg.turns))))
    return Locked(sunk, (turns[0], turns[1]))


def moved(leg: Leg, turns: LegTurns, sunk_m: FloatArray) -> Leg:
    """The leg after a lock."""
    down = np.stack([np.zeros_like(sunk_m), np.zeros_like(sunk_m), sunk_m], axis=-1)
    return Leg(
        leg.hip - down,
        turned(turns.thigh, leg.thigh),
        turned(turns.shin, leg.shin),
        turned(turns.thigh, leg.hinge),
        times(turns.foot, leg.turns),
        times(turns.foot, leg.toe_turns),
    )


def _sinking(legs: tuple[Leg, Leg], paths: list[FootPath], contacts: BoolArray, *, fps: float) -> FloatArray:
    """(T,) how far the hips sink (below 0: rise), so that standing legs stay as bent as they were and reach their feet.

    A leg that is all but straight must bend a lot to be a little shorter: where its foot rises, the hips rise too.
    """
    offers, weights = [], []
    for side, (leg, path) in enumerate(zip(legs, paths, strict=True)):
        was = np.linalg.norm(leg.thigh + leg.shin, axis=-1)
        offers.append(_too_high(leg, path, was))
        weights.append(np.where(contacts[:, side] | contacts[:, 2 + side], 1.0, _IN_THE_AIR))
    wanted, weight = np.array(offers), np.array(weights)
    wide = max(1.0, _SETTLE_S * fps)
    sunk = smooth((wanted * weight).sum(axis=0), wide) / smooth(weight.sum(axis=0), wide)
    needed = np.zeros(len(sunk))
    for leg, path in zip(legs, paths, strict=True):
        straight = leg.length_m
        was = np.linalg.norm(leg.thigh + leg.shin, axis=-1)
        most = np.maximum(REACH * straight, np.minimum(was, _STRAIGHT * straight))
        needed = np.maximum(needed, np.clip(_too_high(leg, path, most) - sunk, 0.0, _DEEPEST * straight))
    return sunk + smooth(highest_near(needed, max(1, round(0.1 * fps))), 0.06 * fps)


def _too_high(leg: Leg, path: FootPath, length: FloatArray) -> FloatArray:
    """(T,) how far the hip is above where its leg would be of this length (T,)."""
    target = path.ankle - leg.hip
    across = np.minimum(np.linalg.norm(target[:, :2], axis=-1), length)
    return np.asarray(np.where(target[:, 2] < 0.0, -target[:, 2] - np.sqrt(length**2 - across**2), 0.0))
