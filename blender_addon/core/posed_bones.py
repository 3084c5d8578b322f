"""Where the bones of a posed character are, for all frames at once: what an error in any of its curves does. No bpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bone_carrying import carried_by
from .quaternions import FloatArray, seen_from, times, turned
from .retarget import Retargeted
from .rig import BoneMap, Rig

CM = 100.0


@dataclass(frozen=True, eq=False)
class PosedBones:
    """The turning bones of a character and how they carry each other. N bones, parents before children.

    above: (N,) place of the bone that carries each, -1 for none; heads, tails: (N, 3) at rest, armature space;
    axes: (N, 3, 3) rest axes; hips: its place; hips_axes, root_axes: (3, 3) along which it and the root go, None for no
    root;
    unit_cm: centimetres in one unit of the armature; order: places in Retargeted.bones; reach_cm: (N,) how far the
    farthest end that a bone carries is from its head.
    """

    order: tuple[int, ...]
    above: tuple[int, ...]
    heads: FloatArray
    tails: FloatArray
    axes: FloatArray
    hips: int
    hips_axes: FloatArray
    root_axes: FloatArray | None
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
    heads, tails = (np.asarray(ends, dtype=np.float64)[order] for ends in (rig.heads, rig.tails))
    scale = float(np.cbrt(abs(np.linalg.det(np.asarray(rig.world, dtype=np.float64)[:3, :3]))))
    rest = np.asarray(rig.rest, dtype=np.float64)[:, :3, :3]
    return PosedBones(
        tuple(numbers.index(number) for number in order),
        above,
        heads,
        tails,
        rest[order],
        order.index(hips),
        np.asarray(rig.location_axes(hips), dtype=np.float64),
        np.asarray(rig.location_axes(rig.number(retargeted.root)), dtype=np.float64) if retargeted.root else None,
        CM * scale,
        CM * scale * _reaches(above, heads, tails),
    )


def _reaches(above: tuple[int, ...], heads: FloatArray, tails: FloatArray) -> FloatArray:
    """How far from each bone's head anything that it carries can come, in the armature's units."""
    farthest = np.linalg.norm(tails - heads, axis=-1)
    for place in range(len(above) - 1, -1, -1):
        if above[place] >= 0:
            away = np.linalg.norm(heads[place] - heads[above[place]]) + farthest[place]
            farthest[above[place]] = max(farthest[above[place]], away)
    return np.asarray(farthest)


def ends_cm(
    bones: PosedBones, rotations: FloatArray, locations: FloatArray, root_locations: FloatArray | None
) -> FloatArray:
    """Where heads and tails are (2, N, T, 3), cm in armature axes.

    rotations: (N, T, 4) in the order of ``bones``, each from its bone's rest; locations, root_locations: (T, 3).
    """
    count, frames = rotations.shape[:2]
    local = seen_from(rotations, np.swapaxes(bones.axes, -1, -2)[:, None])
    turns = np.empty((count, frames, 4))
    ends = np.empty((2, count, frames, 3))
    gone = np.zeros((frames, 3))
    if root_locations is not None and bones.root_axes is not None:
        gone = root_locations @ bones.root_axes.T
    for place, above in enumerate(bones.above):
        if above < 0:
            turns[place] = local[place]
            ends[0, place] = bones.heads[place] + gone
        else:
            turns[place] = times(turns[above], local[place])
            offset = (bones.heads[place] - bones.heads[above])[None]
            ends[0, place] = ends[0, above] + turned(turns[above], offset)
        if place == bones.hips:
            ends[0, place] += turned(_carrying(turns, above, frames), locations @ bones.hips_axes.T)
        ends[1, place] = ends[0, place] + turned(turns[place], (bones.tails[place] - bones.heads[place])[None])
    return ends * bones.unit_cm


def _carrying(turns: FloatArray, above: int, frames: int) -> FloatArray:
    return turns[above] if above >= 0 else np.tile([1.0, 0.0, 0.0, 0.0], (frames, 1))
