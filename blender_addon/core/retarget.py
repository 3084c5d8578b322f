"""A dance on any character: the turn of every bone and the path of its hips, for all frames at once. No bpy.

One identity carries it all: a bone turns in the world as its joint turns away from SMPL's rest pose, starting from the
character led into that pose (``calibration``). Bones that the dance does not know follow what carries them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from .bone_carrying import carried_by, carrier, carries, mover, turns_with
from .calibration import (
    ANKLES,
    BALLS,
    HIPS,
    KNEES,
    LIMBS,
    SMPL_BALL_HEIGHT_M,
    Calibration,
    calibrate,
    posed_as_rest,
    smpl_direction,
)
from .curves import BoolArray, smooth
from .foot_lock import FeetMode, Leg, Locked, foot_lock, moved
from .quaternions import FloatArray, from_matrices, inverse, seen_from, times, turned
from .resample import continuous_quaternions
from .retarget_motion import Source, bone_turns, hips_at_rest, source_of
from .retarget_report import Figures, apart_deg, foot_slide, knee_speed, penetration
from .rig import BoneMap, Rig
from .skeleton import JOINT_NAMES, forward_kinematics

Travel = Literal["hips", "root", "in_place"]
Facing = Literal["dance", "character"]
_PATH_S = 0.5  # a dance in place keeps what sways faster than this
HAND = 22  # the hands' own joints, from here on, are no bones of most characters
DEEPEST_CM = 1.0  # that soles may sink without a word
_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class RetargetOptions:
    """feet, strength: of the foot lock; travel: whether the hips go over the floor, the root bone does, or neither;
    facing: whether the character turns to face as the dance does, or dances as it stands; reference: (B, 4, 4) pose
    of the character in armature space that counts as its rest pose, None for its own.
    """

    feet: FeetMode = "auto"
    strength: float = 1.0
    travel: Travel = "hips"
    facing: Facing = "dance"
    reference: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Retargeted:
    """bones: of N bones; rotations: (N, T, 4) w, x, y, z, sign-continuous, each from its bone's own rest, as Blender's
    rotation_quaternion; hips, locations: (T, 3) a bone and its place as its location, in the armature's units;
    root, root_locations: likewise, or "" and None; warnings: sentences for the animator.
    """

    bones: tuple[str, ...]
    rotations: FloatArray
    hips: str
    locations: FloatArray
    figures: Figures
    root: str = ""
    root_locations: FloatArray | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Body:
    """The character in stage axes. hips: the bone that turns as the pelvis; mover: the bone whose location moves it;
    joints: bone to joint; above: bone to the bone that carries it; still: (4,) the turn of a bone that does not move;
    turns: bone to (T, 4) from its rest; hips_m: (T, 3) between the hip joints.
    """

    rig: Rig
    stage: Calibration
    hips: int
    mover: int
    joints: dict[int, int]
    above: dict[int, int]
    still: FloatArray
    turns: dict[int, FloatArray]
    hips_m: FloatArray
    heads: FloatArray
    axes: FloatArray
    first: dict[int, int] = field(default_factory=dict)


def retarget(
    rig: Rig,
    bone_map: BoneMap,
    poses: npt.NDArray[np.floating],
    pelvis: npt.NDArray[np.floating],
    *,
    fps: float,
    contacts: BoolArray | None = None,
    planted: BoolArray | None = None,
    options: RetargetOptions | None = None,
) -> Retargeted:
    """The dance on a character.

    poses: (T, 24, 3) axis-angle, radians; pelvis: (T, 3) metres, Z up; contacts: (T, 4) of the left and right ankle
    and the left and right ball, which the foot lock holds; planted: (T, 2) where the left and right foot are held
    however far the dance's go.
    Raises ValueError for a character whose scale cannot be kept, whose bones are not joined or not known.
    """
    options = options or RetargetOptions()
    if len(poses) == 0 or len(poses) != len(pelvis):
        raise ValueError(f"a dance needs frames, as many poses as places: got {len(poses)} and {len(pelvis)}")
    if options.travel == "root" and not bone_map.root:
        raise ValueError("this character has no root bone; choose one in the table, or let the hips travel")
    source = source_of(poses, pelvis)
    body = _body(rig, bone_map, source, options)
    flags = np.zeros((len(poses), 4), dtype=bool) if contacts is None else np.asarray(contacts, dtype=bool)
    legs = _leg(body, source, 0), _leg(body, source, 1)
    stage = body.stage
    locked = foot_lock(
        legs,
        stage.feet,
        flags,
        floor_m=stage.floor_m,
        fps=fps,
        mode=options.feet,
        strength=options.strength,
        planted=planted,
        danced=stage.ratio * forward_kinematics(poses, pelvis)[:, [*ANKLES, *BALLS]],
    )
    after = moved(legs[0], locked.turns[0], locked.sunk_m), moved(legs[1], locked.turns[1], locked.sunk_m)
    figures = _figures(body, source, (legs, after), locked, flags, fps=fps)
    _take_over(body, locked)
    return _written(body, bone_map, options, figures, fps=fps)


def _body(rig: Rig, bone_map: BoneMap, source: Source, options: RetargetOptions) -> _Body:
    """The character with the dance's turns, before its feet are held."""
    reference = rig if options.reference is None else posed_as_rest(rig, np.asarray(options.reference, dtype=float))
    stage = calibrate(reference, bone_map)
    held = reference.rest[:, :3, :3] @ np.swapaxes(rig.rest[:, :3, :3], -1, -2)
    frame = stage.axes @ np.swapaxes(reference.rest[:, :3, :3], -1, -2)  # armature to stage, alike for every bone
    hips = carrier(rig, bone_map)
    joints: dict[int, int] = {}
    turns: dict[int, FloatArray] = {}
    for name, (joint, turn) in bone_turns(source, bone_map).items():
        number = hips if joint == 0 else rig.number(name)
        swing = stage.swings.get(joint, _IDENTITY)
        own = from_matrices(frame[number] @ held[number] @ frame[number].T)
        joints[number], turns[number] = joint, times(turn, times(swing, own)[None])
    first = {row.joint: rig.number(row.bones[0]) for row in bone_map.rows if row.bones}
    at_rest = hips_at_rest(SMPL_BALL_HEIGHT_M)
    path = stage.hips + stage.ratio * (source.hips - at_rest)
    origin = reference.heads[first[0]]
    heads = stage.scale * (np.asarray(rig.heads, dtype=np.float64) - origin) @ frame[0].T
    axes = frame[0] @ np.asarray(rig.rest, dtype=np.float64)[:, :3, :3]
    still = inverse(from_matrices(stage.stand)) if options.facing == "dance" else _IDENTITY
    moves = mover(rig, hips)
    if moves != hips:
        joints[moves], turns[moves] = 0, np.tile(still, (len(path), 1))
    above = carried_by(rig, bone_map, joints, hips)
    return _Body(rig, stage, hips, moves, joints, above, still, turns, path, heads, axes, first)


