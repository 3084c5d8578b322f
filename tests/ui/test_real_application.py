"""The add-on in the window of a real Blender, clicked with the mouse, against the stand-in for the backend."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from build_addon import build_zip

HERE = Path(__file__).resolve().parent
SONG = HERE.parent / "fixtures" / "songs" / "mentalgroove.opus"
BACKEND = f'"{sys.executable}" "{HERE.parent / "fixtures" / "scripted_backend.py"}"'
TIMEOUT_S = 600

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("blender") is None, reason="no Blender application is on the PATH"),
    pytest.mark.skipif(
        "DISPLAY" not in os.environ and shutil.which("xvfb-run") is None, reason="there is no display and no xvfb-run"
    ),
]


def play(
    tmp_path: Path, *options: str, script: str = "click_generate.py", told_in: str = "click.json"
) -> dict[str, Any]:
    """Let the application run a script and return what it tells."""
    archive = build_zip(tmp_path / "dist")
    out = tmp_path / "out"
    screen = [] if "DISPLAY" in os.environ else ["xvfb-run", "-a", "-s", "-screen 0 1600x900x24"]
    command = [*screen, "blender", "--factory-startup", "--enable-event-simulate"]
    command += ["--python", str(HERE / script), "--", "--zip", str(archive), "--song", str(SONG)]
    command += ["--out", str(out), "--backend", BACKEND, *options]
    user_folder = tmp_path / "user"
    user_folder.mkdir()
    variables = {**os.environ, "BLENDER_USER_RESOURCES": str(user_folder)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    told_path = out / told_in
    assert told_path.is_file(), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(told_path.read_text(encoding="utf-8"))
    assert told["failed"] == ""
    return told


def test_a_click_makes_a_dance_and_ctrl_z_takes_it_back_in_one_step(tmp_path: Path) -> None:
    told = play(tmp_path)
    assert told["error"] == ""
    assert "Dancer" in told["made"]["objects"]
    assert told["made"]["actions"] == ["Dance 001 seed 7"]
    assert told["made"]["markers"] == 40
    assert told["undone_in_one_step"]


def test_escape_cancels_within_a_second_and_leaves_the_scene_as_it_was(tmp_path: Path) -> None:
    told = play(tmp_path, "--prompt", "wait", "--cancel")
    assert told["cancel_s"] < 1.0
    assert told["unchanged"]


def test_sections_are_edited_saved_reopened_and_edited_again(tmp_path: Path) -> None:
    told = play(tmp_path, script="edit_sections.py", told_in="sections.json")
    assert [section["name"] for section in told["listed"]][:5] == ["Intro", "Steps", "Turn", "Break", "5"]
    turn = told["listed"][2]
    assert turn["first_frame"] <= told["regenerated_frames"][0] <= told["regenerated_frames"][1] <= turn["last_frame"]
    assert told["undone_in_one_step"]
    assert told["redone"]
    assert told["found"] == ["Pirouette"]
    assert told["preview_gone"]
    assert (told["inserted_frames"], told["sections_more"]) == (48, 1)
    assert told["same_after_reopening"]
    assert told["again_section"][0] <= told["again_frames"][0] <= told["again_frames"][1] <= told["again_section"][1]


def test_a_dance_is_directed_by_locks_a_moved_beat_words_and_continued(tmp_path: Path) -> None:
    told = play(tmp_path, script="direct_dance.py", told_in="direct.json")
    assert [name for name, _ in told["locks"]] == ["Reach", "Shield", "Spot"]
    assert told["beats_changed"] == "1 moved"
    first, last = told["section_frames"]
    assert first <= told["regenerated_frames"][0] <= told["regenerated_frames"][1] <= last
    assert told["undone_in_one_step"]
    assert told["redone"]
    assert told["follows"] == "2 key poses, 1 waypoint, your beats, 1 accent, words of 1 section"
    for off in (*told["off_regenerated"].values(), *told["off_generated"].values()):
        assert off.get("degrees", 0.0) < 1.0
        assert off.get("place_cm", 0.0) < 1.0
    assert told["continued_frames"] > 24
