"""A character at rest, stood beside the dance's own skeleton at rest: which turn makes its limbs point alike. No bpy.

All here is in *stage* axes: the dance's world (Z up, at rest facing -Y), metres, in which a character that lies, faces
elsewhere or is scaled is first stood up. Limbs are swung from their rest so that they point as SMPL's do, parents
first and without turning about themselves; the spine, the collars and the feet stay as they rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .quaternions import FloatArray, between, from_matrices, times, to_matrices, turned, unit
from .rig import BoneMap, Rig
from .skeleton import JOINT_NAMES, OFFSETS_M, REST_TO_WORLD

HIPS, KNEES, ANKLES, BALLS = (1, 2), (4, 5), (7, 8), (10, 11)
# Which joint each limb points at, parents first.
LIMBS = {1: 4, 4: 7, 2: 5, 5: 8, 16: 18, 18: 20, 17: 19, 19: 21}
HANDS = {20: 22, 21: 23}
SMPL_BALL_HEIGHT_M = 0.02  # above the floor, of feet that stand
_UPRIGHT = np.cos(np.radians(35.0))
_FACING = np.cos(np.radians(3.0))  # nearer to the stage's axes than this, a character counts as along them
_UNEVEN = 1e-3  # scales that differ by more than this share are not one scale
_SPINE = {3, 6, 9}  # which may be one bone
_SHORTEST = 1e-9  # metres
_SOLE_BELOW_BALL = (-0.02, 0.12)  # of the leg's length: where an object's origin may be its floor


@dataclass(frozen=True, eq=False)
class Foot:
    """A foot at rest in stage axes, metres from its ankle; ``sole`` and ``tip`` lie on the floor.

    ball: (3,); sole: (S, 3), carried by the foot; tip: (3,) from the ball, carried by the toes.
    """

    ball: FloatArray
    sole: FloatArray
    tip: FloatArray


@dataclass(frozen=True, eq=False)
class Calibration:
    """The character at rest in stage axes, and how it is led into SMPL's rest pose.

    stand: (3, 3) from world into stage axes; scale: of the object; origin: (3,) from the object's origin to the
    stage's; heads: (B, 3); axes: (B, 3, 3) rest axes of each bone; swings: joint to (4,), from rest to SMPL's rest;
    hips: (3,) the middle of the hip joints in SMPL's rest pose; floor_m: its height; ratio: of its legs to SMPL's.
    """

    stand: FloatArray
    scale: float
    origin: FloatArray
    heads: FloatArray
    axes: FloatArray
    swings: dict[int, FloatArray]
    hips: FloatArray
    floor_m: float
    ratio: float
    feet: tuple[Foot, Foot]


def smpl_direction(joint: int) -> FloatArray:
    """Where the bone that ends in this joint points (3,) in SMPL's rest pose, in the world's axes."""
    return unit(REST_TO_WORLD @ OFFSETS_M[joint])


def posed_as_rest(rig: Rig, matrices: FloatArray) -> Rig:
    """The same character at rest in another pose, to calibrate by it. matrices: (B, 4, 4) in armature space."""
    moved = matrices @ np.linalg.inv(rig.rest)
    ends = np.concatenate([rig.tails, np.ones((len(rig.tails), 1))], axis=1)
    tails = np.einsum("bij,bj->bi", moved, ends)[:, :3]
    return replace(rig, heads=matrices[:, :3, 3], tails=tails, rest=matrices)


def object_turn(rig: Rig) -> tuple[FloatArray, float]:
    """The object's rotation (3, 3) and its one scale. Raises ValueError for uneven, mirrored or no scale."""
    matrix = np.asarray(rig.world, dtype=np.float64)[:3, :3]
    scales = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(matrix).all() or scales.min() <= 0.0:
        raise ValueError("the character's object has a scale of 0; give it one")
    if scales.max() / scales.min() - 1.0 > _UNEVEN:
        shown = " x ".join(f"{value:.3g}" for value in scales)
        raise ValueError(f"the character's object is scaled unevenly ({shown}); apply its scale, or make it even")
    turn = matrix / scales
    if np.abs(turn.T @ turn - np.eye(3)).max() > _UNEVEN * 10:
        raise ValueError("the character's object is sheared by its parents; clear their uneven scale")
    if np.linalg.det(turn) < 0.0:
        raise ValueError("the character's object is mirrored by a negative scale; apply its scale")
    return to_matrices(from_matrices(turn)), float(scales.mean())


