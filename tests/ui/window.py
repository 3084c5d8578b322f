"""What the scripts in the window of a real Blender share: the stage, simulated clicks, pictures, waiting."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

MODULE = "bl_ext.user_default.pirouette"
DEADLINE_S = 400.0
GENERATE_BELOW_TOP_PX = 167  # from the sidebar's upper edge to the middle of Generate, at interface scale 1
PROCESSES: list[subprocess.Popen[bytes]] = []

Play = Callable[[argparse.Namespace, dict[str, Any]], Iterator[float]]


def session() -> Any:
    return importlib.import_module(f"{MODULE}.core.session").SESSION


def view() -> tuple[bpy.types.Window, bpy.types.Area, bpy.types.Region]:
    """The window, its 3D view and the sidebar."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    return window, area, next(region for region in area.regions if region.type == "UI")


def prepare(asked: argparse.Namespace) -> None:
    """A factory scene without its cube, the add-on from its zip, the song on the timeline."""
    preferences = bpy.context.preferences
    preferences.system.use_online_access = True
    bpy.ops.extensions.package_install_files(filepath=str(asked.zip), repo="user_default", enable_on_install=True)
    preferences.addons[MODULE].preferences.backend_command = asked.backend
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    scene = bpy.context.scene
    strips = scene.sequence_editor_create().strips
    strips.new_sound("Song", str(asked.song), 1, 1)
    scene.frame_start, scene.frame_end = 1, round(asked.seconds * scene.render.fps)
    if asked.genre:
        scene.pirouette.genre = asked.genre
    scene.pirouette.prompt = asked.prompt
    scene.pirouette.seed = 7
    _, area, _ = view()
    area.spaces.active.show_region_ui = True
    area.spaces.active.overlay.show_cursor = False
    raise_timeline()
    bpy.ops.ed.undo_push(message="a song on the timeline")


def raise_timeline() -> None:
    """Make room for the markers in the timeline."""
    window, area, _ = view()
    with bpy.context.temp_override(window=window, screen=window.screen, area=area):
        bpy.ops.screen.area_move(x=area.x + 200, y=area.y - 1, delta=70)


def photograph(path: Path) -> None:
    """A picture of the whole screen, taken beside Blender, which goes on."""
    PROCESSES.append(subprocess.Popen(["import", "-window", "root", str(path)]))


def photographed() -> bool:
    return all(process.poll() is not None for process in PROCESSES)


def click(x: int, y: int) -> None:
    window, _, _ = view()
    window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)
    window.event_simulate(type="LEFTMOUSE", value="PRESS", x=x, y=y)
    window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=x, y=y)


def press(key: str, *, ctrl: bool = False) -> None:
    """A key, with the mouse over the 3D view."""
    window, area, _ = view()
    x, y = area.x + area.width // 3, area.y + area.height // 2
    window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)
    window.event_simulate(type=key, value="PRESS", x=x, y=y, ctrl=ctrl)
    window.event_simulate(type=key, value="RELEASE", x=x, y=y, ctrl=ctrl)


def generate_button() -> tuple[int, int]:
    """Where Generate is in the window: Blender does not tell, but the panel's layout is known."""
    _, _, region = view()
    scale = bpy.context.preferences.system.ui_scale
    y = region.y + region.height - GENERATE_BELOW_TOP_PX * scale
    return int(region.x + (region.width - 20 * scale) / 2), int(y)