def _leg(body: _Body, source: Source, side: int) -> Leg:
    """A leg of the character."""
    first = body.first
    hip, knee, ankle = first[HIPS[side]], first[KNEES[side]], first[ANKLES[side]]
    between = 0.5 * (body.heads[first[HIPS[0]]] + body.heads[first[HIPS[1]]])
    carried = body.turns[body.above[hip]] if body.above[hip] >= 0 else body.turns[body.hips]
    return Leg(
        hip=body.hips_m + turned(carried, (body.heads[hip] - between)[None]),
        thigh=turned(body.turns[hip], (body.heads[knee] - body.heads[hip])[None]),
        shin=turned(body.turns[knee], (body.heads[ankle] - body.heads[knee])[None]),
        hinge=turned(source.turns[HIPS[side]], np.array([[1.0, 0.0, 0.0]])),
        turns=source.turns[ANKLES[side]],
        toe_turns=source.turns[BALLS[side]] if BALLS[side] in first else source.turns[ANKLES[side]],
    )


def _take_over(body: _Body, locked: Locked) -> None:
    """What the foot lock changed."""
    body.hips_m[:, 2] -= locked.sunk_m
    for side, turns in enumerate(locked.turns):
        for joint, turn in (
            (HIPS[side], turns.thigh),
            (KNEES[side], turns.shin),
            (ANKLES[side], turns.foot),
            (BALLS[side], turns.foot),
        ):
            if joint in body.first:
                number = body.first[joint]
                body.turns[number] = times(turn, body.turns[number])


def _figures(
    body: _Body,
    source: Source,
    legs: tuple[tuple[Leg, Leg], tuple[Leg, Leg]],
    locked: Locked,
    contacts: BoolArray,
    *,
    fps: float,
) -> Figures:
    before, after = legs
    stage = body.stage
    errors = [0.0]
    for joint, end in LIMBS.items():
        if joint in body.first and end in body.first:
            bone, child = body.first[joint], body.first[end]
            points = turned(body.turns[bone], (body.heads[child] - body.heads[bone])[None])
            errors.append(float(apart_deg(points, turned(source.turns[joint], smpl_direction(end)[None])).max()))
    moves = [apart_deg(a, b) for was, now in zip(before, after, strict=True) for a, b in _bones(was, now)]
    return Figures(
        limb_error_deg=max(errors),
        legs_turned_deg=float(np.mean(moves)),
        foot_slide_cm_s=foot_slide(after, stage.feet, contacts, fps=fps),
        foot_slide_unlocked_cm_s=foot_slide(before, stage.feet, contacts, fps=fps),
        knee_speed_deg_s=knee_speed(after, fps=fps),
        knee_speed_dance_deg_s=knee_speed(before, fps=fps),
        penetration_cm=penetration(after, stage.feet, floor_m=stage.floor_m),
        penetration_unlocked_cm=penetration(before, stage.feet, floor_m=stage.floor_m),
        hips_sunk_cm=100.0 * float(locked.sunk_m.max()),
    )


