"""Locks on a dancer: read a pose from the armature, keep it with a time, show it on the timeline and put it back.

A lock's marker is its handle in time: where the animator drags it, the lock goes along.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ..core.bone_frames import bone_locations, bone_rotations, rest_joints, smpl_poses_of_matrices
from ..core.errors import PirouetteError
from ..core.key_poses import KeyPose
from ..core.resample import axis_angle_to_quaternion, quaternion_to_axis_angle
from ..core.skeleton import JOINT_NAMES, REST_TO_WORLD
from .armature import rest_head, rest_rotations

USED, UNUSED = "◆ ", "◇ "  # how the markers of locks begin
ROOT = JOINT_NAMES[0]


def capture(context: bpy.types.Context, dancer: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """The pose (24, 3) axis-angle and pelvis (3,) metres that the armature has now, keyed or not."""
    context.view_layer.update()
    return seen_pose(dancer)


def seen_pose(dancer: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """The pose (24, 3) and pelvis (3,) that the armature showed last."""
    bones = dancer.pose.bones
    turned = np.array([np.array(bones[name].matrix.to_3x3().normalized()) for name in JOINT_NAMES])
    pose = smpl_poses_of_matrices(turned[None], rest_rotations(dancer))[0]
    return pose.astype(np.float32), np.array(bones[ROOT].head, dtype=np.float32)


def asked_of(item: Any, now: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What a lock asks of a dancer who does ``now``: what is locked from the lock, everything else as it is."""
    pose, pelvis = now[0].copy(), now[1].copy()
    locked, at = np.array(item.pose, dtype=np.float32), np.array(item.pelvis, dtype=np.float32)
    for joint in range(1, len(JOINT_NAMES)):
        if item.joints[joint]:
            pose[joint] = locked[joint]
    leans = locked if item.joints[0] else now[0]
    faces = locked if item.heading else now[0]
    pose[0] = leans[0] if leans is faces else _turned(facing_of(faces) - facing_of(leans), leans[0])
    if item.place:
        pelvis[:2] = at[:2]
    if item.joints[0]:
        pelvis[2] = at[2]
    return pose, pelvis


def put_pose(dancer: bpy.types.Object, item: Any) -> None:
    """Put a lock's pose on the armature, unkeyed, whatever the bones' rotation modes are."""
    rests = rest_rotations(dancer)
    rotations = bone_rotations(np.array(item.pose)[None], rests)[0]
    location = bone_locations(np.array(item.pelvis)[None], rests[0], rest_head(dancer))[0]
    for joint, name in enumerate(JOINT_NAMES):
        basis = Quaternion(rotations[joint].tolist()).to_matrix().to_4x4()
        if joint == 0:
            basis = Matrix.Translation(Vector(location.tolist())) @ basis
        dancer.pose.bones[name].matrix_basis = basis


def facing_of(pose: np.ndarray) -> float:
    """The angle about the vertical, radians, by which a pose (24, 3) is turned from facing -Y."""
    forward = Quaternion(axis_angle_to_quaternion(pose[:1])[0].tolist()) @ Vector((0.0, 0.0, 1.0))
    return angle_towards(forward.x, forward.y)


def angle_towards(x: float, y: float) -> float:
    """The angle about the vertical that turns a dancer, who faces -Y at rest, towards a direction on the floor."""
    return math.atan2(x, -y)


