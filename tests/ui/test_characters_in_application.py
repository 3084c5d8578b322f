"""A dance put on several characters in the window of a real Blender."""

from __future__ import annotations

from pathlib import Path

from tests.ui.test_real_application import play, pytestmark

__all__ = ["pytestmark"]


def test_a_dance_is_seen_on_a_character_written_on_all_and_taken_back_in_one_step(tmp_path: Path) -> None:
    told = play(tmp_path, "--frames", "120", script="characters_side_by_side.py", told_in="characters.json")
    assert told["preview_moves"]
    assert told["preview_actions"] == 0
    assert told["pose_is_back"]
    assert told["actions_made"] == len(told["characters"]) - 1
    assert told["undone_in_one_step"]
    assert told["redone"]
    assert all(report["joints_mapped"] == 22 for report in told["report"]["characters"])
    assert (tmp_path / "out" / "characters.png").is_file()
