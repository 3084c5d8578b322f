"""What the tests of editing hold two dances against: rigid re-basing undone, joint speeds, sections and codes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from backend.dance import Dance, movement_count
from backend.editing.editor import Edit
from backend.motion.motion import Motion

# The 99.5th percentile of the speeds of all 24 joints in all frames of 164 real dances (CMU, G1 Moves, ChoreoNet,
# InteractionGraph, Animated Drawings: the training and validation parts of our library, 2.6 million speeds) on the
# mean SMPL body at 30 frames a second. The 99.5th percentile of each frame's fastest joint is 7.46 m/s.
FASTEST_M_S = 4.318
SAME_RAD = SAME_M = 1e-5


def speeds(motion: Motion) -> np.ndarray:
    """(T,) m/s of the fastest joint in the step into each frame; 0 for the first."""
    steps = np.linalg.norm(np.diff(motion.joints(), axis=0), axis=-1).max(axis=1) * motion.fps
    return np.concatenate([[0.0], steps])


def difference(before: Motion, after: Motion) -> tuple[float, float]:
    """Largest difference of two motions, radians of any joint and metres of the pelvis, the second one turned about Z
    and shifted on the floor to lie over the first.
    """
    rotations = [Rotation.from_rotvec(m.poses[:, 0].astype(np.float64)) for m in (before, after)]
    turn = (rotations[0] * rotations[1].inv()).mean().as_rotvec()
    turn = Rotation.from_rotvec([0.0, 0.0, turn[2]])
    pelvis = turn.apply(after.pelvis.astype(np.float64))
    shift = (before.pelvis - pelvis).mean(axis=0) * [1.0, 1.0, 0.0]
    metres = np.abs(pelvis + shift - before.pelvis).max()
    root = (rotations[0].inv() * turn * rotations[1]).magnitude().max()
    others = [Rotation.from_rotvec(m.poses[:, 1:].astype(np.float64).reshape(-1, 3)) for m in (before, after)]
    return max(float(root), float((others[0].inv() * others[1]).magnitude().max())), float(metres)


def cut(motion: Motion, first: int, last: int) -> Motion:
    return Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps)


def origins(before: Dance, edit: Edit) -> np.ndarray:
    """(T,) the frame of the dance before that each frame of the result is, -1 for touched ones."""
    origin = np.arange(edit.dance.motion.frames)
    origin[before.motion.frames :] = -1
    for old, stop, new in edit.moved:
        origin[new : new + stop - old] = np.arange(old, stop)
    for first, last in edit.touched:
        origin[first:last] = -1
    return origin


def check_unchanged(before: Dance, edit: Edit) -> int:
    """Every frame outside the touched spans is a frame of the dance before; returns how many there are."""
    origin = origins(before, edit)
    moved = np.zeros(len(origin), dtype=bool)
    for old, stop, new in edit.moved:
        moved[new : new + stop - old] = True
        radians, metres = difference(cut(before.motion, old, stop), cut(edit.dance.motion, new, new + stop - old))
        assert radians <= SAME_RAD
        assert metres <= SAME_M
    still = np.flatnonzero(~moved & (origin >= 0))
    assert (origin[still] == still).all()
    np.testing.assert_array_equal(edit.dance.motion.poses[still], before.motion.poses[still])
    np.testing.assert_array_equal(edit.dance.motion.pelvis[still], before.motion.pelvis[still])
    return int((origin >= 0).sum())


def check_seams(before: Dance, edit: Edit, *, fast_itself: bool = False) -> None:
    """No joint is faster across a seam, or in a blend, than real dancers' are; a blend may keep frames of the dance
    that were faster, and those of new material where that is fast itself.
    """
    after, own = speeds(edit.dance.motion), speeds(before.motion)
    for seam in edit.report["seams"]:
        first, last = seam["blended"]
        assert after[seam["frame"]] <= FASTEST_M_S, seam
        around = range(max(first, 1), min(last + 1, len(after)))
        allowed = max(FASTEST_M_S, seam["own_m_s"] if fast_itself else 0.0, *_own_speeds(before, edit, own, seam))
        assert max(after[frame] for frame in around) <= allowed, seam


def _own_speeds(before: Dance, edit: Edit, own: np.ndarray, seam: dict[str, Any]) -> list[float]:
    """The fastest joints of the frames that a blend bent, where those were frames of the dance before."""
    first, last = seam["blended"]
    origin = origins(before, edit)
    left, right = seam["frame"] - first, last - seam["frame"]
    found = [0.0]
    if left and first > 0 and origin[first - 1] >= 0:
        found.append(own[origin[first - 1] : origin[first - 1] + left + 1].max())
    if right and last < len(origin) and origin[last] >= 0:
        found.append(own[origin[last] - right + 1 : origin[last] + 1].max())
    return found


def check_in_step(before: Dance, edit: Edit) -> None:
    """The music is where it was; sections cover the dance; codes and contacts fit it."""
    after = edit.dance
    np.testing.assert_array_equal(after.grid.beats_s, before.grid.beats_s)
    np.testing.assert_array_equal(after.grid.downbeat, before.grid.downbeat)
    np.testing.assert_array_equal(after.sound, before.sound)
    spans = [after.frames_of(section) for section in after.sections]
    assert spans[0][0] == 0
    assert spans[-1][1] == after.motion.frames
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    assert all(first < last for first, last in spans)
    assert all(a.end_s == b.start_s for a, b in pairwise(after.sections))
    rows = sum(movement_count(last - first) for first, last in spans)
    assert (len(after.movement_codes), len(after.pose_codes)) == (rows, 2 * rows)
    assert after.contacts.shape == (after.motion.frames, 4)
    names = [section.name for section in after.sections]
    assert len(set(names)) == len(names)