def calibrate(rig: Rig, bone_map: BoneMap) -> Calibration:
    """The character beside SMPL's rest pose.

    Raises ValueError for a scale that cannot be kept, without legs, or with a bone that is two parts of the body.
    """
    turn, scale = object_turn(rig)
    first = {row.joint: rig.number(row.bones[0]) for row in bone_map.rows if row.bones}
    missing = [JOINT_NAMES[joint] for joint in (0, *HIPS, *KNEES, *ANKLES) if joint not in first]
    if missing:
        raise ValueError(f"no bone is known for {', '.join(missing)}; fill these rows of the table")
    in_world = scale * np.asarray(rig.heads, dtype=np.float64) @ turn.T
    _check_apart(in_world, rig, first)
    stand = _standing(in_world, turn, first)
    turn = stand @ turn
    origin = in_world[first[0]]
    heads, tails = (in_world - origin) @ stand.T, (scale * np.asarray(rig.tails) @ turn.T) - origin @ stand.T
    axes = turn @ np.asarray(rig.rest, dtype=np.float64)[:, :3, :3]
    last = {row.joint: rig.number(row.bones[-1]) for row in bone_map.rows if row.bones}
    swings = _swings(heads, {joint: tails[number] for joint, number in last.items()}, first)
    floor = _floor(heads, tails, first, own_m=float(-(stand @ origin)[2]))
    legs = [_leg(heads, swings, first, side) for side in range(2)]
    ankle = float(np.mean([heads[first[ANKLES[side]], 2] for side in range(2)]))
    hips = 0.5 * (heads[first[HIPS[0]]] + heads[first[HIPS[1]]])
    hips[2] = ankle - np.mean([drop[2] for drop, _ in legs])
    lengths = [np.linalg.norm(OFFSETS_M[KNEES[side]]) + np.linalg.norm(OFFSETS_M[ANKLES[side]]) for side in range(2)]
    ratio = float(np.mean([length for _, length in legs]) / np.mean(lengths))
    feet = (_foot(heads, tails, first, 0, floor), _foot(heads, tails, first, 1, floor))
    return Calibration(stand, scale, stand @ origin, heads, axes, swings, hips, floor, ratio, feet)


def _check_apart(heads: FloatArray, rig: Rig, first: dict[int, int]) -> None:
    """Raises ValueError for a bone in two rows of the table, but for the spine's, and for a limb's without length."""
    whose: dict[int, int] = {}
    for joint, number in first.items():
        other = whose.setdefault(number, joint)
        if other != joint and not {joint, other} <= _SPINE:
            both = f"{JOINT_NAMES[other]} and {JOINT_NAMES[joint]}"
            raise ValueError(
                f"“{rig.names[number]}” is in two rows of the table, {both}; put another bone in one of them"
            )
    for joint, end in LIMBS.items():
        if joint in first and end in first and np.linalg.norm(heads[first[end]] - heads[first[joint]]) < _SHORTEST:
            one, other_name = rig.names[first[joint]], rig.names[first[end]]
            raise ValueError(
                f"“{one}” and “{other_name}” begin in one place, so there is no limb between them; correct a row"
            )


def _standing(heads: FloatArray, turn: FloatArray, first: dict[int, int]) -> FloatArray:
    """The turn (3, 3) from world into stage axes: up along an axis of the world or the object, left to +X."""
    between_hips = 0.5 * (heads[first[1]] + heads[first[2]])
    tops = [heads[first[joint]] for joint in (16, 17, 13, 14, 12, 15) if joint in first][:2]
    feet = 0.5 * (heads[first[ANKLES[0]]] + heads[first[ANKLES[1]]])
    rising = unit((np.mean(tops, axis=0) - between_hips) if tops else (between_hips - feet))
    axes = np.concatenate([np.eye(3), -np.eye(3), turn.T, -turn.T])
    nearest = axes[np.argmax(axes @ rising)]
    up = np.array([0.0, 0.0, 1.0]) if rising[2] > _UPRIGHT else nearest if nearest @ rising > _UPRIGHT else rising
    across = unit(heads[first[1]] - heads[first[2]])
    if 16 in first and 17 in first:
        across = unit(across + unit(heads[first[16]] - heads[first[17]]))
    left = unit(across - up * (up @ across))
    axes = np.concatenate([np.eye(3), -np.eye(3), turn.T, -turn.T])
    axes = axes[np.abs(axes @ up) < 1e-6]
    if len(axes) and (axes @ left).max() > _FACING:
        left = axes[np.argmax(axes @ left)]
    return np.stack([left, np.cross(up, left), up])


