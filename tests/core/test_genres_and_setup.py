"""The genre menu's entries, and the installation in a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blender_addon.core.environment import InstallProgress
from blender_addon.core.errors import PirouetteError
from blender_addon.core.genres import read_genres
from blender_addon.core.installation_steps import SetupError
from blender_addon.core.locations import backend_folder, backend_requirements, vocabulary_file
from blender_addon.core.setup_job import SetupJob

PATIENCE_S = 10.0


def write(path: Path, genres: Any) -> Path:
    path.write_text(json.dumps({"version": 1, "genres": genres}), encoding="utf-8")
    return path


def test_the_real_vocabulary_becomes_a_menu() -> None:
    genres = read_genres(vocabulary_file())
    assert len(genres) > 10
    assert len({genre.number for genre in genres}) == len(genres)
    assert len({genre.name for genre in genres}) == len(genres)
    assert all(genre.label and genre.description for genre in genres)


def test_trained_genres_come_first_and_the_others_say_so(tmp_path: Path) -> None:
    path = write(
        tmp_path / "v.json",
        [{"name": "a", "label": "A", "description": "Free.", "trained": False}, {"name": "z", "trained": True}],
    )
    first, second = read_genres(path)
    assert (first.name, first.label, first.description) == ("z", "Z", "")
    assert "not in the model's training data" in second.description


def test_a_genre_keeps_its_number_when_others_are_added(tmp_path: Path) -> None:
    salsa = {"name": "salsa", "trained": True}
    alone = read_genres(write(tmp_path / "a.json", [salsa]))
    among = read_genres(write(tmp_path / "b.json", [{"name": "krump", "trained": True}, salsa]))
    assert alone[0].number == next(genre.number for genre in among if genre.name == "salsa")


@pytest.mark.parametrize("content", ["", "[]", '{"genres": 5}', '{"genres": [{}]}', '{"genres": ["salsa"]}'])
def test_a_damaged_vocabulary_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "v.json"
    path.write_text(content)
    with pytest.raises(PirouetteError, match="list of dance genres cannot be read"):
        read_genres(path)


def test_the_backend_and_its_requirements_are_found_beside_the_add_on() -> None:
    assert (backend_folder() / "__main__.py").is_file()
    assert backend_requirements().is_file()


# The installation


class Installation:
    """Stands in for ``create_environment``: reports, then waits until it is told to go on."""

    def __init__(self, error: Exception | None = None) -> None:
        self.reported, self.go_on = threading.Event(), threading.Event()
        self.error = error

    def __call__(
        self, target: Path, requirements: object, python: object, *, report: Callable[..., None],
        cancelled: Callable[[], bool],
    ) -> Path:  # fmt: skip
        report(InstallProgress("packages", 1, 2, "Collecting torch"))
        self.reported.set()
        assert self.go_on.wait(PATIENCE_S)
        if cancelled():
            raise SetupError("cancelled", "The installation was cancelled.")
        if self.error is not None:
            raise self.error
        return target


def setup_job(tmp_path: Path, installation: Installation) -> SetupJob:
    job = SetupJob(tmp_path, (), "python", create=installation)
    job.start()
    assert installation.reported.wait(PATIENCE_S)
    return job


def finish(job: SetupJob, installation: Installation) -> SetupJob:
    installation.go_on.set()
    job.join(PATIENCE_S)
    assert job.ended
    return job


def test_an_installation_shows_how_far_it_is(tmp_path: Path) -> None:
    installation = Installation()
    job = setup_job(tmp_path, installation)
    assert not job.ended
    assert job.state.label == "Installing packages"
    assert job.state.detail == "Collecting torch"
    assert 0.4 < job.state.fraction < 0.6
    assert finish(job, installation).error is None


def test_a_cancelled_installation_is_no_error(tmp_path: Path) -> None:
    installation = Installation()
    job = setup_job(tmp_path, installation)
    job.cancel()
    finish(job, installation)
    assert job.cancelled
    assert job.error is None


@pytest.mark.parametrize("error", [SetupError("disk_full", "The disk is full.", "Free it."), OSError("no such disk")])
def test_a_failed_installation_is_one_sentence(tmp_path: Path, error: Exception) -> None:
    installation = Installation(error)
    job = finish(setup_job(tmp_path, installation), installation)
    assert job.error is not None
    assert "disk" in str(job.error)
    assert not job.cancelled
