"""Where a character's foot should be: still while the dance's foot stands, and never under the floor. No bpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .calibration import Foot
from .curves import BoolArray, Span, highest_near, inside, lead_between, smooth, spans_of
from .quaternions import FloatArray, angle, inverse, mean, times, turned
from .resample import axis_angle_to_quaternion, quaternion_to_axis_angle

SHORTEST_S, WIDEST_GAP_S, EASE_S = 0.1, 0.07, 0.2
STEP_S = 0.1  # between two places of one foot that is said to stand all the while
RANGE = 0.12  # of the leg's length: a standing foot is drawn no farther
TURN_RAD = np.radians(30.0)  # a flat foot is held within such a turn; beyond it, it pivots on its ball
BALL_LIFT = (-0.004, 0.014)  # of the leg's length: how far from its rest height a standing ball may be
UNDER_M = 0.002  # the sole may sink so far


@dataclass(frozen=True, eq=False)
class FootPath:
    """A foot over the frames: its ankle (T, 3), metres, and how the foot and its toes are turned (T, 4) from rest."""

    ankle: FloatArray
    turns: FloatArray
    toe_turns: FloatArray

    def ball(self, foot: Foot) -> FloatArray:
        """(T, 3) where the ball is."""
        return np.asarray(self.ankle + turned(self.turns, foot.ball[None]))

    def lowest(self, foot: Foot) -> FloatArray:
        """(T,) height of the lowest of the sole."""
        points = [self.ankle + turned(self.turns, point[None]) for point in foot.sole]
        points.append(self.ball(foot) + turned(self.toe_turns, foot.tip[None]))
        return np.asarray(np.min([point[:, 2] for point in points], axis=0))


def pinned(
    path: FootPath, foot: Foot, *, heel: BoolArray, toes: BoolArray, floor_m: float, leg_m: float, fps: float,
    strength: float = 1.0, hold: bool = True, planted: BoolArray | None = None,
    danced: tuple[FloatArray, FloatArray] | None = None,
) -> FootPath:  # fmt: skip
    """The foot's path with its ankle and its ball held where the dance's stand, eased in and out.

    heel, toes: (T,) where the dance's ankle and ball stand; leg_m: the leg's length; strength: 0 to 1;
    hold: whether feet are held in place, or only kept at the floor's height; planted: (T,) where the foot is held
    however far the dance's goes; danced: the dance's own ankle and ball (T, 3) each, in the character's metres, by
    which is told whether the foot stays: a character of other proportions may carry it away.
    """
    turns, toe_turns = path.turns, path.toe_turns
    if hold:
        fix = _held_turn(turns, heel & toes, fps=fps, strength=strength)
        turns, toe_turns = times(fix, turns), times(fix, toe_turns)
    ball = path.ball(foot)
    ankle = ball - turned(turns, foot.ball[None])
    height = -float(foot.sole[:, 2].min()) + float(foot.ball[2])
    firm = np.zeros(len(turns), dtype=bool) if planted is None else planted
    shift = _shift(
        ankle,
        ball,
        heel=heel,
        toes=toes,
        firm=firm,
        height=(floor_m + height, leg_m),
        fps=fps,
        danced=danced or (ankle, ball),
    )
    if not hold:
        shift[:, :2] = 0.0
    moved = FootPath(ankle + strength * shift, turns, toe_turns)
    under = np.maximum(floor_m - UNDER_M - moved.lowest(foot), 0.0)
    lift = np.maximum(under, smooth(highest_near(under, 2), 0.05 * fps)) * strength
    return FootPath(moved.ankle + np.stack([np.zeros_like(lift), np.zeros_like(lift), lift], axis=-1), turns, toe_turns)


def _held_turn(turns: FloatArray, flat: BoolArray, *, fps: float, strength: float) -> FloatArray:
    """Turns (T, 4) that hold a flat foot still, as long as it does not pivot."""
    spans: list[Span] = []
    vectors = np.zeros((len(turns), 3))
    for span in spans_of(flat, shortest=_frames(SHORTEST_S, fps), widest_gap=_frames(WIDEST_GAP_S, fps)):
        for part in _unturned(turns, span, fps=fps):
            middle = mean(turns[part.start : part.end])
            vectors[part.start : part.end] = quaternion_to_axis_angle(
                times(middle[None], inverse(turns[part.start : part.end]))
            )
            spans.append(part)
    lead_between(vectors, spans, ease_frames=_frames(EASE_S, fps))
    return axis_angle_to_quaternion(strength * vectors)


def _unturned(turns: FloatArray, span: Span, *, fps: float) -> list[Span]:
    """The span in parts that turn little, with frames between them in which the foot pivots."""
    parts, start = [], span.start
    while start < span.end:
        far = np.flatnonzero(angle(times(turns[start : span.end], inverse(turns[start])[None])) > TURN_RAD)
        end = start + int(far[0]) if len(far) else span.end
        parts.append(Span(start, end))
        start = end + (_frames(STEP_S, fps) if len(far) else 0)
    return [part for part in parts if part.end - part.start >= _frames(SHORTEST_S, fps)]


def _shift(
    ankle: FloatArray, ball: FloatArray, *, heel: BoolArray, toes: BoolArray, firm: BoolArray,
    height: tuple[float, float], fps: float, danced: tuple[FloatArray, FloatArray],
) -> FloatArray:  # fmt: skip
    """(T, 3) how far the foot is moved: its ball is held where the toes stand, its ankle where the heel alone does."""
    shift, parts = np.zeros_like(ball), []
    rests, leg = height
    lowest, highest = (rests + share * leg for share in BALL_LIFT)
    on_ball = toes[1:, None] | ~heel[1:, None]
    steps = np.where(on_ball, np.diff(ball, axis=0), np.diff(ankle, axis=0))
    own = np.where(on_ball, np.diff(danced[1], axis=0), np.diff(danced[0], axis=0))
    for span in spans_of(heel | toes, shortest=_frames(SHORTEST_S, fps), widest_gap=_frames(WIDEST_GAP_S, fps)):
        went = np.concatenate([np.zeros((1, 3)), np.cumsum(steps[span.start : span.end - 1], axis=0)])
        own_way = np.concatenate([np.zeros((1, 3)), np.cumsum(own[span.start : span.end - 1], axis=0)])
        for part in _unmoved(own_way, RANGE * leg, firm=firm[span.start : span.end], fps=fps):
            here = slice(span.start + part.start, span.start + part.end)
            path = went[part.start : part.end]
            place = np.median(path, axis=0)
            stands = np.median(ball[here, 2])
            place[2] += np.clip(stands, lowest, highest) - stands
            shift[here] = place - path
            parts.append(Span(here.start, here.stop))
    lead_between(shift, parts, ease_frames=_frames(EASE_S, fps))
    return shift


def _unmoved(went: FloatArray, reach_m: float, *, firm: BoolArray, fps: float) -> list[Span]:
    """The frames of a path (N, 3) in parts that stay in one place, with frames between them in which the foot steps.

    firm: (N,) where it does not step, however far it goes.
    """
    parts, start = [], 0
    while start < len(went):
        away = np.linalg.norm(went[start:, :2] - went[start, :2], axis=-1) > reach_m
        far = np.flatnonzero(away & ~firm[start:])
        end = start + int(far[0]) if len(far) else len(went)
        parts.append(Span(start, end))
        start = end + (_frames(STEP_S, fps) if len(far) else 0)
    return [part for part in parts if part.end - part.start >= _frames(SHORTEST_S, fps)]


def standing(flags: BoolArray, *, fps: float) -> BoolArray:
    """(T,) where a foot counts as standing: short gaps closed, short touches dropped."""
    spans = spans_of(flags, shortest=_frames(SHORTEST_S, fps), widest_gap=_frames(WIDEST_GAP_S, fps))
    return inside(spans, len(flags))


def _frames(seconds: float, fps: float) -> int:
    return max(1, round(seconds * fps))
