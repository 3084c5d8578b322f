"""Which locks an edited dance passes through, and which of its frames are keyed anew because of them. No bpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .dance import DanceDocument, Placement
from .key_poses import KeyPose, shifts_to_locks
from .reply import EditResult
from .sections import changed_frames


def locks_passed(before: DanceDocument, asked: DanceDocument, result: EditResult) -> tuple[KeyPose, ...]:
    """Of the locks that were asked for, those in new frames; of the earlier ones, those in frames that stay."""
    after = result.document
    new = np.zeros(len(after.poses), dtype=np.bool_)
    for first, last in result.touched:
        new[max(first, 0) : last] = True
    stays = ~changed_frames(before, after) & ~new

    def within(key: KeyPose, mask: npt.NDArray[np.bool_]) -> bool:
        frame = round(key.time_s * after.fps)
        return frame < len(mask) and bool(mask[frame])

    kept = [key for key in before.key_poses if within(key, stays)]
    kept += [key for key in asked.key_poses if within(key, new)]
    return tuple(sorted(kept, key=lambda key: key.time_s))


def near_locks(
    before: Sequence[KeyPose], after: Sequence[KeyPose], placement: Placement, *, fps: float
) -> npt.NDArray[np.bool_]:
    """The scene's frames (placement.frames,) around locks that came or went: time is bent there to meet a lock.

    fps: of the dance.
    """

    def bent(keys: Sequence[KeyPose]) -> npt.NDArray[np.float64]:
        times_s = [key.time_s for key in keys]
        shifts = shifts_to_locks(times_s, frames=placement.frames, source_fps=fps, target_fps=placement.fps)
        return np.zeros(placement.frames) if shifts is None else shifts

    mask: npt.NDArray[np.bool_] = np.abs(bent(before) - bent(after)) > 1e-9
    return mask
