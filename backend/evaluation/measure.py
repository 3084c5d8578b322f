"""One window measured: every metric of a single dance, and the features that sets are compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.evaluation.freezing import freezing_curve
from backend.evaluation.geometric_features import geometric_features
from backend.evaluation.kinetic_features import kinetic_features
from backend.evaluation.physical_body_contact import physical_body_contact
from backend.evaluation.physical_foot_contact import physical_foot_contact
from backend.evaluation.report import quality_report
from backend.evaluation.windows import Window

FloatArray = npt.NDArray[np.float64]
FREEZING_THRESHOLDS_M_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
FEATURES = ("kinetic", "geometric", "kinetic_compat", "geometric_compat")


@dataclass(frozen=True)
class Measured:
    """report: metrics by name; features: by the names of FEATURES; freezing: (6,) rates over the thresholds."""

    window: Window
    report: dict[str, float]
    features: dict[str, FloatArray]
    freezing: FloatArray


def measure(window: Window) -> Measured:
    """Every metric of a window of 5 s or more."""
    joints, fps = window.motion.joints(), window.motion.fps
    report = quality_report(window.motion, window.beats_s)
    report["pfc"] = physical_foot_contact(joints, fps=fps)
    report["pbc"] = physical_body_contact(joints, fps=fps)
    away = np.linalg.norm(joints[:, 0, :2] - joints[:1, 0, :2], axis=-1)
    report["farthest_from_start_m"] = float(away.max())
    features = {
        "kinetic": kinetic_features(joints, fps=fps),
        "geometric": geometric_features(joints, fps=fps),
        "kinetic_compat": kinetic_features(joints, fps=fps, mode="compat"),
        "geometric_compat": geometric_features(joints, fps=fps, mode="compat"),
    }
    return Measured(window, report, features, freezing_curve(joints, FREEZING_THRESHOLDS_M_S, fps=fps))
