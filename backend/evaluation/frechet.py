"""Fréchet distance between the Gaussians of two sets of features (Heusel et al. 2017): FID_k and FID_g.

Small sets are far from themselves: 40 clips lie about 48 from the very Gaussian in 72 dimensions that they were drawn
from, and 64 from 40 others. A distance means something only beside that of real halves of the same number.
"""

from __future__ import annotations

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Fréchet distance of two sets of features (N, D) and (M, D), already z-scored by the real set.

    The trace of the square root of the product of the covariances is the sum of the singular values of the product of
    the centred sets, which stays exact where the sets are smaller than the space. Raises ValueError for fewer than 2.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a Fréchet distance needs at least 2 clips in each set, got {len(a)} and {len(b)}")
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    centred_a = (a - a.mean(0)) / np.sqrt(len(a) - 1)
    centred_b = (b - b.mean(0)) / np.sqrt(len(b) - 1)
    overlap = np.linalg.svd(centred_a @ centred_b.T, compute_uv=False).sum()
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return max(float(means + np.square(centred_a).sum() + np.square(centred_b).sum() - 2.0 * overlap), 0.0)
