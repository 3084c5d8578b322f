"""What an animator fixes before a dance is made: poses, places, passages that stay, sections with words of their own.

Directions belong to the timeline, as the music does: their times are seconds from the dance's first frame, and they
stay where they are when sections are moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.skeleton import JOINT_NAMES

Strategy = Literal["sequential", "bidirectional", "coarse_to_fine", "overlapping"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
Compared = Literal["forward"]  # bidirectional slices that see only what is before them: made to be measured against
WHOLE_BODY = tuple(range(len(JOINT_NAMES)))


@dataclass(frozen=True)
class KeyPose:
    """A pose that the dance passes through at a time, or a place that it passes.

    time_s: from the dance's first frame; pose: (24, 3) axis-angle; pelvis: (3,) metres in the dance's world;
    joints: numbers of the joints whose rotations are locked; 0, the pelvis, is its lean and height; none: a place
    alone; place: whether the pelvis must be above this place of the floor; heading: whether it must face as the pose
    does.
    """

    time_s: float
    pose: npt.NDArray[np.float32]
    pelvis: npt.NDArray[np.float32]
    joints: tuple[int, ...] = WHOLE_BODY
    place: bool = False
    heading: bool = False

    def __post_init__(self) -> None:
        if np.shape(self.pose) != (24, 3) or np.shape(self.pelvis) != (3,):
            raise PirouetteError("bad_request", "A key pose needs 24 joints and a place.")
        if not (np.isfinite(self.pose).all() and np.isfinite(self.pelvis).all() and np.isfinite(self.time_s)):
            raise PirouetteError("bad_request", "A key pose has numbers that are not finite.")
        if any(not 0 <= joint < len(JOINT_NAMES) for joint in self.joints):
            raise PirouetteError("bad_request", "A key pose names a joint that there is not.")
        if not (self.joints or self.place or self.heading):
            raise PirouetteError("bad_request", "A key pose locks nothing.", "Choose joints, the place or the heading.")


@dataclass(frozen=True)
class Part:
    """A span of the dance with words of its own."""

    start_s: float
    end_s: float
    genre: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class Directions:
    """All that is fixed.

    accents_s: beats at which a pose lands; parts: spans with other words than the dance's; before, after: motion at
    30 fps that the dance goes on from, and whose first frame it arrives at; kept: motion at 30 fps of the whole length,
    of which the spans kept_frames (first, last exclusive) stay; novelty: 0..1, how far the dance gets away from its own
    past; strategy: how a long dance is made, "" for the best; reuse: what parts of the music that come again share.
    """

    key_poses: tuple[KeyPose, ...] = ()
    accents_s: tuple[float, ...] = ()
    parts: tuple[Part, ...] = ()
    before: Motion | None = None
    after: Motion | None = None
    kept: Motion | None = None
    kept_frames: tuple[tuple[int, int], ...] = ()
    novelty: float = 0.0
    strategy: Strategy | Compared | Literal[""] = ""
    reuse: Literal["none", "repeat", "mirror"] = "none"
