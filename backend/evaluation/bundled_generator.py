"""The bundled models as a generator to be judged, with ears that can be deceived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from backend import choreographer
from backend.choreographer import Choreographer, GenerateRequest, Progress
from backend.dance import Dance, Settings
from backend.diffusion.conditions import Conditions
from backend.evaluation.generators import Hearing, Wish, changed_features
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid
from backend.music.features import MusicFeatures


class DeceivedChoreographer(Choreographer):
    """A Choreographer that hears other beats than the song's, in every stage, or nothing of the music."""

    hearing: Hearing = "true"

    def generate(self, request: GenerateRequest, *, progress: Progress, cancelled: Callable[[], bool]) -> Dance:
        """Make a dance to what it hears."""
        with _heard(self.hearing, request.seed):
            return super().generate(request, progress=progress, cancelled=cancelled)

    def conditions(self, features: MusicFeatures, settings: Settings) -> Conditions:
        """What the network is told; zeros for the music where it hears none."""
        told = super().conditions(features, settings)
        return replace(told, music=torch.zeros_like(told.music)) if self.hearing == "no_music" else told


@contextmanager
def _heard(hearing: Hearing, seed: int) -> Iterator[None]:
    """Within, the choreographer's features are changed where they are made, so that no stage knows the true beats."""
    names = vars(choreographer)
    truly = names["music_features"]

    def deceived(audio: Audio, grid: BeatGrid | None = None) -> MusicFeatures:
        return changed_features(truly(audio, grid), hearing, seed=seed)

    names["music_features"] = deceived
    try:
        yield
    finally:
        names["music_features"] = truly


class BundledGenerator:
    """The models of the package, or of a folder of weights."""

    def __init__(self, *, device: str = "auto", weights: Path | None = None) -> None:
        self.choreographer = DeceivedChoreographer(device=device, weights=weights)
        self.version = self.choreographer.version

    def dance(self, audio: Audio, wish: Wish) -> Motion:
        """The dance at 30 fps."""
        self.choreographer.hearing = wish.hearing
        request = GenerateRequest(audio, genre=wish.genre, seed=wish.seed, fps=FPS)
        return self.choreographer.generate(request, progress=lambda *_: None, cancelled=lambda: False).motion
