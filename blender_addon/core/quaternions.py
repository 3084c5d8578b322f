"""Rotations as unit quaternions, ``w, x, y, z``, in whole arrays. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_OPPOSITE = 1e-6  # 1 + cosine below which two directions count as opposite


def times(first: FloatArray, second: FloatArray) -> FloatArray:
    """Hamilton product of quaternions (..., 4): ``second`` turns first."""
    aw, ax, ay, az = np.moveaxis(first, -1, 0)
    bw, bx, by, bz = np.moveaxis(second, -1, 0)
    product = np.empty((*np.broadcast_shapes(first.shape[:-1], second.shape[:-1]), 4))
    product[..., 0] = aw * bw - ax * bx - ay * by - az * bz
    product[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    product[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    product[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return product


def inverse(quaternions: FloatArray) -> FloatArray:
    """The rotations (..., 4) undone."""
    return np.asarray(quaternions * np.array([1.0, -1.0, -1.0, -1.0]))


def turned(quaternions: FloatArray, vectors: FloatArray) -> FloatArray:
    """Vectors (..., 3) turned by quaternions (..., 4)."""
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    a, b, c = np.moveaxis(vectors, -1, 0)
    p, q, r = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
    return np.stack([a + w * p + y * r - z * q, b + w * q + z * p - x * r, c + w * r + x * q - y * p], axis=-1)


def seen_from(quaternions: FloatArray, axes: FloatArray) -> FloatArray:
    """The rotations (..., 4) in other axes (..., 3, 3), whose columns they are: ``axes^-1 q axes``."""
    seen = np.empty(np.broadcast_shapes(quaternions.shape, (*axes.shape[:-2], 4)))
    seen[..., 0] = quaternions[..., 0]
    seen[..., 1:] = (quaternions[..., None, 1:] @ axes)[..., 0, :]
    return seen


def between(start: FloatArray, end: FloatArray) -> FloatArray:
    """The shortest rotations (..., 4) that turn directions ``start`` (..., 3) into ``end`` (..., 3)."""
    start, end = unit(start), unit(end)
    cosine = np.einsum("...i,...i->...", start, end)
    quaternions = np.concatenate([1.0 + cosine[..., None], np.cross(start, end)], axis=-1)
    least = np.argmin(np.abs(start), axis=-1)
    aside = np.cross(start, np.eye(3)[least])
    half_turn = np.concatenate([np.zeros_like(cosine)[..., None], aside], axis=-1)
    return unit(np.where((1.0 + cosine < _OPPOSITE)[..., None], half_turn, quaternions))


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors (..., N) of length 1; a vector of no length stays as it is."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    return np.asarray(vectors / np.where(length == 0.0, 1.0, length))


def about(axes: FloatArray, angles: FloatArray) -> FloatArray:
    """Rotations (..., 4) about unit axes (..., 3) by angles (...), radians."""
    half = 0.5 * np.asarray(angles)[..., None]
    return np.concatenate([np.broadcast_to(np.cos(half), (*axes.shape[:-1], 1)), axes * np.sin(half)], axis=-1)


def mean(quaternions: FloatArray) -> FloatArray:
    """The middle (4,) of rotations (T, 4) that lie close to one another."""
    signs = np.where(quaternions @ quaternions[0] < 0.0, -1.0, 1.0)
    return unit((quaternions * signs[:, None]).sum(axis=0))


def angle(quaternions: FloatArray) -> FloatArray:
    """How far each of (..., 4) turns, radians from 0 to pi."""
    vector = np.sqrt(np.einsum("...i,...i->...", quaternions[..., 1:], quaternions[..., 1:]))
    return np.asarray(2.0 * np.arctan2(vector, np.abs(quaternions[..., 0])))


def to_matrices(quaternions: FloatArray) -> FloatArray:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    return np.stack(
        [turned(quaternions, np.broadcast_to(axis, (*quaternions.shape[:-1], 3))) for axis in np.eye(3)], axis=-1
    )


def from_matrices(matrices: NDArray[np.floating[Any]]) -> FloatArray:
    """Unit quaternions (..., 4) of rotation matrices (..., 3, 3), by the largest part (Shepperd 1978)."""
    m = np.asarray(matrices, dtype=np.float64)
    trace = np.trace(m, axis1=-2, axis2=-1)
    squares = np.stack([1 + trace, *(1 - trace + 2 * m[..., k, k] for k in range(3))], axis=-1)  # 4w^2 ... 4z^2
    w = np.stack([squares[..., 0], *(m[..., a, b] - m[..., b, a] for a, b in ((2, 1), (0, 2), (1, 0)))], axis=-1)
    rows = [w]
    for k in range(3):
        parts = [w[..., k + 1], *(m[..., k, j] + m[..., j, k] if j != k else squares[..., k + 1] for j in range(3))]
        rows.append(np.stack(parts, axis=-1))
    best = np.argmax(squares, axis=-1)
    chosen = np.take_along_axis(np.stack(rows, axis=-2), best[..., None, None], axis=-2)[..., 0, :]
    return unit(chosen)
