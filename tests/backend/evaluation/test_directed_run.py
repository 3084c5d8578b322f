"""`evaluate --directed`: parts one by one, kept in a folder, shown on one page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.errors import PirouetteError
from backend.evaluation.directed import between, long_dances, run
from backend.evaluation.directed.documents import fill
from backend.evaluation.directed.ground import Ground
from backend.evaluation.directed.run import Direction, evaluate_directed
from tests.backend.evaluation.directors import Wild, library_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = library_of(tmp_path_factory.mktemp("library"), (24.0, 12.0))
    return Ground(folder, folder, seeds=1)


def told_of(ground: Ground, out: Path, *only: str, version: str = "wild 1") -> list[str]:
    """What is told while parts are made."""
    told: list[str] = []
    evaluate_directed(ground, Direction(lambda _: Wild(version)), out=out, only=only, tell=told.append)
    return told


def test_part_that_is_done_is_not_done_again_unless_it_is_named(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PARTS", run.PARTS[:2])
    assert told_of(ground, tmp_path, "beats") == ["beats: song, seed 0"]
    assert told_of(ground, tmp_path) == ["key poses: song, seed 0", "beats: done before"]
    assert told_of(ground, tmp_path) == ["key-poses: done before", "beats: done before"]
    assert told_of(ground, tmp_path, "beats") == ["beats: song, seed 0"]
    assert "done" not in " ".join(told_of(ground, tmp_path, version="wild 2"))  # another network
    assert len(told_of(replace(ground, seeds=2), tmp_path)) == 4


def test_one_json_and_one_page_hold_every_part_that_is_done(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_dances, "STRATEGIES", ("sequential",))
    told_of(ground, tmp_path, "between")
    told_of(ground, tmp_path, "long")
    report = json.loads((tmp_path / "directed.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert list(report["parts"]) == ["between", "long"]
    assert report["parts"]["long"]["settings"] == {
        "version": "wild 1",
        "split": "test",
        "songs": 1,
        "seeds": 1,
        "dances": 2,
        "left_out": "",
    }
    assert {verdict["part"] for verdict in report["verdicts"]} == {"between", "long"}
    html = (tmp_path / "directed.html").read_text()
    assert html.count("<h2>") == 3
    assert html.count("<svg") == 2
    assert not re.search(r"https?://|<script|<link|<img", html)
    assert "nan" not in html
    tables = (tmp_path / "directed.md").read_text()
    widths = [[line.count(" | ") for line in block.splitlines()] for block in re.findall(r"(?:^\|.*\n)+", tables, re.M)]
    assert len(widths) == 3 + 3 + 2  # tables of both parts, and their verdicts
    assert all(len(set(block)) == 1 for block in widths)
    assert between.PART.show(report["parts"]["between"]["found"]).tables[0].rows[0][0] == "the real dance, untouched"


def test_damaged_part_is_told_with_the_way_out(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "directed").mkdir()
    (tmp_path / "directed" / "beats.json").write_text('{"settings": ')
    with pytest.raises(PirouetteError, match="--only beats") as caught:
        told_of(ground, tmp_path)
    assert caught.value.code == "damaged_file"
    told_of(ground, tmp_path, "beats")
    assert "beats: done before" not in told_of(ground, tmp_path, "beats")


def test_beat_losses_are_compared_by_two_folders_of_weights(ground: Ground, tmp_path: Path) -> None:
    asked: list[Path | None] = []

    def director(folder: Path | None) -> Wild:
        asked.append(folder)
        return Wild()

    direction = Direction(director, beat_loss=(Path("with"), Path("without")))
    (shown,) = evaluate_directed(ground, direction, out=tmp_path, only=("beats",))
    assert asked == [None, Path("with"), Path("without")]
    assert len(shown.section.tables[0].rows) == 3 * 2
    assert [verdict.reached for verdict in shown.section.verdicts if "beat loss" in verdict.asked] == [False]


def test_documents_take_tables_between_their_marks(ground: Ground, tmp_path: Path) -> None:
    shown = evaluate_directed(ground, Direction(lambda _: Wild()), out=tmp_path, only=("between",))
    document = tmp_path / "words.md"
    document.write_text(
        "Before.\n<!-- between -->\nold\n<!-- /between -->\nAfter.\n<!-- long -->\nkept\n<!-- /long -->\n"
    )
    assert fill(document, shown) == ["between"]
    once = document.read_text()
    assert once.startswith("Before.\n<!-- between -->\n\nThe first seam")
    assert once.endswith("<!-- /between -->\nAfter.\n<!-- long -->\nkept\n<!-- /long -->\n")
    assert "old" not in once
    assert "| the real dance, untouched | " in once
    fill(document, shown)
    assert document.read_text() == once
    document.write_text("No marks.\n")
    with pytest.raises(PirouetteError, match="no place"):
        fill(document, shown)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--only", "beats"), "belong to --directed"),
        (
            ("--directed", "--only", "hats"),
            "There is no part “hats”. Parts: key-poses, beats, continuing, between, long.",
        ),
        (("--directed", "--real-only"), "judges the bundled generator alone"),
        (("--directed", "--split", "nowhere"), "has no song in its nowhere split"),
        (("--directed", "--beat-loss", "nowhere", "nowhere"), "There is no folder nowhere."),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_sentence(
    ground: Ground, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    command = [sys.executable, "-m", "backend", "evaluate", "--data", str(ground.data), "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
