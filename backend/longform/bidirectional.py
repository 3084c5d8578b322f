"""Bidirectional slices (BADM): slice k sees what was just predicted of slice k - 1, and the noisy slice k + 1.

At every noise level the slices are predicted one after the other, each in a window that shows the end of the slice
before it and the beginning of the one after it. The tokens of all slices then go through the local decoder at once,
which is the local information decoder of the paper: no border is left where slices meet. One direction alone
(``forward_only``) shows the slice before and nothing of the one after.
"""

from __future__ import annotations

import torch
from torch import Tensor

from backend.diffusion.guided import GuidedDenoiser
from backend.diffusion.sampling import Predict
from backend.longform.spans import even_borders, seen_from
from backend.models.known import Known

SLICE_FRAMES, CONTEXT_FRAMES = 180, 60
TRUSTED_FROM = 600  # noisier predictions of the slice before are blurred, and are not told as known


def bidirectional(guided: GuidedDenoiser, *, forward_only: bool = False) -> Predict:
    """Predictions of a whole dance, slice by slice. The network is one that can be told what is known."""
    window = guided.window
    before = window - SLICE_FRAMES if forward_only else CONTEXT_FRAMES
    slices = seen_from(even_borders(guided.frames, SLICE_FRAMES), window=window, before=before)

    def predict(noisy: Tensor, step: int) -> Tensor:
        made, parts = torch.zeros_like(noisy), []
        for each in slices:
            end = each.last if forward_only else each.begin + window
            known = guided.known_at([each.begin], end - each.begin)
            if step <= TRUSTED_FROM and known is not None:
                known = with_past(known, made[None, each.begin : each.first])
            tokens, saw, condition = guided.trunk(noisy[None, each.begin : end], [each.begin], step, known)
            inside = each.inside
            made[each.first : each.last] = guided.decoded(tokens, saw, condition)[0, inside]
            half = slice(inside.start // 2, inside.stop // 2)
            parts.append((tokens[:, half], saw[:, inside], condition[:, half] if condition.shape[1] > 1 else condition))
        tokens, saw = (torch.cat([part[index] for part in parts], dim=1) for index in range(2))
        condition = parts[0][2] if parts[0][2].shape[1] == 1 else torch.cat([part[2] for part in parts], dim=1)
        return guided.decoded(tokens, saw, condition)[0]

    return predict


def with_past(known: Known, past: Tensor) -> Known:
    """What is known of windows (B, T, C), and the frames (B, P, C) that they begin with."""
    frames = past.shape[1]
    mask, clean = known.mask.clone(), known.clean.clone()
    clean[:, :frames] = torch.lerp(past, clean[:, :frames], mask[:, :frames])
    mask[:, :frames] = 1.0
    return Known(clean, mask, known.reach, known.novelty)
