"""The scripts of the documentation do what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from tests.characters.armatures import character_of
from tests.fixtures.made_up_bodies import write_npz

DOCS = Path(__file__).resolve().parents[2] / "docs"
Dance = Callable[..., bpy.types.Object]


def script(page: str, **replaced: str) -> str:
    """The Python of a page; replaced: what stands for a path that it names, by the path's last part up to the dot."""
    text = "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S))
    for stem, path in replaced.items():
        text, count = re.subn(rf'"[^"]*/{stem}\.\w+"', lambda _, path=path: repr(path), text)
        assert count, stem
    return text


def test_a_character_gets_the_dance_and_the_report_holds_what_the_table_lists(dance: Dance) -> None:
    names: dict[str, Any] = {"bpy": bpy, "dancer": dance()}
    character_of("Hero")
    exec(script("character.md"), names)
    rows = re.findall(r"^\| (`.+?`) \|", (DOCS / "character.md").read_text(encoding="utf-8"), re.M)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(names["report"]) == listed


def test_a_character_is_exported(dance: Dance, tmp_path: Path) -> None:
    dance()
    character_of("Hero")
    exec(script("export.md", hero=str(tmp_path / "hero.glb")), {"bpy": bpy})
    assert (tmp_path / "hero.glb").stat().st_size > 1000


def test_a_body_is_added_and_shaped(scene: bpy.types.Scene, tmp_path: Path) -> None:
    file = write_npz(tmp_path / "body.npz", 55)
    exec(script("smpl-bodies.md", SMPLX_NEUTRAL=str(file)), {"bpy": bpy})
    assert tuple(scene.pirouette.character.pirouette_body.betas) == (0.0,) * 10
