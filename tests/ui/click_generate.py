"""Inside the real application: install the zip, put a song on the timeline, click Generate, photograph the panel.

blender --factory-startup --enable-event-simulate --python click_generate.py -- --zip ZIP --song SONG --out FOLDER
    [--backend COMMAND] [--genre G] [--prompt TEXT] [--seconds S] [--cancel]

Writes panel_before.png, panel_during.png, panel_after.png (with --cancel not the last one) and click.json, which says
what happened. Needs a display and ImageMagick's ``import``; every event is simulated, none is called behind its back.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from window import (
    click,
    generate_button,
    look_at_dancer,
    perform,
    photograph,
    photographed,
    prepare,
    press,
    scene_contents,
    session,
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
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--cancel", action="store_true")
    return parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])


def play(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """The whole play; each value is a pause in seconds in which Blender draws."""
    prepare(asked)
    yield 1.0
    _, area, sidebar = view()
    sidebar.active_panel_category = "Dance"
    area.tag_redraw()
    yield 1.0
    photograph(asked.out / "panel_before.png")
    yield from until(photographed, "the first picture")
    undo_before = scene_contents()
    click(*generate_button())
    yield from until(lambda: session().busy, "the click on Generate")
    clicked_s = time.monotonic()
    at_work = ("dance", "refine", "plant")
    yield from until(lambda: session().progress.stage in at_work or not session().busy, "the dance")
    if session().busy:  # the stand-in may be too quick for a picture
        yield 0.4 if asked.cancel else 0.05  # until it is drawn
        told["during"] = session().progress.label
        photograph(asked.out / "panel_during.png")
    if asked.cancel:
        yield from until(photographed, "the second picture")
        cancelled_s = time.monotonic()
        press("ESC")
        yield from until(lambda: not session().busy, "the cancel")
        told["cancel_s"] = time.monotonic() - cancelled_s
        told["unchanged"] = scene_contents() == undo_before
        return
    yield from until(lambda: not session().busy, "the end of the dance")
    told["seconds"] = time.monotonic() - clicked_s
    told["error"] = str(session().error or "")
    yield from until(photographed, "the second picture")
    look_at_dancer()
    yield 1.5
    photograph(asked.out / "panel_after.png")
    yield from until(photographed, "the third picture")
    told["made"] = scene_contents()
    press("Z", ctrl=True)
    yield 1.0
    told["after_undo"] = scene_contents()
    told["undone_in_one_step"] = scene_contents() == undo_before


if __name__ == "__main__":
    perform(play, arguments(), told_in="click.json")
