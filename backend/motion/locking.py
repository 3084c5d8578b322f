"""The final pass of key poses: a dance that comes near its locks is led exactly through them.

Every locked joint gets an offset at its lock, which fades over so many frames that no joint has to hurry; locks near
each other are joined directly. Places and headings bend the path between them. Feet that stand keep standing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.directions import KeyPose
from backend.errors import PirouetteError
from backend.motion.lock_curves import (
    EASE_PEAK,
    FloatArray,
    IntArray,
    Span,
    inverse,
    knots_of,
    moved_offsets,
    times,
    turned_offsets,
)
from backend.motion.lock_path import about_vertical, drawn, freedom, headings, turned
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, quaternion_to_axis_angle
from backend.motion.skeleton import forward_kinematics

BoolArray = npt.NDArray[np.bool_]

CALM_M_S = 2.0  # what an offset may add to a joint's speed, where there is room
SHORTEST_REACH, LONGEST_REACH = 6, 45  # frames over which an offset fades
FASTEST_PATH_M_S = 3.0
CLOSEST_FRAMES = 2


@dataclass(frozen=True)
class LockErrors:
    """How far a dance is from its key poses; 0 where nothing of a kind is locked.

    distance_m: mean distance of the locked joints, the pelvis at the origin, what is not locked as in the key pose;
    angle_deg: mean over locked joints, and largest_angle_deg; place_m, heading_deg: the largest.
    """

    distance_m: float
    angle_deg: float
    largest_angle_deg: float
    place_m: float
    heading_deg: float


@dataclass(frozen=True)
class _Body:
    """A motion taken apart. turns: (T, 24, 4) quaternions; pelvis: (T, 3)."""

    turns: FloatArray
    pelvis: FloatArray

    @classmethod
    def of(cls, motion: Motion) -> _Body:
        return cls(axis_angle_to_quaternion(motion.poses), motion.pelvis.astype(np.float64))

    def motion(self, fps: float) -> Motion:
        return Motion(quaternion_to_axis_angle(self.turns), self.pelvis, fps)


def lock_frame(key: KeyPose, motion: Motion) -> int:
    """The frame that a key pose locks. Raises PirouetteError("bad_range") beyond the dance."""
    frame = round(key.time_s * motion.fps)
    if not 0 <= frame <= motion.frames:
        raise PirouetteError(
            "bad_range",
            f"A key pose at {key.time_s:.2f} s lies outside the dance of {motion.duration_s:.2f} s.",
            "Move it, or make the dance longer.",
        )
    return min(frame, motion.frames - 1)


def locked(
    motion: Motion, key_poses: Sequence[KeyPose], *, contact: BoolArray | None, fixed: Sequence[Span] = ()
) -> Motion:
    """The motion, exactly through every key pose.

    contact: (T, 2) whether the left and right foot stand, read from the motion where None; fixed: spans (first frame,
    frame after the last) that stay as they are: key poses in them are not met. Of two key poses on a frame that lock
    the same, the later in the sequence counts. Raises PirouetteError("bad_range") for a key pose beyond the dance.
    """
    fixed = _merged(fixed, motion.frames)
    keys = [(lock_frame(key, motion), key) for key in key_poses]
    keys = [(frame, key) for frame, key in keys if not any(first <= frame < stop for first, stop in fixed)]
    if not keys:
        return motion
    body = _posed(_Body.of(motion), keys, fixed, motion.fps)
    standing = contact if contact is not None else np.zeros((motion.frames, 2), dtype=bool)
    body = _placed(body, motion, keys, fixed, freedom(standing))
    result = body.motion(motion.fps)
    return _kept(result, motion, fixed)


def _merged(fixed: Sequence[Span], frames: int) -> list[Span]:
    """Spans within the dance that neither touch nor overlap, in order."""
    spans: list[Span] = []
    for first, stop in sorted((max(first, 0), min(stop, frames)) for first, stop in fixed):
        if first >= stop:
            continue
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
        else:
            spans.append((first, stop))
    return spans


def _kept(result: Motion, motion: Motion, fixed: Sequence[Span]) -> Motion:
    poses, pelvis = result.poses.copy(), result.pelvis.copy()
    for first, stop in fixed:
        poses[first:stop], pelvis[first:stop] = motion.poses[first:stop], motion.pelvis[first:stop]
    return Motion(poses, pelvis, motion.fps)


def _targets(body: _Body, keys: Sequence[tuple[int, KeyPose]]) -> tuple[IntArray, BoolArray, FloatArray, FloatArray]:
    """Frames (L,) in order, which joints (L, 24) are locked there, their turns (L, 24, 4), the pelvis' heights (L,)."""
    frames = np.array(sorted({frame for frame, key in keys if key.joints}), dtype=np.int64)
    mask = np.zeros((len(frames), 24), dtype=bool)
    turns, heights = body.turns[frames].copy(), body.pelvis[frames, 2].copy()
    for frame, key in keys:
        if not key.joints:
            continue
        row, joints = int(np.searchsorted(frames, frame)), list(key.joints)
        wanted = axis_angle_to_quaternion(key.pose)
        if 0 in key.joints:  # its lean; the heading is the dance's
            away = headings(body.turns[frame, :1]) - headings(wanted[:1])
            wanted[:1] = times(about_vertical(away), wanted[:1])
            heights[row] = key.pelvis[2]
        turns[row, joints] = wanted[joints]
        mask[row, joints] = True
    return frames, mask, turns, heights


