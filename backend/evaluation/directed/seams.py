"""Seams: where a dance was joined. What the fastest joint does across one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.evaluation.directed.steps import fastest_steps, hardest_turns
from backend.motion.motion import Motion


@dataclass(frozen=True)
class Seam:
    """speed_m_s: of the fastest joint in the step across the seam; turn_m_s2: the larger of the hardest accelerations
    at the seam's two frames.
    """

    speed_m_s: float
    turn_m_s2: float


def seam_at(motion: Motion, frame: int) -> Seam:
    """The seam before a frame. Raises ValueError for one with less than two frames on either side."""
    if not 2 <= frame <= motion.frames - 2:
        raise ValueError(f"a seam before frame {frame} of {motion.frames} has no two sides")
    joints = motion_joints(motion, frame - 2, frame + 2)
    return Seam(float(fastest_steps(joints, fps=motion.fps)[1]), float(hardest_turns(joints, fps=motion.fps).max()))


def motion_joints(motion: Motion, first: int, last: int) -> np.ndarray:
    """Joints of the frames first..last (exclusive)."""
    return Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps).joints()


def joined(parts: Sequence[Motion]) -> Motion:
    """Motions at one frame rate one after the other, where they are in the world."""
    return Motion(
        np.concatenate([part.poses for part in parts]),
        np.concatenate([part.pelvis for part in parts]),
        parts[0].fps,
    )


def part_of(motion: Motion, first: int, last: int) -> Motion:
    """The frames first..last (exclusive)."""
    return Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps)
