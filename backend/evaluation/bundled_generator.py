"""The bundled models as a generator to be judged, with ears that can be deceived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from backend.canvas import Canvas
from backend.choreographer import Choreographer
from backend.dance import Settings
from backend.diffusion.conditions import Conditions
from backend.directions import Part
from backend.evaluation.generators import Hearing, Wish, changed_features
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid
from backend.music.features import MusicFeatures
from backend.request import GenerateRequest


class DeceivedChoreographer(Choreographer):
    """A Choreographer that hears other beats than the song's, in every stage, or nothing of the music."""

    hearing: Hearing = "true"
    seed = 0

    def hear(self, audio: Audio, grid: BeatGrid | None = None) -> MusicFeatures:
        """The song with changed beats."""
        return changed_features(super().hear(audio, grid), self.hearing, seed=self.seed)

    def conditions(
        self,
        canvas: Canvas,
        grid: BeatGrid,
        sound: npt.NDArray[np.float16],
        settings: Settings,
        parts: Sequence[Part] = (),
    ) -> Conditions:
        """What the network is told; zeros for the music where it hears none."""
        told = super().conditions(canvas, grid, sound, settings, parts)
        return replace(told, music=torch.zeros_like(told.music)) if self.hearing == "no_music" else told


class BundledGenerator:
    """The models of the package, or of a folder of weights. model: "motion", "code", or "" for the better one."""

    model = ""

    def __init__(self, *, device: str = "auto", weights: Path | None = None, model: str = "") -> None:
        self.model = model
        self.choreographer = DeceivedChoreographer(device=device, weights=weights)
        self.version = self.choreographer.version

    def dance(self, audio: Audio, wish: Wish) -> Motion:
        """The dance at 30 fps."""
        self.choreographer.hearing, self.choreographer.seed = wish.hearing, wish.seed
        request = GenerateRequest(audio, genre=wish.genre, seed=wish.seed, fps=FPS, model=self.model)
        return self.choreographer.generate(request, progress=lambda *_: None, cancelled=lambda: False).motion
