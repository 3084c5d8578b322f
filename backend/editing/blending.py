"""Seams: two motions become one by offsets that decay, so that every joint goes on from where and how fast it was.

The gap between two neighbouring frames, in rotation of every joint and in place of the pelvis, is closed by offsets
that die away along a quintic over the blend's length, after Bollo's inertialization (GDC 2018); here on either side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from backend.editing.parts import cut_motion, joined_motion
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, continuous_quaternions, quaternion_to_axis_angle
from backend.motion.skeleton import FPS, forward_kinematics

FloatArray = npt.NDArray[np.float64]

LENGTHS = (8, 12, 16, 20, 24)  # frames on one side, of what is otherwise kept
LONG_LENGTHS = (*LENGTHS, 32, 40, 48)  # inside new material, where no frame is anybody's
RATE_FRAMES = 12  # within so many the joints find the speed they have without the blend
SMOOTHING_FRAMES = (2.0, 4.0, 6.0)  # of a blend that would otherwise be faster than a calm dancer
MOST_SMOOTHED = 5  # blends that are tried so
SHARES = (0.5, 0.3, 0.7)  # of the gap that is closed before a seam whose both sides may be bent
CALM_M_S = 3.6  # the 99th percentile of the speeds of a real dancer's joints: no blend needs to be calmer
FAST_M_S = 4.2  # a little under the 99.5th percentile, 4.3: no blend should be faster, not even where the dance is


@dataclass(frozen=True)
class Seam:
    """Two motions that fit each other, and how many frames of each were bent.

    peak_m_s, own_m_s: the fastest joint there with the blend and without; hurry_m_s: the most that a frame's fastest
    joint is faster than it was and than a calm dancer's, or than a fast dancer's; 0 and less for a good blend.
    """

    before: Motion
    after: Motion
    lengths: tuple[int, int]
    peak_m_s: float
    own_m_s: float
    hurry_m_s: float


@dataclass(frozen=True)
class Room:
    """How many frames may be bent before and after a seam, and whether those frames are new."""

    before: int
    after: int
    before_new: bool = False
    after_new: bool = False

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the gap to close before the seam: all or nothing where new frames, or only one side, may bend."""
        if self.before == 0 or self.after == 0:
            return (1.0,) if self.after == 0 else (0.0,)
        if self.before_new != self.after_new:
            return (float(self.before_new),)
        return SHARES


def blend(before: Motion, after: Motion, room: Room) -> Seam:
    """Join two motions as they stand, with the shortest blend that hurries no joint beyond a calm dancer's, or else
    the calmest. Raises ValueError when there is no room on either side.
    """
    if room.before == 0 and room.after == 0:
        raise ValueError("a seam needs room on one side")
    reach = LONG_LENGTHS[-1] + 2
    own = _Own(
        joint_speeds(cut_motion(before, max(before.frames - reach, 0), before.frames)),
        joint_speeds(cut_motion(after, 0, reach)),
    )
    tried: list[Seam] = []
    for share in room.shares:
        gap = _gap_of(before, after, share)
        for lengths in _lengths(room, share):
            tried.append(_bent(before, after, gap, lengths, own))
            if tried[-1].hurry_m_s <= 0.0:
                return tried[-1]
    best = sorted(tried, key=lambda seam: seam.hurry_m_s)[:MOST_SMOOTHED]
    for frames in SMOOTHING_FRAMES:
        for seam in best:
            tried.append(_calmed(seam, frames, own))
            if tried[-1].hurry_m_s <= 0.0:
                return tried[-1]
    return min(tried, key=lambda seam: seam.hurry_m_s)


def _lengths(room: Room, share: float) -> list[tuple[int, int]]:
    """The lengths to try, shortest first."""
    lengths = [
        (
            _length(length, room.before, new=room.before_new) if share > 0.0 else 0,
            _length(length, room.after, new=room.after_new) if share < 1.0 else 0,
        )
        for length in LONG_LENGTHS
    ]
    return list(dict.fromkeys(lengths))


