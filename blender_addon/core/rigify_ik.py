"""A dance on the IK controls of a generated Rigify character: hands, feet, poles and toes. No bpy.

The dance is known for the FK controls (``retarget``). Where these lead hands and feet, the IK controls go, turned
alike; poles lie out from knees and elbows in the plane in which the limb is bent. A limb that is all but straight has
no such plane: there the pole goes from where it was before to where it will be, about the limb.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bone_carrying import carried_by
from .quaternions import FloatArray, inverse, seen_from, times, turned, unit
from .resample import continuous_quaternions
from .retarget import Retargeted
from .rig import BoneMap, Rig

_CLEARLY_BENT = 0.02  # of the limb's length: how far a joint must be off the straight line to be believed
_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class ControlTrack:
    """One control over all frames. rotations: (T, 4) w, x, y, z, sign-continuous, or None; locations: (T, 3) in the
    armature's units, or None; joints: those whose FK controls it stands in for.
    """

    bone: str
    rotations: FloatArray | None = None
    locations: FloatArray | None = None
    joints: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Limb:
    """The joints of a limb, shoulder or hip first, and its controls. resting: those that stay as they rest; toes: the
    joint that the tip turns.
    """

    joints: tuple[int, int, int]
    end: str
    pole: str
    resting: tuple[str, ...]
    tip: str = ""
    toes: int = -1


@dataclass(frozen=True, eq=False)
class _Posed:
    """What the FK controls lead: by bone number, turns (T, 4) from rest and heads (T, 3), both in armature space."""

    turns: dict[int, FloatArray]
    heads: dict[int, FloatArray]


_LIMBS = (
    *(
        _Limb(
            joints, f"foot_ik.{side}", f"thigh_ik_target.{side}",
            (f"thigh_ik.{side}", f"foot_heel_ik.{side}", f"foot_spin_ik.{side}"), f"toe_ik.{side}", toes,
        )
        for joints, side, toes in (((1, 4, 7), "L", 10), ((2, 5, 8), "R", 11))
    ),
    *(
        _Limb(joints, f"hand_ik.{side}", f"upper_arm_ik_target.{side}", (f"upper_arm_ik.{side}",))
        for joints, side in (((16, 18, 20), "L"), ((17, 19, 21), "R"))
    ),
)  # fmt: skip


def ik_tracks(rig: Rig, bone_map: BoneMap, retargeted: Retargeted) -> tuple[ControlTrack, ...]:
    """The IK controls of all four limbs, for a dance that is known for the FK controls.

    The switches of ``rigify_switches`` must be set to IK, with the root as the parent of controls and poles. The FK
    controls may be keyed as well: then the limbs look alike whichever way they are switched.
    Raises ValueError for a character that is no generated Rigify character, or lacks a limb's bones or controls.
    """
    if bone_map.controls != "rigify_fk":
        raise ValueError("only characters made by Rigify have IK controls that are known")
    posed = _posed(rig, bone_map, retargeted)
    shift = _root_shift(rig, retargeted)
    tracks: list[ControlTrack] = []
    for limb in _LIMBS:
        tracks += _limb_tracks(rig, bone_map, posed, shift, limb)
    return tuple(tracks)


def _limb_tracks(rig: Rig, bone_map: BoneMap, posed: _Posed, shift: FloatArray, limb: _Limb) -> list[ControlTrack]:
    for control in (limb.end, limb.pole):
        if control not in rig.names:
            raise ValueError(f"the character has no control {control!r}")
    upper, middle, end = (_bone(rig, bone_map, joint) for joint in limb.joints)
    turns, holder, pole = posed.turns[end], rig.number(limb.end), rig.number(limb.pole)
    place = posed.heads[end] + turned(turns, np.asarray(rig.heads[holder] - rig.heads[end], dtype=np.float64)[None])
    out = _pole(rig, posed, (upper, middle, end), pole)
    still = np.tile(_IDENTITY, (len(place), 1))
    tracks = [
        ControlTrack(limb.end, _own_turns(rig, holder, turns), _own_way(rig, holder, place - shift), limb.joints),
        ControlTrack(limb.pole, still, _own_way(rig, pole, out - shift)),
        *(ControlTrack(name, still) for name in limb.resting if name in rig.names),
    ]
    toes = [rig.number(bone) for bone in bone_map.bones(limb.toes)[:1]]
    if limb.tip in rig.names and toes and toes[0] in posed.turns:
        bend = times(inverse(turns), posed.turns[toes[0]])
        tracks.append(ControlTrack(limb.tip, _own_turns(rig, rig.number(limb.tip), bend), joints=(limb.toes,)))
    return tracks


def _pole(rig: Rig, posed: _Posed, limb: tuple[int, int, int], pole: int) -> FloatArray:
    """Where the pole of a limb's bones lies (T, 3), armature space: as far from knee or elbow as at rest."""
    upper, middle, end = limb
    start, joint, stop = (posed.heads[number] for number in (upper, middle, end))
    along = unit(stop - start)
    length = float(np.linalg.norm(rig.heads[middle] - rig.heads[upper]))
    length += float(np.linalg.norm(rig.heads[end] - rig.heads[middle]))
    rests = np.asarray(rig.heads[pole] - rig.heads[middle], dtype=np.float64)
    bone = unit(np.asarray(rig.heads[middle] - rig.heads[upper], dtype=np.float64))
    rolled = turned(posed.turns[upper], unit(rests - bone * (rests @ bone))[None])
    direction = _outward(_across(joint - start, along) / length, unit(_across(rolled, along)), along)
    return np.asarray(joint + float(np.linalg.norm(rests)) * direction)


