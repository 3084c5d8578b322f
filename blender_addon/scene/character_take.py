"""A dance on a character: an Action on an NLA track of its own, above everything else that moves the character.

What else there is stays as it is. An Action that would hide the dance is pushed down to a track of its own, as Blender
does it; bones that carry the dancing ones, and are posed or moved by something else, are keyed once where they belong.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.control_reduction import ReducedControls
from ..core.key_reduction import Reduced
from ..core.retarget import Retargeted
from ..core.rigify_ik import ControlTrack
from ..core.rotation_modes import channel, in_mode
from .action_curves import Keys, curve_owner, curves_by_path, new_curve_owner, new_keys, read_keys, write_keys
from .take import Curve, new_fcurve, push_down, use_slot

CHARACTER_MARK = "pirouette_character_take"  # custom property of an Action: the number of the dancer's take
DANCER_OF = "pirouette_dancer_name"  # custom property of an Action: whose dance it is
_KEPT = "pirouette_keys"  # custom property of an Action: a number for the keys as they were written
_STEPPED = 0  # Keyframe.interpolation CONSTANT, as foreach_set wants it
_SOFT = (2, 0, 0, 3, 3)  # interpolation BEZIER, easing, type, both handles ALIGNED: on one line
_NEUTRAL = {"location": (0.0, 0.0, 0.0), "rotation_quaternion": (1.0, 0.0, 0.0, 0.0), "rotation_euler": (0.0,) * 3,
            "rotation_axis_angle": (0.0, 0.0, 1.0, 0.0)}  # fmt: skip
_SAME = 1e-6
_CURVES_A_STEP = 12


@dataclass(frozen=True, eq=False)
class CurveKeys:
    """One F-curve to write and its keys."""

    bone: str
    data_path: str
    index: int
    keys: Keys


@dataclass(frozen=True, eq=False)
class CharacterTake:
    """A dance that is on a character. Holds Blender data: look it up again after anything that may undo or load."""

    track: bpy.types.NlaTrack
    strip: bpy.types.NlaStrip

    @property
    def action(self) -> bpy.types.Action:
        """Its Action."""
        return self.strip.action

    @property
    def untouched(self) -> bool:
        """Whether its keys are as they were written."""
        return int(self.action.get(_KEPT, 0)) == _checksum(self.action)


def character_takes(character: bpy.types.Object) -> Iterator[CharacterTake]:
    """All dances that are on a character, from the lowest track to the highest."""
    if character.animation_data is not None:
        for track in character.animation_data.nla_tracks:
            for strip in track.strips:
                if strip.action is not None and CHARACTER_MARK in strip.action:
                    yield CharacterTake(track, strip)


def find_character_take(character: bpy.types.Object, *, dancer: str, number: int) -> CharacterTake | None:
    """What a character has of a dancer's take: the highest; None when it has nothing of it."""
    found = [
        take
        for take in character_takes(character)
        if take.action[CHARACTER_MARK] == number and take.action.get(DANCER_OF) == dancer
    ]
    return found[-1] if found else None


def why_unseen(character: bpy.types.Object) -> list[str]:
    """What keeps a dance from being seen on a character, however it is keyed: a sentence for each."""
    found = []
    if character.data.pose_position == "REST":
        found.append(f"“{character.name}” shows its rest pose: switch it to Pose Position, in its Armature tab.")
    if character.animation_data is not None and not character.animation_data.use_nla:
        found.append(f"The NLA of “{character.name}” is off, so its dance is not seen: switch it on in the NLA editor.")
    return found


def hear_character_take(character: bpy.types.Object, heard: CharacterTake) -> None:
    """Let this dance be heard and no other; the character's own animation stays as it is."""
    for take in list(character_takes(character)):
        take.track.mute = take.track != heard.track
        if take.track.mute:
            take.track.is_solo = False


def every_frame(retargeted: Retargeted, character: bpy.types.Object, frames: np.ndarray) -> list[CurveKeys]:
    """The dance with a key on each of the frames (F,) of the scene, in each bone's own rotation mode."""
    curves = []
    for bone, rotations in zip(retargeted.bones, retargeted.rotations, strict=True):
        mode = character.pose.bones[bone].rotation_mode
        curves += _dense(bone, channel(mode)[0], in_mode(rotations, mode), frames)
    curves += _dense(retargeted.hips, "location", retargeted.locations, frames)
    if retargeted.root and retargeted.root_locations is not None:
        curves += _dense(retargeted.root, "location", retargeted.root_locations, frames)
    return curves


