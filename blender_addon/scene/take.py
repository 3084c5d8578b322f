"""A take: one dance as an Action on an NLA track of its own. A new take silences the earlier ones and changes none."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.bone_frames import bone_locations, bone_rotations
from ..core.dance import DanceDocument
from ..core.key_poses import shifts_to_locks
from ..core.resample import resample
from ..core.skeleton import JOINT_NAMES
from .action_curves import LINEAR, new_curve_owner
from .armature import rest_head, rest_rotations

TAKE_MARK = "pirouette_take"  # custom property of an Action: the number of its take
_BONES_A_STEP = 3


@dataclass(frozen=True)
class Curve:
    """One F-curve to write. values: (F,) one a frame."""

    bone: str
    data_path: str
    index: int
    values: np.ndarray


def take_name(number: int, *, genre: str, seed: int) -> str:
    """Such as ``Dance 001 salsa seed 7``."""
    return " ".join(part for part in (f"Dance {number:03d}", genre, f"seed {seed}") if part)


def next_number(dancer: bpy.types.Object) -> int:
    """One more than the highest take on this dancer."""
    numbers = [0]
    if dancer.animation_data is not None:
        for track in dancer.animation_data.nla_tracks:
            numbers += [int(s.action.get(TAKE_MARK, 0)) for s in track.strips if s.action is not None]
    return max(numbers) + 1


def take_curves(document: DanceDocument, dancer: bpy.types.Object) -> Iterator[list[Curve]]:
    """The dance at the scene's rate as curves of this dancer, some bones at a time."""
    placement, rests, root = document.placement, rest_rotations(dancer), JOINT_NAMES[0]
    shifts = shifts_to_locks(
        [key.time_s for key in document.key_poses],
        frames=placement.frames,
        source_fps=document.fps,
        target_fps=placement.fps,
    )
    for first in range(0, len(JOINT_NAMES), _BONES_A_STEP):
        chosen = slice(first, first + _BONES_A_STEP)
        poses, pelvis = resample(
            document.poses[:, chosen],
            document.pelvis,
            source_fps=document.fps,
            target_fps=placement.fps,
            frames=placement.frames,
            shifts=shifts,
        )
        curves = []
        if first == 0:
            located = bone_locations(pelvis, rests[0], rest_head(dancer))
            curves += [Curve(root, f'pose.bones["{root}"].location', axis, located[:, axis]) for axis in range(3)]
        rotations = bone_rotations(poses, rests[chosen], first_joint=first)
        for joint, name in enumerate(JOINT_NAMES[chosen]):
            path = f'pose.bones["{name}"].rotation_quaternion'
            curves += [Curve(name, path, part, rotations[:, joint, part]) for part in range(4)]
        yield curves


def write_take(
    dancer: bpy.types.Object, document: DanceDocument, *, number: int, name: str
) -> Generator[None, None, None]:
    """Write a take in short steps: first the Action, whole but unused; in the last step it goes on its track."""
    action = bpy.data.actions.new(name)
    try:
        for _ in write_curves(action, dancer, document):
            yield
        action[TAKE_MARK] = number
        action.use_fake_user = False
    except BaseException:  # also when the steps are not run to their end
        bpy.data.actions.remove(action)
        raise
    _put_on_track(dancer, action, name, document.placement.first_frame)
    for bone in dancer.pose.bones:
        bone.rotation_mode = "QUATERNION"


def write_curves(
    action: bpy.types.Action, dancer: bpy.types.Object, document: DanceDocument
) -> Generator[list[bpy.types.FCurve], None, None]:
    """Write a dance into a new Action, some bones at a time; each step tells the F-curves that it has written."""
    owner = new_curve_owner(action, dancer)
    for curves in take_curves(document, dancer):
        yield [_write_curve(owner, curve, document.placement.first_frame) for curve in curves]


def _write_curve(
    owner: bpy.types.ActionChannelbag | bpy.types.Action, curve: Curve, first_frame: int
) -> bpy.types.FCurve:
    fcurve = new_fcurve(owner, curve)
    count = len(curve.values)
    points = np.empty((count, 2), dtype=np.float32)
    points[:, 0] = np.arange(first_frame, first_frame + count)
    points[:, 1] = curve.values
    fcurve.keyframe_points.add(count)
    fcurve.keyframe_points.foreach_set("co", points.ravel())
    fcurve.keyframe_points.foreach_set("interpolation", np.full(count, LINEAR, dtype=np.int32))
    fcurve.update()
    return fcurve


def new_fcurve(owner: bpy.types.ActionChannelbag | bpy.types.Action, curve: Curve) -> bpy.types.FCurve:
    """An F-curve without keys, in the group of its bone."""
    fcurve = owner.fcurves.new(curve.data_path, index=curve.index)
    fcurve.group = owner.groups.get(curve.bone) or owner.groups.new(curve.bone)
    return fcurve


def _put_on_track(dancer: bpy.types.Object, action: bpy.types.Action, name: str, first_frame: int) -> None:
    """The new take on top and heard alone; what the animator was editing is kept on a track of its own."""
    animation = dancer.animation_data or dancer.animation_data_create()
    if animation.use_tweak_mode:
        animation.use_tweak_mode = False
    if animation.action is not None:
        push_down(animation)  # to a muted track: on top of the NLA it would hide the new take
    for track in animation.nla_tracks:
        track.mute = True
        track.is_solo = False
    track = animation.nla_tracks.new(prev=animation.nla_tracks[-1] if animation.nla_tracks else None)
    track.name = name
    strip = track.strips.new(name, first_frame, action)
    use_slot(strip, action)
    strip.blend_type, strip.extrapolation = "REPLACE", "HOLD"
    for other in animation.nla_tracks:
        other.select = other == track


def push_down(animation: bpy.types.AnimData) -> None:
    """Move the active Action to a track above the others, where it does what it did: Blender's own Push Down."""
    action, slot = animation.action, getattr(animation, "action_slot", None)
    blend, influence, beyond = animation.action_blend_type, animation.action_influence, animation.action_extrapolation
    track = animation.nla_tracks.new(prev=animation.nla_tracks[-1] if animation.nla_tracks else None)
    track.name = action.name
    strip = track.strips.new(action.name, int(np.floor(action.frame_range[0])), action)
    if slot is not None:
        strip.action_slot = slot
    strip.blend_type, strip.extrapolation = blend, beyond
    if influence < 1.0:
        strip.use_animated_influence = True
        strip.influence = influence
    animation.action = None


def use_slot(strip: bpy.types.NlaStrip, action: bpy.types.Action) -> None:
    """Let a strip play the Action's first slot."""
    if hasattr(strip, "action_slot") and action.slots:
        strip.action_slot = action.slots[0]
