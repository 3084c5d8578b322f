"""An animator's own phrases: kept, found, told apart from damaged files, and never misread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.dance import load_dance
from backend.errors import PirouetteError
from backend.library import add, load_library, remove
from backend.library.own import codec_in
from backend.motion.motion import Motion
from tests.backend.library.conftest import Remembering, a_dance, stepping


def walked(seconds: float = 4.0) -> Motion:
    """Stepping, far from the origin."""
    motion = stepping(seconds)
    return Motion(motion.poses, motion.pelvis + np.array([3.0, -2.0, 0.0]), motion.fps)


def test_an_own_phrase_is_listed_found_and_returned_as_it_was(small: Path, tmp_path: Path) -> None:
    dance = a_dance(walked())
    identity = add(tmp_path / "mine", dance, "  Zombie   shuffle ", "hip hop", "Dragging one leg, arms out.")
    shelf = load_library(small, tmp_path / "mine")
    entry = shelf.entry(identity)
    assert (entry.name, entry.genre, entry.own, entry.licence) == ("Zombie shuffle", "hip-hop", True, "your own")
    assert (entry.seconds, entry.counts, entry.bpm) == (4.0, 8, 120.0)
    assert shelf.search("zombie")[0] == entry
    assert shelf.search("drags a leg behind with the arms held out", limit=3)[0] == entry
    again = shelf.dance(identity, Remembering())
    np.testing.assert_array_equal(again.motion.poses, dance.motion.poses)
    np.testing.assert_allclose(again.motion.pelvis, dance.motion.pelvis - [3.0, -2.0, 0.0], atol=1e-5)
    np.testing.assert_array_equal(again.movement_codes, dance.movement_codes)
    np.testing.assert_array_equal(shelf.codes(identity)[1], dance.pose_codes)
    assert [section.name for section in again.sections] == ["Zombie shuffle"]
    assert again.warnings == ()
    assert shelf.warnings == ()


def test_two_phrases_of_one_name_are_two(tmp_path: Path) -> None:
    first, second = (add(tmp_path, a_dance(walked()), "Step", "", "") for _ in range(2))
    assert first != second
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_a_removed_phrase_is_gone_and_no_other(small: Path, tmp_path: Path) -> None:
    gone, kept = (add(tmp_path, a_dance(walked()), name) for name in ("Gone", "Kept"))
    remove(tmp_path, gone)
    assert [entry.id for entry in load_library(small, tmp_path).entries if entry.own] == [kept]
    for identity in (gone, "../phrases", load_library(small).entries[0].id):
        with pytest.raises(PirouetteError, match="no phrase of your own"):
            remove(tmp_path, identity)


def test_a_damaged_file_is_named_and_the_others_load(small: Path, tmp_path: Path) -> None:
    good = add(tmp_path, a_dance(walked()), "Good")
    add(tmp_path, a_dance(walked()), "Cut short")
    whole = (tmp_path / "cut-short.npz").read_bytes()
    (tmp_path / "cut-short.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.npz").write_bytes(b"")
    a_dance(walked()).save(tmp_path / "no-phrase.npz")
    shelf = load_library(small, tmp_path)
    assert [entry.id for entry in shelf.entries if entry.own] == [good]
    assert len(shelf.warnings) == 3
    for name in ("cut-short.npz", "empty.npz", "no-phrase.npz"):
        assert any(name in warning for warning in shelf.warnings)
    assert shelf.search("good")[0].id == good


def test_codes_of_an_older_codec_are_made_anew_and_said_so(small: Path, tmp_path: Path) -> None:
    identity = add(tmp_path, a_dance(walked()), "Old step")
    newer = Remembering(codec="2")
    shelf = load_library(small, tmp_path)
    dance = shelf.dance(identity, newer)
    assert len(newer.motions) == 1
    np.testing.assert_array_equal(newer.motions[0].poses, walked().poses)
    assert codec_in(dance.model_version) == "2"
    assert len(dance.warnings) == 1
    assert "codec 1" in dance.warnings[0]
    assert "codec 2" in dance.warnings[0]


@pytest.mark.parametrize(
    "dance",
    [
        a_dance(walked(), sections=3),
        replace(a_dance(walked()), movement_codes=np.zeros((0, 3), np.int16), pose_codes=np.zeros((0, 4), np.int16)),
        a_dance(walked(), model_version="denoiser 9"),
    ],
    ids=["several sections", "no codes", "codes of an unknown codec"],
)
def test_a_phrase_without_codes_of_its_own_is_encoded_when_it_is_used(small: Path, tmp_path: Path, dance) -> None:
    identity = add(tmp_path, dance, "Step")
    shelf = load_library(small, tmp_path)
    with pytest.raises(PirouetteError, match="not been encoded"):
        shelf.codes(identity)
    artist = Remembering()
    opened = shelf.dance(identity, artist)
    assert [motion.frames for motion in artist.motions] == [120]
    assert len(opened.sections) == 1
    assert opened.warnings == ()


@pytest.mark.parametrize(
    ("name", "genre", "seconds", "code"),
    [
        ("", "", 4.0, "bad_request"),
        ("…", "", 4.0, "bad_request"),
        ("x" * 81, "", 4.0, "bad_request"),
        ("Step", "", 0.2, "bad_request"),
        ("Step", "", 130.0, "bad_request"),
        ("Step", "polonaiss", 4.0, "unknown_genre"),
    ],
)
def test_what_cannot_be_a_phrase_is_refused(tmp_path: Path, name: str, genre: str, seconds: float, code: str) -> None:
    with pytest.raises(PirouetteError) as error:
        add(tmp_path, a_dance(walked(seconds)), name, genre)
    assert error.value.code == code
    assert not list(tmp_path.iterdir())


def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    add(tmp_path / "mine", a_dance(walked()), "../../out/there")
    assert [path.parent for path in tmp_path.rglob("*.npz")] == [tmp_path / "mine"]


def test_an_own_phrase_is_an_ordinary_dance_document(tmp_path: Path) -> None:
    add(tmp_path, a_dance(walked()), "Step")
    assert load_dance(tmp_path / "step.npz").motion.frames == 120


def test_a_folder_that_is_not_there_holds_nothing(small: Path, tmp_path: Path) -> None:
    assert load_library(small, tmp_path / "nowhere").warnings == ()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PirouetteError, match="cannot be made"):
        add(tmp_path / "file" / "mine", a_dance(walked()), "Step")


def test_the_codec_is_read_from_the_models(tmp_path: Path) -> None:
    assert codec_in("denoiser 0.1.0-9, refiner 3, codec 0.2.0-77") == "0.2.0-77"
    assert codec_in("codec 5") == "5"
    assert codec_in("denoiser 1") == ""