def track_keys(character: bpy.types.Object, tracks: Sequence[ControlTrack], frames: np.ndarray) -> list[CurveKeys]:
    """Controls with a key on each of the frames (F,) of the scene, in each bone's own rotation mode."""
    curves = []
    for track in tracks:
        if track.rotations is not None:
            mode = character.pose.bones[track.bone].rotation_mode
            curves += _dense(track.bone, channel(mode)[0], in_mode(track.rotations, mode), frames)
        if track.locations is not None:
            curves += _dense(track.bone, "location", track.locations, frames)
    return curves


def fewer_keys(dance: Reduced | ReducedControls, *, first_frame: float) -> list[CurveKeys]:
    """The dance with its few keys. first_frame: of the scene, where the dance's frame 0 is."""
    found = []
    for curve in dance.curves:
        co = np.stack([curve.frames, curve.values], axis=-1)
        places = np.concatenate([co, curve.handle_left, curve.handle_right], axis=-1).astype(np.float32)
        places[:, 0::2] += np.float32(first_frame)
        kinds = np.tile(np.array(_SOFT, dtype=np.int32), (len(places), 1))
        found.append(CurveKeys(curve.bone, bone_path(curve.bone, curve.path), curve.index, Keys(places, kinds)))
    return found


def _dense(bone: str, name: str, values: np.ndarray, frames: np.ndarray) -> list[CurveKeys]:
    path = bone_path(bone, name)
    return [CurveKeys(bone, path, axis, new_keys(frames, column)) for axis, column in enumerate(values.T)]


def bone_path(bone: str, name: str) -> str:
    """The data path of a pose bone's channel."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{name}'


def switch_keys(switches: Sequence[tuple[str, str, float]], *, frame: float) -> list[CurveKeys]:
    """Custom properties of bones, each keyed once: bone, property, value."""
    found = []
    for bone, name, value in switches:
        path = f'pose.bones["{bpy.utils.escape_identifier(bone)}"]["{bpy.utils.escape_identifier(name)}"]'
        found.append(CurveKeys(bone, path, 0, _one_key(frame, value)))
    return found


def standing_keys(
    character: bpy.types.Object,
    written: Sequence[CurveKeys],
    *,
    root: str,
    frame: float,
    controls: Collection[str] = (),
) -> list[CurveKeys]:
    """Keys that hold still what would bend the dance: bones that carry those of ``written`` and are posed or animated.

    controls: further bones that move the body, of a control rig.
    The root bone is held where it is now: it may be where the animator has placed the character. All others, and
    places of bones that only turn, go back to rest.
    """
    there = {(curve.data_path, curve.index) for curve in written}
    moved = _moved_channels(character)
    found: list[CurveKeys] = []
    bones = {curve.bone for curve in written}
    carriers = {above.name for bone in bones for above in character.data.bones[bone].parent_recursive}
    for name in sorted(bones | carriers | set(controls)):
        bone = character.pose.bones[name]
        for what in ("location", channel(bone.rotation_mode)[0]):
            path, values = bone_path(name, what), tuple(getattr(bone, what))
            rests = _NEUTRAL[what]
            if (path, 0) in there or not (path in moved or _differs(what, values, rests)):
                continue
            kept = values if name == root else rests
            found += [CurveKeys(name, path, axis, _one_key(frame, value)) for axis, value in enumerate(kept)]
    return found


def _differs(what: str, values: Sequence[float], rests: Sequence[float]) -> bool:
    if what == "rotation_axis_angle":
        return abs(values[0]) > _SAME
    return max(abs(a - b) for a, b in zip(values, rests, strict=True)) > _SAME


def _moved_channels(character: bpy.types.Object) -> set[str]:
    """The data paths that the character's other Actions have curves for, as far as they are heard."""
    animation, found = character.animation_data, set[str]()
    if animation is None:
        return found
    if animation.action is not None:
        found |= _paths(animation.action, getattr(animation, "action_slot", None))
    for track in animation.nla_tracks:
        for strip in track.strips:
            if strip.action is not None and not track.mute and CHARACTER_MARK not in strip.action:
                found |= _paths(strip.action, getattr(strip, "action_slot", None))
    return found


