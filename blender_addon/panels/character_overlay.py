"""The bones that were found, as a stick figure over the character: left and right in two colours, as a check.

Doubtful bones have a cross; the bone of the row that is selected in the table is white.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader
from mathutils import Vector

from ..character_properties import SURE, chosen_bones, joints_without_bone
from ..core.control_bones import body_bone
from ..core.errors import PirouetteError
from ..core.skeleton import JOINT_NAMES, PARENTS
from ..scene.character import bone_map_of, find_character, read_rig

Kind = Literal["left", "right", "middle", "doubtful", "chosen"]
Line = tuple[Vector, Vector]

COLOURS: dict[Kind, tuple[float, float, float, float]] = {
    "left": (0.25, 0.62, 1.0, 0.95),
    "right": (1.0, 0.42, 0.30, 0.95),
    "middle": (0.80, 0.86, 0.62, 0.95),
    "doubtful": (1.0, 0.85, 0.15, 1.0),
    "chosen": (1.0, 1.0, 1.0, 1.0),
}
_CROSS = 0.025  # of the figure's size
_WIDTH_PX, _TEXT_PX, _MARGIN_PX = 4.0, 12.0, 12
_handles: list[Any] = []
_looked_up: tuple[Any, dict[int, tuple[str, ...]]] = (None, {})  # for what, and the answer


def figure_lines(character: bpy.types.Object) -> dict[Kind, list[Line]]:
    """The stick figure as the character is posed now, in its armature's space: pairs of points by what they show."""
    kept = character.pirouette_character
    names = _shown_names(character)
    there = character.pose.bones
    bones = {joint: [there[name] for name in chain if name in there] for joint, chain in names.items()}
    bones = {joint: chain for joint, chain in bones.items() if chain}
    found: dict[Kind, list[Line]] = {kind: [] for kind in COLOURS}
    for joint, chain in bones.items():
        above = _mapped_parent(joint, bones)
        if above is not None:
            _add(found, joint, bones[above][0].head, chain[0].head)
        if not any(_mapped_parent(other, bones) == joint for other in bones):  # nothing follows: the bone's own length
            _add(found, joint, chain[0].head, chain[-1].tail)
    size = _CROSS * _size([chain[0].head for chain in bones.values()])
    for row in kept.rows:
        if row.joint in bones and row.confidence < SURE:
            found["doubtful"] += _cross(bones[row.joint][0].head, size)
    if 0 <= kept.active_row < len(kept.rows):
        for bone in bones.get(kept.rows[kept.active_row].joint, ()):
            found["chosen"].append((bone.head.copy(), bone.tail.copy()))
    return found


def missing_in_words(character: bpy.types.Object) -> str:
    """Which joints have no bone, as a sentence; empty when all have one."""
    names = joints_without_bone(character.pirouette_character)
    return f"No bone for {', '.join(names)}" if names else ""


def _shown_names(character: bpy.types.Object) -> dict[int, tuple[str, ...]]:
    """Joint to the bones that show it: of a control rig those that follow, not the controls, of which some are off."""
    global _looked_up
    kept, there = character.pirouette_character, character.data.bones
    mapped = {row.joint: tuple(bone for bone in chosen_bones(row) if bone in there) for row in kept.rows}
    mapped = {joint: chain for joint, chain in mapped.items() if chain}
    known = (character.name, kept.controls, len(there), tuple(mapped.items()))
    if known != _looked_up[0]:
        _looked_up = (known, _behind_controls(character, mapped))
    return _looked_up[1]


def _behind_controls(character: bpy.types.Object, mapped: dict[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    try:
        rig, bone_map = read_rig(character), bone_map_of(character)
    except PirouetteError:  # the table names a bone that is gone: the others are drawn as they stand there
        return mapped
    return {
        joint: tuple(dict.fromkeys(body_bone(rig, bone_map, joint, bone) for bone in chain))
        for joint, chain in mapped.items()
    }


def _mapped_parent(joint: int, bones: dict[int, Any]) -> int | None:
    """The nearest joint above that has a bone of its own."""
    above = PARENTS[joint]
    while above >= 0 and (above not in bones or bones[above][0] == bones[joint][0]):
        above = PARENTS[above]
    return above if above >= 0 else None


def _add(found: dict[Kind, list[Line]], joint: int, start: Vector, end: Vector) -> None:
    side = JOINT_NAMES[joint][:2]
    kind: Kind = "left" if side == "L_" else "right" if side == "R_" else "middle"
    found[kind].append((start.copy(), end.copy()))


def _size(points: Sequence[Vector]) -> float:
    if not points:
        return 0.0
    return max(max(point[axis] for point in points) - min(point[axis] for point in points) for axis in range(3))


def _cross(at: Vector, size: float) -> list[Line]:
    ways = [Vector([size if axis == other else 0.0 for other in range(3)]) for axis in range(3)]
    return [(at - way, at + way) for way in ways]


def _shown(context: bpy.types.Context) -> bpy.types.Object | None:
    """The character to draw on, if any is to be."""
    if not context.scene.pirouette.show_bone_map or not context.space_data.overlay.show_overlays:
        return None
    character = find_character(context)
    if character is None or character.mode == "EDIT" or not character.visible_get():
        return None
    return character


def _draw() -> None:
    context = bpy.context
    character = _shown(context)
    if character is None:
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", _WIDTH_PX * (context.preferences.system.ui_scale or 1.0))
    for kind, lines in figure_lines(character).items():
        if lines:
            points = [character.matrix_world @ point for line in lines for point in line]
            shader.uniform_float("color", COLOURS[kind])
            batch_for_shader(shader, "LINES", {"pos": points}).draw(shader)
    gpu.state.blend_set("NONE")


def _draw_words() -> None:
    context = bpy.context
    character = _shown(context)
    words = missing_in_words(character) if character is not None else ""
    if not words:
        return
    scale = context.preferences.system.ui_scale or 1.0
    blf.size(0, _TEXT_PX * scale)
    blf.color(0, *COLOURS["doubtful"])
    blf.position(0, _MARGIN_PX * scale, _MARGIN_PX * scale, 0)
    blf.draw(0, f"{character.name}: {words}")


def attach() -> None:
    """Draw from now on; there is nothing to draw on without a window."""
    if not bpy.app.background:
        add = bpy.types.SpaceView3D.draw_handler_add
        _handles.extend([add(_draw, (), "WINDOW", "POST_VIEW"), add(_draw_words, (), "WINDOW", "POST_PIXEL")])


def detach() -> None:
    """Draw no longer."""
    for handle in _handles:
        bpy.types.SpaceView3D.draw_handler_remove(handle, "WINDOW")
    _handles.clear()
