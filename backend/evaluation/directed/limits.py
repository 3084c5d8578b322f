"""How fast real dances ever are: what no seam and no key pose should exceed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.evaluation.directed.steps import NEAR_S, fastest_steps, hardest_turns, peaks_near
from backend.evaluation.windows import FloatArray
from backend.motion.motion import Motion

QUANTILE = 0.995


@dataclass(frozen=True)
class RealLimits:
    """Of real dances the 99.5th percentile, and the median beside it.

    step_m_s: speed of the fastest joint from a frame to the next; turn_m_s2: acceleration of the hardest turned joint;
    seam_turn_m_s2: the larger of that at two frames in a row; peak_m_s: the fastest step within 0.3 s of a moment.
    """

    step_m_s: float
    turn_m_s2: float
    seam_turn_m_s2: float
    peak_m_s: float
    usual_step_m_s: float
    usual_turn_m_s2: float
    usual_seam_turn_m_s2: float
    usual_peak_m_s: float


def real_limits(dances: Sequence[Motion]) -> RealLimits:
    """The limits of dances at one frame rate; those shorter than 0.6 s say nothing of peaks.

    Raises ValueError for no dances.
    """
    if not dances:
        raise ValueError("limits need at least one dance")
    steps, turns, seams, peaks = [], [], [], []
    for motion in dances:
        joints = motion.joints()
        steps.append(fastest_steps(joints, fps=motion.fps))
        turns.append(hardest_turns(joints, fps=motion.fps))
        seams.append(np.maximum(turns[-1][:-1], turns[-1][1:]))
        near = round(NEAR_S * motion.fps)
        peaks.append(peaks_near(steps[-1], np.arange(near, motion.frames - near), fps=motion.fps))
    found = (steps, turns, seams, peaks)
    return RealLimits(*map(_limit, found), *map(_usual, found))


def beyond(dances: Sequence[Motion], limits: RealLimits) -> dict[str, float]:
    """Share of steps and turns beyond the 99.5th percentile of real ones, %, and the largest."""
    steps = np.concatenate([fastest_steps(motion.joints(), fps=motion.fps) for motion in dances])
    turns = np.concatenate([hardest_turns(motion.joints(), fps=motion.fps) for motion in dances])
    return {
        "steps_beyond_pct": 100.0 * float((steps > limits.step_m_s).mean()),
        "turns_beyond_pct": 100.0 * float((turns > limits.turn_m_s2).mean()),
        "fastest_m_s": float(steps.max()),
        "hardest_m_s2": float(turns.max()),
    }


def _limit(values: list[FloatArray]) -> float:
    return float(np.quantile(np.concatenate(values), QUANTILE))


def _usual(values: list[FloatArray]) -> float:
    return float(np.median(np.concatenate(values)))
