"""Sections as strips and locks as flags along the lower edge of the timeline and the dope sheet."""

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..core.section_bars import Bar, Flag, bars, flags
from ..operators.watching import WATCH
from ..scene.armature import find_dancer
from ..scene.locks import frame_of
from ..scene.section_list import scene_range

_HEIGHT_PX, _BOTTOM_PX, _TEXT_PX = 17, 2, 11
_MARKER_ROW_PX = 29  # timeline markers stand below; the one at the playhead stands higher
_PLAIN, _OTHER = (0.11, 0.36, 0.45, 0.92), (0.09, 0.30, 0.38, 0.92)  # neighbours can be told apart
_SELECTED = (0.93, 0.55, 0.16, 0.96)
_LOCKED = (0.32, 0.32, 0.34, 0.92)
_FLAG, _FLAG_OFF = (0.35, 0.80, 1.0, 1.0), (0.55, 0.55, 0.58, 0.9)
_FLAG_PX = 6
_EDITED = (0.96, 0.90, 0.55, 1.0)
_WORDS, _DARK_WORDS = (0.92, 0.95, 0.96, 1.0), (0.08, 0.06, 0.03, 1.0)
_handle = None


def visible_bars(context: bpy.types.Context) -> list[Bar]:
    """The strips that belong into the region that is drawn."""
    dancer = find_dancer(context)
    if dancer is None or not context.scene.pirouette.section_strips:
        return []
    shown = dancer.pirouette
    ranges = [scene_range(dancer, index) for index in range(len(shown.sections))]
    if not ranges or None in ranges:
        return []
    to_region = context.region.view2d.view_to_region
    return bars(
        [(first, last + 1) for first, last in ranges],
        [item.name for item in shown.sections],
        [item.locked for item in shown.sections],
        selected=shown.active,
        width=context.region.width,
        pixel_of=lambda frame: to_region(frame, 0.0, clip=False)[0],
        scale=context.preferences.system.ui_scale or 1.0,
    )


def visible_flags(context: bpy.types.Context) -> list[Flag]:
    """The flags of the locks in the region that is drawn."""
    dancer = find_dancer(context)
    if dancer is None or not context.scene.pirouette.show_locks:
        return []
    shown, to_region = dancer.pirouette, context.region.view2d.view_to_region
    return flags(
        [frame_of(context.scene, item) for item in shown.locks],
        [item.name for item in shown.locks],
        [item.enabled for item in shown.locks],
        selected=shown.active_lock,
        width=context.region.width,
        pixel_of=lambda frame: to_region(frame, 0.0, clip=False)[0],
        scale=context.preferences.system.ui_scale or 1.0,
    )


def _draw() -> None:
    context = bpy.context
    scale = context.preferences.system.ui_scale or 1.0
    bottom = (_BOTTOM_PX + (_MARKER_ROW_PX if context.scene.timeline_markers else 0)) * scale
    found = visible_bars(context)
    if found:
        _draw_bars(context, found, bottom, scale)
        bottom += (_HEIGHT_PX + 2) * scale
    for flag in visible_flags(context):
        _draw_flag(flag, bottom + (_FLAG_PX + 2) * scale, scale)


def _draw_flag(flag: Flag, middle: float, scale: float) -> None:
    """A diamond on a pole, and the lock's name."""
    size = _FLAG_PX * scale
    colour = _SELECTED if flag.selected else _FLAG if flag.enabled else _FLAG_OFF
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = ((flag.x - size, middle), (flag.x, middle + size), (flag.x + size, middle), (flag.x, middle - size))
    gpu.state.blend_set("ALPHA")
    batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=((0, 1, 2), (0, 2, 3)))
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)
    gpu.state.blend_set("NONE")
    blf.size(0, _TEXT_PX * scale)
    blf.color(0, *colour)
    blf.position(0, flag.x + size + 3 * scale, middle - 4 * scale, 0)
    blf.draw(0, flag.text)


def _draw_bars(context: bpy.types.Context, found: list[Bar], bottom: float, scale: float) -> None:
    top = bottom + _HEIGHT_PX * scale
    edited = WATCH.edited(find_dancer(context))
    gpu.state.blend_set("ALPHA")
    for bar in found:
        _rectangle(bar.left, bottom, bar.right, top, _colour(bar))
        if bar.index in edited:
            _rectangle(bar.left, top - 3 * scale, bar.right, top, _EDITED)
    gpu.state.blend_set("NONE")
    blf.size(0, _TEXT_PX * scale)
    for bar in found:
        blf.color(0, *(_DARK_WORDS if bar.selected else _WORDS))
        blf.position(0, bar.left + 4 * scale, bottom + 5 * scale, 0)
        blf.draw(0, bar.text)
        if bar.locked and bar.right - bar.left > 14 * scale:
            _padlock(bar.right - 11 * scale, bottom + 4 * scale, scale, _DARK_WORDS if bar.selected else _WORDS)


def _colour(bar: Bar) -> tuple[float, float, float, float]:
    if bar.selected:
        return _SELECTED
    if bar.locked:
        return _LOCKED
    return _PLAIN if bar.index % 2 == 0 else _OTHER


def _rectangle(left: float, bottom: float, right: float, top: float, colour: tuple[float, ...]) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = ((left, bottom), (right, bottom), (right, top), (left, top))
    batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=((0, 1, 2), (0, 2, 3)))
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)


def _padlock(x: float, y: float, scale: float, colour: tuple[float, ...]) -> None:
    """A body and a shackle of three bars."""
    gpu.state.blend_set("ALPHA")
    _rectangle(x, y, x + 7 * scale, y + 5 * scale, colour)
    for left, right, low, high in ((1, 2.2, 5, 9), (4.8, 6, 5, 9), (1, 6, 8, 9.2)):
        _rectangle(x + left * scale, y + low * scale, x + right * scale, y + high * scale, colour)
    gpu.state.blend_set("NONE")


def attach() -> None:
    """Draw from now on; there is nothing to draw on without a window."""
    global _handle
    if not bpy.app.background:
        _handle = bpy.types.SpaceDopeSheetEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def detach() -> None:
    """Draw no longer."""
    global _handle
    if _handle is not None:
        bpy.types.SpaceDopeSheetEditor.draw_handler_remove(_handle, "WINDOW")
    _handle = None
