"""Find phrases by words: what they mean, and what they say.

A sentence embedding knows that "spin" is near "pirouette"; it does not know that who types "pirouette" wants one. So
words that a phrase's name or figures contain count on top, rare words more than common ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backend.library.entry import Entry
from backend.text.vocabulary import load_vocabulary
from backend.text.words import plain

WORDS_SHARE = 0.7  # of the score, where every word is in a phrase's name
IN_NAME, IN_GENRE, IN_FIGURES, IN_DESCRIPTION = 1.0, 0.9, 0.8, 0.35
# fmt: off
ASIDE = frozenset((
    "a", "an", "and", "the", "of", "to", "in", "on", "with", "for", "or", "some", "my", "me", "dance", "danc", "move",
    "mov", "movement",
))
# fmt: on


def ranked(
    text: str, entries: Sequence[Entry], embeddings: npt.NDArray[np.floating], query: npt.NDArray[np.floating]
) -> list[Entry]:
    """Entries, the best first. embeddings: (N, 384) of the entries; query: (384,) of the text; all unit vectors."""
    scores = embeddings @ query + WORDS_SHARE * word_hits(text, entries)
    return [entries[index] for index in np.argsort(-scores, kind="stable")]


def word_hits(text: str, entries: Sequence[Entry]) -> npt.NDArray[np.float64]:
    """(N,) how much of the text each entry says, 0..1: rare words weigh more, words that no entry says nothing."""
    words = [word for word in dict.fromkeys(map(_stem, plain(text).split())) if word not in ASIDE]
    if not words or not entries:
        return np.zeros(len(entries))
    hits = np.array([_hits(words, entry) for entry in entries])
    said = (hits > 0).sum(axis=0)
    weight = np.where(said > 0, np.log((1 + len(entries)) / np.maximum(said, 1)) + 0.1, 0.0)
    found: npt.NDArray[np.float64] = (hits * weight).sum(axis=1) / max(float(weight.sum()), 1e-9)
    return found


def _hits(words: Sequence[str], entry: Entry) -> list[float]:
    genre = load_vocabulary().genres.get(entry.genre)
    fields = (
        (IN_NAME, entry.name),
        (IN_GENRE, " ".join(genre.names) if genre else entry.genre),
        (IN_FIGURES, " ".join(entry.figures)),
        (IN_DESCRIPTION, entry.description),
    )
    said = [(worth, _words(field)) for worth, field in fields]
    return [max((worth for worth, inside in said if word in inside), default=0.0) for word in words]


@lru_cache(maxsize=8192)
def _words(text: str) -> frozenset[str]:
    return frozenset(map(_stem, plain(text).split()))


def _stem(word: str) -> str:
    """Without the ending of a plural or of "-ing": spins, spinning and spin are one word."""
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            bare = word[: -len(ending)] + rest
            return bare[:-1] if ending == "ing" and bare[-1] == bare[-2] else bare
    return word
