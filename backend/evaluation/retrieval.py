"""R-precision and multimodal distance (Guo et al. 2022): does a dance fit its words, or its music, best of many?

Both work on embeddings of any evaluator in which a dance and what it was made for lie near each other.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from backend.motion.motion import Motion
from backend.music.features import MusicFeatures

POOL = 32


class Evaluator(Protocol):
    """A trained judge of meaning: motion, words and music in one space of E dimensions, and the genre it sees."""

    def embed_motion(self, motion: Motion) -> np.ndarray:
        """(E,) of a dance."""

    def embed_text(self, sentence: str) -> np.ndarray:
        """(E,) of a sentence."""

    def embed_music(self, music: MusicFeatures) -> np.ndarray:
        """(E,) of a span of a song."""

    def genre_of(self, motion: Motion) -> str:
        """The genre that the dance looks like."""


def multimodal_distance(motions: np.ndarray, conditions: np.ndarray) -> float:
    """Mean distance between each dance and its own condition; both (N, E). Raises ValueError for unequal shapes."""
    if motions.shape != conditions.shape or not len(motions):
        raise ValueError(f"each dance needs its condition, got {motions.shape} and {conditions.shape}")
    return float(np.linalg.norm(motions - conditions, axis=1).mean())


def r_precision(motions: np.ndarray, conditions: np.ndarray, *, generator: np.random.Generator, top: int = 3) -> float:
    """Share of dances whose own condition is among the nearest ``top`` of up to 32, the others drawn at random.

    motions, conditions: (N, E). Chance is top / pool. Raises ValueError for unequal shapes.
    """
    if motions.shape != conditions.shape or not len(motions):
        raise ValueError(f"each dance needs its condition, got {motions.shape} and {conditions.shape}")
    hits = 0
    for number, motion in enumerate(motions):
        others = generator.permutation(np.delete(np.arange(len(motions)), number))[: POOL - 1]
        own = np.linalg.norm(motion - conditions[number])
        nearer = np.linalg.norm(motion - conditions[others], axis=1) < own
        hits += int(nearer.sum() < top)
    return hits / len(motions)
