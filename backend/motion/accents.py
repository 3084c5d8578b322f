"""Accents: a pose lands on a beat. Time is bent a little, so that a stop nearby falls on the accent and is held.

The dance arrives faster and rests for two or three frames; its poses, its path and its length stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, quaternion_to_axis_angle, slerp
from backend.motion.skeleton import forward_kinematics

FloatArray = npt.NDArray[np.float64]
Span = tuple[int, int]  # first frame, and the one after the last

BENT_FRAMES = 18  # on either side of an accent
ARRIVAL_FRAMES, ARRIVAL_SHARE = 4, 1.4  # before it the dance goes so much faster …
HELD_FRAMES, HELD_SHARE = 3, 0.25  # … and after it so much slower
SLOWEST, FASTEST = 0.3, 1.9  # pace of the frames between
CLOSEST_FRAMES = 10  # accents closer than this are one: the first
# The share of the way that a stop is moved to the accent, and the sharpness of the arrival (below 0 it slows down): the
# first is taken that hurries no joint.
TRIED = ((1.0, 1.0), (1.0, 0.5), (1.0, 0.0), (0.7, 0.0), (0.4, 0.0), (0.0, 0.0), (0.0, -1.0))
FAST_M_S = 4.2  # a little under the 99.5th percentile of real dances
NEARNESS = 0.15  # how much rather a stop at the accent is taken than one at the end of reach


def accented(
    motion: Motion, accents_s: Sequence[float], *, fixed: Sequence[Span] = (), reach_s: float = 0.25
) -> Motion:
    """The motion with a stop on every accent (seconds), found within reach_s of it.

    fixed: spans (first frame, frame after the last) whose frames stay; a key pose's frame is a span of one. Accents in
    them, closer than ten frames to them or to the accent before change nothing. Raises PirouetteError("bad_range") for
    an accent beyond the dance.
    """
    frames = _accent_frames(motion, accents_s, fixed)
    if not frames:
        return motion
    joints = motion.joints()
    speed = _mean_speed(joints, motion.fps)
    stops = [_stop(speed, frame, reach_s * motion.fps) for frame in frames]
    place = np.arange(motion.frames, dtype=np.float64)
    for frame, stop in zip(frames, stops, strict=True):
        room = _room(frame, frames, fixed, motion.frames)
        place = _fitting(motion, place, (frame, stop), room)
    return _read_at(motion, place)


def _accent_frames(motion: Motion, accents_s: Sequence[float], fixed: Sequence[Span]) -> list[int]:
    """Frames of the accents that can be danced, in order."""
    frames: list[int] = []
    for accent_s in sorted(accents_s):
        if not 0.0 <= accent_s <= motion.duration_s:
            raise PirouetteError(
                "bad_range",
                f"An accent at {accent_s:.2f} s lies outside the dance of {motion.duration_s:.2f} s.",
                "Move it, or make the dance longer.",
            )
        frame = min(round(accent_s * motion.fps), motion.frames - 1)
        left = frame if not frames else frame - frames[-1]
        free = all(frame <= first - CLOSEST_FRAMES or frame >= stop - 1 + CLOSEST_FRAMES for first, stop in fixed)
        if left >= CLOSEST_FRAMES and frame <= motion.frames - 1 - CLOSEST_FRAMES and free:
            frames.append(frame)
    return frames


def _mean_speed(joints: FloatArray, fps: float) -> FloatArray:
    """(T,) m/s over all joints, hardly smoothed."""
    speed = np.linalg.norm(np.gradient(joints, axis=0), axis=-1).mean(axis=1) * fps
    return np.asarray(gaussian_filter1d(speed, 1.0))


def _stop(speed: FloatArray, frame: int, reach: float) -> float:
    """The moment near a frame, in frames, at which the dance is slowest."""
    first, stop = max(int(np.ceil(frame - reach)), 1), min(int(frame + reach) + 1, len(speed) - 1)
    around = np.arange(first, stop)
    cost = speed[around] + NEARNESS * speed[first:stop].mean() * np.abs(around - frame) / max(reach, 1.0)
    slowest = int(around[np.argmin(cost)])
    before, at, after = speed[slowest - 1 : slowest + 2]
    bend = before - 2.0 * at + after
    return slowest + (float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend > 1e-9 else 0.0)


def _room(frame: int, frames: Sequence[int], fixed: Sequence[Span], total: int) -> tuple[int, int]:
    """The frames between which time may be bent: to fixed spans, and half way to other accents."""
    first, last = max(frame - BENT_FRAMES, 0), min(frame + BENT_FRAMES, total - 1)
    for other in frames:
        if other < frame:
            first = max(first, (other + frame + 1) // 2)
        elif other > frame:
            last = min(last, (other + frame) // 2)
    for begin, stop in fixed:
        if stop - 1 < frame:
            first = max(first, stop - 1)
        elif begin > frame:
            last = min(last, begin)
    return first, last


def _fitting(motion: Motion, place: FloatArray, at: tuple[int, float], room: tuple[int, int]) -> FloatArray:
    """Where each frame is read (T,), bent around an accent as far as no joint is hurried by it."""
    first, last = room
    inside = slice(first, last + 1)
    own = _fastest(motion, place[inside])
    frame, stop = at
    for moved, sharpness in TRIED:
        bent = place.copy()
        bent[inside] = _bent(first, last, frame, frame + moved * (stop - frame), sharpness)
        if _fastest(motion, bent[inside]) <= max(own, FAST_M_S):
            return bent
    return place


def _bent(first: int, last: int, frame: int, stop: float, sharpness: float) -> FloatArray:
    """Where frames first..last are read, so that ``stop`` falls on ``frame``; its ends stay."""
    arrival = min(ARRIVAL_FRAMES, (frame - first) // 2)
    held = min(HELD_FRAMES, (last - frame) // 2)
    stop = float(np.clip(stop, first + SLOWEST * (frame - first), last - SLOWEST * (last - frame)))
    stop = float(np.clip(stop, last - FASTEST * (last - frame), first + FASTEST * (frame - first)))
    before = stop - arrival * (1.0 + sharpness * (ARRIVAL_SHARE - 1.0))
    after = stop + held * HELD_SHARE
    knots = np.array([first, frame - arrival, frame, frame + held, last], dtype=np.float64)
    read = np.array([first, max(before, first + SLOWEST), stop, min(after, last - SLOWEST), last], dtype=np.float64)
    return np.asarray(PchipInterpolator(knots, read)(np.arange(first, last + 1)))


def _fastest(motion: Motion, place: FloatArray) -> float:
    """m/s of the fastest joint of the motion read at these places."""
    if len(place) < 2:
        return 0.0
    read = _read_at(motion, place)
    steps = np.diff(forward_kinematics(read.poses, read.pelvis), axis=0)
    return float(np.linalg.norm(steps, axis=-1).max() * motion.fps)


def _read_at(motion: Motion, place: FloatArray) -> Motion:
    """The motion at fractional frames (N,), on the straight way from frame to frame, so that standing feet stand."""
    index = np.clip(place.astype(np.int64), 0, max(motion.frames - 2, 0))
    share = place - index
    poses, pelvis = motion.poses[index].copy(), motion.pelvis[index].copy()
    moved = np.flatnonzero(share > 1e-9)
    if len(moved):
        at, part = index[moved], share[moved]
        start, end = axis_angle_to_quaternion(motion.poses[at]), axis_angle_to_quaternion(motion.poses[at + 1])
        poses[moved] = quaternion_to_axis_angle(slerp(start, end, np.broadcast_to(part[:, None], start.shape[:2])))
        pelvis[moved] += part[:, None] * (motion.pelvis[at + 1] - motion.pelvis[at])
    return Motion(poses, pelvis, motion.fps)
