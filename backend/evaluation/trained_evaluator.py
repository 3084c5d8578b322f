"""The evaluator that was trained on the training split (``backend/models/evaluator.py``), as retrieval asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from backend.errors import PirouetteError
from backend.evaluation.windows import at_model_rate
from backend.models.evaluator import EvaluatorConfig, MeaningEvaluator, stick_figure
from backend.models.weights import WEIGHTS_FOLDER, load_into, read_weights
from backend.motion.motion import Motion
from backend.motion.representation import encode
from backend.motion.skeleton import FPS
from backend.text.encoder import encode as encode_text

FloatArray = npt.NDArray[np.float64]
WINDOW_FRAMES, STEP_FRAMES = 300, 150  # longer motion is averaged over windows that overlap
SHORTEST_FRAMES = 30


class TrainedEvaluator:
    """Judges at 30 fps, the same answer for the same motion. genres: that it tells apart."""

    def __init__(self, *, folder: Path | None = None) -> None:
        if not ((folder or WEIGHTS_FOLDER) / "evaluator.safetensors").is_file():
            raise PirouetteError(
                "weights_missing",
                "The evaluator's weights are not here: the add-on comes without them.",
                "Evaluate from the project's repository, or without reading (--no-read).",
            )
        file = read_weights("evaluator", folder=folder)
        self.network = MeaningEvaluator(EvaluatorConfig(**file.config))
        load_into(self.network, file)
        self.mean, self.std = file.tensors["mean"], file.tensors["std"]
        self.genres: tuple[str, ...] = tuple(self.network.config.genres)
        self.version = file.version

    @torch.inference_mode()
    def embed_motion(self, motion: Motion) -> FloatArray:
        """Unit vector (128,) of a dance of one second or more (ValueError for less), among words and genres."""
        return _unit(torch.cat([self.network.see(window[None]).meaning for window in self._windows_of(motion)]))

    @torch.inference_mode()
    def embed_rhythm(self, motion: Motion) -> FloatArray:
        """Unit vector (128,) of a dance of one second or more (ValueError for less), among songs."""
        return _unit(torch.cat([self.network.see(window[None]).rhythm for window in self._windows_of(motion)]))

    def _windows_of(self, motion: Motion) -> Iterator[Tensor]:
        return _windows((stick_figure(encode(at_model_rate(motion))) - self.mean) / self.std)

    @torch.inference_mode()
    def embed_text(self, sentence: str) -> FloatArray:
        """Unit vector (128,) of a sentence."""
        return _unit(self.network.read(torch.from_numpy(encode_text([sentence]))))

    @torch.inference_mode()
    def embed_channels(self, channels: npt.NDArray[np.float32]) -> FloatArray:
        """Unit vector (128,) of music channels (T, 45), among the rhythms of dances."""
        return _unit(torch.cat([self.network.hear(window[None]) for window in _windows(torch.from_numpy(channels))]))

    @torch.inference_mode()
    def genre_chances(self, motion: Motion) -> FloatArray:
        """Chance (G,) of each of the genres, adding up to one."""
        embedding = torch.from_numpy(self.embed_motion(motion)).float()
        chances: FloatArray = self.network.name(embedding[None])[0].softmax(-1).double().numpy()
        return chances


def _windows(series: Tensor) -> Iterator[Tensor]:
    """Windows (WINDOW_FRAMES, C) that cover a series; all of it where it is shorter."""
    if len(series) < SHORTEST_FRAMES:
        raise ValueError(f"the evaluator needs {SHORTEST_FRAMES / FPS:g} s, got {len(series) / FPS:g} s")
    last = max(len(series) - WINDOW_FRAMES, 0)
    for start in sorted({*range(0, last + 1, STEP_FRAMES), last}):
        yield series[start : start + WINDOW_FRAMES]


def _unit(embeddings: Tensor) -> FloatArray:
    """The direction of the mean of embeddings (N, E)."""
    mean: FloatArray = embeddings.double().mean(0).numpy()
    return mean / np.linalg.norm(mean)
