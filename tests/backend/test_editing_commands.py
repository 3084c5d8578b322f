"""edit, encode and decode on the command line, with models that are not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from backend import command_line
from backend.commands.editing import operation_values, source_values
from backend.dance import Dance, load_dance
from backend.editing.operations import operation_from
from backend.errors import PirouetteError
from tests.backend.editing.conftest import read_dance
from tests.backend.editing.fakes import FakeArtist
from tests.backend.editing.measures import cut, difference

Run = Callable[..., int]


class Coder(FakeArtist):
    """An artist who says what its codec is."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()

    def describe(self) -> dict[str, Any]:
        return {"device": "none", "models": "codec 1", "version": "0"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, with the stand-in; returns the exit code."""
    module = ModuleType("backend.choreographer")
    module.Choreographer = Coder  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "backend.choreographer", module)

    def execute(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["backend", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            command_line.main()
        return int(caught.value.code or 0)

    return execute


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    read_dance().save(tmp_path / "dance.npz")
    return tmp_path / "dance.npz"


def after(path: Path) -> Dance:
    return load_dance(path.parent / "out.npz")


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        (("regenerate", "--span", "8.0:12.0", "--seed", 7, "--prompt", "a jump"), 1624),
        (("regenerate", "--span", "#4", "--strength", 0.3, "--free"), 1624),
        (("delete", "--span", "16c:24c"), 1475),
        (("insert", "--at", "8c", "--from", "#9"), 1772),
        (("insert", "--at", "8c", "--prompt", "spin", "--counts", 4), 1698),
        (("duplicate", "--span", "#3"), 1772),
        (("replace", "--span", "#5", "--from", "30c:38c"), 1624),
        (("reorder", "--span", "#5", "--to", "#2"), 1624),
        (("split", "--at", "20c"), 1624),
        (("merge", "--span", "#2:#3"), 1624),
        (("mirror", "--span", "#4"), 1624),
        (("retime", "--span", "#4", "--counts", 4), 1550),
        (("transfer", "--span", "#4", "--poses-from", "#9"), 1624),
        (("lock", "--span", "#4"), 1624),
        (("unlock", "--span", "#4"), 1624),
        (("describe", "--span", "#4", "--name", "chorus", "--genre", "house"), 1624),
        (("snap", "--to", "beats"), 1624),
        (("encode",), 1624),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_an_operation_writes_the_edited_dance(
    run: Run, saved: Path, arguments: tuple[object, ...], frames: int
) -> None:
    operation, *options = arguments
    assert run("edit", saved, operation, *options, "--out", saved.parent / "out.npz") == 0
    edited = after(saved)
    assert edited.motion.frames == frames
    assert edited.report["operation"]["op"] == operation
    np.testing.assert_array_equal(edited.sound, read_dance().sound)


def test_movement_comes_from_another_file(run: Run, saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = saved.parent / "DANCE3.npz"
    read_dance().save(other)
    assert (
        run("edit", saved, "transfer", "--span", "#4", "--movement-from", f"{other}:0:8c", "--out",
            saved.parent / "out.npz", "--json")
        == 0
    )  # fmt: skip
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["operation"]["movement_from"]["span"] == "0:8c"
    assert report["touched"] == [[362, 510]]
    assert "changed: 12.07" in printed.err
    before, edited = read_dance().motion, after(saved).motion
    assert max(difference(cut(before, 600, 700), cut(edited, 600, 700))) < 1e-5


def test_other_beats_come_from_a_file(run: Run, saved: Path) -> None:
    (saved.parent / "beats.json").write_text(json.dumps([0.5, 1.0, 1.75]))
    assert run("edit", saved, "beats", "--beats", saved.parent / "beats.json", "--out", saved.parent / "out.npz") == 0
    assert after(saved).grid.beats_s.tolist() == [0.5, 1.0, 1.75]
    np.testing.assert_array_equal(after(saved).motion.poses, read_dance().motion.poses)


def test_a_dance_goes_on_after_its_end(run: Run, saved: Path) -> None:
    out = saved.parent / "out.npz"
    assert run("edit", saved, "delete", "--span", "#10:", "--out", saved) == 0
    shorter = load_dance(saved)
    assert run("edit", saved, "continue", "--counts", 8, "--prompt", "a jump", "--out", out) == 0
    assert after(saved).motion.frames > shorter.motion.frames + 100
    assert after(saved).sections[-1].prompt == "a jump"


def test_a_motion_goes_round_through_the_codes(run: Run, tmp_path: Path) -> None:
    motion = read_dance().motion
    np.savez(tmp_path / "motion.npz", poses=motion.poses, pelvis=motion.pelvis, fps=motion.fps)
    assert run("encode", tmp_path / "motion.npz", "--out", tmp_path / "out.npz") == 0
    assert len(load_dance(tmp_path / "out.npz").movement_codes) > 0
    assert run("decode", tmp_path / "out.npz", "--out", tmp_path / "back.npz") == 0
    with np.load(tmp_path / "back.npz", allow_pickle=False) as back:
        assert back["poses"].shape == motion.poses.shape
        assert back["pelvis"].shape == motion.pelvis.shape
        assert float(back["fps"]) == 30.0
    assert run("decode", tmp_path / "out.npz", "--out", tmp_path / "back.bvh") == 0


def test_a_dance_is_encoded_with_its_music(run: Run, saved: Path) -> None:
    assert run("encode", saved, "--out", saved.parent / "out.npz") == 0
    edited = after(saved)
    assert edited.grid.clear
    assert len(edited.sections) == 12


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fly",), "no operation 'fly'"),
        (("delete",), "delete needs span"),
        (("delete", "--span", "99:120"), "lies outside the dance"),
        (("delete", "--span", "#1:"), "Nothing of the dance would be left"),
        (("delete", "--span", "#4", "--seed", 3), "knows no 'seed'"),
        (("insert", "--at", "8c"), "needs --from"),
        (("insert", "--at", "8c", "--from", "#3", "--prompt", "x"), "either --from"),
        (("insert", "--at", "8c", "--from", "gone.npz"), "no dance gone.npz"),
        (("regenerate", "--span", "#4", "--genre", "zzyzx"), "zzyzx"),
        (("beats",), "beats needs beats_s"),
        (("beats", "--beats", "gone.json"), "gone.json cannot be read"),
        (("continue", "--counts", 8), "where the dance ends"),
        (("continue",), "continue needs counts"),
        (("continue", "--counts", 8, "--novelty", 2), "A novelty of 2 is not between 0 and 1"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_sentence(
    run: Run, saved: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], sentence: str
) -> None:
    operation, *options = arguments
    assert run("edit", saved, operation, *options, "--out", saved.parent / "out.npz") == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (saved.parent / "out.npz").exists()


def test_a_file_that_is_no_dance_is_told(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dance.npz").write_bytes(b"PK nothing")
    assert run("edit", tmp_path / "dance.npz", "lock", "--span", "#1", "--out", tmp_path / "out.npz") == 2
    assert "dance.npz is no dance" in capsys.readouterr().err


def test_a_dance_without_codes_cannot_be_decoded(run: Run, saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", saved, "--out", saved.parent / "out.npz") == 2
    assert "has no codes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "values", "path"),
    [
        ("DANCE3.npz:0:8c", {"kind": "other", "span": "0:8c"}, "DANCE3.npz"),
        ("takes/b.npz", {"kind": "other", "span": ""}, "takes/b.npz"),
        ("#3", {"kind": "here", "span": "#3"}, None),
        ("8c:16c", {"kind": "here", "span": "8c:16c"}, None),
        ("salsa-basic-1", {"kind": "library", "id": "salsa-basic-1"}, None),
    ],
)
def test_a_source_is_told_by_how_it_is_written(text: str, values: dict[str, str], path: str | None) -> None:
    assert source_values(text) == (values, None if path is None else Path(path))


def test_the_library_is_named_by_an_id() -> None:
    values, other = operation_values("insert", {"at": "8c", "from": "spin-1", "counts": 8})
    assert operation_from(values).to_dict()["source"]["id"] == "spin-1"
    assert other is None


def test_a_seed_belongs_to_new_material_and_not_to_material_that_is_there() -> None:
    with pytest.raises(PirouetteError):
        operation_values("insert", {"at": "8c", "from": "spin-1", "seed": 8})
