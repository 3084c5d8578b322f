"""A motion: SMPL poses and the path of the pelvis at a constant frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.errors import PirouetteError
from backend.motion.skeleton import MIRROR, forward_kinematics


@dataclass(frozen=True)
class Motion:
    """poses: (T, 24, 3) axis-angle, radians; pelvis: (T, 3) metres, Z up; fps: frames a second.

    Raises PirouetteError("damaged_file") for wrong shapes, no frames, numbers that are not finite.
    """

    poses: np.ndarray
    pelvis: np.ndarray
    fps: float

    def __post_init__(self) -> None:
        poses = np.ascontiguousarray(self.poses, dtype=np.float32)
        pelvis = np.ascontiguousarray(self.pelvis, dtype=np.float32)
        if poses.ndim != 3 or poses.shape[1:] != (24, 3) or pelvis.shape != (len(poses), 3) or not len(poses):
            raise PirouetteError(
                "damaged_file",
                f"A motion needs poses (T, 24, 3) and a pelvis path (T, 3), not {poses.shape} and {pelvis.shape}.",
            )
        if not (np.isfinite(poses).all() and np.isfinite(pelvis).all() and np.isfinite(self.fps) and self.fps > 0):
            raise PirouetteError("damaged_file", "The motion holds numbers that are not finite.")
        object.__setattr__(self, "poses", poses)
        object.__setattr__(self, "pelvis", pelvis)
        object.__setattr__(self, "fps", float(self.fps))

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.poses)

    @property
    def duration_s(self) -> float:
        """Seconds that the frames cover: T / fps."""
        return self.frames / self.fps

    def joints(self) -> np.ndarray:
        """Joint positions (T, 24, 3), metres, Z up."""
        return forward_kinematics(self.poses, self.pelvis)

    def mirrored(self) -> Motion:
        """The same motion with left and right exchanged (reflection in the YZ plane)."""
        poses = self.poses[:, list(MIRROR)] * np.array([1.0, -1.0, -1.0], dtype=np.float32)
        return Motion(poses, self.pelvis * np.array([-1.0, 1.0, 1.0], dtype=np.float32), self.fps)
