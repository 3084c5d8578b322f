"""The final pass of key poses: a dance that comes near its locks is led exactly through them.

Every locked joint gets an offset at its lock, which fades over so many frames that no joint has to hurry; locks near
each other are joined directly. Places and headings bend the path between them. Feet that stand keep standing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.directions import KeyPose
from backend.errors import PirouetteError
from backend.motion.contacts import contact_labels
from backend.motion.lock_curves import FloatArray, Span, inverse, times
from backend.motion.lock_feet import Give, legs_of, standing
from backend.motion.lock_path import about_vertical, drawn, freedom, headings, turned
from backend.motion.lock_poses import Body, posed, reaches
from backend.motion.lock_speed import calmed, hurry
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, quaternion_to_axis_angle
from backend.motion.skeleton import forward_kinematics

BoolArray = npt.NDArray[np.bool_]

SMOOTHINGS_FRAMES = (2.0, 3.0, 4.0, 6.0, 8.0)  # tried where a joint hurries
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
    before = motion.joints()
    contact = _contact(before, motion.fps) if contact is None else contact
    body = _led(motion, keys, fixed, freedom(contact))
    pelvis_locks, leg_locks = _locked_frames(keys)
    poses, pelvis = standing(
        quaternion_to_axis_angle(body.turns),
        body.pelvis,
        before=before,
        contact=contact,
        give=Give.of(motion.frames, pelvis_locks, leg_locks),
        fps=motion.fps,
    )
    return _kept(Motion(poses, pelvis, motion.fps), motion, fixed)


def _led(motion: Motion, keys: Sequence[tuple[int, KeyPose]], fixed: Sequence[Span], free: FloatArray) -> Body:
    """The motion through its locks, the feet aside: smoothed near them as long as a joint hurries."""
    body = Body.of(motion)
    reach = reaches(body, keys, motion.fps)
    locks = np.array(sorted({frame for frame, _ in keys}), dtype=np.int64)
    body = _placed(posed(body, keys, fixed, reach), motion, keys, fixed, free)
    for sigma in SMOOTHINGS_FRAMES:
        fast = hurry(body.turns, body.pelvis, locks, fps=motion.fps)
        if not fast.any():
            break
        turns, pelvis = calmed(body.turns, body.pelvis, fast, sigma_frames=sigma, fixed=fixed)
        body = _placed(posed(Body(turns, pelvis), keys, fixed, reach), motion, keys, fixed, free)
    return body


def _locked_frames(keys: Sequence[tuple[int, KeyPose]]) -> tuple[list[int], tuple[list[int], list[int]]]:
    """The frames that lock the pelvis' height, and those that lock the left and the right leg."""
    legs: tuple[list[int], list[int]] = ([], [])
    for frame, key in keys:
        for side, fixes in enumerate(legs_of(key.joints)):
            if fixes:
                legs[side].append(frame)
    return [frame for frame, key in keys if 0 in key.joints], legs


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
