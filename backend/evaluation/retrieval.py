"""R-precision and multimodal distance (Guo et al. 2022): does a dance fit its words, or its music, best of many?

Both work on embeddings of any evaluator in which a dance and what it was made for lie near each other.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from backend.motion.motion import Motion

POOL = 32
SAME = 1e-6  # distances that differ by less are of the same condition, shared by dances


class Evaluator(Protocol):
    """A trained judge of meaning. Dances and words lie in one space of E dimensions, dances and music in another; both
    hold unit vectors. genres: those it tells apart; version: of its weights.
    """

    genres: tuple[str, ...]
    version: str

    def embed_motion(self, motion: Motion) -> np.ndarray:
        """(E,) of a dance among words."""

    def embed_rhythm(self, motion: Motion) -> np.ndarray:
        """(E,) of a dance among music."""

    def embed_text(self, sentence: str) -> np.ndarray:
        """(E,) of a sentence."""

    def embed_channels(self, channels: np.ndarray) -> np.ndarray:
        """(E,) of music channels (T, 45)."""

    def genre_chances(self, motion: Motion) -> np.ndarray:
        """Chance (G,) of each of the genres."""


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
        nearer = np.linalg.norm(motion - conditions[others], axis=1) < own - SAME  # the same condition is not nearer
        hits += int(nearer.sum() < top)
    return hits / len(motions)