def _paths(action: bpy.types.Action, slot: bpy.types.ActionSlot | None) -> set[str]:
    owner = curve_owner(action, slot)
    return set() if owner is None else {curve.data_path for curve in owner.fcurves}


def _one_key(frame: float, value: float) -> Keys:
    keys = new_keys(np.array([frame]), np.array([value]))
    keys.kinds[:, 0] = _STEPPED
    return keys


def write_character_take(
    character: bpy.types.Object, curves: Sequence[CurveKeys], *, name: str, marks: Mapping[str, int | str]
) -> Generator[None, None, CharacterTake]:
    """Write a dance as a new Action in short steps; in the last step it goes on its track. marks: CHARACTER_MARK and
    DANCER_OF.
    """
    action = bpy.data.actions.new(name)
    try:
        yield from _write(action, character, curves)
        for key, value in marks.items():
            action[key] = value
    except BaseException:  # also when the steps are not run to their end
        bpy.data.actions.remove(action)
        raise
    return _put_on_track(character, action, curves, name)


def rewrite_character_take(
    character: bpy.types.Object, take: CharacterTake, curves: Sequence[CurveKeys]
) -> Generator[None, None, None]:
    """Write a dance over the one that a take holds: other curves of the Action go, once all new ones are made."""
    made = bpy.data.actions.new(take.action.name)
    old = take.action
    try:
        yield from _write(made, character, curves)
        for key in (CHARACTER_MARK, DANCER_OF):
            made[key] = old[key]
    except BaseException:
        bpy.data.actions.remove(made)
        raise
    name = old.name
    first, last = made.frame_range
    take.strip.action = made
    use_slot(take.strip, made)
    take.strip.action_frame_start, take.strip.action_frame_end = first, last
    hear_character_take(character, take)
    if old.users == 0 or (old.users == 1 and old.use_fake_user):
        bpy.data.actions.remove(old)
    made.name = name


def _write(
    action: bpy.types.Action, character: bpy.types.Object, curves: Sequence[CurveKeys]
) -> Generator[None, None, None]:
    owner = new_curve_owner(action, character)
    for count, curve in enumerate(curves, 1):
        write_keys(
            new_fcurve(owner, Curve(curve.bone, curve.data_path, curve.index, curve.keys.places[:, 1])), curve.keys
        )
        if count % _CURVES_A_STEP == 0:
            yield
    action.use_fake_user = False
    action[_KEPT] = _checksum(action)


def _checksum(action: bpy.types.Action) -> int:
    """A number, never 0, for all keys of an Action."""
    total = 0
    for path, curve in sorted(curves_by_path(curve_owner(action)).items()):
        keys = read_keys(curve)
        total = zlib.crc32(repr(path).encode(), total)
        total = zlib.crc32(np.ascontiguousarray(keys.places[:, :2], dtype=np.float32).tobytes(), total)
        total = zlib.crc32(np.ascontiguousarray(keys.kinds[:, 0]).tobytes(), total)
    return (total & 0x7FFFFFFF) or 1


def _put_on_track(
    character: bpy.types.Object, action: bpy.types.Action, curves: Sequence[CurveKeys], name: str
) -> CharacterTake:
    """On top of the others and heard; earlier dances are silenced, the character's own animation is not."""
    animation = character.animation_data or character.animation_data_create()
    if animation.use_tweak_mode:
        animation.use_tweak_mode = False
    own = animation.action
    if own is not None and _paths(own, getattr(animation, "action_slot", None)) & {c.data_path for c in curves}:
        push_down(animation)
    alone = not _moved_channels(character)
    for track in animation.nla_tracks:
        track.is_solo = False
    track = animation.nla_tracks.new(prev=animation.nla_tracks[-1] if animation.nla_tracks else None)
    track.name = name
    strip = track.strips.new(name, int(np.floor(action.frame_range[0])), action)
    use_slot(strip, action)
    strip.blend_type, strip.extrapolation = "REPLACE", "HOLD" if alone else "NOTHING"
    for other in animation.nla_tracks:
        other.select = other == track
    take = CharacterTake(track, strip)
    hear_character_take(character, take)
    return take
