"""Where the bones of a posed character are, for all frames at once: what an error in any of its curves does. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bone_carrying import carried_by, turns_with
from .quaternions import FloatArray, seen_from, times, turned
from .retarget import Retargeted
from .rig import Array, BoneMap, Rig

CM = 100.0
_UPON = 0.01  # of its length: a bone whose ends are as near to another's lies upon it


@dataclass(frozen=True, eq=False)
class PosedBones:
    """The turning bones of a character and how they carry each other. N bones, parents before children.

    above: (N,) place of the bone that carries each, -1 for none; alone: (N,) whether it does not
    turn with that; heads: (N, 3) at rest, armature space; ends:
    (2, N, 3) of each what is farthest of its tail and of what it carries that does not turn by itself, such as fingers;
    axes: (N, 3, 3) rest axes; goes: which bones have a location, -1 for one that carries all; ways: (M, 3, 3) the axes
    of these locations;
    unit_cm: centimetres in one unit of the armature; order: places in Retargeted.bones; reach_cm: (N,) how far the
    farthest end that a bone carries is from its head.
    """

    order: tuple[int, ...]
    above: tuple[int, ...]
    alone: tuple[bool, ...]
    heads: FloatArray
    ends: FloatArray
    axes: FloatArray
    goes: tuple[int, ...]
    ways: FloatArray
    unit_cm: float
    reach_cm: FloatArray

    def line(self, place: int) -> list[int]:
        """The bone and all that carry it, nearest first."""
        found = []
        while place >= 0:
            found.append(place)
            place = self.above[place]
        return found


def posed_bones(rig: Rig, bone_map: BoneMap, retargeted: Retargeted) -> PosedBones:
    """The bones that a dance turns. Raises KeyError for a bone that the rig does not have."""
    numbers = [rig.number(name) for name in retargeted.bones]
    hips = rig.number(retargeted.hips)
    joints = {rig.number(bone): row.joint for row in bone_map.rows for bone in row.bones}
    turning = {number: joints.get(number, 0) for number in numbers}
    carried = carried_by(rig, bone_map, turning, hips)
    order: list[int] = []  # bone numbers
    waiting = list(numbers)
    while waiting:
        ready = [number for number in waiting if carried[number] < 0 or carried[number] in order]
        if not ready:
            raise ValueError("the character's bones carry one another in a ring")
        order += ready
        waiting = [number for number in waiting if number not in ready]
    above = tuple(order.index(carried[number]) if carried[number] >= 0 else -1 for number in order)
    goes, ways = [order.index(hips)], [rig.location_axes(hips)]
    if retargeted.root and retargeted.root_locations is not None:
        goes.append(-1)
        ways.append(rig.location_axes(rig.number(retargeted.root)))
    places = tuple(numbers.index(number) for number in order)
    alone = tuple(not turns_with(rig, bone_map, number, carried[number]) for number in order)
    return _bones(rig, order, above, alone, goes, ways, places)


def posed_controls(rig: Rig, names: Sequence[str], goes: Sequence[int]) -> PosedBones:
    """Controls that nothing carries, each for itself. goes: places of those that have a location."""
    order = [rig.number(name) for name in names]
    ways = [rig.location_axes(order[place]) for place in goes]
    return _bones(rig, order, (-1,) * len(order), (True,) * len(order), goes, ways, tuple(range(len(order))))


def _bones(
    rig: Rig,
    order: list[int],
    above: tuple[int, ...],
    alone: tuple[bool, ...],
    goes: Sequence[int],
    ways: list[Array],
    places: tuple[int, ...],
) -> PosedBones:
    heads, ends = np.asarray(rig.heads, dtype=np.float64)[order], _farthest_ends(rig, order)
    unit_cm = CM * float(np.cbrt(abs(np.linalg.det(np.asarray(rig.world, dtype=np.float64)[:3, :3]))))
    return PosedBones(
        places,
        above,
        alone,
        heads,
        ends,
        np.asarray(rig.rest, dtype=np.float64)[order, :3, :3],
        tuple(goes),
        np.asarray(ways, dtype=np.float64).reshape(-1, 3, 3),
        unit_cm,
        unit_cm * _reaches(above, heads, ends[0]),
    )


def _farthest_ends(rig: Rig, order: list[int]) -> FloatArray:
    """(2, N, 3) of each of these bones what is farthest from its head, of its tail and the tails of the mesh's bones
    that it carries, and what of these is farthest beside the line to that.
    """
    tails = np.asarray(rig.tails, dtype=np.float64)
    carrier = _carriers(rig, order)
    found = np.empty((2, len(order), 3))
    for place, number in enumerate(order):
        carried = [bone for bone in np.flatnonzero(rig.deform).tolist() if carrier[bone] == place]
        ends = tails[[number, *carried]]
        ways = ends - rig.heads[number]
        most = np.linalg.norm(ways, axis=-1).argmax()
        beside = np.linalg.norm(np.cross(ways, ways[most]), axis=-1).argmax()
        found[:, place] = ends[[most, beside]]
    return found


def _carriers(rig: Rig, order: list[int]) -> list[int]:
    """For each bone of the rig the place in ``order`` of the bone with which it goes, -1 for none."""
    heads, tails = (np.asarray(ends, dtype=np.float64) for ends in (rig.heads, rig.tails))
    places = {number: place for place, number in enumerate(order)}
    lengths = np.linalg.norm(tails[order] - heads[order], axis=-1)
    found = [-1] * len(rig.names)
    for number in range(len(rig.names)):  # parents first
        own = places.get(number, -1)
        if own < 0:  # the mechanisms of a control rig lie upon the controls that they follow
            apart = np.linalg.norm(heads[order] - heads[number], axis=-1)
            apart += np.linalg.norm(tails[order] - tails[number], axis=-1)
            nearest = int(np.argmin(apart))
            own = nearest if apart[nearest] < _UPON * lengths[nearest] else -1
        above = int(rig.parents[number])
        found[number] = own if own >= 0 else (found[above] if above >= 0 else -1)
    return found


def _reaches(above: tuple[int, ...], heads: FloatArray, tails: FloatArray) -> FloatArray:
    """How far from each bone's head anything that it carries can come, in the armature's units."""
    farthest = np.linalg.norm(tails - heads, axis=-1)
    for place in range(len(above) - 1, -1, -1):
        if above[place] >= 0:
            away = np.linalg.norm(heads[place] - heads[above[place]]) + farthest[place]
            farthest[above[place]] = max(farthest[above[place]], away)
    return np.asarray(farthest)


def ends_cm(bones: PosedBones, rotations: FloatArray, locations: FloatArray) -> FloatArray:
    """Where heads and ends are (3, N, T, 3), cm in armature axes.

    rotations: (N, T, 4) in the order of ``bones``, each from its bone's rest; locations: (M, T, 3) of those that go.
    """
    count, frames = rotations.shape[:2]
    local = seen_from(rotations, np.swapaxes(bones.axes, -1, -2)[:, None])
    turns = np.empty((count, frames, 4))
    places = np.empty((3, count, frames, 3))
    gone = {place: way @ axes.T for place, way, axes in zip(bones.goes, locations, bones.ways, strict=True)}
    for place, above in enumerate(bones.above):
        if above < 0:
            turns[place] = local[place]
            places[0, place] = bones.heads[place] + gone.get(-1, 0.0)
        else:
            turns[place] = local[place] if bones.alone[place] else times(turns[above], local[place])
            places[0, place] = places[0, above] + turned(turns[above], (bones.heads[place] - bones.heads[above])[None])
        if place in gone:
            places[0, place] += gone[place] if above < 0 else turned(turns[above], gone[place])
        for end in range(2):
            along = (bones.ends[end, place] - bones.heads[place])[None]
            places[1 + end, place] = places[0, place] + turned(turns[place], along)
    return places * bones.unit_cm
