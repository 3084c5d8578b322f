"""Beat assignment precision, BAP (Beat-It, Huang et al. 2024): do the dancer's stops lie where they were asked for?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.evaluation.beat_alignment import motion_beats

TOLERANCE_S = 0.05  # the paper names none: three frames at 60 fps, the σ of beat alignment


@dataclass(frozen=True)
class BeatAssignment:
    """precision: share of the dance's stops on a beat asked for (BAP); recall: share of those beats with a stop."""

    precision: float
    recall: float


def beat_assignment(
    joints: np.ndarray, asked_s: np.ndarray, *, fps: float, tolerance_s: float = TOLERANCE_S
) -> BeatAssignment:
    """How the local minima of mean joint speed and the beats that were asked for, (B,) seconds, answer each other.

    joints: (T, J, 3) metres. A dance without stops has precision 0. Raises ValueError for fewer than 2 frames.
    """
    stops = motion_beats(joints, fps=fps)
    asked = np.asarray(asked_s, dtype=np.float64)
    if not len(stops) or not len(asked):
        return BeatAssignment(0.0, 0.0)
    near = np.abs(stops[:, None] - asked[None, :]) <= tolerance_s + 1e-9
    return BeatAssignment(float(near.any(axis=1).mean()), float(near.any(axis=0).mean()))
