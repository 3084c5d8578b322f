"""All segments of a long dance as one batch (Lodge's local stage): neighbours meet in primitives that both are told."""

from __future__ import annotations

import torch
from torch import Tensor

from backend.diffusion.guided import GuidedDenoiser
from backend.diffusion.sampling import Predict
from backend.longform.spans import seen_from

HALF_PRIMITIVE = 4  # frames on either side of a border


def segments(guided: GuidedDenoiser, borders: list[int]) -> Predict:
    """Predictions of a whole dance whose segments lie between borders: even frames from 0 to the dance's length, no
    further apart than a window less a primitive.
    """
    spans = seen_from(borders, window=guided.window, before=HALF_PRIMITIVE)
    starts = [each.begin for each in spans]

    def predict(noisy: Tensor, step: int) -> Tensor:
        windows = torch.stack([noisy[start : start + guided.window] for start in starts])
        clean = guided(windows, starts, step)
        return torch.cat([part[each.inside] for part, each in zip(clean, spans, strict=True)])

    return predict
