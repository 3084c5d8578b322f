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
        bpy.ops.preferences.addon_disable(module=MODULE)  # ends the backend
        sys.stdout.flush()
        os._exit(0)

    bpy.app.timers.register(go_on, first_interval=1.5, persistent=True)
