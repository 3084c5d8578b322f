"""Words find phrases: by what they say, and by what they mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.library.entry import Entry
from backend.library.search import ranked, word_hits

STEP = Entry(
    id="salsa-basic-step",
    name="Salsa, basic step",
    genre="salsa",
    description="Salsa: basic step. From: Salsa figures.",
    figures=("basic step",),
    frames=120,
    counts=8,
    beats_s=(0.0, 0.5),
    metre=4,
    bpm=120.0,
    source="cmu",
    licence="free",
    clip="clip",
    start_s=0.0,
    own=False,
    codec="1",
)


def entry(name: str, genre: str = "salsa", figures: tuple[str, ...] = (), description: str = "") -> Entry:
    return replace(STEP, id=name, name=name, genre=genre, figures=figures, description=description)


def best(text: str, entries: list[Entry]) -> str:
    return entries[int(word_hits(text, entries).argmax())].name


def test_a_name_counts_more_than_a_description() -> None:
    entries = [entry("Turn", description="From: a salsa with a dip."), entry("Dip"), entry("Step", figures=("dip",))]
    hits = word_hits("dip", entries)
    assert hits[1] > hits[2] > hits[0] > 0


def test_rare_words_count_more_than_common_ones() -> None:
    entries = [*(entry(f"Salsa step {n}", figures=("step",)) for n in range(9)), entry("Moonwalk", "pop")]
    assert best("moonwalk step", entries) == "Moonwalk"


@pytest.mark.parametrize("text", ["spins", "Spinning!", "spin", "SPIN"])
def test_endings_and_case_make_no_difference(text: str) -> None:
    entries = [entry("Step"), entry("Spin"), entry("Slide")]
    assert best(text, entries) == "Spin"


def test_a_genre_is_heard_under_its_other_names() -> None:
    assert best("breakdance", [entry("One", "salsa"), entry("Two", "breaking")]) == "Two"


def test_words_that_nothing_says_change_nothing() -> None:
    entries = [entry("Spin"), entry("Step")]
    np.testing.assert_allclose(word_hits("spin xyzzy", entries), word_hits("spin", entries))
    assert not word_hits("xyzzy", entries).any()
    assert not word_hits("the dance of a", entries).any()
    assert word_hits("spin", []).shape == (0,)


def test_without_a_word_in_common_the_meaning_decides() -> None:
    entries = [entry("One"), entry("Two")]
    embeddings = np.array([[1.0, 0.0], [0.6, 0.8]])
    assert [found.name for found in ranked("xyzzy", entries, embeddings, np.array([0.0, 1.0]))] == ["Two", "One"]


def test_entries_that_fit_equally_keep_their_order() -> None:
    entries = [entry(f"Step {n}") for n in range(5)]
    assert ranked("step", entries, np.zeros((5, 2)), np.array([0.0, 1.0])) == entries
