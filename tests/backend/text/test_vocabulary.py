"""The vocabulary: complete, readable, truthful about training, and forgiving about spelling."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.text import vocabulary as module
from backend.text.encoder import encode
from backend.text.vocabulary import (
    EMBEDDINGS_FILE,
    VOCABULARY_FILE,
    Vocabulary,
    genre_embedding,
    genre_in_text,
    load_vocabulary,
    movement_embeddings,
    movement_sentences,
    nearest_genre,
    resolve_genre,
    vocabulary_from_json,
)
from backend.text.vocabulary_build import (
    training_captions,
    training_minutes,
    with_training_minutes,
    write_embeddings,
    write_vocabulary,
)
from backend.text.words import plain

TABLE_1 = {  # EDMG: fundamental movements of each genre of AIST++
    "Breaking": 26,
    "Popping": 31,
    "Locking": 22,
    "Waacking": 26,
    "Medium Hip-hop": 23,
    "LA-style Hip-hop": 18,
    "House dance": 21,
    "Krumping": 24,
    "Street Jazz": 22,
    "Ballet Jazz": 24,
}
# fmt: off
DATA_LABELS = (
    "salsa", "pop", "social", "indian", "rumba", "street", "break", "other", "tango", "modern", "waltz", "cha-cha",
    "contemporary", "ballet", "foxtrot", "hip-hop", "quickstep", "swing", "jive", "shuffle", "folk", "broadway jazz",
    "charleston", "lambada", "disco", "jazz", "street jazz",
)
# fmt: on
GENRES = load_vocabulary().genres


@pytest.mark.parametrize(("name", "count"), TABLE_1.items())
def test_the_ten_genres_of_edmg_have_at_least_its_number_of_movements(name: str, count: int) -> None:
    assert len(resolve_genre(name).movements) >= count


@pytest.mark.parametrize("label", DATA_LABELS)
def test_each_label_of_the_data_means_one_genre(label: str) -> None:
    assert sum(label in genre.data_genres for genre in GENRES.values()) == 1
    assert label in load_vocabulary().genre_of_data(label).data_genres


@pytest.mark.parametrize("genre", GENRES.values(), ids=lambda genre: genre.name)
def test_a_genre_is_complete(genre: module.Genre) -> None:
    assert genre.name == genre.name.lower()
    assert genre.description.endswith(".")
    assert len({plain(p) for p in genre.paraphrases}) >= 6
    assert len(genre.movements) >= 8
    assert genre.metre == (3 if genre.name == "waltz" else 4)
    slowest, fastest = genre.tempo_range_bpm
    assert 40 <= slowest < fastest <= 300


@pytest.mark.parametrize("genre", GENRES.values(), ids=lambda genre: genre.name)
def test_no_movement_is_listed_twice_or_described_in_passing(genre: module.Genre) -> None:
    names = Counter(plain(name) for movement in genre.movements for name in (movement.name, *movement.also))
    assert [name for name, times in names.items() if times > 1] == []
    openings = Counter(" ".join(movement.description.split()[:3]) for movement in genre.movements)
    assert max(openings.values()) <= 1, openings.most_common(1)
    for movement in genre.movements:
        assert 8 <= len(movement.description.split()) <= 45, movement.name
        assert movement.description[0].isupper()
        assert movement.description.endswith(".")


def test_no_description_is_used_twice() -> None:
    told = Counter(movement.description for genre in GENRES.values() for movement in genre.movements)
    assert max(told.values()) == 1


def test_no_name_means_two_genres() -> None:
    owners: dict[str, set[str]] = {}
    for genre in GENRES.values():
        for name in genre.names:
            owners.setdefault(plain(name), set()).add(genre.name)
    assert {name: genres for name, genres in owners.items() if len(genres) > 1} == {}


def test_a_genre_is_trained_exactly_when_the_data_has_minutes_of_it() -> None:
    for entry in json.loads(VOCABULARY_FILE.read_text(encoding="utf-8"))["genres"]:
        assert entry["trained"] == (entry["minutes"] > 0)
        assert entry["trained"] or not any(movement["trained"] for movement in entry["movements"])
    assert GENRES["salsa"].trained
    assert not GENRES["krump"].trained


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Salsa", "salsa"),
        ("  break-dancing ", "breaking"),
        ("Krumping", "krump"),
        ("HIP HOP", "hip-hop"),
        ("cha cha cha", "cha-cha"),
        ("waltz dance", "waltz"),
        ("gLH", "la-style hip-hop"),
        ("middle hip-hop", "medium hip-hop"),
    ],
)
def test_a_genre_is_found_in_any_usual_spelling(typed: str, name: str) -> None:
    assert resolve_genre(typed).name == name


@pytest.mark.parametrize(("typed", "meant"), [("slasa", "salsa"), ("balet", "ballet"), ("brekdance", "breaking")])
def test_a_slip_of_the_keys_gets_the_nearest_name_as_hint(typed: str, meant: str) -> None:
    with pytest.raises(PirouetteError) as caught:
        resolve_genre(typed)
    assert caught.value.code == "unknown_genre"
    assert typed in caught.value.message
    assert "Did you mean" in caught.value.hint
    assert meant in caught.value.hint


def test_a_word_far_from_every_genre_gets_the_list_of_them() -> None:
    with pytest.raises(PirouetteError) as caught:
        resolve_genre("xyzzy")
    assert all(name in caught.value.hint for name in GENRES)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("salsa, quick turns", "salsa"),
        ("breaking, a six-step into a freeze", "breaking"),
        ("a slow waltz with rise and fall", "waltz"),
        ("pop, big arms", "pop"),
        ("a lively folk dance", "folk"),
        ("street jazz with attitude", "street jazz"),
        ("ballet jazz leaps", "ballet jazz"),
        ("tango at first, then salsa", "tango"),
    ],
)
def test_a_genre_named_in_a_prompt_is_found(text: str, name: str) -> None:
    found = genre_in_text(text)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "text", ["", "swing the arms and pop the chest", "a modern house with other people", "break the pose", "waltzer"]
)
def test_everyday_words_are_no_genres(text: str) -> None:
    assert genre_in_text(text) is None


def test_movements_named_in_a_prompt_are_found() -> None:
    found = load_vocabulary().movements_in("a six step, then Windmills", GENRES["breaking"])
    assert [movement.name for _, movement in found] == ["six-step", "windmill"]


ZERO_SHOT = {  # prompts of which none says its genre's name
    "b-boy spinning on his back on the floor": "breaking",
    "six-step and a one-handed freeze": "breaking",
    "robot moves and arm waves": "popping",
    "funky points and wrist twirls": "locking",
    "disco diva whipping her arms overhead": "waacking",
    "fast feet to deep club music, torso rolling": "house",
    "raw aggressive stomps": "krump",
    "a graceful ballerina": "ballet",
    "pliés and an arabesque": "ballet",
    "one two three, gliding round the ballroom": "waltz",
    "stalking steps, sharp head turns, a rose in the teeth": "tango",
    "latin club night with quick turns": "salsa",
    "cross-body lead and a spin": "salsa",
    "flappers of the roaring twenties": "charleston",
    "bharatanatyam gestures": "indian classical",
    "rapper's groove, bouncing low": "hip-hop",
    "laid-back bounce to a boom bap beat": "hip-hop",
    "spiral turns through the floor, flowing and lyrical": "contemporary",
}


def test_meaning_alone_finds_most_genres_that_no_prompt_names() -> None:
    names = sorted(set(ZERO_SHOT.values()))
    cosines = encode(list(ZERO_SHOT)) @ np.stack([genre_embedding(name) for name in names]).T
    found = [names[best] for best in cosines.argmax(axis=1)]
    missed = [text for text, name in zip(ZERO_SHOT, found, strict=True) if name != ZERO_SHOT[text]]
    assert len(missed) <= 4, missed  # chance would miss 17


def test_meaning_and_named_movements_find_the_genre_among_all() -> None:
    missed = [text for text, meant in ZERO_SHOT.items() if nearest_genre(text)[0].name != meant]
    assert len(missed) <= 3, missed


def test_a_named_genre_beats_the_nearest_meaning_and_a_named_movement_helps() -> None:
    assert nearest_genre("a waltz like a breakdance battle")[0].name == "waltz"
    assert nearest_genre("windmills into a headspin")[0].name == "breaking"
    assert nearest_genre("the annual report of the bank")[1] < 0.3


def test_the_stored_vectors_are_the_encoders() -> None:
    for genre in (GENRES["salsa"], GENRES["krump"], GENRES["indian classical"]):
        mean = encode(genre.paraphrases).mean(axis=0)
        assert genre_embedding(genre.name) @ mean / np.linalg.norm(mean) > 0.9999
        told = encode(movement_sentences(genre))
        np.testing.assert_allclose((movement_embeddings(genre.name) * told).sum(axis=1), 1.0, atol=1e-3)
    assert EMBEDDINGS_FILE.stat().st_size < 2_000_000


def test_vectors_of_an_older_vocabulary_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    salsa = replace(GENRES["salsa"], paraphrases=("another saying",))
    write_embeddings(Vocabulary({"salsa": salsa}), tmp_path / "old.safetensors")
    monkeypatch.setattr(module, "EMBEDDINGS_FILE", tmp_path / "old.safetensors")
    module._embeddings.cache_clear()
    try:
        with pytest.raises(PirouetteError) as caught:
            genre_embedding("salsa")
    finally:
        module._embeddings.cache_clear()
    assert caught.value.code == "weights_version"


def test_the_file_is_as_the_writer_writes_it(tmp_path: Path) -> None:
    write_vocabulary(load_vocabulary(), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text(encoding="utf-8") == VOCABULARY_FILE.read_text(encoding="utf-8")


def test_a_damaged_vocabulary_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text('{"genres": [', encoding="utf-8")
    with pytest.raises(PirouetteError) as caught:
        module._load(tmp_path / "half.json")
    assert caught.value.code == "damaged_file"


ROWS = [
    {"dance": True, "split": "train", "genre": "break", "seconds": 90.0, "caption": "A windmill and a headspin."},
    {"dance": True, "split": "train", "genre": "break", "seconds": 60.0, "caption": "Top rocks, quick."},
    {"dance": True, "split": "test", "genre": "break", "seconds": 60.0, "caption": "A flare."},
    {"dance": True, "split": "test", "genre": "street jazz", "seconds": 60.0, "caption": "Street jazz, a strut."},
    {"dance": True, "split": "train", "genre": "salsa", "seconds": 30.0, "caption": "Salsa with a windmill."},
    {"dance": False, "split": "train", "genre": "general: walk", "seconds": 600.0, "caption": "Walk."},
]


def test_training_marks_come_from_the_training_split_alone() -> None:
    marked = with_training_minutes(load_vocabulary(), training_minutes(ROWS), training_captions(ROWS))
    assert {n: g.minutes for n, g in marked.genres.items() if g.trained} == {"breaking": 2.5, "salsa": 0.5}
    seen = {movement.name for movement in marked.genres["breaking"].movements if movement.trained}
    assert seen == {"top-rock", "windmill", "headspin"}
    assert not any(movement.trained for movement in marked.genres["salsa"].movements)


def test_marks_survive_the_file(tmp_path: Path) -> None:
    marked = with_training_minutes(load_vocabulary(), training_minutes(ROWS), training_captions(ROWS))
    write_vocabulary(marked, tmp_path / "marked.json")
    assert vocabulary_from_json(json.loads((tmp_path / "marked.json").read_text(encoding="utf-8"))) == marked


def test_data_of_an_unknown_genre_is_refused() -> None:
    with pytest.raises(PirouetteError, match="limbo"):
        with_training_minutes(load_vocabulary(), {"limbo": 1.0})
