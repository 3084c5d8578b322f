"""Which bone carries which, among those that a dance turns. No bpy."""

from __future__ import annotations

from collections.abc import Mapping

from .rig import BoneMap, Rig
from .skeleton import PARENTS


def carrier(rig: Rig, bone_map: BoneMap) -> int:
    """The bone that takes the pelvis' place and turn: the lowest that carries both legs, the spine and the pelvis' own.

    Raises ValueError where no one bone does.
    """
    hips = rig.number(bone_map.bones(0)[0])
    if bone_map.controls == "rigify_fk":
        return hips
    own = [rig.number(bone_map.bones(joint)[0]) for joint in (1, 2, 3, 16, 17) if bone_map.bones(joint)]
    lines = [_line(rig, number) for number in (hips, *own)]
    for number in lines[0]:
        if all(number in line for line in lines):
            return number
    raise ValueError(f"no bone carries both {rig.names[hips]!r} and the limbs; the character's parts are not joined")


def mover(rig: Rig, hips: int) -> int:
    """The bone whose location moves the hips: they themselves, or the nearest above them that is not connected."""
    return next(
        number for number in _line(rig, hips) if rig.names[number] not in rig.connected or rig.parents[number] < 0
    )


def turns_with(rig: Rig, bone_map: BoneMap, number: int, above: int) -> bool:
    """Whether a bone turns with one that carries it: nothing from one to the other keeps to a turn of its own."""
    if bone_map.controls == "rigify_fk":  # whatever its mechanisms do, at these settings they follow the body
        return True
    line = _line(rig, number)
    between = line[: line.index(above)] if above in line else line
    return not any(rig.names[bone] in rig.own_turn for bone in between)


def carried_by(rig: Rig, bone_map: BoneMap, joints: Mapping[int, int], hips: int) -> dict[int, int]:
    """For each turning bone the turning bone whose turn it takes over, -1 for none.

    joints: bone numbers to the joints that turn them; hips: the carrier. A rig's FK controls are carried by
    mechanisms, which at these settings follow the body: there the body's own order counts.
    """
    if bone_map.controls == "rigify_fk":
        return _by_body(rig, bone_map, joints, hips)
    found = {}
    for number in joints:
        found[number] = next((above for above in _line(rig, number)[1:] if above in joints), -1)
    return found


def _by_body(rig: Rig, bone_map: BoneMap, joints: Mapping[int, int], hips: int) -> dict[int, int]:
    """As the joints follow one another."""
    turning = {joint: [rig.number(bone) for bone in bone_map.bones(joint)] for joint in range(len(PARENTS))}
    last = {joint: [bone for bone in bones if bone in joints][-1:] for joint, bones in turning.items()}
    found = {}
    for number, joint in joints.items():
        bones = [bone for bone in turning[joint] if bone in joints]
        place = bones.index(number) if number in bones else 0
        if number == hips:
            found[number] = -1
        elif place > 0:
            found[number] = bones[place - 1]
        else:
            above = PARENTS[joint]
            while above > 0 and last[above] in ([], [number]):  # a bone may be more than one joint
                above = PARENTS[above]
            found[number] = last[above][0] if above >= 0 and last[above] else hips
    return found


def carries(rig: Rig, above: int, bone: int) -> bool:
    """Whether one bone is above another in the tree."""
    return above in _line(rig, bone)[1:]


def _line(rig: Rig, number: int) -> list[int]:
    """The bone and all that carry it, nearest first."""
    line = []
    while number >= 0:
        line.append(number)
        number = int(rig.parents[number])
    return line
