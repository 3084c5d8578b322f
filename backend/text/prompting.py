"""A prompt as the network is told it: the vectors of a genre and of free words."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.text.captions import prompt_sentence
from backend.text.encoder import encode
from backend.text.vocabulary import genre_embedding, genre_in_text, resolve_genre


def prompt_vectors(genre: str, text: str) -> tuple[Tensor | None, Tensor | None]:
    """Sentence embeddings (384,) of a genre, named or found in the words, and of the words; None where there are none.

    Raises PirouetteError("unknown_genre").
    """
    asked = resolve_genre(genre).name if genre.strip() else ""
    found = genre_in_text(text)
    named = asked or (found.name if found else "")
    return (
        _vector(genre_embedding(named)) if named else None,
        _vector(encode([prompt_sentence(asked, text)])[0]) if text.strip() else None,
    )


def _vector(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))
