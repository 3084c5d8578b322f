"""A gap in a dance that is to be filled: what is known around it, and how the filling is put back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from backend.diffusion.sampling import Given
from backend.motion.arrival import arriving, travelled, wrapped
from backend.motion.motion import Motion
from backend.motion.planting import plant
from backend.motion.representation import CONTACTS, decode, encode, start_of
from backend.spaces import MotionSpace, Space

EASED_FRAMES = 8  # at either end of a gap that lead from what was there to what is new
CONTEXT_FRAMES = 24  # on either side; a multiple of 8


@dataclass(frozen=True)
class Gap:
    """Frames of a window of a dance that are made anew.

    motion: the whole dance; begin: the window's first frame; frames: its length; first, last: the gap, in frames of the
    window; numbers: (frames, 151) of the window; pinned: whether the filling arrives where the dance goes on.
    """

    motion: Motion
    begin: int
    frames: int
    first: int
    last: int
    numbers: Tensor
    pinned: bool

    @classmethod
    def around(cls, motion: Motion, span: tuple[int, int], *, multiple: int, pinned: bool) -> Gap:
        """The window around a span, a multiple of frames long; filled up with the last frame at the dance's end."""
        first, last = span
        begin = first - min(CONTEXT_FRAMES, first // multiple * multiple)
        end = min(last + CONTEXT_FRAMES, motion.frames)
        numbers = encode(Motion(motion.poses[begin:end], motion.pelvis[begin:end], motion.fps))
        if begin > 0:  # a window's first frame has no step of its own
            numbers[0] = encode(Motion(motion.poses[begin - 1 : end], motion.pelvis[begin - 1 : end], motion.fps))[1]
        spare = -len(numbers) % multiple
        numbers = torch.cat([numbers, numbers[-1:].expand(spare, -1)])
        arrives = pinned and first > 0 and last < motion.frames
        return cls(motion, begin, len(numbers), first - begin, last - begin, numbers, arrives)

    def closed(self, numbers: Tensor) -> Tensor:
        """Numbers (frames, 151) with what is known in its place, and a path that arrives."""
        whole = self.numbers.to(numbers.device).clone()
        whole[self.first : self.last] = numbers[self.first : self.last]
        if self.pinned:
            goal = travelled(self.numbers[self.first : self.last + 1].to(whole.device))
            whole[self.first : self.last + 1] = arriving(whole[self.first : self.last + 1], *goal)
        return whole

    def planted(self, numbers: Tensor) -> Motion:
        """The gap's frames on their feet, going on from the dance before them.

        Where they are to arrive, planting leads the path astray: it is drawn back, and the legs keep the feet standing.
        """
        whole = self.closed(numbers)
        likelihood = whole[:, CONTACTS].double().numpy()
        window = self._placed(plant(decode(whole), likelihood)[0])
        if self.pinned:
            window = plant(window, likelihood, keep_path=True)[0]
        inside = slice(self.first, self.last)
        return Motion(window.poses[inside], window.pelvis[inside], window.fps)

    def given(self, space: Space, strength: float) -> Given:
        """What the sampler is told. In the space of motion every step's prediction arrives, so that the feet follow the
        path; codes know no path.
        """
        rows = space.enter(self.numbers)
        frames = self.frames // len(rows)
        kept = torch.ones(len(rows), device=rows.device)
        kept[self.first // frames : -(-self.last // frames)] = 0.0
        if self.pinned and frames == 1:
            ramp = torch.linspace(1.0, 0.0, EASED_FRAMES + 2)[1:-1].to(kept)
            ramp = ramp[: (self.last - self.first) // 2]
            kept[self.first : self.first + len(ramp)] = ramp
            kept[self.last - len(ramp) : self.last] = ramp.flip(0)

        def arrive(predicted: Tensor) -> Tensor:
            return space.enter(self.closed(space.leave(predicted)))

        follows = self.pinned and isinstance(space, MotionSpace)
        return Given(rows, kept, max(strength, 0.05), arrive if follows else None)

    def _placed(self, window: Motion) -> Motion:
        """A filled window, moved so that it goes on from the dance before the gap, and, where pinned, drawn to where it
        goes on.
        """
        poses, pelvis = window.poses.astype(np.float64), window.pelvis.astype(np.float64)
        anchor = self.first - 1 if self.first > 0 else self.last
        if self.begin + anchor < self.motion.frames:
            poses, pelvis = _moved(poses, pelvis, *self._offset(poses, pelvis, anchor), share=np.ones(len(poses)))
        if self.pinned:
            share = np.clip((np.arange(len(poses)) - self.first + 1) / (self.last - self.first + 1), 0.0, 1.0)
            share = share * share * (3.0 - 2.0 * share)
            poses, pelvis = _moved(poses, pelvis, *self._offset(poses, pelvis, self.last), share=share)
        return Motion(poses.astype(np.float32), pelvis.astype(np.float32), window.fps)

    def _offset(self, poses: np.ndarray, pelvis: np.ndarray, frame: int) -> tuple[float, np.ndarray, np.ndarray]:
        """Turn, place now (2,) and place wanted (2,) that bring a frame of the window onto the dance."""
        (x, y), yaw = start_of(_one(self.motion.poses, self.motion.pelvis, self.begin + frame, self.motion.fps))
        (now_x, now_y), now_yaw = start_of(_one(poses, pelvis, frame, self.motion.fps))
        return wrapped(yaw - now_yaw), np.array([now_x, now_y]), np.array([x, y])


def _one(poses: np.ndarray, pelvis: np.ndarray, frame: int, fps: float) -> Motion:
    return Motion(poses[frame : frame + 1].astype(np.float32), pelvis[frame : frame + 1].astype(np.float32), fps)


def _moved(
    poses: np.ndarray, pelvis: np.ndarray, turn: float, place: np.ndarray, goal: np.ndarray, *, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A motion turned about the vertical through ``place``, which goes to ``goal``; each frame by its share."""
    turns = Rotation.from_rotvec(np.outer(turn * share, [0.0, 0.0, 1.0]))
    moved = pelvis.copy()
    centred = pelvis - [*place, 0.0]
    moved[:, :2] = turns.apply(centred)[:, :2] + place + share[:, None] * (goal - place)
    turned = poses.copy()
    turned[:, 0] = (turns * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
    return turned, moved
