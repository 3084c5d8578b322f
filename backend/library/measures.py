"""What a phrase shows, read from its joints: turns, travel, jumps, kicks, levels; and whether it is sound motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, label

from backend.evaluation.foot_skate import foot_skate
from backend.evaluation.freezing import freezing_rate

FloatArray = npt.NDArray[np.float64]

L_HIP, R_HIP, HEAD = 1, 2, 15
ANKLES, BALLS, WRISTS = [7, 8], [10, 11], [20, 21]
UPRIGHT_M = 0.62  # of the pelvis: under it one sits, squats or lies
KICK_M = 0.8  # of an ankle above the floor, upright
HAND_DOWN_M = 0.16
AIRBORNE_M = 0.1  # of the lower ball of the foot
TURN_WITHIN_S = 3.0  # a figure of turning takes no longer

FASTEST_JOINT_M_S = 14.0
SHARPEST_M_S2 = 420.0  # of any joint: a flip of the fit is sharper
MOST_SKATE_CM_S = 16.0
DEEPEST_M = -0.06
MOST_FROZEN = 0.3
SLOWEST_M_S = 0.13


@dataclass(frozen=True)
class Shown:
    """Measures of one phrase.

    turns: whole turns of the body within 3 s, left positive; travel_m: farthest from its start on the floor;
    forward_share: of its steps' spread that is forward and back, 0..1; airborne_s, kick_m, lowest_m (pelvis): extremes;
    kick_behind: the highest leg is behind the body; hands_down_s: time with a hand on the floor; arms_up: share of time
    with both hands above the head; inverted: the feet above the head; speed_m_s: mean over joints.
    """

    turns: float
    travel_m: float
    forward_share: float
    airborne_s: float
    kick_m: float
    kick_behind: bool
    lowest_m: float
    hands_down_s: float
    arms_up: float
    inverted: bool
    speed_m_s: float


@dataclass(frozen=True)
class Soundness:
    """How sound the motion is. fastest_m_s, sharpest_m_s2: of any joint; skate_cm_s; deepest_m: lowest joint;
    frozen: share of time; speed_m_s: mean over joints.
    """

    fastest_m_s: float
    sharpest_m_s2: float
    skate_cm_s: float
    deepest_m: float
    frozen: float
    speed_m_s: float

    @property
    def glitch(self) -> str:
        """Why the phrase should not be shown to anybody, or "" where it is sound."""
        reasons = {
            "a joint too fast": self.fastest_m_s > FASTEST_JOINT_M_S,
            "a joint that jumps": self.sharpest_m_s2 > SHARPEST_M_S2,
            "sliding feet": self.skate_cm_s > MOST_SKATE_CM_S,
            "under the floor": self.deepest_m < DEEPEST_M,
            "frozen": self.frozen > MOST_FROZEN or self.speed_m_s < SLOWEST_M_S,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")


def soundness(joints: npt.NDArray[np.floating], *, fps: float) -> Soundness:
    """Soundness of joints (T, 24, 3) metres, Z up, floor at z = 0, T at least 3."""
    velocities = np.diff(joints.astype(np.float64), axis=0) * fps
    speeds = np.linalg.norm(velocities, axis=-1)
    return Soundness(
        fastest_m_s=float(speeds.max()),
        sharpest_m_s2=float(np.linalg.norm(np.diff(velocities, axis=0), axis=-1).max() * fps),
        skate_cm_s=foot_skate(joints, fps=fps).mean_cm_s,
        deepest_m=float(joints[..., 2].min()),
        frozen=freezing_rate(joints, fps=fps),
        speed_m_s=float(speeds.mean()),
    )


def shown_by(joints: npt.NDArray[np.floating], *, fps: float) -> Shown:
    """Measures of joints (T, 24, 3) metres, Z up, floor at z = 0."""
    pelvis: FloatArray = joints[:, 0].astype(np.float64)
    ankles, wrists = joints[:, ANKLES], joints[:, WRISTS]
    yaw = heading(joints)
    upright = pelvis[:, 2] > UPRIGHT_M
    high = np.where(upright[:, None], ankles[..., 2], 0.0)
    frame, side = np.unravel_index(int(high.argmax()), high.shape)
    forward = np.array([np.cos(yaw[frame]), np.sin(yaw[frame])])
    airborne = upright & (joints[:, BALLS, 2].min(axis=1) > AIRBORNE_M)
    return Shown(
        turns=_turns(yaw, upright, fps=fps),
        travel_m=float(np.linalg.norm(pelvis[:, :2] - pelvis[0, :2], axis=-1).max()),
        forward_share=_forward_share(pelvis, yaw),
        airborne_s=_longest(airborne) / fps,
        kick_m=float(high.max()),
        kick_behind=bool((ankles[frame, side, :2] - pelvis[frame, :2]) @ forward < 0.0),
        lowest_m=float(pelvis[:, 2].min()),
        hands_down_s=float((wrists[..., 2].min(axis=1) < HAND_DOWN_M).sum() / fps),
        arms_up=float((wrists[..., 2] > joints[:, HEAD, None, 2]).all(axis=1).mean()),
        inverted=bool((ankles[..., 2].min(axis=1) > joints[:, HEAD, 2] + 0.2).any()),
        speed_m_s=float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * fps),
    )


def heading(joints: npt.NDArray[np.floating]) -> FloatArray:
    """(T,) where the hips face, radians from +X, left positive, without jumps; joints: (T, 24, 3)."""
    across = (joints[:, L_HIP] - joints[:, R_HIP])[:, :2].astype(np.float64)  # forward is this turned right
    return np.unwrap(np.arctan2(-across[:, 0], across[:, 1]))


def signature(joints: npt.NDArray[np.floating]) -> FloatArray:
    """(8, 24, 3) what a phrase looks like at eight moments, seen from its first frame; for comparing phrases."""
    moments = joints[np.linspace(0, len(joints) - 1, 8).round().astype(int)].astype(np.float64)
    moments = moments - moments[0, 0] * [1.0, 1.0, 0.0]
    yaw = -heading(moments[:1])[0]
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    seen: FloatArray = moments @ turn.T
    return seen


def _turns(yaw: FloatArray, upright: npt.NDArray[np.bool_], *, fps: float) -> float:
    """The largest turn within a few seconds on the feet, in whole turns, left positive."""
    reach, best = round(TURN_WITHIN_S * fps), 0.0
    steps = np.where(upright[1:], np.diff(yaw), 0.0)
    path = np.concatenate([[0.0], np.cumsum(steps)])
    for lag in range(1, min(reach, len(path) - 1) + 1):
        turned = path[lag:] - path[:-lag]
        most = float(turned[np.abs(turned).argmax()])
        best = most if abs(most) > abs(best) else best
    return best / (2.0 * np.pi)


def _forward_share(pelvis: FloatArray, yaw: FloatArray) -> float:
    """Share of the pelvis' planar movement, slow drift aside, that goes forward and back."""
    steps = np.diff(gaussian_filter1d(pelvis[:, :2], 2.0, axis=0), axis=0)
    facing = np.stack([np.cos(yaw[1:]), np.sin(yaw[1:])], axis=-1)
    forward = (steps * facing).sum(-1)
    sideways = steps[:, 1] * facing[:, 0] - steps[:, 0] * facing[:, 1]
    whole = float((forward**2 + sideways**2).sum())
    return float((forward**2).sum() / whole) if whole > 1e-9 else 0.5


def _longest(flags: npt.NDArray[np.bool_]) -> int:
    """Frames of the longest run of true in (T,)."""
    runs, count = label(flags)
    return int(np.bincount(runs)[1:].max()) if count else 0
