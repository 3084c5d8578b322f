"""Windows that overlap go through the noise levels together: after each prediction the overlaps are cross-faded, so
neighbours agree before the next step. The representation knows neither place nor heading, so predictions of neighbours
can be averaged.
"""

from __future__ import annotations

import torch
from torch import Tensor

from backend.diffusion.guided import GuidedDenoiser
from backend.diffusion.sampling import Predict
from backend.diffusion.windows import OVERLAP_FRAMES, crossfade, window_starts


def overlapping(guided: GuidedDenoiser) -> Predict:
    """Predictions of a whole dance from windows that overlap by 3 s."""
    rows, window = guided.rows, guided.window
    starts = window_starts(guided.frames, window=window, even=max(2, rows))
    firsts = [start // rows for start in starts]

    def predict(noisy: Tensor, step: int) -> Tensor:
        windows = torch.stack([noisy[first : first + window // rows] for first in firsts])
        clean = guided(windows, starts, step)
        return crossfade(clean, firsts, guided.frames // rows, overlap=OVERLAP_FRAMES // rows)

    return predict
