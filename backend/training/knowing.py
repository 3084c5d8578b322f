"""What the denoiser is told of a training window beforehand, drawn at random: as an animator may fix it later.

A clean past of any length (LongDanceDiff), a clean future, both (BADM), key poses of the whole body or of some parts of
it (Beat-It: 1 to 30 % of the frames; mostly few, as animators lock), primitives of eight frames (Lodge).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.models.known import PARTS
from backend.motion.representation import CHANNELS, HEIGHT, ROTATIONS, YAW_RATE

LEAST_KNOWN, FEWEST_UNKNOWN = 8, 30  # frames
PRIMITIVE_FRAMES = 8
FEW_KEYS = 8
KEY_SHARE = (0.01, 0.3)


@dataclass(frozen=True)
class Knowing:
    """Chances that something is known of a window.

    past, future, keys, primitives: chances, drawn one by one; few: of few key poses rather than a share of the frames;
    whole: that a key pose is the whole body; rough: that a past is a prediction, not quite clean; new: of a novelty.
    """

    past: float = 0.35
    future: float = 0.2
    keys: float = 0.35
    primitives: float = 0.15
    few: float = 0.7
    whole: float = 0.7
    rough: float = 0.3
    new: float = 0.5


def key_channels(rng: np.random.Generator, *, whole: bool) -> Tensor:
    """(151,) 1 for the numbers of a key pose: rotations and height, or those of a few parts of the body."""
    channels = torch.zeros(CHANNELS)
    channels[ROTATIONS], channels[HEIGHT], channels[YAW_RATE] = 1.0, 1.0, 0.0
    if whole:
        return channels
    parts = 2 + rng.choice(PARTS.shape[1] - 2, size=int(rng.integers(1, 5)), replace=False)
    return channels * (PARTS[:, parts].sum(-1) > 0)


def known_mask(frames: int, knowing: Knowing, rng: np.random.Generator) -> tuple[Tensor, int]:
    """Mask (T, 151), 1 where a number is known, and how many frames of a clean past there are."""
    mask = torch.zeros(frames, CHANNELS)
    past = future = 0
    most = frames - FEWEST_UNKNOWN
    if rng.random() < knowing.past:
        past = int(rng.integers(LEAST_KNOWN, most))
        mask[:past] = 1.0
    if rng.random() < knowing.future and most - past > LEAST_KNOWN:
        future = int(rng.integers(LEAST_KNOWN, most - past + 1))
        mask[frames - future :] = 1.0
    unknown = np.arange(past, frames - future)
    if rng.random() < knowing.keys:
        share = np.exp(rng.uniform(*np.log(KEY_SHARE)))
        count = int(rng.integers(1, FEW_KEYS + 1)) if rng.random() < knowing.few else int(np.ceil(share * len(unknown)))
        places = rng.choice(unknown, size=min(count, len(unknown)), replace=False)
        channels = key_channels(rng, whole=rng.random() < knowing.whole)
        mask[torch.from_numpy(places)] = torch.maximum(mask[torch.from_numpy(places)], channels)
    if rng.random() < knowing.primitives:
        for first in rng.choice(unknown, size=int(rng.integers(1, 6))):
            mask[first : first + PRIMITIVE_FRAMES] = 1.0
    return mask, past