@dataclass(frozen=True)
class _Gap:
    """Offsets on either side of the seam, of 24 rotations and the pelvis (25, 3), and how they change a frame."""

    before: FloatArray
    after: FloatArray
    rate_before: FloatArray
    rate_after: FloatArray


@dataclass(frozen=True)
class _Own:
    """The speeds of two motions without a blend, a step each, m/s."""

    before: FloatArray
    after: FloatArray

    def around(self, before: int, after: int) -> FloatArray:
        """Those of so many steps before and after the seam, and none in the step across it."""
        last = len(self.before)
        return np.concatenate([self.before[last - before :], [0.0], self.after[:after]])


def _length(wanted: int, room: int, *, new: bool) -> int:
    return min(wanted if new else min(wanted, LENGTHS[-1]), room)


def _gap_of(before: Motion, after: Motion, share: float) -> _Gap:
    last, last_place = _turns(before, -1), before.pelvis[-1].astype(np.float64)
    first, first_place = _turns(after, 0), after.pelvis[0].astype(np.float64)
    step_before, step_after = _step(before, -1), _step(after, 1)
    step = _step_between(before, after, step_before, step_after)
    going = Rotation.from_rotvec(step[:24])
    gap = (going * last * first.inv()).as_rotvec()
    met = Rotation.from_rotvec((1.0 - share) * gap) * first
    gap_place = last_place + step[24] - first_place
    back = (going.inv() * met * last.inv()).as_rotvec()
    return _Gap(
        before=np.vstack([back, [-share * gap_place]]),
        after=np.vstack([(1.0 - share) * gap, [(1.0 - share) * gap_place]]),
        rate_before=step_before - step,
        rate_after=step - step_after,
    )


def _step_between(before: Motion, after: Motion, step_before: FloatArray, step_after: FloatArray) -> FloatArray:
    """The step across the seam (25, 3): between those on either side, nearer to the slower one, and never faster than
    a calm dancer.
    """
    fast = np.array(
        [_fastest(cut_motion(before, max(before.frames - 2, 0), before.frames)), _fastest(cut_motion(after, 0, 2))]
    )
    share = 0.5 if fast.sum() < 1e-6 else float(fast[1] / fast.sum())
    speed = share * fast[0] + (1.0 - share) * fast[1]
    step = share * step_before + (1.0 - share) * step_after
    return np.asarray(step * min(1.0, CALM_M_S / max(speed, 1e-6)))


def _fastest(motion: Motion) -> float:
    """Speed of the fastest joint, m/s."""
    return float(joint_speeds(motion).max(initial=0.0))


def joint_speeds(motion: Motion) -> FloatArray:
    """(T - 1,) m/s of the fastest joint in each step."""
    joints = forward_kinematics(motion.poses, motion.pelvis)
    return np.asarray((np.linalg.norm(np.diff(joints, axis=0), axis=-1) * FPS).max(axis=1))


def _turns(motion: Motion, frame: int) -> Rotation:
    return Rotation.from_rotvec(motion.poses[frame].astype(np.float64))


def _step(motion: Motion, frame: int) -> FloatArray:
    """Turn of 24 joints and step of the pelvis (25, 3) into a frame from the one before."""
    if motion.frames < 2:
        return np.zeros((25, 3))
    previous = frame - 1
    turn = (_turns(motion, frame) * _turns(motion, previous).inv()).as_rotvec()
    place = motion.pelvis[frame].astype(np.float64) - motion.pelvis[previous]
    return np.vstack([turn, [place]])


def _bent(before: Motion, after: Motion, gap: _Gap, lengths: tuple[int, int], own: _Own) -> Seam:
    new_before, new_after = before, after
    if lengths[0]:
        new_before = _with_offsets(
            before, _decay(gap.before, gap.rate_before, lengths[0])[::-1], before.frames - lengths[0]
        )
    if lengths[1]:
        new_after = _with_offsets(after, _decay(gap.after, gap.rate_after, lengths[1]), 0)
    return _judged(new_before, new_after, lengths, own)


