"""`evaluate` from the command line on a small library of our own: files of every format, and real dances replayed."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backend.evaluation.bodies import wild
from tests.fixtures.make_motion import aist_fields, amass_arrays, library_arrays

ROOT = Path(__file__).resolve().parents[3]
SONG = ROOT / "tests" / "fixtures" / "songs" / "mentalgroove.opus"


def evaluate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", "evaluate", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six dances to test against, two to train on, one of them with known beats, and one song."""
    folder = tmp_path_factory.mktemp("library")
    rows = []
    for number in range(8):
        name = f"dance_{number}"
        np.savez(folder / f"{name}.npz", **library_arrays(wild(12.0, seed=number)))
        row: dict[str, Any] = {"id": name, "file": f"{name}.npz", "split": "test" if number < 6 else "train"}
        beats = {"beats": list(np.arange(24) / 2.0)} if number == 6 else {}
        rows.append(row | {"dance": True, "genre": "salsa", "caption": "Salsa."} | beats)
    (folder / "motion.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    shutil.copy(SONG, folder / "song.opus")
    (folder / "music.jsonl").write_text(json.dumps({"id": "song", "file": "song.opus", "split": "test"}))
    return folder


class Tags(HTMLParser):
    """Counts tags and checks that they close."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1


def checked_page(path: Path) -> str:
    """The page, self-contained and with figures."""
    html = path.read_text()
    tags = Tags()
    tags.feed(html)
    assert tags.count["svg"] > 10
    assert not {"script", "link", "img", "iframe"} & tags.count.keys()
    assert not re.search(r"https?://|url\(", html)
    assert "nan" not in re.findall(r'points="[^"]*"', html)
    return html


def test_folder_of_motions_in_every_format_is_judged(library: Path, tmp_path: Path) -> None:
    motions, out = tmp_path / "motions", tmp_path / "out"
    motions.mkdir()
    np.savez(motions / "ours_song.npz", **library_arrays(wild(12.0, seed=20)))
    np.savez(motions / "amass.npz", **amass_arrays(wild(12.0, seed=21)))
    (motions / "aist.pkl").write_bytes(pickle.dumps(aist_fields(wild(12.0, seed=22)), protocol=3))
    shutil.copy(ROOT / "tests" / "fixtures" / "motion" / "sway.npz", motions / "short.npz")
    done = evaluate("--data", library, "--motions", motions, "--songs", library, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "foot skate" in done.stdout
    report = json.loads((out / "report.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert report["windows"] == {"generated": 3, "real": 6}
    assert report["settings"]["too_short"] == "1"
    table = {row["metric"]: row for row in report["table"]}
    assert table["jerk_m_s3"]["generated"]["middle"] > 0
    assert table["fid_k"]["generated"]["middle"] > 0
    assert table["fid_k"]["real_vs_real"]["middle"] > 0
    heard = {window["name"]: "beat_alignment" in window for window in report["generated"]}
    assert heard == {"aist@0": False, "amass@0": False, "ours_song@0": True}
    assert report["real_with_known_beats"]["dances"] == 1
    assert table["r_precision_text"]["generated"] is None  # nobody says what they were made for
    assert report["does_it_read"]["generated"] is None
    assert {"asked", "measured", "reached"} <= report["verdicts"][0].keys()
    assert "Motions of motions" in checked_page(out / "report.html")


def test_dances_are_made_for_songs_kept_and_judged(library: Path, tmp_path: Path) -> None:
    wish = ["--generator", "replay", "--seeds", "2", "--seconds", "10", "--minutes", "0"]
    done = evaluate("--data", library, *wish, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Does it listen?" in done.stdout
    assert "Does it read?" in done.stdout
    assert "Does it read?" in checked_page(tmp_path / "report.html")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["does_it_listen"]["true_above"] == {"half_beat": 0.0, "random": 0.0, "no_music": 0.0}
    assert report["does_it_last"] is None
    read = report["does_it_read"]
    assert read["generated"]["dances"] == 2 * len(read["asked"])
    assert sum(read["generated"]["confusion"]["salsa"].values()) == 2
    assert read["distances"]["prompts"] == 0.0 < read["distances"]["seeds"]  # it knows one genre, whatever the prompt
    assert read["real"]["by_genre"].keys() == {"salsa"}
    table = {row["metric"]: row for row in report["table"]}
    assert table["r_precision_text"]["real"]["middle"] == 1.0  # one genre, one sentence: always found
    assert table["r_precision_text"]["generated"] is None  # two windows are no choice
    assert len(list((tmp_path / "prompted").iterdir())) == 2 * len(read["asked"])
    kept = sorted(path.name for path in (tmp_path / "motions").iterdir())
    assert kept == ["song_0.npz", "song_1.npz"]
    with np.load(tmp_path / "motions" / "song_0.npz") as arrays:
        assert len(arrays["beats_s"]) > 10
    again = evaluate("--data", library, "--motions", tmp_path / "motions", "--out", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    second = json.loads((tmp_path / "again" / "report.json").read_text())
    first_row, second_row = (
        {row["metric"]: row["generated"] for row in each["table"]}["beat_alignment"] for each in (report, second)
    )
    assert first_row == pytest.approx(second_row)


def test_real_dances_are_described_alone(library: Path, tmp_path: Path) -> None:
    done = evaluate("--data", library, "--real-only", "--no-read", "--leave-out", "dance_0", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["does_it_read"] is None
    assert "Does it read?" not in done.stdout
    assert report["windows"] == {"generated": 0, "real": 5}
    checked_page(tmp_path / "report.html")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--motions", ROOT / "tests" / "fixtures" / "motion"), "The longest of the dances lasts 3.0 s."),
        (("--motions", ROOT / "docs"), "No motion was found"),
        (("--motions", "nowhere"), "There is no folder nowhere."),
        (
            ("--generator", "nobody"),
            "There is no generator “nobody”. There are: pirouette, pirouette-motion, pirouette-code, replay.",
        ),
        (("--real-only", "--split", "nowhere"), "has no dance in its nowhere split"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_sentence(
    library: Path, tmp_path: Path, arguments: tuple[str | Path, ...], sentence: str
) -> None:
    done = evaluate("--data", library, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