def _bones(was: Leg, now: Leg) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    return (was.thigh, now.thigh), (was.shin, now.shin)


def _written(body: _Body, bone_map: BoneMap, options: RetargetOptions, figures: Figures, *, fps: float) -> Retargeted:
    """As Blender's bones say it."""
    stage, hips = body.stage, body.hips
    numbers = sorted(body.joints)
    local = []
    for number in numbers:
        above = body.above[number]
        carried = (
            body.turns[above] if turns_with(body.rig, bone_map, number, above) and above >= 0 else body.still[None]
        )
        local.append(times(inverse(carried), body.turns[number]))
    rotations = seen_from(np.stack(local, axis=1), body.axes[numbers])
    root = body.rig.number(bone_map.root) if options.travel == "root" else -1
    if root == body.mover:  # all of the way is its own
        options, root = replace(options, travel="hips"), -1
    path, gone = _travelled(body.hips_m, stage, options.travel, fps=fps)
    between = 0.5 * (body.heads[body.first[HIPS[0]]] + body.heads[body.first[HIPS[1]]])
    place = path - turned(body.turns[hips], (between - body.heads[hips])[None])
    armature = _in_armature(body, place + stage.origin, options) - _to_root(body, bone_map, gone, options)
    root_locations = None
    if root >= 0:
        root_locations = _to_root(body, bone_map, gone, options) @ body.rig.location_axes(root)
    return Retargeted(
        bones=tuple(body.rig.names[number] for number in numbers),
        rotations=np.moveaxis(continuous_quaternions(rotations), 1, 0),
        hips=body.rig.names[body.mover],
        locations=(armature - body.rig.heads[hips]) @ body.rig.location_axes(body.mover),
        figures=figures,
        root=bone_map.root if root >= 0 else "",
        root_locations=root_locations,
        warnings=_warnings(body, figures),
    )


def _warnings(body: _Body, figures: Figures) -> tuple[str, ...]:
    """What the animator should know, in sentences."""
    found = []
    if missing := [JOINT_NAMES[joint] for joint in range(HAND) if joint not in body.first]:
        found.append(f"No bone is known for {', '.join(missing)}: what they do is left to the bones beside them.")
    names = [body.rig.names[bone] for bone in body.joints]
    if overruled := [name for name in names if name in body.rig.overruled]:
        found.append(
            f"Constraints or drivers decide what {', '.join(overruled)} do, whatever the dance says: mute them while "
            "the character dances, or put the bones that they follow into the table."
        )
    if constrained := [name for name in names if name in body.rig.constrained and name not in body.rig.overruled]:
        found.append(f"Constraints also move {', '.join(constrained)}: what they do comes on top of the dance.")
    if figures.penetration_cm > DEEPEST_CM:
        found.append(f"The feet sink {figures.penetration_cm:.0f} cm into the floor; Hold Feet lifts them.")
    return tuple(found)


def _travelled(hips_m: FloatArray, stage: Calibration, travel: Travel, *, fps: float) -> tuple[FloatArray, FloatArray]:
    """The hips' path (T, 3) as the hips are to have it, and what the root has of it (T, 3)."""
    slow = np.zeros_like(hips_m)
    if travel != "hips":
        slow[:, :2] = smooth(hips_m[:, :2], _PATH_S * fps) - stage.hips[:2]
    return (hips_m - slow, np.zeros_like(slow)) if travel == "in_place" else (hips_m, slow)


def _in_armature(body: _Body, points: FloatArray, options: RetargetOptions) -> FloatArray:
    """Points or ways (T, 3) of the stage, from the object's origin, in armature space and its units."""
    own = body.axes[0] @ body.rig.rest[0, :3, :3].T  # armature to stage
    if options.facing == "dance":
        own = body.stage.stand.T @ own
    return np.asarray(points @ own / body.stage.scale)


def _to_root(body: _Body, bone_map: BoneMap, gone: FloatArray, options: RetargetOptions) -> FloatArray:
    """How far the root goes (T, 3) in armature space. Raises ValueError for a root that does not carry the hips."""
    mechanisms = bone_map.controls == "rigify_fk"  # there constraints carry the torso after the root
    if options.travel == "root" and not mechanisms and not carries(body.rig, body.rig.number(bone_map.root), body.hips):
        raise ValueError(f"{bone_map.root!r} does not carry {body.rig.names[body.hips]!r}; choose another root bone")
    return _in_armature(body, gone, options)
