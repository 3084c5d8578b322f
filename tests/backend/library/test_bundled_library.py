"""The library that is shipped: complete, small, made for the codec that is shipped, and findable."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from backend.dance import movement_count
from backend.library import Library, load_library
from backend.library.bundled import FOLDER, INDEX_NAME, NUMBERS_NAME
from backend.text.vocabulary import load_vocabulary

MOST_BYTES = 2_000_000
# What dancers type, what a phrase's id must say to be right, and how many of the first three must be.
QUERIES = (
    ("pirouette", ("pirouette",), 3),
    ("basic step salsa", ("salsa-basic-step",), 3),
    ("salsa turn", ("salsa-spot-turn", "salsa-full-turn"), 3),
    ("breakdance floor work", ("breaking-floor-work", "breaking-down"), 3),
    ("arabesque", ("arabesque",), 3),
    ("handstand", ("breaking-handstand", "hand-flip"), 1),
    ("moonwalk", ("moonwalk",), 1),
    ("cha cha basic", ("cha-cha-basic",), 3),
    ("tango walk", ("tango-walk",), 3),
    ("slow waltz", ("waltz",), 3),
    ("ballet leap", ("ballet",), 3),
    ("macarena", ("macarena",), 2),
    ("the twist", ("twist",), 1),
    ("cartwheel", ("cartwheel",), 2),
    ("russian squat kicks", ("squat-kick",), 1),
    ("charleston kicks", ("charleston",), 2),
    ("hip hop bounce", ("hip-hop-bounce",), 3),
    ("happy dad at a wedding", ("dad-dance",), 3),
    ("indian classical spin", ("indian-classical-chakkar",), 3),
    ("lindy hop", ("swing",), 1),
    ("strike a pose", ("pose",), 3),
    ("somebody lies down on the floor", ("floor",), 1),
)


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.mark.parametrize(("words", "wanted", "least"), QUERIES, ids=[words for words, *_ in QUERIES])
def test_words_find_what_they_name(library: Library, words: str, wanted: tuple[str, ...], least: int) -> None:
    found = [entry.id for entry in library.search(words, limit=3)]
    assert sum(any(part in identity for part in wanted) for identity in found) >= least, found


def test_every_genre_of_the_training_data_has_phrases(library: Library) -> None:
    trained = {genre.name for genre in load_vocabulary().genres.values() if genre.trained}
    assert trained <= set(library.genres())


def test_phrases_are_many_and_small(library: Library) -> None:
    assert len(library.entries) >= 250
    assert sum((FOLDER / name).stat().st_size for name in (INDEX_NAME, NUMBERS_NAME)) < MOST_BYTES
    assert max(Counter(entry.clip for entry in library.entries).values()) <= 6


def test_every_phrase_says_what_it_is_and_may_be_used_for(library: Library) -> None:
    assert len({entry.id for entry in library.entries}) == len({entry.name for entry in library.entries})
    for entry in library.entries:
        assert entry.name
        assert entry.description
        assert entry.figures
        assert entry.licence
        assert entry.source
        assert entry.clip
        assert 1.5 <= entry.seconds <= 9.0
        assert 4 <= entry.counts <= 8
        assert entry.beats_s[0] == pytest.approx(0.0, abs=0.02)
        assert all(a < b for a, b in pairwise(entry.beats_s))
        assert entry.beats_s[-1] < entry.seconds


def test_codes_are_codes_of_the_shipped_codec(library: Library) -> None:
    import torch

    from backend.coder import DanceCoder

    assert {entry.codec for entry in library.entries} == {DanceCoder(torch.device("cpu")).version}
    for entry in library.entries:
        movement, pose = library.codes(entry.id)
        assert len(pose) == 2 * len(movement) == 2 * movement_count(entry.frames)
        assert 0 <= movement.min() <= movement.max() < 128
        assert 0 <= pose.min() <= pose.max() < 512
        assert len(np.unique(pose[:, 0])) > 1