def _outward(bent: FloatArray, rolled: FloatArray, along: FloatArray) -> FloatArray:
    """Unit directions (T, 3) in which a limb is bent.

    bent: (T, 3) from the straight line to knee or elbow, in limb lengths; rolled: (T, 3) unit, where it points by the
    limb's roll; along: (T, 3) unit, from its first joint to its last.
    """
    aside = np.cross(along, rolled)
    angle = np.arctan2(np.einsum("ti,ti->t", bent, aside), np.einsum("ti,ti->t", bent, rolled))
    clear = np.flatnonzero(np.linalg.norm(bent, axis=-1) > _CLEARLY_BENT)
    frames = np.arange(len(bent))
    known = np.interp(frames, clear, np.unwrap(angle[clear])) if len(clear) else np.zeros(len(bent))
    return np.asarray(np.cos(known)[:, None] * rolled + np.sin(known)[:, None] * aside)


def _across(vectors: FloatArray, along: FloatArray) -> FloatArray:
    """What of vectors (T, 3) is at right angles to unit directions (T, 3)."""
    return np.asarray(vectors - along * np.einsum("ti,ti->t", vectors, along)[:, None])


def _posed(rig: Rig, bone_map: BoneMap, retargeted: Retargeted) -> _Posed:
    """The mapped controls, led by one another as the body's parts are."""
    turning = set(retargeted.bones)
    joints = {rig.number(bone): row.joint for row in bone_map.rows for bone in row.bones if bone in turning}
    hips = rig.number(retargeted.hips)
    above = carried_by(rig, bone_map, joints, hips)
    local = {rig.number(bone): turns for bone, turns in zip(retargeted.bones, retargeted.rotations, strict=True)}
    turns: dict[int, FloatArray] = {}
    heads: dict[int, FloatArray] = {}

    def lead(number: int) -> None:
        if number in turns:
            return
        own = seen_from(local[number], _axes(rig, number).T)
        carrier = above[number]
        if carrier < 0:
            way = retargeted.locations @ rig.location_axes(number).T + _root_shift(rig, retargeted)
            turns[number], heads[number] = own, rig.heads[number] + way
            return
        lead(carrier)
        turns[number] = times(turns[carrier], own)
        apart = np.asarray(rig.heads[number] - rig.heads[carrier], dtype=np.float64)
        heads[number] = heads[carrier] + turned(turns[carrier], apart[None])

    for number in joints:
        lead(number)
    return _Posed(turns, heads)


def _root_shift(rig: Rig, retargeted: Retargeted) -> FloatArray:
    """How far the root bone has gone (T, 3) in armature space."""
    if not retargeted.root or retargeted.root_locations is None:
        return np.zeros_like(retargeted.locations)
    return np.asarray(retargeted.root_locations @ rig.location_axes(rig.number(retargeted.root)).T)


def _axes(rig: Rig, number: int) -> FloatArray:
    return np.asarray(rig.rest[number, :3, :3], dtype=np.float64)


def _own_turns(rig: Rig, number: int, turns: FloatArray) -> FloatArray:
    """Turns (T, 4) in armature space as a control that nothing else turns has them, in its own rest axes."""
    return continuous_quaternions(seen_from(turns, _axes(rig, number)))


def _own_way(rig: Rig, number: int, places: FloatArray) -> FloatArray:
    """Places (T, 3) in armature space as the location of a control that nothing else moves."""
    return np.asarray((places - rig.heads[number]) @ rig.location_axes(number))


def _bone(rig: Rig, bone_map: BoneMap, joint: int) -> int:
    bones = bone_map.bones(joint)
    if not bones:
        raise ValueError(f"no bone is known for joint {joint}; fill this row of the table")
    return rig.number(bones[0])
