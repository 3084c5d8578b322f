"""Smooth curves with few keys through many frames: between two keys a cubic, at a key one slope. No bpy.

A key holds its value and its slope, so that Blender's Bezier with handles of a third of the way to the next key is this
very cubic (Hermite's form). Which values and slopes come nearest to all frames is told by least squares: each key knows
only the keys beside it, so its normal equations are a line of 2 x 2 blocks, solved for all curves at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .curves import BoolArray
from .quaternions import FloatArray

_ADJUGATE = np.array([[1.0, -1.0], [-1.0, 1.0]])
_STEADY = 1e-4  # how much a slope that no frame tells is drawn to the slope of the frames beside it


@dataclass(frozen=True, eq=False)
class Fit:
    """keyed: (G, T) the frames that are keys; values, slopes: (G, T, C) of the curves, true at keys, slopes a frame;
    shown: (G, T, C) what the curves show.
    """

    keyed: BoolArray
    values: FloatArray
    slopes: FloatArray
    shown: FloatArray


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which key comes before each frame. segment: (G, T) number of the key at or before, the last key excepted;
    keys: (G, K) frames of the keys, the last repeated; count: (G,); share: (G, T) 0 to 1 of the way; length: (G, T).
    """

    segment: npt.NDArray[np.intp]
    keys: npt.NDArray[np.intp]
    count: npt.NDArray[np.intp]
    share: FloatArray
    length: FloatArray


def fitted(values: FloatArray, weights: FloatArray, keyed: BoolArray) -> Fit:
    """The curves with keys at these frames that come nearest.

    values: (G, T, C) of G groups of C channels each; weights: (G, T) of the frames; keyed: (G, T), the first and the
    last frame among them. Values and slopes are rounded as Blender keeps them.
    """
    if values.shape[1] == 1:
        return Fit(keyed, values, np.zeros_like(values), values)
    layout = _layout(keyed)
    basis = _basis(layout)
    blocks, beside, right = _equations(values, weights, layout, basis)
    solved = _solved(blocks, beside, right)
    solved = solved.astype(np.float32).astype(np.float64)
    groups = np.arange(len(values))[:, None]
    before, after = solved[groups, layout.segment], solved[groups, layout.segment + 1]
    shown = (
        basis[..., 0, None] * before[..., 0, :]
        + basis[..., 1, None] * before[..., 1, :]
        + basis[..., 2, None] * after[..., 0, :]
        + basis[..., 3, None] * after[..., 1, :]
    )
    found, slopes = np.zeros_like(values), np.zeros_like(values)
    group, place = np.nonzero(np.arange(layout.keys.shape[1]) < layout.count[:, None])
    found[group, layout.keys[group, place]] = solved[group, place, 0]
    slopes[group, layout.keys[group, place]] = solved[group, place, 1]
    return Fit(keyed, found, slopes, shown)


def _layout(keyed: BoolArray) -> _Layout:
    groups, frames = keyed.shape
    count = keyed.sum(axis=1)
    keys = np.full((groups, int(count.max())), frames - 1, dtype=np.intp)
    number = np.cumsum(keyed, axis=1) - 1
    group, frame = np.nonzero(keyed)
    keys[group, number[group, frame]] = frame
    segment = np.minimum(number, count[:, None] - 2)
    start = np.take_along_axis(keys, segment, axis=1)
    length = (np.take_along_axis(keys, segment + 1, axis=1) - start).astype(np.float64)
    share = (np.arange(frames) - start) / length
    return _Layout(segment, keys, count, share, length)


def _basis(layout: _Layout) -> FloatArray:
    """(G, T, 4) what value and slope of the key before and of the key after count for."""
    u, h = layout.share, layout.length
    return np.stack(
        [(1 + 2 * u) * (1 - u) ** 2, h * u * (1 - u) ** 2, u * u * (3 - 2 * u), h * u * u * (u - 1)], axis=-1
    )


def _equations(
    values: FloatArray, weights: FloatArray, layout: _Layout, basis: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The normal equations: blocks (G, K, 2, 2), what ties keys to the next (G, K - 1, 2, 2), right (G, K, 2, C)."""
    groups, most = layout.keys.shape
    channels = values.shape[-1]
    own = (np.arange(groups)[:, None] * most + layout.segment).ravel()

    def summed(rows: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(own, rows.ravel(), groups * most).reshape(groups, most), dtype=np.float64)

    product = np.empty((groups, most, 4, 4))
    weighted = basis * weights[..., None]
    for i in range(4):
        for j in range(i, 4):
            product[:, :, i, j] = product[:, :, j, i] = summed(weighted[..., i] * basis[..., j])
    side = np.stack([summed(weighted[..., i] * values[..., c]) for i in range(4) for c in range(channels)], axis=-1)
    side = side.reshape(groups, most, 4, channels)
    blocks, right = product[:, :, :2, :2].copy(), side[:, :, :2].copy()
    blocks[:, 1:] += product[:, :-1, 2:, 2:]
    right[:, 1:] += side[:, :-1, 2:]
    told = np.take_along_axis(np.gradient(values, axis=1), layout.keys[..., None], axis=1)
    blocks[:, :, 1, 1] += _STEADY
    right[:, :, 1] += _STEADY * told
    spare = np.arange(most) >= layout.count[:, None]
    blocks[spare], right[spare] = np.eye(2), 0.0
    return blocks, product[:, :-1, :2, 2:], right


def _solved(blocks: FloatArray, beside: FloatArray, right: FloatArray) -> FloatArray:
    """(G, K, 2, C) by elimination from the first key to the last and back (Thomas)."""
    groups, most, _, channels = right.shape
    led = np.zeros(
        (groups, most, 2, 2 + channels)
    )  # block^-1 (beside, right): what the next key leads to, and the rest
    led[:, :-1, :, :2], led[:, :, :, 2:] = beside, right
    back = np.ascontiguousarray(np.swapaxes(beside, -1, -2))
    block = blocks[:, 0]
    for key in range(most):
        if key:
            before = back[:, key - 1] @ led[:, key - 1]
            block = blocks[:, key] - before[:, :, :2]
            led[:, key, :, 2:] -= before[:, :, 2:]
        turned = block[:, ::-1, ::-1].swapaxes(-1, -2) * _ADJUGATE  # its inverse, but for the determinant
        size = block[:, 0, 0] * block[:, 1, 1] - block[:, 0, 1] * block[:, 1, 0]
        led[:, key] = (turned / size[:, None, None]) @ led[:, key]
    found = led[:, :, :, 2:]
    for key in range(most - 2, -1, -1):
        found[:, key] -= led[:, key, :, :2] @ found[:, key + 1]
    return found