def standing(angle: float, place: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Upright at a place of the floor, turned by an angle: pose (24, 3) and pelvis (3,)."""
    upright = Matrix.Rotation(angle, 3, "Z") @ Matrix(REST_TO_WORLD.tolist())
    pose = np.zeros((len(JOINT_NAMES), 3), dtype=np.float32)
    pose[0] = quaternion_to_axis_angle(np.array(upright.to_quaternion()))
    return pose, np.array([*place, rest_joints()[0, 2]], dtype=np.float32)


def add_lock(
    scene: bpy.types.Scene,
    dancer: bpy.types.Object,
    captured: tuple[np.ndarray, np.ndarray],
    *,
    frame: int,
    joints: Iterable[int],
    place: bool,
    heading: bool,
    name: str,
) -> Any:
    """A new lock, selected in the list, with its marker on the timeline."""
    shown = dancer.pirouette
    item = shown.locks.add()
    fill_lock(item, captured, joints=joints)
    item.place, item.heading = place, heading
    item.held_frame = frame
    item.name = name
    mark_lock(scene, item)
    shown.active_lock = len(shown.locks) - 1
    return item


def fill_lock(item: Any, captured: tuple[np.ndarray, np.ndarray], *, joints: Iterable[int]) -> None:
    """Another pose for a lock."""
    chosen = set(joints)
    item.pose = captured[0].tolist()
    item.pelvis = captured[1].tolist()
    item.joints = [joint in chosen for joint in range(len(JOINT_NAMES))]


def remove_lock(scene: bpy.types.Scene, dancer: bpy.types.Object, index: int) -> None:
    """Take a lock out of the list, and its marker off the timeline."""
    shown = dancer.pirouette
    marker = _marker(scene, shown.locks[index])
    if marker is not None:
        scene.timeline_markers.remove(marker)
    shown.locks.remove(index)
    shown.active_lock = min(shown.active_lock, max(len(shown.locks) - 1, 0))


def next_name(dancer: bpy.types.Object, word: str) -> str:
    """Such as ``Pose 3``: the first number that is free."""
    taken = {item.name for item in dancer.pirouette.locks}
    number = 1
    while f"{word} {number}" in taken:
        number += 1
    return f"{word} {number}"


def is_lock_marker(marker: bpy.types.TimelineMarker) -> bool:
    """Whether this marker belongs to a lock."""
    return marker.name.startswith((USED, UNUSED)) and marker.camera is None


def frame_of(scene: bpy.types.Scene, item: Any) -> int:
    """When a lock is: where its marker stands, else the frame that it was made at."""
    marker = _marker(scene, item)
    return int(item.held_frame if marker is None else marker.frame)


def hold_frames(scene: bpy.types.Scene, dancer: bpy.types.Object) -> None:
    """Keep in mind where the markers of the locks stand, should one be deleted."""
    for item in dancer.pirouette.locks:
        at = frame_of(scene, item)
        if item.held_frame != at:
            item.held_frame = at


def move_lock(scene: bpy.types.Scene, item: Any, frame: int) -> None:
    """Another time for a lock."""
    item.held_frame = frame
    mark_lock(scene, item, frame=frame)


def rename_lock(scene: bpy.types.Scene, item: Any) -> None:
    """Let the marker be called as the lock is."""
    if item.held_frame or item.marker:
        mark_lock(scene, item)


def mark_lock(scene: bpy.types.Scene, item: Any, *, frame: int | None = None) -> None:
    """See to it that a lock has its marker, of the right name, at its time."""
    marker = _marker(scene, item)
    at = frame_of(scene, item) if frame is None else frame
    others = {other.name for other in scene.timeline_markers if other != marker}
    name = _free_name(f"{USED if item.enabled else UNUSED}{item.name}", others)
    if marker is None:
        marker = scene.timeline_markers.new(name, frame=at)
        marker.select = False
    marker.name, marker.frame = name, at
    item.marker, item.held_frame = marker.name, at


def key_poses_in(
    scene: bpy.types.Scene, dancer: bpy.types.Object | None, *, time_of: Callable[[float], float], duration_s: float
) -> tuple[KeyPose, ...]:
    """The locks in use that fall into a dance, in order; time_of: seconds in the dance of a frame of the scene.

    Raises PirouetteError bad_request when two are at the same moment.
    """
    if dancer is None:
        return ()
    found: dict[int, tuple[KeyPose, str]] = {}
    for item in dancer.pirouette.locks:
        time_s = time_of(frame_of(scene, item))
        joints = tuple(joint for joint, locked in enumerate(item.joints) if locked)
        if not item.enabled or not -1e-6 <= time_s < duration_s or not (joints or item.place or item.heading):
            continue
        pose, pelvis = np.array(item.pose, dtype=np.float32), np.array(item.pelvis, dtype=np.float32)
        key = KeyPose(max(time_s, 0.0), pose, pelvis, joints, item.place, item.heading)
        moment = frame_of(scene, item)
        if moment in found:
            key = _together(found[moment][0], key, (found[moment][1], item.name))
        found[moment] = (key, item.name)
    return tuple(key for key, _ in sorted(found.values(), key=lambda pair: pair[0].time_s))


def _together(a: KeyPose, b: KeyPose, names: tuple[str, str]) -> KeyPose:
    """Two locks of the same moment as one, where they do not contradict each other."""
    both = set(a.joints) & set(b.joints)
    if both or (a.place and b.place) or (a.heading and b.heading):
        raise PirouetteError(
            "bad_request",
            f"The locks “{names[0]}” and “{names[1]}” are at the same frame and lock the same.",
            "Move one of them, or switch it off.",
        )
    pose, pelvis = a.pose.copy(), a.pelvis.copy()
    for joint in b.joints:
        pose[joint] = b.pose[joint]
    faces = b if b.heading else a
    leans = b if 0 in b.joints else a if 0 in a.joints else faces
    pose[0] = (
        _turned(facing_of(faces.pose) - facing_of(leans.pose), leans.pose[0]) if faces is not leans else faces.pose[0]
    )
    if b.place:
        pelvis[:2] = b.pelvis[:2]
    if 0 in b.joints:
        pelvis[2] = b.pelvis[2]
    joints = tuple(sorted({*a.joints, *b.joints}))
    return KeyPose(a.time_s, pose, pelvis, joints, a.place or b.place, a.heading or b.heading)


def _turned(angle: float, axis_angle: np.ndarray) -> np.ndarray:
    """A rotation, axis-angle (3,), turned further about the vertical."""
    turn = Matrix.Rotation(angle, 3, "Z").to_quaternion()
    turned = turn @ Quaternion(axis_angle_to_quaternion(axis_angle[None])[0].tolist())
    return quaternion_to_axis_angle(np.array(turned)).astype(np.float32)


def _marker(scene: bpy.types.Scene, item: Any) -> bpy.types.TimelineMarker | None:
    return scene.timeline_markers.get(item.marker) if item.marker else None


def _free_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} ({number})", number + 1
    return name
