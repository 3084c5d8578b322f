"""The library on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.errors import PirouetteError
from backend.library.commands import app
from tests.backend.library.conftest import a_dance, stepping


def run(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_search_prints_an_id_that_show_understands(small: Path) -> None:
    lines = run("search", "ballet", "pirouette", "--library", str(small), "--limit", "2").splitlines()
    assert len(lines) == 2
    identity = lines[0].split()[0]
    assert "pirouette" in identity
    told = json.loads(run("show", identity, "--library", str(small)))
    assert told["id"] == identity
    assert told["licence"]


def test_list_takes_a_genre_and_prints_json(small: Path) -> None:
    told = json.loads(run("list", "--genre", "salsa", "--library", str(small), "--json"))
    assert {row["genre"] for row in told} == {"salsa"}
    assert {"id", "name", "genre", "description", "seconds", "counts", "licence", "source", "own"} <= told[0].keys()


def test_own_phrases_are_added_listed_and_removed(small: Path, tmp_path: Path) -> None:
    a_dance(stepping(4.0)).save(tmp_path / "dance.npz")
    own = ("--own", str(tmp_path / "mine"))
    identity = run("add", str(tmp_path / "dance.npz"), "--name", "My step", *own).strip()
    assert identity in run("list", "--library", str(small), *own)
    run("remove", identity, *own)
    assert identity not in run("list", "--library", str(small), *own)


@pytest.mark.parametrize("arguments", [("build", "--data", "nowhere"), ("show", "no-such-phrase")])
def test_mistakes_are_sentences(small: Path, arguments: tuple[str, ...]) -> None:
    shelf = ("--library", str(small)) if arguments[0] == "show" else ()
    with pytest.raises(PirouetteError):
        run(*arguments, *shelf)
