"""An Artist without models: codes that tell frames apart, and smooth random movement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from backend.dance import movement_count
from backend.directions import KeyPose
from backend.editing.artist import Codes
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid


class FakeArtist:
    """encode: each code is read off the pelvis' height, so that the same frames have the same codes; decode: a
    standing body whose arms follow the codes; fill: what is there plus smooth noise from the seed. Remembers the calls.
    """

    def __init__(self) -> None:
        self.encoded: list[list[int]] = []
        self.filled: list[dict[str, Any]] = []
        self.locks: list[tuple[KeyPose, ...]] = []
        self.novelty = 0.0

    def encode(self, motion: Motion, frames: Sequence[int]) -> tuple[Codes, Codes]:
        self.encoded.append(list(frames))
        assert sum(frames) == motion.frames
        movement, poses = [], []
        first = 0
        for count in frames:
            rows = movement_count(count)
            movement.append(self._read(motion, first + np.minimum(4 * np.arange(rows), count - 1), 1))
            poses.append(self._read(motion, first + np.minimum(2 * np.arange(2 * rows), count - 1), 2))
            first += count
        return np.concatenate(movement), np.concatenate(poses)

    def decode(self, movement_codes: Codes, pose_codes: Codes, frames: Sequence[int]) -> Motion:
        counts = [movement_count(count) for count in frames]
        assert (len(movement_codes), len(pose_codes)) == (sum(counts), 2 * sum(counts))
        rows = np.concatenate(
            [start + np.arange(f) // 4 for start, f in zip(np.cumsum([0, *counts[:-1]]), frames, strict=True)]
        )
        total = sum(frames)
        poses = np.zeros((total, 24, 3))
        poses[:, 0, 0] = np.pi / 2
        poses[:, 16, 2] = gaussian_filter1d(movement_codes[rows, 0] / 1000.0, 4.0)
        poses[:, 17, 2] = gaussian_filter1d(pose_codes[2 * rows, 0] / 1000.0, 4.0)
        pelvis = np.zeros((total, 3))
        pelvis[:, 2] = 0.92
        pelvis[:, 1] = np.arange(total) * 0.01
        return Motion(poses, pelvis, 30.0)

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
        first, last = span
        self.filled.append({"span": span, "genre": genre, "prompt": prompt, "seed": seed, "pinned": pinned})
        self.locks.append(key_poses)
        self.novelty = novelty
        random = np.random.default_rng(seed)
        noise = gaussian_filter1d(random.normal(size=(last - first, 24, 3)), 8.0, axis=0) * 2.0 * strength
        poses = motion.poses[first:last] + 0.5 * noise
        pelvis = motion.pelvis[first:last].copy()
        if not pinned:
            pelvis[:, 0] += 0.3 * strength * np.arange(last - first) / 30.0
        return Motion(poses, pelvis, 30.0)

    def describe(self) -> dict[str, Any]:
        return {"device": "none", "models": "fake", "version": "0"}

    def _read(self, motion: Motion, frames: npt.NDArray[np.int64], kind: int) -> Codes:
        heights = motion.pelvis[frames, 2:3] * 1000.0
        return np.asarray(np.round(heights) + 10_000 * (kind - 1), dtype=np.int16)
