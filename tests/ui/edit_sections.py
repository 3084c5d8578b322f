"""Inside the real application: make a dance, edit its sections, take from the library, save, reopen, edit again.

blender --factory-startup --enable-event-simulate --python edit_sections.py -- --zip ZIP --song SONG --out FOLDER
    [--backend COMMAND] [--genre G] [--prompt TEXT] [--seconds S] [--again-prompt TEXT] [--search WORDS]

With --search "" the library is left out.

Writes sections_list.png, sections_regenerated.png, sections_preview.png, sections_inserted.png, sections_reopened.png
and sections.json, which says what happened. Needs a display and ImageMagick's ``import``. Generate is clicked with the
mouse; the other buttons are pressed as the window presses them, by ``INVOKE_DEFAULT``, and lines of the list are
selected by script.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from window import (
    changed_frames,
    click,
    dancer,
    generate_button,
    keys,
    look_at_dancer,
    part,
    perform,
    pictured,
    prepare,
    press,
    pressed,
    see_whole_dance,
    session,
    show_panels,
    until,
    view,
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--song", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backend", default="")
    parser.add_argument("--genre", default="")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--again-prompt", default="a wide turn, arms overhead")
    parser.add_argument("--search", default="turn")
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])


def listed() -> list[dict[str, Any]]:
    names = ("name", "counts", "genre", "prompt", "seed", "locked", "first_frame", "last_frame")
    return [{name: getattr(item, name) for name in names} for item in dancer().pirouette.sections]


def play(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """The whole play; each value is a pause in seconds in which Blender draws."""
    prepare(asked)
    show_panels("PIROUETTE_PT_dance", "PIROUETTE_PT_sections", "PIROUETTE_PT_result", "PIROUETTE_PT_library")
    yield 1.0
    _, area, sidebar = view()
    sidebar.active_panel_category = "Dance"
    area.tag_redraw()
    yield 1.0
    click(*generate_button())
    yield from until(lambda: session().busy, "the click on Generate")
    yield from until(lambda: not session().busy, "the end of the dance")
    if session().error is not None:
        raise RuntimeError(str(session().error))
    look_at_dancer()
    see_whole_dance()
    yield from edit(asked, told)
    if asked.search:
        yield from library(asked, told)
    yield from reopen(asked, told)


def edit(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """The list, a lock, words of its own for a section, regenerate, undo, redo."""
    shown = dancer().pirouette
    names = ("Intro", "Steps", "Turn", "Break")
    for item, name in zip(shown.sections, names, strict=False):
        item.name = name
    shown.sections[0].locked = True
    shown.active = 2
    shown.sections[2].prompt = asked.again_prompt
    bpy.ops.ed.undo_push(message="names and words")
    yield from pictured(asked.out / "sections_list.png")
    told["listed"] = listed()
    before = keys()
    yield from pressed(bpy.ops.pirouette.section_regenerate, told, "regenerate", draw_seed=True)
    told["regenerated_frames"] = changed_frames(before, keys())
    scene = bpy.context.scene
    scene.frame_set((shown.sections[2].first_frame + shown.sections[2].last_frame) // 2)
    yield from pictured(asked.out / "sections_regenerated.png")
    after = keys()
    press("Z", ctrl=True)
    yield 1.0
    told["undone_in_one_step"] = bool(np.array_equal(keys(), before))
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.redo()
    yield 0.5
    told["redone"] = bool(np.array_equal(keys(), after))


def library(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """A search, a preview, an insert."""
    found = bpy.context.window_manager.pirouette_library
    found.query = asked.search  # searches by itself, as while typing
    yield from until(lambda: found.searched and not session().busy, "the search")
    told["found"] = [item.name for item in found.results]
    yield from pressed(bpy.ops.pirouette.library_preview, told, "preview")
    told["preview_plays"] = bool(bpy.context.screen.is_animation_playing)
    yield 1.5
    yield from pictured(asked.out / "sections_preview.png")
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.pirouette.library_preview_stop()
    told["preview_gone"] = not part("scene.preview").preview_objects()
    before, count = keys(), len(dancer().pirouette.sections)
    yield from pressed(bpy.ops.pirouette.section_insert, told, "insert", source="LIBRARY")
    told["inserted_frames"] = keys().shape[1] - before.shape[1]
    told["sections_more"] = len(dancer().pirouette.sections) - count
    shown = dancer().pirouette
    item = shown.sections[shown.active]
    bpy.context.scene.frame_set((item.first_frame + item.last_frame) // 2)
    see_whole_dance()
    yield from pictured(asked.out / "sections_inserted.png")


def reopen(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """Save, open the file, and regenerate a section of it."""
    path, before, names = asked.out / "sections.blend", keys(), listed()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    session().close()  # as on another day
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=True)
    yield 1.5
    told["same_after_reopening"] = bool(np.array_equal(keys(), before)) and listed() == names
    bpy.context.view_layer.objects.active = dancer()
    dancer().pirouette.active = 1
    yield from pressed(bpy.ops.pirouette.section_regenerate, told, "regenerate_again", draw_seed=True)
    item = dancer().pirouette.sections[1]
    told["again_section"] = [item.first_frame, item.last_frame]
    told["again_frames"] = changed_frames(before, keys())
    yield from pictured(asked.out / "sections_reopened.png")


if __name__ == "__main__":
    perform(play, arguments(), told_in="sections.json")
