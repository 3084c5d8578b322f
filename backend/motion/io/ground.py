"""Put a motion on the floor: a file made for another body hangs above it, or sinks, on the mean body."""

from __future__ import annotations

import numpy as np

from backend.motion.motion import Motion

_FOOT_JOINTS = (10, 11)  # L_Foot, R_Foot
_STANDING_HEIGHT_M = 0.02  # of these joints when standing
_LOWEST_PERCENT = 5.0  # of frames may be lower: fit glitches must not lift the whole dance


def grounded(motion: Motion) -> Motion:
    """The motion moved up or down so that its lowest foot stands on z = 0 (by the 5th percentile over frames)."""
    lowest = motion.joints()[:, list(_FOOT_JOINTS), 2].min(axis=1)
    shift_m = _STANDING_HEIGHT_M - np.percentile(lowest, _LOWEST_PERCENT)
    return Motion(motion.poses, motion.pelvis + np.array([0.0, 0.0, shift_m]), motion.fps)
