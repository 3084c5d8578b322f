"""The report of one dance, and its median over many: the same numbers for generated and for real motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.evaluation.beat_alignment import beat_alignment
from backend.evaluation.floor import below_floor_share, floating_share
from backend.evaluation.foot_skate import foot_skate
from backend.evaluation.freezing import freezing_rate
from backend.evaluation.jerk import jerk
from backend.evaluation.speed import mean_joint_speed
from backend.motion.motion import Motion

DEEP_BELOW_FLOOR_M = 0.03


def quality_report(motion: Motion, beats_s: Sequence[float] | np.ndarray | None = None) -> dict[str, float]:
    """Every metric of one motion, by name with its unit; `_pct` is per cent.

    beats_s: (B,) beats of the music in seconds from the first frame; without beats the beat metrics are left out.
    Raises ValueError for fewer than 4 frames.
    """
    joints = motion.joints()
    skate = foot_skate(joints, fps=motion.fps)
    report = {
        "foot_skate_cm_s": skate.mean_cm_s,
        "foot_skate_above_10_pct": 100.0 * skate.share_above_10,
        "foot_contact_pct": 100.0 * skate.contact_share,
        "jerk_m_s3": jerk(joints, fps=motion.fps),
        "freezing_pct": 100.0 * freezing_rate(joints, fps=motion.fps),
        "below_floor_pct": 100.0 * below_floor_share(joints),
        "below_floor_3cm_pct": 100.0 * below_floor_share(joints, depth_m=DEEP_BELOW_FLOOR_M),
        "floating_pct": 100.0 * floating_share(joints, fps=motion.fps),
        "mean_joint_speed_m_s": mean_joint_speed(joints, fps=motion.fps),
    }
    if beats_s is not None and len(beats_s):
        beats = beat_alignment(joints, np.asarray(beats_s, dtype=np.float64), fps=motion.fps)
        report |= {
            "beat_alignment": beats.motion_to_music,
            "beat_alignment_reverse": beats.music_to_motion,
            "beat_alignment_half_beat": beats.half_beat,
            "beat_alignment_lift": beats.lift,
        }
    return {name: round(value, 4) for name, value in report.items()}


def median_report(reports: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median of every metric over the reports that hold it; raises ValueError for no reports."""
    if not reports:
        raise ValueError("a median needs at least one report")
    names = list(dict.fromkeys(name for report in reports for name in report))
    return {name: float(np.median([report[name] for report in reports if name in report])) for name in names}
