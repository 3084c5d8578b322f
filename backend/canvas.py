"""The canvas of a dance: the frames that the sampler works on, what is known of them, and how they are finished.

One canvas serves all: a dance from nothing, one that goes on from a motion or arrives at one, one around passages that
stay, a section danced anew. What is known stands in its frames; the dance's own frames may have a past before and a
future behind them. Place and heading are not among the numbers: waypoints lead the path, in every prediction and in the
end, and a last pass makes key poses and the ends of what is known exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from backend.diffusion.sampling import Given
from backend.directions import Directions, KeyPose
from backend.motion.accents import accented
from backend.motion.easing import bridged, eased
from backend.motion.locking import locked
from backend.motion.motion import Motion
from backend.motion.path import Waypoint, led
from backend.motion.planting import plant
from backend.motion.representation import CHANNELS, CONTACTS, HEIGHT, YAW_RATE, decode, encode, start_of
from backend.motion.skeleton import FPS
from backend.spaces import MotionSpace, Space

CONTEXT_FRAMES = 90  # of the motion before and after that are shown


@dataclass(frozen=True)
class Canvas:
    """Frames to dance on. first, last: the dance's own (last exclusive); numbers: (F, 151), what there is in each
    frame; mask: (F, 151), 1 where it stays.

    stays: spans of frames that are known as a whole, and known: the motion they have, of F frames; start, waypoints: of
    the path; key_poses, accents_s, beats (frames): from the canvas' first frame on; novelty: 0..1.
    """

    first: int
    last: int
    numbers: Tensor
    mask: Tensor
    known: Motion
    stays: tuple[tuple[int, int], ...]
    start: Waypoint
    waypoints: tuple[Waypoint, ...]
    key_poses: tuple[KeyPose, ...]
    accents_s: tuple[float, ...]
    novelty: float
    beats: tuple[int, ...]

    @classmethod
    def of(
        cls,
        frames: int,
        directions: Directions,
        *,
        multiple: int,
        beats_s: Sequence[float] | npt.NDArray[np.float64] = (),
        floating: bool = False,
    ) -> Canvas:
        """The canvas of a dance of so many frames, a multiple of frames long.

        beats_s: of the music, from the dance's first frame; floating: whether passages that stay, but for the
        first, may be anywhere on the floor.
        """
        known, stays, first = _known_motion(frames, directions, multiple)
        numbers = encode(known)
        mask = torch.zeros_like(numbers)
        for begin, end in stays:
            numbers[begin:end], mask[begin:end] = encode(_cut(known, begin, end)), 1.0
        shift_s = first / FPS
        keys = [replace(key, time_s=key.time_s + shift_s) for key in directions.key_poses]
        keys = [key for key in keys if not any(begin <= round(key.time_s * FPS) < end for begin, end in stays)]
        for key in keys:
            row, channels = round(key.time_s * FPS), key_channels(key.joints)
            numbers[row, channels] = encode(Motion(key.pose[None], key.pelvis[None], FPS))[0, channels]
            mask[row, channels] = 1.0
        start, waypoints = _path(known, stays, keys, floating=floating)
        spare = -len(numbers) % multiple
        numbers = torch.cat([numbers, numbers[-1:].expand(spare, -1)])
        mask = torch.cat([mask, torch.zeros(spare, CHANNELS)])
        return cls(
            first,
            first + frames,
            numbers,
            mask,
            known,
            stays,
            start,
            waypoints,
            tuple(keys),
            tuple(time_s + shift_s for time_s in directions.accents_s),
            directions.novelty,
            tuple(first + round(beat_s * FPS) for beat_s in beats_s),
        )

    @property
    def free(self) -> bool:
        """Whether nothing is fixed but the words and the music."""
        return not (self.mask.any() or self.waypoints)

    def closed(self, numbers: Tensor) -> Tensor:
        """Numbers (F, 151) with the passages that stay in their places, key poses aside, on a path that is led."""
        stays = torch.zeros_like(self.mask)
        for begin, end in self.stays:
            stays[begin:end] = 1.0
        whole = eased(bridged(numbers, self.mask), self.numbers, stays)
        return led(whole, self.start, self.waypoints) if self.waypoints else whole

    def given(self, space: Space, *, strength: float = 1.0) -> Given | None:
        """What the sampler is told; None where nothing is known. Codes know whole groups of frames, and no path."""
        if self.free and strength == 1.0 and not self.novelty:
            return None
        rows = space.enter(self.numbers)
        frames = len(self.numbers) // len(rows)
        if frames == 1:
            kept = self.mask.to(rows.device)
        else:
            kept = self.mask.amin(1).unflatten(0, (-1, frames)).amin(1, keepdim=True).to(rows.device)

        def lead(predicted: Tensor) -> Tensor:
            return space.enter(led(space.leave(predicted), self.start, self.waypoints))

        moves = isinstance(space, MotionSpace)
        return Given(
            rows,
            kept,
            strength=max(strength, 0.05),
            adjust=lead if self.waypoints and moves else None,
            novelty=self.novelty,
            eased=moves,
            beats=self.beats,
        )

    def danced(self, numbers: Tensor, *, exactly: bool = True) -> Motion:
        """The dance's own frames, placed, on their feet, of refined numbers (F, 151) on the CPU.

        exactly: whether key poses and the ends of what is known are met to the last digit.
        """
        whole = self.closed(numbers)
        assert self.start.place is not None
        assert self.start.yaw is not None
        placed = decode(whole, pelvis_xy=self.start.place, yaw=self.start.yaw)
        motion, standing = plant(placed, whole[:, CONTACTS].double().numpy())
        keys = [*self.key_poses, *self._ends()] if exactly else []
        if self.accents_s:
            frames = [round(key.time_s * FPS) for key in self.key_poses]
            motion = accented(motion, self.accents_s, fixed=[*self.stays, *((each, each + 1) for each in frames)])
        if keys:  # an accent changes when the feet stand
            motion = locked(motion, keys, contact=None if self.accents_s else standing)
        poses, pelvis = motion.poses.copy(), motion.pelvis.copy()
        if exactly:
            for begin, end in self.stays:
                if not self._floats(begin):
                    poses[begin:end], pelvis[begin:end] = self.known.poses[begin:end], self.known.pelvis[begin:end]
        own = slice(self.first, self.last)
        return Motion(poses[own], pelvis[own], FPS)

    def _floats(self, begin: int) -> bool:
        """Whether a passage that stays may be anywhere on the floor."""
        return begin > 0 and not any(point.frame == begin for point in self.waypoints)

    def _ends(self) -> list[KeyPose]:
        """The frames next to what is made anew, as key poses: two on either side, so that speeds go on, too."""
        ends = []
        for begin, end in self.stays:
            inner = {begin, begin + 1} if begin > 0 else set()
            inner |= {end - 2, end - 1} if end < self.known.frames else set()
            binding = not self._floats(begin)
            for frame in sorted(each for each in inner if begin <= each < end):
                pose, pelvis = self.known.poses[frame], self.known.pelvis[frame]
                ends.append(KeyPose(frame / FPS, pose, pelvis, place=binding, heading=binding))
        return ends


def key_channels(joints: Sequence[int]) -> list[int]:
    """Which of the 151 numbers a key pose of these joints fixes; of the pelvis its lean and its height."""
    channels = [7 + 6 * joint + number for joint in joints for number in range(6)]
    if 0 in joints:
        channels = [HEIGHT, *(channel for channel in channels if channel != YAW_RATE)]
    return channels


def _known_motion(
    frames: int, directions: Directions, multiple: int
) -> tuple[Motion, tuple[tuple[int, int], ...], int]:
    """A motion of the canvas' length with what is known in its place, the spans that stay, the dance's first frame."""
    before = after = 0
    parts: list[Motion] = []
    own = directions.kept or _still(frames)
    stays: list[tuple[int, int]] = []
    if directions.before is not None:
        past = _at_least(directions.before, multiple)
        before = min(past.frames, CONTEXT_FRAMES) // multiple * multiple
        parts.append(_cut(past, past.frames - before, past.frames))
        stays.append((0, before))
    parts.append(own)
    stays += [(before + begin, before + end) for begin, end in directions.kept_frames]
    if directions.after is not None:
        after = min(directions.after.frames, CONTEXT_FRAMES)
        parts.append(_cut(directions.after, 0, after))
        stays.append((before + frames, before + frames + after))
    poses, pelvis = (np.concatenate([getattr(part, name) for part in parts]) for name in ("poses", "pelvis"))
    return Motion(poses, pelvis, FPS), _joined(stays), before


def _at_least(motion: Motion, frames: int) -> Motion:
    """The motion, its first frame held until there are so many frames."""
    missing = max(frames - motion.frames, 0)
    poses = np.pad(motion.poses, ((missing, 0), (0, 0), (0, 0)), mode="edge")
    return Motion(poses, np.pad(motion.pelvis, ((missing, 0), (0, 0)), mode="edge"), motion.fps)


def _joined(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans in order; those that touch become one."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def _path(
    known: Motion, stays: Sequence[tuple[int, int]], keys: Sequence[KeyPose], *, floating: bool
) -> tuple[Waypoint, tuple[Waypoint, ...]]:
    """Where the path starts, and what it is led through."""
    points: dict[int, Waypoint] = {}
    for key in keys:
        frame, (place, yaw) = round(key.time_s * FPS), start_of(Motion(key.pose[None], key.pelvis[None], FPS))
        there = points.get(frame, Waypoint(frame, None, None))
        points[frame] = Waypoint(frame, place if key.place else there.place, yaw if key.heading else there.yaw)
    for begin, end in stays:
        if floating and begin > 0:
            continue
        points[begin] = _waypoint(known, begin)
        if end - 1 > begin:
            points[end - 1] = replace(_waypoint(known, end - 1), rigid=True)
    here, yaw = start_of(_cut(known, 0, 1))
    first = points.pop(0, Waypoint(0, None, None))
    start = Waypoint(0, first.place or here, yaw if first.yaw is None else first.yaw)
    ordered = [points[frame] for frame in sorted(points)]
    return start, tuple(point for point in ordered if point.place is not None or point.yaw is not None)


def _waypoint(motion: Motion, frame: int) -> Waypoint:
    place, yaw = start_of(_cut(motion, frame, frame + 1))
    return Waypoint(frame, place, yaw)


def _still(frames: int) -> Motion:
    """Nobody yet: a figure that stands at the origin, facing the viewer."""
    poses = np.zeros((frames, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2  # of SMPL's rest frame into the world's
    pelvis = np.zeros((frames, 3), dtype=np.float32)
    return Motion(poses, pelvis, FPS)


def _cut(motion: Motion, first: int, last: int) -> Motion:
    return Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps)