def look_at_dancer() -> None:
    """Frame the dancer and go to a moment in the middle of the dance."""
    window, area, _ = view()
    scene = bpy.context.scene
    scene.frame_set((scene.frame_start + scene.frame_end) // 2)
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_orbit(angle=0.5, type="ORBITLEFT")
        bpy.ops.view3d.view_selected()


def until(done: Callable[[], bool], what: str) -> Iterator[float]:
    """Pause until something holds."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not done():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited for {what} in vain")
        yield 0.02


def part(name: str) -> Any:
    """A module of the installed add-on."""
    return importlib.import_module(f"{MODULE}.{name}")


def dancer() -> bpy.types.Object:
    """The dancer of the dance that was made."""
    return bpy.data.objects["Dancer"]


def keys() -> np.ndarray:
    """What the take is keyed with: (curves, frames); shorter curves are filled up."""
    owner = part("scene.takes").find_take(dancer()).owner()
    rows = []
    for curve in sorted(owner.fcurves, key=lambda curve: (curve.data_path, curve.array_index)):
        points = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get("co", points)
        rows.append(points[1::2])
    return np.stack(rows)


def changed_frames(before: np.ndarray, after: np.ndarray) -> list[int]:
    """First and last frame, from 1, that differ; a quaternion that turned over differs not."""
    common = min(before.shape[1], after.shape[1])
    different = np.abs(np.abs(before[:, :common]) - np.abs(after[:, :common])).max(axis=0) > 1e-6
    found = np.flatnonzero(different)
    return [int(found[0]) + 1, int(found[-1]) + 1] if len(found) else []


def pressed(operator: Any, told: dict[str, Any], name: str, **options: Any) -> Iterator[float]:
    """Press a button and wait for the end; tells how long it took."""
    window, area, region = view()
    started_s = time.monotonic()
    with bpy.context.temp_override(window=window, area=area, region=region):
        operator("INVOKE_DEFAULT", **options)
    yield from until(lambda: not session().busy, name)
    told[f"{name}_s"] = round(time.monotonic() - started_s, 2)
    if session().error is not None:
        raise RuntimeError(f"{name}: {session().error}")
    yield 0.3


def see_whole_dance() -> None:
    """Let the timeline show all sections."""
    window = bpy.context.window_manager.windows[0]
    for area in window.screen.areas:
        if area.type == "DOPESHEET_EDITOR":
            region = next(region for region in area.regions if region.type == "WINDOW")
            with bpy.context.temp_override(window=window, area=area, region=region):
                bpy.ops.action.view_all()


def pictured(path: Path) -> Iterator[float]:
    """A picture once everything is drawn anew; panels find their places at the second drawing."""
    for _ in range(3):
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                area.tag_redraw()
        yield 0.5
    photograph(path)
    yield from until(photographed, path.name)


def show_panels(*wanted: str, opened: bool = True) -> None:
    """Show these panels alone and opened, as after clicks on their titles, so that a picture has room for them."""
    classes = [cls for cls in part("registration")._CLASSES if issubclass(cls, bpy.types.Panel)]
    for cls in reversed(classes):
        if hasattr(bpy.types, cls.__name__):
            bpy.utils.unregister_class(cls)
    for cls in classes:
        parent = getattr(cls, "bl_parent_id", "")
        if not wanted or cls.__name__ in wanted or parent in wanted:
            if opened and (not parent or cls.__name__ in wanted):
                cls.bl_options = set()
            bpy.utils.register_class(cls)


def scene_contents() -> dict[str, Any]:
    """What a dance adds to."""
    scene = bpy.context.scene
    return {
        "objects": sorted(thing.name for thing in scene.objects),
        "actions": sorted(action.name for action in bpy.data.actions),
        "markers": len(scene.timeline_markers),
    }


def perform(play: Play, asked: argparse.Namespace, *, told_in: str) -> None:
    """Let a play run in a timer, which outlives the opening of a file; write what it tells, then close Blender."""
    asked.out.mkdir(parents=True, exist_ok=True)
    bpy.context.preferences.view.show_splash = False
    told: dict[str, Any] = {"blender": bpy.app.version_string, "failed": ""}
    steps = play(asked, told)

    def go_on() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001  told, then Blender is closed
            told["failed"] = traceback.format_exc()
            photograph(asked.out / "panel_failed.png")
            for process in PROCESSES:
                process.wait()
        (asked.out / told_in).write_text(json.dumps(told, indent=2), encoding="utf-8")
        try:
            show_panels()
            bpy.ops.preferences.addon_disable(module=MODULE)  # ends the backend
        finally:
            sys.stdout.flush()
            os._exit(0)

    bpy.app.timers.register(go_on, first_interval=1.5, persistent=True)
