"""Which frames of a dance must be keys, so that the curves between them keep every joint where it belongs. No bpy.

Keys are put where the curves between them (``curve_fit``) lead some head or tail of a bone too far from its place, on
whichever of the bones that carry it errs most there, until nothing is too far away. Then every third key is taken out,
and put back where it is missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .channel_rotations import rotations_of
from .curve_fit import Fit, fitted
from .curves import BoolArray
from .posed_bones import PosedBones, ends_cm
from .quaternions import FloatArray, angle, inverse, times
from .rotation_modes import channel

CREEP_CM_S = 1.0  # how much faster than it did a standing foot may move
_FIRST_GAP_FRAMES = 24
_STILL = 1e-6  # channels that change less have no keys in between to begin with
_SHARE = 0.8  # of what errs most at a joint: bones that err as much get keys as well
_EVERY = 3  # so many keys apart are those that are tried to be left out at once
_THINNINGS = 2
_EDGE = 0.25  # of the way between two keys: no new key is nearer to one of them


@dataclass(frozen=True, eq=False)
class Task:
    """The channels in groups that share their keys: first a group of rotations for each bone, then the places of those
    that go. values: (G, T, 4), a group of three numbers has 0 as its fourth; modes: "" for places; turns:
    (N, T, 4) the rotations as quaternions; wanted: (3, N, T, 3) where ends are to be, cm; limits: (3, N, T) how far
    away each may be; feet: of each its bone and when it stands (T,); chains: of each bone the groups that move it.
    """

    bones: PosedBones
    names: tuple[str, ...]
    modes: tuple[str, ...]
    values: FloatArray
    weights: FloatArray
    turns: FloatArray
    wanted: FloatArray
    limits: FloatArray
    feet: tuple[tuple[int, BoolArray], ...]
    chains: tuple[tuple[int, ...], ...]
    fps: float


@dataclass(frozen=True, eq=False)
class Judged:
    """What some keys lead to. off: (G, T) how far each group's own error can carry a joint away, cm; away: (3, N, T)
    how far ends are away, cm; creeps: of each standing foot; wrong: (N, T) where a bone's own ends are too far away.
    """

    fit: Fit
    off: FloatArray
    away: FloatArray
    creeps: list[FloatArray]
    wrong: BoolArray


def chosen_keys(task: Task) -> Judged:
    """Few keys that lead nothing too far away."""
    judged = _enough_keys(task, _first_keys(task))
    for turn in range(_THINNINGS):
        judged = _thinned(task, judged, turn)
    return judged


def _first_keys(task: Task) -> BoolArray:
    """Some keys to begin with, and always the first and the last frame."""
    groups, frames = task.values.shape[:2]
    keyed = np.zeros((groups, frames), dtype=bool)
    pieces = max(1, round((frames - 1) / _FIRST_GAP_FRAMES))
    moves = np.ptp(task.values, axis=1).max(axis=-1) > _STILL
    keyed[np.ix_(moves, np.linspace(0, frames - 1, pieces + 1).round().astype(int))] = True
    keyed[:, [0, -1]] = True
    return keyed


def _judge(task: Task, keyed: BoolArray) -> Judged:
    fit = fitted(task.values, task.weights, keyed)
    turns, places = turns_of(task, fit.shown), fit.shown[len(task.turns) :, :, :3]
    shown = ends_cm(task.bones, turns, places)
    off = np.empty(keyed.shape)
    off[: len(turns)] = angle(times(inverse(task.turns), turns)) * task.bones.reach_cm[:, None]
    gone = places - task.values[len(turns) :, :, :3]
    off[len(turns) :] = np.linalg.norm(gone, axis=-1) * task.bones.unit_cm
    away = np.linalg.norm(shown - task.wanted, axis=-1)
    creeps = _creeps(task, shown)
    return Judged(fit, off, away, creeps, _too_far(task, away, creeps))


def _enough_keys(task: Task, keyed: BoolArray) -> Judged:
    """Keys added until nothing is too far away."""
    while True:
        judged = _judge(task, keyed)
        more = _between_keys(_blamed(task, judged), judged.off, keyed)
        if not more.any():
            return judged
        keyed = keyed | more


def _thinned(task: Task, judged: Judged, turn: int) -> Judged:
    """The same without keys that were not needed: every third is taken out, and put back where it is missed."""
    keyed = judged.fit.keyed
    out = keyed & ((np.cumsum(keyed, axis=1) % _EVERY) == turn)
    out[:, [0, -1]] = False
    while True:
        tried = _judge(task, keyed & ~out)
        back = _near_blamed(_blamed(task, tried), tried.fit.keyed, out)
        if not back.any():
            break
        out &= ~back
    if tried.wrong.any():
        tried = _enough_keys(task, tried.fit.keyed)
    return tried if tried.fit.keyed.sum() < keyed.sum() else judged


def _near_blamed(blamed: BoolArray, keyed: BoolArray, out: BoolArray) -> BoolArray:
    """The keys taken out (G, T) between two keys that are left, where a frame is blamed."""
    back = np.zeros_like(out)
    for group in np.flatnonzero(blamed.any(axis=1)):
        keys = np.flatnonzero(keyed[group])
        gone = np.flatnonzero(out[group])
        gap = np.searchsorted(keys, gone)
        frames = np.flatnonzero(blamed[group])
        hit = np.isin(gap, np.searchsorted(keys, frames, side="right")) | np.isin(gap, np.searchsorted(keys, frames))
        back[group, gone[hit]] = True
    return back


def turns_of(task: Task, values: FloatArray) -> FloatArray:
    """The rotations (N, T, 4) of all bones, in the order of the task, when its channels show this (G, T, 4)."""
    found = np.empty_like(task.turns)
    for mode in set(task.modes[: len(found)]):
        chosen = [place for place in range(len(found)) if task.modes[place] == mode]
        found[chosen] = rotations_of(values[chosen, :, : channel(mode)[1]], mode)
    return found


def _creeps(task: Task, shown: FloatArray) -> list[FloatArray]:
    """How much faster than before each standing foot moves (T - 1,), cm/s; 0 while it does not stand."""
    found = []
    for place, stands in task.feet:
        off = shown[0, place] - task.wanted[0, place]
        both = stands[1:] & stands[:-1]
        found.append(np.where(both, np.linalg.norm(np.diff(off, axis=0), axis=-1) * task.fps, 0.0))
    return found


def _too_far(task: Task, away: FloatArray, creeps: list[FloatArray]) -> BoolArray:
    """(N, T) on which frames something that hangs on each bone is too far away, or creeps."""
    wrong: BoolArray = np.any(away > task.limits, axis=0)
    for (place, _), creep in zip(task.feet, creeps, strict=True):
        fast = creep > CREEP_CM_S
        wrong[place, 1:] |= fast
        wrong[place, :-1] |= fast
    return wrong


def _blamed(task: Task, judged: Judged) -> BoolArray:
    """Where (G, T) channels err most of those that lead something too far away, and where a new key can be."""
    free = ~judged.fit.keyed
    splits = free.copy()
    splits[:, 1:] |= free[:, :-1]
    splits[:, :-1] |= free[:, 1:]
    off = np.where(splits, np.maximum(judged.off, 1e-9), 0.0)
    marked = np.zeros_like(free)
    for place, frames in enumerate(judged.wrong):
        if frames.any():
            chain = np.ix_(np.array(task.chains[place]), np.flatnonzero(frames))
            errors = off[chain]
            marked[chain] |= (errors >= _SHARE * errors.max(axis=0)) & (errors > 0.0)
    return marked


def _between_keys(marked: BoolArray, off: FloatArray, keyed: BoolArray) -> BoolArray:
    """Of the marked frames the worst in each gap between two keys, moved away from the gap's ends."""
    new = np.zeros_like(keyed)
    for group in np.flatnonzero(marked.any(axis=1)):
        keys = np.flatnonzero(keyed[group])
        frames = np.flatnonzero(marked[group])
        gaps = np.clip(np.searchsorted(keys, frames, side="right") - 1, 0, len(keys) - 2)
        at_key = keyed[group, frames]
        gaps = np.concatenate([gaps, np.maximum(gaps[at_key] - 1, 0)])  # a frame at a key counts for both sides
        frames = np.concatenate([frames, frames[at_key]])
        order = np.lexsort((off[group, frames], gaps))
        last = np.append(np.flatnonzero(np.diff(gaps[order])), len(order) - 1)
        start, end = keys[gaps[order[last]]], keys[gaps[order[last]] + 1]
        edge = np.maximum(1, np.round(_EDGE * (end - start)).astype(int))
        place = np.clip(frames[order[last]], start + edge, np.maximum(end - edge, start + edge))
        new[group, place[end - start > 1]] = True
    return new
