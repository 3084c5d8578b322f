"""Z-scores by the real set: the common unit of FID and diversity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
KINETIC_FLOOR = 1e-6
GEOMETRIC_FLOOR = 0.01  # a relation that real dances never show is not blown up by one frame of it


@dataclass(frozen=True)
class FeatureScale:
    """mean, std: (D,) of the real set's features."""

    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, real: np.ndarray, *, floor: float = KINETIC_FLOOR) -> FeatureScale:
        """The scale of real features (N, D); no std is smaller than floor. Raises ValueError for fewer than 2."""
        if len(real) < 2:
            raise ValueError(f"a scale needs at least 2 clips, got {len(real)}")
        return cls(np.mean(real, axis=0), np.maximum(np.std(real, axis=0), floor))

    def apply(self, features: np.ndarray) -> FloatArray:
        """Features (N, D) in standard deviations of the real set from its mean."""
        scaled: FloatArray = (np.asarray(features, dtype=np.float64) - self.mean) / self.std
        return scaled
