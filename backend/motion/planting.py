"""Planting: feet that should stand, stand. A final pass over a generated motion, without popping knees.

Contacts come from the network and are believed where the foot is indeed low and slow. The path of the pelvis is then
solved from the standing feet; what slide is left (two feet that drift apart) is taken by two-bone inverse kinematics
with eased ends, and the pelvis sinks a little where a leg would have to be longer than it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, label, maximum_filter1d
from scipy.spatial.transform import Rotation

from backend.motion.motion import Motion
from backend.motion.skeleton import OFFSETS_M, forward_kinematics, global_rotations

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

HIPS, KNEES, ANKLES, BALLS = (1, 2), (4, 5), (7, 8), (10, 11)
BALL_HEIGHT_M, ANKLE_HEIGHT_M = 0.02, 0.075  # standing
HIGHEST_M = 0.07  # a believed contact is at most this much above standing height
FASTEST_M_S = 0.8
SHORTEST_SPAN_S, WIDEST_GAP_S = 0.1, 0.07
EASE_S = 0.2
REACH = 0.995  # of the straight leg
SHORTEST_LEG = 0.1  # of the straight leg
STEP_SPEED_M_S = (0.15, 0.45)  # a foot that travels so fast is lifted …
STEP_HEIGHT_M = 0.062  # … so that its ball passes at this height
CLEARANCE_M = 0.012  # joints stay this far above the floor


@dataclass(frozen=True)
class Span:
    """Frames start..end (exclusive) in which a foot stands."""

    start: int
    end: int


def contact_spans(contact: BoolArray, *, fps: float) -> list[Span]:
    """Spans of true in (T,), gaps shorter than 0.07 s closed, spans shorter than 0.1 s dropped."""
    closed = contact.copy()
    gaps, count = label(~contact)
    for number in range(1, count + 1):
        inside = np.flatnonzero(gaps == number)
        if len(inside) <= round(WIDEST_GAP_S * fps) and inside[0] > 0 and inside[-1] < len(contact) - 1:
            closed[inside] = True
    spans, count = label(closed)
    found = [np.flatnonzero(spans == number) for number in range(1, count + 1)]
    return [Span(int(f[0]), int(f[-1]) + 1) for f in found if len(f) >= round(SHORTEST_SPAN_S * fps)]


def standing_feet(joints: FloatArray, likelihood: FloatArray, *, fps: float) -> BoolArray:
    """(T, 2) whether the ball of the left and right foot stands: likely by the network, low and slow in fact.

    joints: (T, 24, 3); likelihood: (T, 4) contacts of the network, 0..1.
    """
    balls = joints[:, list(BALLS)]
    speed = np.linalg.norm(np.gradient(balls, axis=0), axis=-1) * fps
    low = balls[..., 2] < BALL_HEIGHT_M + HIGHEST_M
    likely = np.maximum(likelihood[:, 2:], likelihood[:, :2]) > 0.5
    still = (speed < 0.25) & (
        balls[..., 2] < BALL_HEIGHT_M + 0.03
    )  # what stands in fact stands, whatever was predicted
    standing: BoolArray = low & ((likely & (speed < FASTEST_M_S)) | still)
    return standing


def plant(motion: Motion, likelihood: FloatArray, *, keep_path: bool = False) -> tuple[Motion, BoolArray]:
    """Plant the feet of a motion on the floor.

    likelihood: (T, 4) contacts predicted for L_Ankle, R_Ankle, L_Foot, R_Foot; keep_path: whether the pelvis keeps its
    place on the floor, and only the legs give way.
    Returns the planted motion and its contacts (T, 2) of the left and right foot.
    """
    fps = motion.fps
    poses, pelvis = motion.poses.astype(np.float64), motion.pelvis.astype(np.float64)
    if motion.frames < 6:
        return motion, np.zeros((motion.frames, 2), dtype=bool)
    joints = forward_kinematics(poses, pelvis)
    standing = standing_feet(joints, likelihood, fps=fps)
    spans = [contact_spans(standing[:, side], fps=fps) for side in range(2)]
    contact = np.zeros_like(standing)
    for side in range(2):
        for span in spans[side]:
            contact[span.start : span.end, side] = True
    pelvis = pelvis + _height_correction(joints, contact, fps=fps)
    joints = forward_kinematics(poses, pelvis)
    if not keep_path:
        pelvis = pelvis + _path_correction(joints, contact, fps=fps)
        joints = forward_kinematics(poses, pelvis)
    shifts = [_foot_shift(joints[:, BALLS[side]], joints[:, ANKLES[side]], spans[side], fps=fps) for side in range(2)]
    pelvis = pelvis - sink(joints, shifts, fps=fps)
    joints = forward_kinematics(poses, pelvis)
    shifts = [_foot_shift(joints[:, BALLS[side]], joints[:, ANKLES[side]], spans[side], fps=fps) for side in range(2)]
    for side in range(2):
        poses = reach(poses, joints, joints[:, ANKLES[side]] + shifts[side], side)
    return Motion(poses, pelvis, fps), contact


def _height_correction(joints: FloatArray, contact: BoolArray, *, fps: float) -> FloatArray:
    """(T, 3) slow vertical shift: standing feet at standing height, nothing under the floor."""
    heights = joints[:, list(BALLS), 2]
    known = contact.any(axis=1)
    error = np.where(contact, BALL_HEIGHT_M - heights, 0.0).sum(1) / np.maximum(contact.sum(1), 1)
    frames = np.arange(len(joints))
    if known.any():
        error = np.interp(frames, frames[known], error[known])
    shift = gaussian_filter1d(error, 0.25 * fps)
    under = np.maximum(CLEARANCE_M - (joints[..., 2].min(axis=1) + shift), 0.0)
    lift = gaussian_filter1d(maximum_filter1d(under, int(0.2 * fps) | 1), 0.1 * fps)
    return np.stack([np.zeros_like(shift), np.zeros_like(shift), shift + lift], axis=1)


def _path_correction(joints: FloatArray, contact: BoolArray, *, fps: float) -> FloatArray:
    """(T, 3) horizontal shift of the whole body that stops the mean slide of standing feet."""
    steps = np.diff(joints[:, list(BALLS), :2], axis=0)
    both = contact[1:] & contact[:-1]
    weight = both.astype(np.float64)
    # a foot that bears the body slides least: it counts most
    weight /= 0.002 + np.linalg.norm(steps, axis=-1)
    slide = (steps * weight[..., None]).sum(1) / np.maximum(weight.sum(1), 1e-9)[:, None]
    slide[~both.any(axis=1)] = 0.0
    slide = gaussian_filter1d(slide, 0.03 * fps, axis=0)
    shift = np.zeros((len(joints), 3))
    shift[1:, :2] = -np.cumsum(slide, axis=0)
    return shift


def _foot_shift(ball: FloatArray, ankle: FloatArray, spans: list[Span], *, fps: float) -> FloatArray:
    """(T, 3) shift of a foot that pins its ball in each span and eases out on either side; keeps the foot above the
    floor.
    """
    frames, ease = len(ball), max(round(EASE_S * fps), 1)
    shift, weight = np.zeros((frames, 3)), np.zeros(frames)
    keys: list[tuple[int, FloatArray]] = []
    for span in spans:
        inside = ball[span.start : span.end]
        anchor = np.median(inside, axis=0)
        anchor[2] = np.clip(anchor[2], BALL_HEIGHT_M - 0.008, BALL_HEIGHT_M + 0.012)
        shift[span.start : span.end] = anchor - inside
        weight[span.start : span.end] = 1.0
        keys += [(span.start, shift[span.start].copy()), (span.end - 1, shift[span.end - 1].copy())]
    for left, right in zip([None, *keys[1::2]], [*keys[0::2], None], strict=True):
        start, stop = (left[0] + 1 if left else 0), (right[0] if right else frames)
        place = np.arange(start, stop)
        if left is not None:
            shift[start:stop] += ease_off((place - left[0]) / min(ease, max(stop - left[0], 1)))[:, None] * left[1]
        if right is not None:
            shift[start:stop] += (
                ease_off((right[0] - place) / min(ease, max(right[0] - start + 1, 1)))[:, None] * right[1]
            )
    shift[:, 2] += step_lift(ball + shift, weight > 0, fps=fps)
    lowest = np.minimum(ball[:, 2] + shift[:, 2] - CLEARANCE_M, ankle[:, 2] + shift[:, 2] - 2 * CLEARANCE_M)
    shift[:, 2] += np.where(weight > 0, 0.0, gaussian_filter1d(np.maximum(-lowest, 0.0), 1.0))
    return shift


def step_lift(ball: FloatArray, standing: BoolArray, *, fps: float) -> FloatArray:
    """(T,) how much higher a travelling foot is carried, so that it steps instead of skimming over the floor."""
    speed = np.linalg.norm(np.gradient(ball[:, :2], axis=0), axis=-1) * fps
    travelling = 1.0 - ease_off((speed - STEP_SPEED_M_S[0]) / (STEP_SPEED_M_S[1] - STEP_SPEED_M_S[0]))
    wanted = np.maximum(travelling * STEP_HEIGHT_M - ball[:, 2], 0.0)
    spread = gaussian_filter1d(maximum_filter1d(wanted, 3), 0.05 * fps)
    free = distance_transform_edt(~standing) if standing.any() else np.full(len(ball), np.inf)
    return np.asarray(spread * (1.0 - ease_off(free / (0.13 * fps))))


def ease_off(share: FloatArray) -> FloatArray:
    """1 at 0, 0 from 1 on, smooth at both ends."""
    share = np.clip(share, 0.0, 1.0)
    return 1.0 - share * share * (3.0 - 2.0 * share)


def _leg_lengths(side: int) -> tuple[float, float]:
    thigh = float(np.linalg.norm(OFFSETS_M[KNEES[side]]))
    return thigh, float(np.linalg.norm(OFFSETS_M[ANKLES[side]]))


def sink(joints: FloatArray, shifts: list[FloatArray], *, fps: float) -> FloatArray:
    """(T, 3) how far the pelvis sinks so that both ankle targets are in reach."""
    needed = np.zeros(len(joints))
    for side in range(2):
        target = joints[:, ANKLES[side]] + shifts[side] - joints[:, HIPS[side]]
        was = np.linalg.norm(joints[:, ANKLES[side]] - joints[:, HIPS[side]], axis=-1)
        most = np.maximum(REACH * sum(_leg_lengths(side)), np.minimum(was, 0.999 * sum(_leg_lengths(side))))
        across = np.linalg.norm(target[:, :2], axis=-1)
        down = np.sqrt(np.maximum(most**2 - np.minimum(across, most) ** 2, 0.0))
        needed = np.maximum(needed, np.clip(-target[:, 2] - down, 0.0, 0.12))
    smooth = gaussian_filter1d(maximum_filter1d(needed, int(0.13 * fps) | 1), 0.08 * fps)
    return np.stack([np.zeros_like(smooth), np.zeros_like(smooth), smooth], axis=1)


def _between(first: FloatArray, second: FloatArray) -> Rotation:
    """Shortest rotations that turn unit vectors (T, 3) into others."""
    axis = np.cross(first, second)
    sine, cosine = np.linalg.norm(axis, axis=-1, keepdims=True), (first * second).sum(-1, keepdims=True)
    return Rotation.from_rotvec(axis / np.maximum(sine, 1e-9) * np.arctan2(sine, cosine))


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def reach(poses: FloatArray, joints: FloatArray, target: FloatArray, side: int) -> FloatArray:
    """Two-bone inverse kinematics: the ankle reaches target (T, 3), the knee bends about the thigh's own axis and as
    knees do, the foot keeps its turn.
    """
    hip, knee, ankle = HIPS[side], KNEES[side], ANKLES[side]
    start, bend, end = joints[:, hip], joints[:, knee], joints[:, ankle]
    straight = sum(_leg_lengths(side))
    was = np.linalg.norm(end - start, axis=-1)
    longest = np.maximum(REACH * straight, np.minimum(was, 0.9995 * straight))
    wanted = np.clip(np.linalg.norm(target - start, axis=-1), SHORTEST_LEG * straight, longest)
    world = Rotation.from_matrix(global_rotations(poses)[:, [0, hip, knee, ankle]].reshape(-1, 3, 3))
    turns = world.as_matrix().reshape(-1, 4, 3, 3)
    hinge = turns[:, 1] @ np.array([1.0, 0.0, 0.0])
    flex = Rotation.from_rotvec(hinge * _flexion(bend - start, end - bend, hinge, wanted)[:, None])
    swing = _between(_unit(bend - start + flex.apply(end - bend)), _unit(target - start))
    new_hip = swing * Rotation.from_matrix(turns[:, 1])
    new_knee = swing * flex * Rotation.from_matrix(turns[:, 2])
    result = poses.copy()
    result[:, hip] = (Rotation.from_matrix(turns[:, 0]).inv() * new_hip).as_rotvec()
    result[:, knee] = (new_hip.inv() * new_knee).as_rotvec()
    result[:, ankle] = (new_knee.inv() * Rotation.from_matrix(turns[:, 3])).as_rotvec()
    return result


def _flexion(thigh: FloatArray, shin: FloatArray, hinge: FloatArray, wanted: FloatArray) -> FloatArray:
    """(T,) angle by which the shin turns about the hinge so that hip and ankle are as far apart as wanted (T,).

    A knee that is bent the wrong way (mocap overstretches) stays so as long as hardly anything is wanted of it.
    """
    along = (thigh * hinge).sum(-1) * (shin * hinge).sum(-1)
    level = (thigh * shin).sum(-1) - along
    sine = (thigh * np.cross(hinge, shin)).sum(-1)
    most = np.maximum(np.hypot(level, sine), 1e-9)
    now = -np.arctan2(sine, level)  # from the straight leg on
    reached = 0.5 * (wanted**2 - (thigh**2).sum(-1) - (shin**2).sum(-1)) - along
    bent = np.arccos(np.clip(reached / most, -1.0, 1.0))
    wrong = np.maximum(-now, 0.0)
    more = bent - wrong
    fading = np.clip(1.0 - more / np.maximum(4.0 * wrong, 1e-9), 0.0, 1.0)
    new = np.where(wrong > 0.0, np.where(more < 0.0, -bent, bent - 2.0 * wrong * fading), bent)
    return np.asarray(new - now)
