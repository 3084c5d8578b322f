"""Windows that cover a dance, and how what they say of it is blended."""

from __future__ import annotations

from torch import Tensor, arange, minimum

WINDOW_FRAMES = 300
OVERLAP_FRAMES = 90


def window_starts(
    frames: int, *, window: int = WINDOW_FRAMES, overlap: int = OVERLAP_FRAMES, even: int = 2
) -> list[int]:
    """First frames of windows that cover ``frames``: evenly spread, overlapping by about ``overlap``, all multiples of
    ``even``, as ``frames`` and ``window`` are.
    """
    if frames <= window:
        return [0]
    count = -(-(frames - overlap) // (window - overlap))
    return [round((frames - window) * index / (count - 1) / even) * even for index in range(count)]


def crossfade(parts: Tensor, starts: list[int], frames: int, *, overlap: int = OVERLAP_FRAMES) -> Tensor:
    """Windows (W, L, C) laid down at ``starts`` and blended into (frames, C), with ramps of ``overlap`` frames."""
    length = parts.shape[1]
    ramp = arange(1, length + 1, dtype=parts.dtype, device=parts.device).clamp(max=overlap)
    weight = minimum(ramp, ramp.flip(0)) / overlap
    total = parts.new_zeros(frames, parts.shape[2])
    weights = parts.new_zeros(frames, 1)
    for part, start in zip(parts, starts, strict=True):
        total[start : start + length] += part * weight[:, None]
        weights[start : start + length] += weight[:, None]
    return total / weights
