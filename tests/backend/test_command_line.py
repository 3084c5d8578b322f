"""The command line: what it writes, what it says, and that it checks before it works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from backend.errors import Cancelled, PirouetteError
from tests.backend.stand_in import Run, StandIn, command_line_with_stand_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    seconds = np.arange(4 * 22050) / 22050
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 220 * seconds), 22050)
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, with the stand-in; returns the exit code."""
    return command_line_with_stand_in(monkeypatch)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line on stderr."""
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_generate_writes_the_promised_arrays(run: Run, song: Path, tmp_path: Path) -> None:
    assert run("generate", song, "--out", tmp_path / "dance.npz") == 0
    with np.load(tmp_path / "dance.npz", allow_pickle=False) as dance:
        assert dance["poses"].shape == (120, 24, 3)
        assert dance["pelvis"].shape == (120, 3)
        assert dance["contacts"].shape == (120, 4)
        assert dance["beats_s"].shape == (8,)
        assert float(dance["fps"]) == 30.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dance.npz", "song.wav"]


def test_generate_passes_on_what_was_asked_for(run: Run, song: Path, tmp_path: Path) -> None:
    options = ("--genre", "house", "--text", "slow", "--seed", 5, "--start", 1, "--end", 3.5)
    assert run("generate", song, *options, "--out", tmp_path / "dance.npz") == 0
    assert (StandIn.asked.genre, StandIn.asked.text, StandIn.asked.seed) == ("house", "slow", 5)
    assert StandIn.asked.audio.duration_s == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize(("fps", "frames"), [(24, 96), (60, 240), (23.976, 96)])
def test_another_frame_rate_keeps_the_length_in_seconds(
    run: Run, song: Path, tmp_path: Path, fps: float, frames: int
) -> None:
    assert run("generate", song, "--fps", fps, "--out", tmp_path / "dance.npz") == 0
    with np.load(tmp_path / "dance.npz") as dance:
        assert dance["poses"].shape[0] == pytest.approx(frames, abs=1)
        assert dance["contacts"].shape[0] == dance["poses"].shape[0]
        assert float(dance["fps"]) == pytest.approx(fps)


def test_generate_writes_bvh(run: Run, song: Path, tmp_path: Path) -> None:
    assert run("generate", song, "--out", tmp_path / "dance.BVH") == 0
    assert (tmp_path / "dance.BVH").read_text().startswith("HIERARCHY")


def test_the_report_is_the_only_thing_on_stdout(
    run: Run, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("generate", song, "--json", "--out", tmp_path / "dance.npz") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"frames": 120, "jerk_m_s3": 1.5, "beat_alignment": None}
    assert "a library prints" in captured.err
    assert "The beat is not clear." in captured.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--out", "dance.fbx"), "dance.fbx is not a kind of file to write. Choose .npz or .bvh."),
        (("--out", "."), "is a folder. Name a file that ends in .npz or .bvh."),
        (("--out", "no/such/dance.npz"), "There is no folder no/such."),
        (("--start", 3, "--end", 2), "The range ends (2 s) before it starts (3 s)."),
        (("--start", -1), "A dance cannot start at -1 s."),
        (("--start", "nan"), "A dance cannot start at nan s."),
        (("--fps", 0), "0 frames in a second are not possible."),
        (("--genre", "zzyzx"), "zzyzx"),
    ],
)
def test_bad_input_is_one_sentence_before_any_work(
    run: Run,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[object, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(StandIn, "generate", None)  # nobody may get as far as this
    given = options if "--out" in options else (*options, "--out", "dance.npz")
    assert run("generate", song, *given) == 2
    assert sentence in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_that_cannot_be_written_is_told_before_any_work(
    run: Run, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert run("generate", song, "--out", closed / "dance.npz") == 2
    assert "Nothing can be written" in said(capsys)


def test_a_song_that_is_not_there_is_told_by_name(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("generate", tmp_path / "gone.mp3", "--out", tmp_path / "dance.npz") == 2
    assert "gone.mp3" in said(capsys)


def test_a_text_file_named_wav_is_refused(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.wav").write_text("not a sound")
    assert run("generate", tmp_path / "words.wav", "--out", tmp_path / "dance.npz") == 2
    assert "words.wav" in said(capsys)


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (
            PirouetteError("silence", "The sound is silent.", "Choose another."),
            2,
            "The sound is silent. Choose another.",
        ),
        (PirouetteError("weights_missing", "The weights are missing."), 1, "The weights are missing."),
        (OSError(28, "No space left on device"), 1, "The disk is full."),
        (PermissionError(13, "Permission denied", "weights"), 1, "weights: Permission denied."),
        (Cancelled(), 130, "Stopped; nothing was written."),
        (KeyboardInterrupt(), 130, "Stopped; nothing was written."),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code_and_leaves_the_old_file(
    run: Run,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failure: BaseException,
    code: int,
    sentence: str,
) -> None:
    (tmp_path / "dance.npz").write_text("yesterday's dance")
    monkeypatch.setattr(StandIn, "failure", failure)
    assert run("generate", song, "--out", tmp_path / "dance.npz") == code
    error = said(capsys)
    assert sentence in error
    assert (tmp_path / "dance.npz").read_text() == "yesterday's dance"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_of_data_that_is_not_there_is_told(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("prepare", tmp_path / "none", "--out", tmp_path / "cache") == 2
    assert f"There is no folder {tmp_path / 'none'}." in said(capsys)
    assert run("train", "denoiser", "--data", tmp_path / "none", "--minutes", 1) == 2


def backend(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **settings)


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    taken_s = []
    for _ in range(3):
        before_s = time.perf_counter()
        outcome = backend("--help")
        taken_s.append(time.perf_counter() - before_s)
        assert outcome.returncode == 0
        assert all(name in outcome.stdout for name in ("serve", "generate", "prepare", "train"))
    assert min(taken_s) < 1.0
    program = "import sys, backend.command_line; print([m for m in ('torch', 'numpy', 'librosa') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_mistake_in_a_real_process_is_no_traceback(tmp_path: Path) -> None:
    outcome = backend("generate", str(tmp_path / "gone.mp3"), "--out", str(tmp_path / "dance.npz"))
    assert outcome.returncode == 2
    assert outcome.stdout == ""
    assert "Traceback" not in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1


def test_serve_imports_only_the_standard_library_before_it_reads() -> None:
    program = (
        "import sys; sys.argv[1:] = ['serve']; sys.modules.update(typer=None, rich=None, numpy=None, torch=None); "
        "import runpy; runpy.run_module('backend', run_name='__main__')"
    )
    frame = b'PIRO\x1c\x00\x00\x00\x00\x00\x00\x00{"type": "ping", "id": "1" }'
    outcome = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=frame, capture_output=True, check=False)
    assert b'"type":"pong"' in outcome.stdout


def test_serve_says_that_it_is_not_for_a_terminal() -> None:
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "backend", "serve"]
    outcome = subprocess.run(command, cwd=ROOT, stdin=child, capture_output=True, text=True, timeout=60, check=False)
    os.close(parent)
    os.close(child)
    assert outcome.returncode == 2
    assert "for the add-on" in outcome.stderr
