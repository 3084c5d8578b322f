"""The library as it is used: entries, codes, dances, and what is said when something does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from backend.dance import load_dance, movement_count
from backend.errors import PirouetteError
from backend.library import load_library
from tests.backend.library.conftest import Remembering


def test_a_phrase_becomes_a_dance_of_one_section(small: Path, artist: Remembering, tmp_path: Path) -> None:
    shelf = load_library(small)
    for entry in shelf.entries:
        dance = shelf.dance(entry.id, artist)
        assert dance.motion.frames == entry.frames
        assert [section.name for section in dance.sections] == [entry.name]
        assert dance.frames_of(dance.sections[0]) == (0, entry.frames)
        assert dance.sections[0].genre == dance.settings.genre == entry.genre
        assert len(dance.grid.beats_s) == entry.counts
        assert dance.grid.downbeat[0]
        assert dance.grid.tempo_bpm == entry.bpm
        assert dance.contacts.shape == (entry.frames, 4)
        movement, pose = shelf.codes(entry.id)
        assert movement.dtype == pose.dtype == np.int16
        np.testing.assert_array_equal(dance.codes_of(0)[0], movement)
        np.testing.assert_array_equal(dance.codes_of(0)[1], pose)
        assert len(pose) == 2 * len(movement) == 2 * movement_count(entry.frames)
    dance.save(tmp_path / "phrase.npz")
    np.testing.assert_array_equal(load_dance(tmp_path / "phrase.npz").movement_codes, movement)


def test_every_phrase_has_its_own_codes(small: Path) -> None:
    shelf = load_library(small)
    numbers = [set(shelf.codes(entry.id)[0].ravel()) for entry in shelf.entries]
    assert numbers == [{number} for number in range(len(shelf.entries))]


def test_an_unknown_id_is_answered_with_the_nearest(small: Path) -> None:
    shelf = load_library(small)
    known = shelf.entries[0].id
    with pytest.raises(PirouetteError, match="no phrase") as error:
        shelf.entry(known[:-1] + "x")
    assert error.value.code == "bad_request"
    assert known in error.value.hint
    with pytest.raises(PirouetteError) as error:
        shelf.entry("zzzzzzzz")
    assert "search" in error.value.hint.lower()


def test_codes_of_another_codec_are_never_decoded(small: Path) -> None:
    shelf = load_library(small)
    with pytest.raises(PirouetteError, match="codec 1, and this is codec 2") as error:
        shelf.dance(shelf.entries[0].id, Remembering(codec="2"))
    assert error.value.code == "weights_version"
    assert "library build" in error.value.hint


def test_models_without_a_codec_are_told_so(small: Path) -> None:
    class Codeless(Remembering):
        def describe(self) -> dict[str, str]:
            return {"models": "denoiser 9"}

    with pytest.raises(PirouetteError, match="no codec"):
        load_library(small).dance(load_library(small).entries[0].id, Codeless())


def test_a_genre_is_found_under_any_of_its_names(small: Path) -> None:
    shelf = load_library(small)
    assert {entry.genre for entry in shelf.search("", genre="Salsa dance")} == {"salsa"}
    assert {entry.genre for entry in shelf.search("turning", genre="ballet")} == {"ballet"}
    assert shelf.search("", genre="krump") == []
    with pytest.raises(PirouetteError, match="no genre"):
        shelf.search("", genre="polonaiss")


def test_the_limit_is_kept(small: Path) -> None:
    shelf = load_library(small)
    assert len(shelf.search("steps", limit=2)) == 2
    assert shelf.search("steps", limit=0) == []
    assert len(shelf.search("", limit=100)) == len(shelf.entries) > 2


def test_a_missing_library_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(PirouetteError, match=r"phrases\.json") as error:
        load_library(tmp_path)
    assert error.value.code == "missing_file"
    assert error.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1}', b'{"format": 99, "phrases": []}', b"[]"])
def test_a_damaged_index_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "phrases.json").write_bytes(content)
    with pytest.raises(PirouetteError) as error:
        load_library(tmp_path)
    assert error.value.code == "damaged_file"


def test_codes_that_belong_to_another_list_are_refused(small: Path, tmp_path: Path) -> None:
    folder = copytree(small, tmp_path / "library")
    index = json.loads((folder / "phrases.json").read_text())
    index["phrases"].reverse()
    (folder / "phrases.json").write_text(json.dumps(index))
    shelf = load_library(folder)
    with pytest.raises(PirouetteError, match="do not belong"):
        shelf.codes(shelf.entries[0].id)


def test_damaged_codes_are_one_sentence(small: Path, tmp_path: Path) -> None:
    folder = copytree(small, tmp_path / "library")
    for content in (b"", b"no tensors"):
        (folder / "phrases.safetensors").write_bytes(content)
        with pytest.raises(PirouetteError) as error:
            load_library(folder).codes(load_library(folder).entries[0].id)
        assert error.value.code == "damaged_file"


def test_importing_the_library_brings_no_models() -> None:
    heavy = "{'torch', 'scipy', 'librosa', 'safetensors', 'tokenizers'}"
    code = f"import sys, backend.library; found = {heavy} & set(sys.modules); sys.exit(str(found) if found else 0)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
