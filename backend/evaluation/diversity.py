"""Diversity: how far the dances of a set lie apart. Nearer to real is better, not larger: jitter is far from all."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist


def diversity(features: np.ndarray) -> float:
    """Mean distance between all pairs of features (N, D), z-scored by the real set (Div_k, Div_g).

    Raises ValueError for fewer than 2.
    """
    if len(features) < 2:
        raise ValueError(f"diversity needs at least 2 clips, got {len(features)}")
    return float(pdist(np.asarray(features, dtype=np.float64)).mean())
