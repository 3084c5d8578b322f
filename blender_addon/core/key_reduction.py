"""Fewer keys for a dance on a character: as few as keep every joint within a limit of where each frame has it. No bpy.

What counts is what Blender shows: curves between keys, in the bone's own rotation mode, with values as it stores them.
Feet that stand are kept closer by far, and may not creep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .curve_fit import Fit
from .curves import BoolArray
from .foot_pins import standing
from .key_search import Task, chosen_keys, turns_of
from .posed_bones import PosedBones, ends_cm, posed_bones
from .quaternions import FloatArray
from .resample import continuous_quaternions
from .retarget import Retargeted
from .rig import BoneMap, Rig
from .rotation_modes import channel, in_mode

FEET = (7, 8, 10, 11)  # the joints of the contacts' columns
STANDING = 0.2  # of the limit: how far a standing foot may be from its place
_END_WEIGHT = 100.0


@dataclass(frozen=True, eq=False)
class ReducedCurve:
    """A Bezier curve of one channel. path: a pose bone's property, such as ``rotation_euler``; index: which number of
    it; frames, values: (K,) the first frame of the dance is 0; handle_left, handle_right: (K, 2) frame and value.
    """

    bone: str
    path: str
    index: int
    frames: FloatArray
    values: FloatArray
    handle_left: FloatArray
    handle_right: FloatArray


@dataclass(frozen=True, eq=False)
class Reduced:
    """A dance with fewer keys. error_cm: the farthest that any joint is away; creep_cm_s: the most that a standing
    foot moves faster than before; keys, keys_before: of all channels; shown: the dance as the curves show it.
    """

    curves: tuple[ReducedCurve, ...]
    error_cm: float
    creep_cm_s: float
    keys: int
    keys_before: int
    shown: Retargeted


def reduced(
    rig: Rig,
    bone_map: BoneMap,
    retargeted: Retargeted,
    *,
    limit_cm: float,
    fps: float,
    contacts: BoolArray | None = None,
) -> Reduced:
    """The dance with as few keys as keep all heads and tails of the character's mapped bones within a limit.

    limit_cm: of the farthest joint on the farthest frame; contacts: (T, 4) where left and right ankle and ball stand.
    Raises ValueError for a limit that is not above 0.
    """
    check_limit(limit_cm)
    task = _task(rig, bone_map, retargeted, limit_cm=limit_cm, fps=fps, contacts=contacts)
    found = chosen_keys(task)
    creep = max((float(creep.max(initial=0.0)) for creep in found.creeps), default=0.0)
    curves = reduced_curves(task, found.fit)
    before = task.values.shape[1] * len(curves)
    shown = _shown(retargeted, task, found.fit)
    return Reduced(curves, float(found.away.max()), creep, sum(len(c.frames) for c in curves), before, shown)


def check_limit(limit_cm: float) -> None:
    """Raises ValueError for a limit that is not above 0."""
    if not (np.isfinite(limit_cm) and limit_cm > 0.0):
        raise ValueError(f"the farthest that a joint may be away must be above 0 cm, not {limit_cm}")


def _shown(retargeted: Retargeted, task: Task, fit: Fit) -> Retargeted:
    """The dance with the rotations and places of the curves."""
    rotations, places = np.empty_like(task.turns), fit.shown[len(task.turns) :, :, :3]
    rotations[list(task.bones.order)] = turns_of(task, fit.shown)
    return replace(
        retargeted,
        rotations=np.moveaxis(continuous_quaternions(np.moveaxis(rotations, 0, 1)), 1, 0),
        locations=places[0],
        root_locations=places[1] if len(places) > 1 else None,
    )


def _task(
    rig: Rig, bone_map: BoneMap, retargeted: Retargeted, *, limit_cm: float, fps: float, contacts: BoolArray | None
) -> Task:
    bones = posed_bones(rig, bone_map, retargeted)
    names = [retargeted.bones[place] for place in bones.order]
    feet = () if contacts is None else _feet(names, bone_map, np.asarray(contacts, dtype=bool), fps=fps)
    places = {retargeted.hips: retargeted.locations}
    if retargeted.root and retargeted.root_locations is not None:
        places[retargeted.root] = retargeted.root_locations
    rotations = retargeted.rotations[list(bones.order)]
    return reduction_task(rig, bones, names, rotations, places, feet=feet, limit_cm=limit_cm, fps=fps)


def reduction_task(
    rig: Rig, bones: PosedBones, names: Sequence[str], rotations: FloatArray, places: Mapping[str, FloatArray], *,
    feet: tuple[tuple[int, BoolArray], ...], limit_cm: float, fps: float,
) -> Task:  # fmt: skip
    """The channels of bones whose keys are to be few.

    names: of the bones in their order; rotations: (N, T, 4); places: (T, 3) of the bones that go, in their order; feet:
    of each that ever stands its bone's number here and when (T,).
    """
    modes = [rig.rotation_modes[rig.number(name)] for name in names]
    groups = [in_mode(turns, mode) for turns, mode in zip(rotations, modes, strict=True)]
    groups += places.values()
    values = np.zeros((len(groups), rotations.shape[1], 4))
    for number, group in enumerate(groups):
        values[number, :, : group.shape[-1]] = group
    wanted = ends_cm(bones, rotations, values[len(names) :, :, :3])
    limits = np.full(wanted.shape[:-1], limit_cm)
    for place, stands in feet:
        limits[0, place, stands] = STANDING * limit_cm
    weights = np.ones(values.shape[:2])
    weights[:, [0, -1]] = _END_WEIGHT
    chains = []
    for place in range(len(names)):
        line = bones.line(place)
        goes = [len(names) + group for group, bone in enumerate(bones.goes) if bone == -1 or bone in line]
        chains.append((*line, *goes))
    return Task(
        bones, (*names, *places), (*modes, *[""] * len(places)), values, weights, rotations, wanted, limits, feet,
        tuple(chains), fps,
    )  # fmt: skip


def _feet(names: list[str], bone_map: BoneMap, contacts: BoolArray, *, fps: float) -> tuple[tuple[int, BoolArray], ...]:
    """Which bones' heads stand, and on which frames."""
    found = []
    for column, joint in enumerate(FEET):
        first = bone_map.bones(joint)[:1]
        if first and first[0] in names and contacts[:, column].any():
            found.append((names.index(first[0]), standing(contacts[:, column], fps=fps)))
    return tuple(found)


def reduced_curves(task: Task, fit: Fit) -> tuple[ReducedCurve, ...]:
    """The curves of all channels."""
    found = []
    for group, (name, mode) in enumerate(zip(task.names, task.modes, strict=True)):
        path, size = channel(mode) if mode else ("location", 3)
        frames = np.flatnonzero(fit.keyed[group]).astype(np.float64)
        gaps = np.diff(frames) / 3.0
        ends = gaps if len(gaps) else np.ones(1)
        before, after = np.concatenate([ends[:1], gaps]), np.concatenate([gaps, ends[-1:]])
        for index in range(size):
            values = fit.values[group, fit.keyed[group], index]
            slopes = fit.slopes[group, fit.keyed[group], index]
            left = np.stack([frames - before, values - slopes * before], axis=-1)
            right = np.stack([frames + after, values + slopes * after], axis=-1)
            found.append(ReducedCurve(name, path, index, frames, values, left, right))
    return tuple(found)
