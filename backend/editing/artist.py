"""What the editor needs of the models: codes of a motion, a motion of codes, new frames inside a dance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from backend.directions import KeyPose
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid

Codes = npt.NDArray[np.int16]


class Artist(Protocol):
    """The models, as far as editing calls them. All motion is at the model's frame rate."""

    def encode(self, motion: Motion, frames: Sequence[int]) -> tuple[Codes, Codes]:
        """Movement codes (K, rows) and pose codes (2K, rows) of a motion that consists of sections of so many frames,
        one behind the other.
        """

    def decode(self, movement_codes: Codes, pose_codes: Codes, frames: Sequence[int]) -> Motion:
        """The motion of consecutive runs of codes, sum(frames) frames, from the origin, refined and planted."""

    def fill(
        self,
        motion: Motion,
        span: tuple[int, int],
        *,
        grid: BeatGrid,
        sound: npt.NDArray[np.float16],
        genre: str,
        prompt: str,
        seed: int,
        strength: float,
        pinned: bool,
        model: str = "",
        key_poses: tuple[KeyPose, ...] = (),
        novelty: float = 0.0,
    ) -> Motion:
        """New frames first..last (exclusive) for a dance, which go on from the frame before them in place and heading.

        sound: (S, 37) from the dance's first frame on, shorter than the dance or empty where nothing is heard;
        strength: 0 leaves what is there, 1 uses nothing of it; pinned: they also arrive where the frame after them
        is; model: "motion", "code", or "" for the better one; key_poses: at times of the dance; those in the span are
        passed through; novelty: 0..1, how far they get away from what is before them.
        """

    def describe(self) -> dict[str, Any]:
        """Device, models and version."""