def _calmed(seam: Seam, frames: float, own: _Own) -> Seam:
    """The same seam, the movement in the middle of its blend smoothed in time by a Gaussian of so many frames."""
    before, after, lengths = seam.before, seam.after, seam.lengths
    start, middle, stop = before.frames - lengths[0], lengths[0], sum(lengths)
    window = joined_motion(
        [
            cut_motion(m, *span)
            for m, span in ((before, (start, before.frames)), (after, (0, lengths[1])))
            if span[0] < span[1]
        ]
    )
    turns = continuous_quaternions(axis_angle_to_quaternion(window.poses))
    smooth = gaussian_filter1d(turns, frames, axis=0, mode="nearest")
    weight = np.sin(np.pi * np.arange(stop) / max(stop - 1, 1)) ** 2
    mixed = turns + weight[:, None, None] * (smooth - turns)
    mixed /= np.linalg.norm(mixed, axis=-1, keepdims=True)
    place = window.pelvis.astype(np.float64)
    place += weight[:, None] * (gaussian_filter1d(place, frames, axis=0, mode="nearest") - place)
    poses = quaternion_to_axis_angle(mixed)
    new_before = _with_frames(before, poses[:middle], place[:middle], start)
    new_after = _with_frames(after, poses[middle:], place[middle:], 0)
    return _judged(new_before, new_after, lengths, own)


def _with_frames(motion: Motion, poses: FloatArray, pelvis: FloatArray, first: int) -> Motion:
    """The motion with other frames from ``first`` on."""
    new_poses, new_pelvis = motion.poses.copy(), motion.pelvis.copy()
    new_poses[first : first + len(poses)] = poses
    new_pelvis[first : first + len(poses)] = pelvis
    return Motion(new_poses, new_pelvis, motion.fps)


def _judged(before: Motion, after: Motion, lengths: tuple[int, int], own: _Own) -> Seam:
    """A seam with its speeds, from the frame before the blend to the one after it."""
    around = (min(lengths[0] + 1, before.frames), min(lengths[1] + 1, after.frames))
    near = cut_motion(before, before.frames - around[0], before.frames), cut_motion(after, 0, around[1])
    speeds = joint_speeds(joined_motion(near))
    was = own.around(around[0] - 1, around[1] - 1)
    hurry = float((speeds - np.clip(was, CALM_M_S, FAST_M_S)).max())
    return Seam(before, after, lengths, float(speeds.max()), float(was.max()), hurry)


def _decay(offset: FloatArray, rate: FloatArray, length: int) -> FloatArray:
    """(length, 25, 3) offsets from the seam outwards: first ``offset``, changing by ``rate``; none from length on."""
    s = (np.arange(length) / length)[:, None, None]
    place = 1 - s**3 * (10 - 15 * s + 6 * s**2)
    quick = min(length, RATE_FRAMES)
    r = np.minimum(s * length / quick, 1.0)
    speed = r - r**3 * (6 - 8 * r + 3 * r**2)
    return np.asarray(place * offset + quick * speed * rate)


def _with_offsets(motion: Motion, offsets: FloatArray, first: int) -> Motion:
    """The motion with offsets (N, 25, 3) on its frames from ``first`` on."""
    frames = slice(first, first + len(offsets))
    poses, pelvis = motion.poses.copy(), motion.pelvis.astype(np.float64)
    turned = Rotation.from_rotvec(offsets[:, :24].reshape(-1, 3)) * Rotation.from_rotvec(
        poses[frames].astype(np.float64).reshape(-1, 3)
    )
    poses[frames] = turned.as_rotvec().reshape(-1, 24, 3)
    pelvis[frames] += offsets[:, 24]
    return Motion(poses, pelvis, motion.fps)
