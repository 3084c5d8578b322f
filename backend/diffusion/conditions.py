"""What the denoiser is told beside the noise: music, genre, words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid, rhythm_features

FloatArray = npt.NDArray[np.float32]
MUSIC_CHANNELS = 45  # 6 rhythm, 2 energy, 35 timbre, flags: music is given, timbre is given
BAR_PHASE = 3  # sine and cosine
MUSIC_GIVEN, TIMBRE_GIVEN = 43, 44


@dataclass(frozen=True)
class Words:
    """Words for frames first..last (exclusive). genre, text: sentence embeddings (384,), or None for free."""

    first: int
    last: int
    genre: Tensor | None
    text: Tensor | None


@dataclass(frozen=True)
class Conditions:
    """What a dance is made for. music: (T, 45) channels; genre, text: sentence embeddings (384,), or None for free;
    parts: spans with words of their own.
    """

    music: Tensor
    genre: Tensor | None
    text: Tensor | None
    parts: tuple[Words, ...] = ()


def music_input(grid: BeatGrid | None, sound: FloatArray | None, *, frames: int, timbre: bool = True) -> FloatArray:
    """The denoiser's music channels (frames, 45); zeros with the flag down where there is no music.

    grid: beats within the window, seconds from its first frame; sound: (frames, 37) energy and timbre.
    """
    channels = np.zeros((frames, MUSIC_CHANNELS), dtype=np.float32)
    if grid is None or sound is None:
        return channels
    channels[:, :6] = rhythm_features(grid, frames=frames, fps=FPS)
    channels[:, 6:8] = sound[:, :2]
    channels[:, MUSIC_GIVEN] = 1.0
    if timbre:
        channels[:, 8:MUSIC_GIVEN] = sound[:, 2:]
        channels[:, TIMBRE_GIVEN] = 1.0
    return channels
