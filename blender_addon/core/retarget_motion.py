"""The dance's own rotations and hips, as a character's bones take them over. No bpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .quaternions import FloatArray, from_matrices, inverse, seen_from, times, turned
from .resample import axis_angle_to_quaternion, slerp
from .rig import BoneMap
from .skeleton import OFFSETS_M, PARENTS, REST_TO_WORLD

SPINE = (0, 3, 6, 9)  # the pelvis and what bends above it
NECK = (9, 12)
BETWEEN_HIPS_M = REST_TO_WORLD @ (0.5 * (OFFSETS_M[1] + OFFSETS_M[2]))  # from the pelvis, at rest
_BALL_DROP_M = -0.5 * (OFFSETS_M[10, 1] + OFFSETS_M[11, 1])


@dataclass(frozen=True, eq=False)
class Source:
    """A dance in the world's axes. turns: (24, T, 4) how far each joint is turned from SMPL's rest pose;
    hips: (T, 3) the middle of the hip joints, metres.
    """

    turns: FloatArray
    hips: FloatArray


def source_of(poses: npt.NDArray[np.floating], pelvis: npt.NDArray[np.floating]) -> Source:
    """A dance of poses (T, 24, 3) axis-angle, radians, and pelvis (T, 3), metres, Z up."""
    lift = from_matrices(REST_TO_WORLD)
    local = np.moveaxis(axis_angle_to_quaternion(poses), 1, 0)
    turns = np.empty_like(local)
    turns[0] = times(local[0], inverse(lift))
    in_world = seen_from(local, REST_TO_WORLD.T)
    for joint in range(1, len(PARENTS)):
        turns[joint] = times(turns[PARENTS[joint]], in_world[joint])
    return Source(turns, np.asarray(pelvis, dtype=np.float64) + turned(turns[0], BETWEEN_HIPS_M[None]))


def hips_at_rest(ball_height_m: float) -> FloatArray:
    """Where the middle of the hip joints (3,) is when SMPL's rest pose stands at the origin on its feet."""
    drop = -0.5 * sum(float((REST_TO_WORLD @ OFFSETS_M[joint])[2]) for joint in (4, 5, 7, 8))
    return np.array([BETWEEN_HIPS_M[0], BETWEEN_HIPS_M[1], drop + _BALL_DROP_M + ball_height_m])


def bone_turns(source: Source, bone_map: BoneMap) -> dict[str, tuple[int, FloatArray]]:
    """How far each mapped bone turns from SMPL's rest pose, in the world's axes: its joint and (T, 4).

    A chain of one joint turns with its first bone, and the others follow; the spine and the neck share their bend out
    over however many bones they have.
    """
    found: dict[str, tuple[int, FloatArray]] = {}
    rows = {row.joint: row for row in bone_map.rows if row.bones}
    for joint, row in rows.items():
        if joint not in (*SPINE[1:], *NECK[1:]):
            found[row.bones[0]] = (joint, source.turns[joint])
    for chain in (SPINE, NECK):
        for bone, (joint, place) in chain_places(bone_map, chain).items():
            found[bone] = (joint, _bent(source.turns, chain, place))
    return found


def chain_places(bone_map: BoneMap, chain: tuple[int, ...]) -> dict[str, tuple[int, float]]:
    """Where on a chain of joints each bone of its rows lies: its joint, and 1 at the chain's second joint, 2 at its
    third. A joint's last bone lies at the joint and the chain's last bone at its end, where all the bend is.
    """
    found: dict[str, tuple[int, float]] = {}
    rows = [row for joint in chain[1:] for row in bone_map.rows if row.joint == joint and row.bones]
    start = 0.0
    for row in rows:
        end = float(chain.index(row.joint)) if row is not rows[-1] else len(chain) - 1.0
        for number, bone in enumerate(row.bones, 1):
            found[bone] = (row.joint, start + (end - start) * number / len(row.bones))
        start = end
    return found


def _bent(turns: FloatArray, chain: tuple[int, ...], place: float) -> FloatArray:
    """The turn (T, 4) at a place of a chain of joints (24, T, 4)."""
    before = min(int(place), len(chain) - 2)
    share = place - before
    first, last = turns[chain[before]], turns[chain[before + 1]]
    return last if share == 1.0 else slerp(first, last, np.full(len(first), share))
