"""A gap in a dance that is to be filled: the frames around it, as directions for a canvas of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.directions import Directions, KeyPose
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

CONTEXT_FRAMES = 24  # on either side; a multiple of 8


@dataclass(frozen=True)
class Gap:
    """Frames of a window of a dance that are made anew.

    begin: the window's first frame in the dance; frames: its length; first, last: the gap (last exclusive), in frames
    of the window; directions: what is around it, and the key poses in it; floating: whether what follows the gap may be
    anywhere on the floor.
    """

    begin: int
    frames: int
    first: int
    last: int
    directions: Directions
    floating: bool

    @classmethod
    def around(
        cls,
        motion: Motion,
        span: tuple[int, int],
        key_poses: Sequence[KeyPose],
        *,
        multiple: int,
        pinned: bool,
        novelty: float = 0.0,
    ) -> Gap:
        """The window around a span of a dance; the gap begins at a multiple of frames.

        pinned: whether the filling arrives where the dance goes on; the dance's beginning always does; novelty:
        as in ``Directions``.
        """
        first, last = span
        begin = first - min(CONTEXT_FRAMES, first // multiple * multiple)
        end = min(last + CONTEXT_FRAMES, motion.frames)
        stays = [(0, first - begin)] if first > begin else []
        stays += [(last - begin, end - begin)] if end > last else []
        keys = [replace(key, time_s=key.time_s - begin / FPS) for key in key_poses]
        directions = Directions(
            key_poses=tuple(key for key in keys if first - begin <= round(key.time_s * FPS) < last - begin),
            kept=Motion(motion.poses[begin:end], motion.pelvis[begin:end], motion.fps),
            kept_frames=tuple(stays),
            novelty=novelty,
        )
        return cls(begin, end - begin, first - begin, last - begin, directions, floating=not pinned and first > 0)

    def filling(self, window: Motion) -> Motion:
        """The gap's frames of the window."""
        inside = slice(self.first, self.last)
        return Motion(window.poses[inside], window.pelvis[inside], window.fps)
