"""A dance shown on a character before anything is written: no key, no Action, no track.

At every frame the bones' own channels are set from arrays, after Blender has evaluated its animation. What was in the
channels stands on the character as a custom property meanwhile, so that it comes back exactly, also after an undo, or
in a file that was saved by itself in the middle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..core.errors import PirouetteError
from ..core.retarget import Retargeted
from ..core.rigify_switches import Switch
from ..core.rotation_modes import channel, in_mode

SHOWN_MARK = "pirouette_shown"  # custom property of the character: what its channels held before, as JSON
_CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
_NONE_HELD = {"location": (0.0, 0.0, 0.0), "scale": (1.0, 1.0, 1.0)}


@dataclass(frozen=True, eq=False)
class _Shown:
    """What is shown. frames: (F,) of the scene, rising; values: bone and channel to (F, n), or to (1, n) where it is
    held.
    """

    name: str
    frames: np.ndarray
    values: dict[tuple[str, str], np.ndarray]

    def at(self, frame: float) -> dict[tuple[str, str], np.ndarray]:
        """The channels at a frame of the scene; before and after the dance its ends are held."""
        place = float(np.interp(frame, self.frames, np.arange(len(self.frames))))
        before = min(int(place), len(self.frames) - 1)
        after, share = min(before + 1, len(self.frames) - 1), place - before
        found = {}
        for path, rows in self.values.items():
            first, last = rows[min(before, len(rows) - 1)], rows[min(after, len(rows) - 1)]
            found[path] = (first + share * (last - first)).astype(np.float32)
        return found


_shown: _Shown | None = None
_setting = False  # what Blender is told here comes back as an update


def begin(
    character: bpy.types.Object,
    retargeted: Retargeted,
    frames: np.ndarray,
    *,
    still: Mapping[tuple[str, str], Sequence[float]] | None = None,
    switches: Iterable[Switch] = (),
) -> None:
    """Show a dance on a character from now on; a preview that there was ends.

    frames: (T,) the scene's frame of each of the dance's; still: bone and channel to what is held all the while;
    switches: custom properties of bones that have to be set for it, such as a control rig's IK/FK.
    Raises PirouetteError bad_rig for a character of another file or without the dance's bones.
    """
    global _shown
    stop()
    if character.library is not None:
        raise PirouetteError(
            "bad_rig", f"“{character.name}” is linked from another file.", "Make a library override of it."
        )
    values = {key: np.array([held]) for key, held in (still or {}).items()} | _values(character, retargeted)
    chosen = [
        (bone, name, value)
        for bone, name, value in switches
        if bone in character.pose.bones and name in character.pose.bones[bone]
    ]
    character[SHOWN_MARK] = json.dumps(_held(character, {bone for bone, _ in values}, chosen))
    for bone, name, value in chosen:
        owner = character.pose.bones[bone]
        owner[name] = type(owner[name])(value)
    _shown = _Shown(character.name, np.asarray(frames, dtype=np.float64), values)
    _set(bpy.context.scene)
    _evaluate(character)


def active() -> bpy.types.Object | None:
    """The character that a dance is shown on; None when there is no preview."""
    if _shown is None:
        return None
    found = bpy.data.objects.get(_shown.name)
    if found is not None and SHOWN_MARK in found:
        return found
    return next(_marked(), None)  # it has another name now, or is gone


def stop() -> bool:
    """End the preview: every channel holds what it held before. Returns whether there was one."""
    global _shown
    _shown = None
    found = list(_marked())
    for character in found:
        _put_back(character)
    return bool(found)


def _marked() -> Iterable[bpy.types.Object]:
    return (thing for thing in bpy.data.objects if SHOWN_MARK in thing)


def _values(character: bpy.types.Object, retargeted: Retargeted) -> dict[tuple[str, str], np.ndarray]:
    """All channels of the bones that the dance moves: (F, n) each, or (1, n) where they are held."""
    found: dict[tuple[str, str], np.ndarray] = {}
    moved = {retargeted.hips: retargeted.locations}
    if retargeted.root and retargeted.root_locations is not None:
        moved[retargeted.root] = retargeted.root_locations
    for name in dict.fromkeys((*retargeted.bones, *moved)):
        if name not in character.pose.bones:
            raise PirouetteError("bad_rig", f"“{character.name}” has no bone {name}.", "Map its bones again.")
        for path, rest in _NONE_HELD.items():
            found[name, path] = np.array([rest])
    for name, rotations in zip(retargeted.bones, retargeted.rotations, strict=True):
        mode = character.pose.bones[name].rotation_mode
        found[name, channel(mode)[0]] = in_mode(rotations, mode)
    for name, locations in moved.items():
        found[name, "location"] = locations
    return found


def _held(character: bpy.types.Object, bones: set[str], switches: list[Switch]) -> dict[str, Any]:
    """What the channels and properties hold, and at which frame."""
    scene = bpy.context.scene
    return {
        "frame": [scene.frame_current, scene.frame_subframe],
        "bones": {
            name: {path: [float(value) for value in getattr(character.pose.bones[name], path)] for path in _CHANNELS}
            for name in sorted(bones)
        },
        "switches": [[bone, name, character.pose.bones[bone][name]] for bone, name, _ in switches],
    }


def _put_back(character: bpy.types.Object) -> None:
    """What the mark says, then away with it."""
    held = json.loads(character[SHOWN_MARK])
    del character[SHOWN_MARK]
    if character.pose is None:
        return
    bones = character.pose.bones
    for name, channels in held["bones"].items():
        if name in bones:
            for path, values in channels.items():
                setattr(bones[name], path, values)
    for bone, name, value in held["switches"]:
        if bone in bones and name in bones[bone]:
            bones[bone][name] = value
    scene = bpy.context.scene
    if held["frame"] != [scene.frame_current, scene.frame_subframe]:  # else a pose without keys would be lost
        character.update_tag(refresh={"TIME"})
    _evaluate(character)


def _evaluate(character: bpy.types.Object) -> None:
    character.update_tag(refresh={"DATA", "OBJECT"})
    if bpy.context.view_layer is not None:
        bpy.context.view_layer.update()


def _set(scene: bpy.types.Scene) -> None:
    """Set the channels for the scene's frame where they hold something else."""
    global _setting, _shown
    if _shown is None or _setting:
        return
    character = active()
    if character is None or character.pose is None:
        _shown = None
        return
    if character.name not in scene.objects:
        return
    _setting = True
    try:
        for (name, path), values in _shown.at(scene.frame_current_final).items():
            bone = character.pose.bones.get(name)
            if bone is not None and not np.array_equal(np.array(getattr(bone, path), dtype=np.float32), values):
                setattr(bone, path, values.tolist())
    finally:
        _setting = False


@persistent
def _at_new_frame(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    _set(scene)


@persistent
def _after_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Blender has evaluated the character's own animation again."""
    if _shown is not None and depsgraph.id_type_updated("OBJECT"):
        _set(scene)


@persistent
def _end(*_: object) -> None:
    stop()


_ENDING = (
    "save_pre", "load_pre", "undo_pre", "redo_pre", "render_init",
    "load_post", "undo_post", "redo_post",  # there the state that comes back may have been kept in the middle of one
)  # fmt: skip


def attach() -> None:
    """Watch frames, and see to it that no preview is saved, rendered or undone."""
    handlers = bpy.app.handlers
    handlers.frame_change_post.append(_at_new_frame)
    handlers.depsgraph_update_post.append(_after_update)
    for name in _ENDING:
        getattr(handlers, name).append(_end)


def detach() -> None:
    """End the preview and watch no longer."""
    handlers = bpy.app.handlers
    handlers.frame_change_post.remove(_at_new_frame)
    handlers.depsgraph_update_post.remove(_after_update)
    for name in _ENDING:
        getattr(handlers, name).remove(_end)
    stop()
