"""Curves over frames and spans of frames, with numpy alone. No bpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .quaternions import FloatArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Span:
    """Frames start..end, the end not included."""

    start: int
    end: int


def spans_of(mask: BoolArray, *, shortest: int = 1, widest_gap: int = 0) -> list[Span]:
    """Spans of true in (T,): gaps up to ``widest_gap`` frames are closed, then spans under ``shortest`` dropped."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    found: list[Span] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1].end <= widest_gap:
            found[-1] = Span(found[-1].start, end)
        else:
            found.append(Span(start, end))
    return [span for span in found if span.end - span.start >= shortest]


def inside(spans: list[Span], frames: int) -> BoolArray:
    """(T,) true within the spans."""
    mask = np.zeros(frames, dtype=bool)
    for span in spans:
        mask[span.start : span.end] = True
    return mask


def ease_off(share: FloatArray) -> FloatArray:
    """1 at 0, 0 from 1 on, smooth at both ends."""
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(1.0 - share * share * (3.0 - 2.0 * share))


def smooth(values: FloatArray, width_frames: float) -> FloatArray:
    """Gaussian mean of (T, ...) over frames; the ends hold."""
    reach = max(1, int(3.0 * width_frames + 0.5))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width_frames, 1e-6)) ** 2)
    weights /= weights.sum()
    held = np.concatenate([np.repeat(values[:1], reach, axis=0), values, np.repeat(values[-1:], reach, axis=0)])
    flat = held.reshape(len(held), -1)
    columns = [np.convolve(flat[:, column], weights, mode="valid") for column in range(flat.shape[1])]
    return np.asarray(np.stack(columns, axis=-1).reshape(values.shape))


def highest_near(values: FloatArray, reach_frames: int) -> FloatArray:
    """The highest of (T,) within some frames on either side."""
    held = np.concatenate([np.full(reach_frames, -np.inf), values, np.full(reach_frames, -np.inf)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(held, 2 * reach_frames + 1).max(axis=-1))


def lead_between(curve: FloatArray, spans: list[Span], *, ease_frames: int) -> None:
    """Fill (T, C) outside the spans, in place: away from each span's end it eases to nothing."""
    lefts: list[Span | None] = [None, *spans]
    rights: list[Span | None] = [*spans, None]
    for left, right in zip(lefts, rights, strict=True):
        start, stop = (left.end if left else 0), (right.start if right else len(curve))
        frames = np.arange(start, stop)
        curve[start:stop] = 0.0
        if left is not None:
            length = min(ease_frames, stop - start + 1)
            curve[start:stop] += ease_off((frames - start + 1) / length)[:, None] * curve[start - 1]
        if right is not None:
            length = min(ease_frames, stop - start + 1)
            curve[start:stop] += ease_off((stop - frames) / length)[:, None] * curve[stop]
