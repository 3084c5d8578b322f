"""The final pass of key poses: a dance that comes near its locks is led exactly through them.

Every locked joint gets an offset at its lock, which fades over so many frames that no joint has to hurry; locks near
each other are joined directly. Places and headings bend the path between them. Feet that stand keep standing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backend.directions import WHOLE_BODY, KeyPose
from backend.errors import PirouetteError
from backend.motion.contacts import contact_labels
from backend.motion.lock_curves import FloatArray, Span, inverse, joints_of, times
from backend.motion.lock_feet import Give, legs_of, standing
from backend.motion.lock_path import about_vertical, drawn, freedom, headings, turned
from backend.motion.lock_poses import Body, posed, reaches
from backend.motion.lock_speed import calmed, fastest, hurry
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion
from backend.motion.skeleton import FPS

BoolArray = npt.NDArray[np.bool_]

SMOOTHINGS_FRAMES = (3.0, 6.0, 12.0, 20.0)  # tried where a joint hurries
FASTEST_PATH_M_S = 3.0
FASTEST_M_S = 4.3  # of a joint: the 99.5th percentile of real dances
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
    before = joints_of(axis_angle_to_quaternion(motion.poses), motion.pelvis)
    contact = _contact(before, motion.fps) if contact is None else contact
    body = _led(motion, keys, fixed, freedom(contact), fastest(before, fps=motion.fps))
    give = Give.of(motion.frames, *_unyielding(keys, fixed))
    poses, pelvis = standing(body.turns, body.pelvis, before=before, contact=contact, give=give, fps=motion.fps)
    return _kept(Motion(poses, pelvis, motion.fps), motion, fixed)


def _led(
    motion: Motion, keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span], free: FloatArray, was: FloatArray
) -> Body:
    """The motion through its locks, the feet aside: smoothed near them while a joint hurries; was: (T - 1,) m/s."""
    body = Body.of(motion)
    reach = reaches(body, keys, motion.fps)
    locks = np.array(sorted({frame for frame, _ in keys}), dtype=np.int64)
    body = _placed(posed(body, keys, fixed, reach), motion, keys, fixed, free)
    fast = np.zeros(motion.frames, dtype=bool)
    for sigma in SMOOTHINGS_FRAMES:
        now = hurry(body.turns, body.pelvis, was, locks, fps=motion.fps)
        if not now.any():
            break
        fast |= now
        turns, pelvis = calmed(body.turns, body.pelvis, fast, sigma_frames=sigma, fixed=fixed)
        body = Body(turns, pelvis)
        reach = np.maximum(reach, reaches(body, keys, motion.fps))
        body = _placed(posed(body, keys, fixed, reach), motion, keys, fixed, free)
    return body


def _unyielding(
    keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span]
) -> tuple[list[int], tuple[list[int], list[int]]]:
    """The frames whose pelvis keeps its height, and those whose left and right leg stays as it is."""
    stay = [frame for first, stop in fixed for frame in range(first, stop)]
    legs = (list(stay), list(stay))
    for frame, key in keys:
        for side, fixes in enumerate(legs_of(key.joints)):
            if fixes:
                legs[side].append(frame)
    return [*stay, *(frame for frame, key in keys if 0 in key.joints)], legs


def _contact(joints: FloatArray, fps: float) -> BoolArray:
    """(T, 2) of the left and right foot: its ankle or its ball stands."""
    labels = contact_labels(joints, fps=fps)
    return np.asarray(labels[:, :2] | labels[:, 2:])


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


def _placed(
    body: Body, motion: Motion, keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span], free: FloatArray
) -> Body:
    """The body at its locked places and headings."""
    facing = {frame: float(headings(axis_angle_to_quaternion(key.pose[:1]))[0]) for frame, key in keys if key.heading}
    places = {frame: np.asarray(key.pelvis[:2], dtype=np.float64) for frame, key in keys if key.place}
    if not facing and not places:
        return body
    stays = {frame: motion.pelvis[frame, :2].astype(np.float64) for span in fixed for frame in (span[0], span[1] - 1)}
    turns, pelvis = body.turns.copy(), body.pelvis
    if facing:
        turns[:, 0], pelvis = turned(turns[:, 0], pelvis, facing, fixed, free)
    return Body(turns, drawn(pelvis, places, stays, free))


def lock_errors(motion: Motion, key_poses: Sequence[KeyPose]) -> LockErrors:
    """How far the motion is from its key poses. Raises PirouetteError("bad_range") for a key pose beyond it."""
    distances, angles, places, turns = [0.0], [0.0], [0.0], [0.0]
    body = Body.of(motion)
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
            both = joints_of(np.stack([mixed, wanted]), np.zeros((2, 3)))
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
    for first, second in pairwise([key for key in order if key.joints]):
        apart_s = second.time_s - first.time_s
        speed_m_s = _distance_m(first, second) / max(apart_s, 1e-6)
        if set(first.joints) & set(second.joints) and apart_s * FPS < CLOSEST_FRAMES:
            found.append(f"The key poses {_at(first, second)} are less than two frames apart.")
        elif speed_m_s > FASTEST_M_S:
            found.append(f"Between the key poses {_at(first, second)} the body would move at {speed_m_s:.1f} m/s.")
    for first, second in pairwise([key for key in order if key.place]):
        far_m = float(np.linalg.norm(second.pelvis[:2] - first.pelvis[:2]))
        speed_m_s = far_m / max(second.time_s - first.time_s, 1e-6)
        if speed_m_s > FASTEST_PATH_M_S:
            found.append(
                f"The places {_at(first, second)} are {far_m:.1f} m apart: the dancer would have to run there."
            )
    return tuple(found)


def _at(first: KeyPose, second: KeyPose) -> str:
    return f"at {first.time_s:.2f} s and {second.time_s:.2f} s"


def _distance_m(first: KeyPose, second: KeyPose) -> float:
    """How far the farthest joint is from one whole pose to another, both above one place; 0 for partial poses."""
    if not set(first.joints) == set(second.joints) == set(WHOLE_BODY):
        return 0.0
    turns = axis_angle_to_quaternion(np.stack([first.pose, second.pose]))
    if not (first.heading and second.heading):
        turns[:, 0] = times(about_vertical(-headings(turns[:, 0])), turns[:, 0])
    level = np.array([[0.0, 0.0, first.pelvis[2]], [0.0, 0.0, second.pelvis[2]]])
    joints = joints_of(turns, level)
    return float(np.linalg.norm(joints[0] - joints[1], axis=-1).max())
