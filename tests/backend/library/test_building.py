"""The library is cut from the training split alone, chosen with care, and written whole."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.library import load_library
from backend.library.build import MOST_ERROR_M, build_library, root_aligned_error_m
from backend.library.cutting import cuts_of
from backend.library.naming import naming_of
from backend.library.selection import MOST_A_TAKE, Candidate, choose
from backend.motion.motion import Motion
from backend.motion.sources import Clip
from backend.text.vocabulary import resolve_genre
from tests.backend.library.conftest import Remembering, stepping


def candidates(clip_id: str, seconds: float, **motion: float) -> list[Candidate]:
    clip = Clip(Path("clip.npz"), clip_id, "train", True, "salsa", "Salsa figures, with steps in all directions.")
    found = cuts_of(clip, stepping(seconds, **motion), metre=4)
    varied = [replace(cut, look=cut.look + 0.3 * number) for number, cut in enumerate(found)]  # all look different
    return [Candidate(cut, naming_of(cut, resolve_genre("salsa"))) for cut in varied]


def test_only_the_training_split_gives_phrases(small: Path) -> None:
    clips = Counter(entry.clip for entry in load_library(small).entries)
    assert set(clips) == {"turner", "salsero"}


def test_phrases_carry_their_source_licence_and_codec(small: Path) -> None:
    for entry in load_library(small).entries:
        assert entry.source == "cmu"
        assert "non-commercial" in entry.licence
        assert entry.codec == "1"
        assert not entry.own


def test_a_source_that_is_not_known_keeps_its_own_words(data: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (data / "motion.jsonl").read_text().splitlines()]
    rows = [row | {"file": str(data / row["file"]), "source": "mine", "license": "CC0"} for row in rows]
    (tmp_path / "motion.jsonl").write_text("\n".join(map(json.dumps, rows)))
    build_library(tmp_path, tmp_path / "out", artist=Remembering())
    assert {entry.licence for entry in load_library(tmp_path / "out").entries} == {"CC0"}


def test_a_build_tells_what_it_made(data: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    told = build_library(data, tmp_path, artist=Remembering(), tell=heard.append)
    assert told["phrases"] == sum(told["genres"].values()) == len(load_library(tmp_path).entries)
    assert told["bytes"] == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert told["error_mm"]["worst"] == pytest.approx(0.0, abs=0.01)
    assert heard


def test_two_builds_are_the_same(data: Path, small: Path, tmp_path: Path) -> None:
    build_library(data, tmp_path, artist=Remembering())
    for name in ("phrases.json", "phrases.safetensors"):
        assert (tmp_path / name).read_bytes() == (small / name).read_bytes()


def test_what_the_codec_does_not_carry_is_left_out(data: Path, tmp_path: Path) -> None:
    class Forgetful(Remembering):
        def decode(self, movement: np.ndarray, pose: np.ndarray, frames: list[int]) -> Motion:
            motion = super().decode(movement, pose, frames)
            return Motion(np.zeros_like(motion.poses), motion.pelvis, 30.0) if motion.frames < 120 else motion

    told = build_library(data, tmp_path, artist=Forgetful())
    assert told["left_out"].get("not carried by the codec", 0) > 0
    assert told["error_mm"]["worst"] < 1000.0 * MOST_ERROR_M


def test_data_without_dance_is_refused(data: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (data / "motion.jsonl").read_text().splitlines()]
    rows = [row | {"file": str(data / row["file"]), "split": "test"} for row in rows]
    (tmp_path / "motion.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(PirouetteError, match="no dance") as error:
        build_library(tmp_path, tmp_path / "out", artist=Remembering())
    assert error.value.code == "missing_file"


def test_a_damaged_clip_is_counted_and_left_out(data: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (data / "motion.jsonl").read_text().splitlines()]
    rows = [row | {"file": str(data / row["file"])} for row in rows]
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 no more")
    rows.append({**rows[0], "id": "broken", "file": "broken.npz"})
    (tmp_path / "motion.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert build_library(tmp_path, tmp_path / "out", artist=Remembering())["left_out"] == {"damaged_file": 1}


def test_no_take_gives_more_than_its_share_and_phrases_do_not_overlap() -> None:
    chosen = choose([*candidates("long", 120.0), *candidates("other", 20.0, bpm=100.0)])
    assert 2 <= Counter(each.cut.clip.id for each in chosen)["long"] <= MOST_A_TAKE
    assert any(each.cut.clip.id == "other" for each in chosen)
    spans = sorted((each.cut.start, each.cut.frames) for each in chosen if each.cut.clip.id == "long")
    assert all(a + frames <= b + frames / 8 for (a, frames), (b, _) in pairwise(spans))


def test_phrases_that_look_alike_are_kept_once() -> None:
    alike = [replace(each, cut=replace(each.cut, look=np.zeros((8, 24, 3)))) for each in candidates("long", 60.0)]
    assert len(choose(alike)) == 1


def test_glitches_are_never_chosen() -> None:
    found = candidates("long", 60.0)
    bad = [replace(each, cut=replace(each.cut, sound=replace(each.cut.sound, fastest_m_s=30.0))) for each in found]
    assert choose([*bad[::2], *found[1::2]])
    assert not {id(each) for each in choose([*bad[::2], *found[1::2]])} & set(map(id, bad))
    assert choose(bad) == []


def test_the_error_of_a_decoded_phrase_ignores_place_and_heading() -> None:
    real = stepping(3.0).joints()
    turned = stepping(3.0, turns=1.0).joints() + np.array([2.0, 1.0, 0.0])
    assert root_aligned_error_m(turned, real) == pytest.approx(0.0, abs=1e-4)
    assert root_aligned_error_m(stepping(3.0, phase=1.0).joints(), real) > 0.02


def test_a_clip_whose_feet_slide_on_purpose_is_not_passed_over() -> None:
    gliding = Clip(Path("clip.npz"), "glide", "train", True, "pop", "Moonwalk gliding backwards.")
    cut = cuts_of(gliding, stepping(5.0), metre=4)[0]
    sliding = replace(cut, look=cut.look + 2.0, sound=replace(cut.sound, skate_cm_s=90.0))
    others = [replace(each, naming=replace(each.naming, genre="pop")) for each in candidates("long", 60.0)]
    chosen = choose([Candidate(sliding, naming_of(sliding, resolve_genre("pop"))), *others])
    assert "glide" in {each.cut.clip.id for each in chosen}