def _posed(body: _Body, keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span], fps: float) -> _Body:
    """The body with its locked joints' turns, the pelvis' lean and height among them."""
    frames, mask, wanted, heights = _targets(body, keys)
    if not len(frames):
        return body
    reach = _reach(body, frames, wanted, heights, fps)
    offsets = times(inverse(body.turns[frames]), wanted)
    lifts = heights - body.pelvis[frames, 2]
    turns, pelvis = body.turns.copy(), body.pelvis.copy()
    for rows, joints in _groups(mask):
        knots = knots_of(frames[rows].tolist(), list(range(len(rows))), reach[rows], fixed)
        first, stop = max(int(knots.frames[0]), 0), min(int(knots.frames[-1]) + 1, len(turns))
        span = np.arange(first, stop)
        change = turned_offsets(knots, offsets[np.ix_(rows, joints)], span)
        turns[first:stop, joints] = times(turns[first:stop, joints], change)
        if 0 in joints:
            pelvis[first:stop, 2] += moved_offsets(knots, lifts[rows], span)
    return _Body(turns, pelvis)


def _groups(mask: BoolArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Locks (rows) and joints that are locked by exactly these."""
    patterns, group = np.unique(mask, axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        rows = np.flatnonzero(patterns[:, number])
        if len(rows):
            yield rows, np.flatnonzero(group == number)


def _reach(body: _Body, frames: IntArray, wanted: FloatArray, heights: FloatArray, fps: float) -> IntArray:
    """(L, 2) frames over which each lock's offset comes and goes: the farther a joint is led, the longer."""
    level = np.zeros((len(frames), 3))
    level[:, 2] = body.pelvis[frames, 2]
    was = forward_kinematics(quaternion_to_axis_angle(body.turns[frames]), level)
    level[:, 2] = heights
    will = forward_kinematics(quaternion_to_axis_angle(wanted), level)
    far = np.linalg.norm(will - was, axis=-1).max(axis=1)
    reach = np.clip(np.ceil(EASE_PEAK * far * fps / CALM_M_S), SHORTEST_REACH, LONGEST_REACH)
    return np.repeat(reach[:, None].astype(np.int64), 2, axis=1)


def _placed(
    body: _Body, motion: Motion, keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span], free: FloatArray
) -> _Body:
    """The body at its locked places and headings."""
    facing = {frame: float(headings(axis_angle_to_quaternion(key.pose[:1]))[0]) for frame, key in keys if key.heading}
    places = {frame: np.asarray(key.pelvis[:2], dtype=np.float64) for frame, key in keys if key.place}
    if not facing and not places:
        return body
    stays = {frame: motion.pelvis[frame, :2].astype(np.float64) for span in fixed for frame in (span[0], span[1] - 1)}
    turns, pelvis = body.turns.copy(), body.pelvis
    if facing:
        turns[:, 0], pelvis = turned(turns[:, 0], pelvis, facing, fixed, free)
    return _Body(turns, drawn(pelvis, places, stays, free))


def lock_errors(motion: Motion, key_poses: Sequence[KeyPose]) -> LockErrors:
    """How far the motion is from its key poses. Raises PirouetteError("bad_range") for a key pose beyond it."""
    distances, angles, places, turns = [0.0], [0.0], [0.0], [0.0]
    body = _Body.of(motion)
    for key in key_poses:
        frame, joints = lock_frame(key, motion), list(key.joints)
        wanted = axis_angle_to_quaternion(key.pose)
        danced = body.turns[frame].copy()
        away = float(headings(danced[:1])[0] - headings(wanted[:1])[0])
        if not key.heading:
            danced[:1] = times(about_vertical(np.array([-away])), danced[:1])
        else:
            turns.append(abs(np.degrees((away + np.pi) % (2 * np.pi) - np.pi)))
        if key.place:
            places.append(float(np.linalg.norm(motion.pelvis[frame, :2] - key.pelvis[:2])))
        if joints:
            mixed = wanted.copy()
            mixed[joints] = danced[joints]
            both = forward_kinematics(quaternion_to_axis_angle(np.stack([mixed, wanted])), np.zeros((2, 3)))
            distances += np.linalg.norm(both[0] - both[1], axis=-1)[joints].tolist()
            sine = np.linalg.norm(times(inverse(mixed), wanted)[joints, 1:], axis=-1)
            angles += np.degrees(2.0 * np.arcsin(np.minimum(sine, 1.0))).tolist()
    return LockErrors(_mean(distances), _mean(angles), max(angles), max(places), max(turns))


def _mean(values: list[float]) -> float:
    """Of all but the first, which stands for none."""
    return float(np.mean(values[1:])) if len(values) > 1 else 0.0


def unreachable(key_poses: Sequence[KeyPose]) -> tuple[str, ...]:
    """A sentence for each pair of key poses that no dancer gets from one to the other of in time."""
    order = sorted(key_poses, key=lambda key: key.time_s)
    found = []
    for first, second in itertools.pairwise(order):
        apart_s = second.time_s - first.time_s
        if set(first.joints) & set(second.joints) and apart_s * 30.0 < CLOSEST_FRAMES:
            found.append(
                f"The key poses at {first.time_s:.2f} s and {second.time_s:.2f} s are less than two frames apart."
            )
    placed = [key for key in order if key.place]
    for first, second in itertools.pairwise(placed):
        apart_s = second.time_s - first.time_s
        far_m = float(np.linalg.norm(second.pelvis[:2] - first.pelvis[:2]))
        if far_m > FASTEST_PATH_M_S * max(apart_s, 1e-6):
            found.append(
                f"From the place at {first.time_s:.2f} s to the one at {second.time_s:.2f} s it is {far_m:.1f} m: "
                f"more than {FASTEST_PATH_M_S:.0f} m/s."
            )
    return tuple(found)