def _swings(heads: FloatArray, tails: dict[int, FloatArray], first: dict[int, int]) -> dict[int, FloatArray]:
    """From rest to SMPL's rest pose, joint by joint (4,); joints that stay at rest are absent.

    tails: joint to where its last bone ends (3,), for limbs whose next joint has no bone.
    """
    swings: dict[int, FloatArray] = {}
    for joint, end in LIMBS.items():
        if joint in first:
            carried = swings.get(_BEFORE.get(joint, -1), np.array([1.0, 0.0, 0.0, 0.0]))
            goes_to = heads[first[end]] if end in first else tails[joint]
            points = turned(carried, goes_to - heads[first[joint]])
            swings[joint] = times(between(points, smpl_direction(end)), carried)
    for hand, end in HANDS.items():  # a hand stays straight on its forearm unless it is known where it points
        forearm = _BEFORE[hand]
        if hand in first and forearm in swings:
            swings[hand] = swings[forearm]
            if end in first:
                points = turned(swings[hand], heads[first[end]] - heads[first[hand]])
                swings[hand] = times(between(points, smpl_direction(end)), swings[hand])
                swings[end] = swings[hand]
    return swings


_BEFORE = {4: 1, 5: 2, 18: 16, 19: 17, 20: 18, 21: 19}


def _leg(
    heads: FloatArray, swings: dict[int, FloatArray], first: dict[int, int], side: int
) -> tuple[FloatArray, float]:
    """From a hip joint to its ankle (3,) in SMPL's rest pose, and the leg's length, metres."""
    hip, knee, ankle = (heads[first[joints[side]]] for joints in (HIPS, KNEES, ANKLES))
    thigh, shin = turned(swings[HIPS[side]], knee - hip), turned(swings[KNEES[side]], ankle - knee)
    return thigh + shin, float(np.linalg.norm(thigh) + np.linalg.norm(shin))


def _floor(heads: FloatArray, tails: FloatArray, first: dict[int, int], *, own_m: float) -> float:
    """The floor's height: the object's own where the feet stand on it, or else under the lowest of the feet."""
    feet = [first[joint] for joint in (*ANKLES, *BALLS) if joint in first]
    lowest = float(min(heads[feet, 2].min(), tails[feet, 2].min()))
    leg = abs(float(heads[first[HIPS[0]], 2] - heads[first[ANKLES[0]], 2]))
    below, above = (share * leg for share in _SOLE_BELOW_BALL)
    return own_m if below <= lowest - own_m <= above else lowest


def _foot(heads: FloatArray, tails: FloatArray, first: dict[int, int], side: int, floor: float) -> Foot:
    """Where the ball, the heel and the toes of a foot are."""
    ankle = heads[first[ANKLES[side]]]
    forward = np.array([0.0, -1.0, 0.0])
    if BALLS[side] in first:
        number = first[BALLS[side]]
        ball, end = heads[number], tails[number]
    else:
        end = tails[first[ANKLES[side]]]
        height = ankle[2] - floor
        if (end - ankle) @ forward < 0.5 * height:  # the bone does not point along the foot
            end = ankle + 2.0 * height * forward
        ball = ankle + 0.75 * (end - ankle)
        ball[2] = min(ball[2], floor + 0.5 * height)
    ahead = (ball - ankle) * (1.0, 1.0, 0.0)
    length = float(np.linalg.norm(ahead))
    toes = (end - ball) * (1.0, 1.0, 0.0)
    if not 0.25 * length < toes @ unit(ahead) < 0.7 * length:  # a bone's tail that is not where the toes end
        toes = 0.45 * ahead
    drop = np.array([0.0, 0.0, ankle[2] - floor])
    sole = np.stack([-0.3 * ahead - drop, ahead - drop])
    tip = toes - np.array([0.0, 0.0, ball[2] - floor])
    return Foot(ball - ankle, sole, tip)
