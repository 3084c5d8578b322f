"""A character's movement as a dance: what ``retarget`` does, undone. No bpy.

Every bone's turn from rest in the world, led back from the character's rest pose to SMPL's, is its joint's turn. The
spine and the neck are read where their bones say how a joint turns, and in between along the arc; joints without a bone
go with what carries them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .calibration import SMPL_BALL_HEIGHT_M, Calibration, calibrate, posed_as_rest
from .control_bones import body_bone
from .quaternions import FloatArray, from_matrices, inverse, seen_from, times, turned
from .resample import quaternion_to_axis_angle, slerp
from .retarget import Facing
from .retarget_motion import BETWEEN_HIPS_M, NECK, SPINE, chain_places, hips_at_rest
from .rig import BoneMap, Rig
from .skeleton import JOINT_NAMES, PARENTS, REST_TO_WORLD, forward_kinematics

_HEAD, _NECK = 15, 12
_CHAINED = (*SPINE[1:], *NECK[1:])
_BALLS = (10, 11)
_STANDS_M = 0.01  # feet that are no farther from the floor stand on it
_LOW = 5.0  # the percentile of a dance's lowest places that counts as standing
_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class ReadBones:
    """What is read off a character, frame by frame. bones: whose orientations ``dance_of`` takes, in this order;
    thighs: the left and the right bone whose heads are the hip joints.
    """

    bones: tuple[str, ...]
    thighs: tuple[str, str]


def bones_to_read(rig: Rig, bone_map: BoneMap) -> ReadBones:
    """The bones that show how a mapped character moves: of control rigs, those that follow FK and IK alike.

    Raises ValueError where a thigh is not known.
    """
    if missing := [JOINT_NAMES[joint] for joint in (1, 2) if not bone_map.bones(joint)]:
        raise ValueError(f"no bone is known for {', '.join(missing)}; fill these rows of the table")
    left, right = (body_bone(rig, bone_map, joint, bone_map.bones(joint)[0]) for joint in (1, 2))
    return ReadBones(tuple(body_bone(rig, bone_map, joint, bone) for bone, joint in _turning(bone_map)), (left, right))


def dance_of(
    rig: Rig,
    bone_map: BoneMap,
    matrices: npt.NDArray[np.floating],
    hips: npt.NDArray[np.floating],
    *,
    facing: Facing = "dance",
    reference: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """The dance that a character dances, as it is seen from where the character's object is.

    matrices: (T, N, 3, 3) orientations in armature space of ``bones_to_read(...).bones``, without scale; hips: (T, 3)
    the middle of the hip joints in armature space; facing: ``dance`` faces where the character is seen to face,
    ``character`` faces to the front when the character does as it stands at rest; reference: (B, 4, 4) pose that counts
    as the rest pose.
    Returns poses (T, 24, 3) axis-angle, radians, and pelvis (T, 3), metres, Z up.
    Raises ValueError for a character whose scale cannot be kept, or whose bones are not known.
    """
    turning = _turning(bone_map)
    if matrices.shape != (len(hips), len(turning), 3, 3):
        raise ValueError(f"expected orientations of shape {(len(hips), len(turning), 3, 3)}, not {matrices.shape}")
    rested = rig if reference is None else posed_as_rest(rig, np.asarray(reference, dtype=np.float64))
    stage = calibrate(rested, bone_map)
    onto_stage = stage.axes[0] @ rested.rest[0, :3, :3].T  # from armature space: the character faces to the front
    axes = stage.stand.T @ onto_stage if facing == "dance" else onto_stage
    found: dict[str, FloatArray] = {}
    for place, (bone, joint) in enumerate(turning):
        number = rig.number(body_bone(rig, bone_map, joint, bone))
        turn = axes @ matrices[:, place] @ rested.rest[number, :3, :3].T @ onto_stage.T
        swing = stage.swings.get(joint, _IDENTITY)
        found[bone] = times(from_matrices(turn), inverse(swing)[None])
    turns = _joints(found, bone_map, frames=len(hips))
    return _poses(turns), _pelvis(turns, np.asarray(hips, dtype=np.float64) @ axes.T, stage)


def grounded(poses: FloatArray, pelvis: FloatArray) -> FloatArray:
    """The pelvis (T, 3) of a dance whose feet stand on the floor: raised or lowered as a whole where they do not."""
    lowest = forward_kinematics(poses, pelvis)[:, list(_BALLS), 2].min(axis=1)
    down = float(np.percentile(lowest, _LOW)) - SMPL_BALL_HEIGHT_M
    return np.asarray(pelvis - np.array([0.0, 0.0, down if abs(down) > _STANDS_M else 0.0]))


def _turning(bone_map: BoneMap) -> list[tuple[str, int]]:
    """The bones that turn joints, each with its joint: of limbs the first of a chain, of spine and neck all."""
    found = [(row.bones[0], row.joint) for row in bone_map.rows if row.bones and row.joint not in _CHAINED]
    for chain in (SPINE, NECK):
        found += [(bone, joint) for bone, (joint, _) in chain_places(bone_map, chain).items()]
    return found


def _joints(found: dict[str, FloatArray], bone_map: BoneMap, *, frames: int) -> FloatArray:
    """How far each joint (24, T, 4) is turned from SMPL's rest pose, in the world's axes."""
    known = {row.joint: found[row.bones[0]] for row in bone_map.rows if row.bones and row.joint not in _CHAINED}
    turns = np.empty((len(PARENTS), frames, 4))
    for joint, above in enumerate(PARENTS):
        if joint in known:
            turns[joint] = known[joint]
        elif above >= 0:
            turns[joint] = turns[above]
        else:
            raise ValueError("no bone is known for the pelvis; fill this row of the table")
        if joint == SPINE[0]:
            known |= _along(turns[0], found, bone_map, SPINE)
        elif joint == SPINE[-1]:
            known |= _along(turns[joint], found, bone_map, NECK)
            if _NECK not in known and _HEAD in known:  # a neck without a bone bends halfway
                known[_NECK] = slerp(turns[joint], known[_HEAD], np.full(frames, 0.5))
    return turns


def _along(
    start: FloatArray, found: dict[str, FloatArray], bone_map: BoneMap, chain: tuple[int, ...]
) -> dict[int, FloatArray]:
    """The turns (T, 4) of a chain's joints, between those of the bones that lie before and after them on it."""
    places = {0.0: start} | {place: found[bone] for bone, (_, place) in chain_places(bone_map, chain).items()}
    if len(places) == 1:
        return {}
    along = sorted(places)
    joints = {}
    for index, joint in enumerate(chain[1:], 1):
        after = next(place for place in along if place >= index)
        before = max(place for place in along if place < after)
        share = (index - before) / (after - before)
        bent = slerp(places[before], places[after], np.full(len(start), share))
        joints[joint] = places[after] if share == 1.0 else bent
    return joints


def _poses(turns: FloatArray) -> FloatArray:
    """Poses (T, 24, 3) of joints turned (24, T, 4) from SMPL's rest pose."""
    local = np.empty_like(turns)
    local[0] = times(turns[0], from_matrices(REST_TO_WORLD))
    for joint in range(1, len(PARENTS)):
        local[joint] = seen_from(times(inverse(turns[PARENTS[joint]]), turns[joint]), REST_TO_WORLD)
    return np.moveaxis(quaternion_to_axis_angle(local), 0, 1)


def _pelvis(turns: FloatArray, hips: FloatArray, stage: Calibration) -> FloatArray:
    """The pelvis (T, 3), metres. hips: (T, 3) in the dance's axes from the object's origin, in the armature's units."""
    path = stage.scale * hips - stage.origin - stage.hips
    middle = path / stage.ratio + hips_at_rest(SMPL_BALL_HEIGHT_M)
    return np.asarray(middle - turned(turns[0], BETWEEN_HIPS_M[None]))
