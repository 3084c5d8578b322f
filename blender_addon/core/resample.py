"""Change a motion's frame rate by time: frame ``i`` of a motion is the pose at ``i / fps`` seconds.

Rotations go along the great arc between the two neighbouring quaternions (Shoemake 1985), the pelvis through a cubic.
This file depends on numpy alone and is copied into the add-on: both sides mean the same pose at the same second.
Quaternions are ``w, x, y, z``, Blender's order.
"""

from __future__ import annotations

import numpy as np

_SMALL_ANGLE = 1e-6  # radians; below it sin(x)/x is 1 to double precision
_EXTRAPOLATED_FRAMES = 0.5  # how far beyond the last source frame a sample may run on


def axis_angle_to_quaternion(axis_angle: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) of axis-angle vectors (..., 3) in radians; ``w, x, y, z``."""
    vectors = np.asarray(axis_angle, dtype=np.float64)
    half = 0.5 * np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    safe = np.where(half < _SMALL_ANGLE, 1.0, half)
    scale = np.where(half < _SMALL_ANGLE, 0.5, 0.5 * np.sin(safe) / safe)
    quaternions = np.empty((*vectors.shape[:-1], 4))
    quaternions[..., 0] = np.cos(half)
    quaternions[..., 1:] = vectors * scale[..., None]
    return quaternions


def quaternion_to_axis_angle(quaternions: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (..., 3), at most pi long, of unit quaternions (..., 4) in ``w, x, y, z``."""
    unit = np.asarray(quaternions, dtype=np.float64)
    unit = np.where(unit[..., :1] < 0.0, -unit, unit)
    vector = unit[..., 1:]
    sine = np.sqrt(np.einsum("...i,...i->...", vector, vector))
    safe = np.where(sine < _SMALL_ANGLE, 1.0, sine)
    scale = np.where(sine < _SMALL_ANGLE, 2.0, 2.0 * np.arctan2(safe, unit[..., 0]) / safe)
    result: np.ndarray = vector * scale[..., None]
    return result


def continuous_quaternions(quaternions: np.ndarray) -> np.ndarray:
    """The same rotations (T, ..., 4) with signs chosen so that no frame jumps to the opposite quaternion.

    Keyframes of q and -q are the same pose, yet an interpolated curve between them tumbles.
    """
    same = np.array(quaternions, dtype=np.float64)
    flips = np.einsum("...i,...i->...", same[1:], same[:-1]) < 0.0
    same[1:] *= np.where(np.logical_xor.accumulate(flips, axis=0), -1.0, 1.0)[..., None]
    return same


def slerp(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Quaternions on the short arc from start to end (..., 4); share (...) is 0 at start, 1 at end, more runs on."""
    opposite = np.einsum("...i,...i->...", start, end) < 0.0
    end = np.where(opposite[..., None], -end, end)
    chord = end - start
    angle = 2.0 * np.arcsin(np.minimum(0.5 * np.sqrt(np.einsum("...i,...i->...", chord, chord)), 1.0))
    small = angle < _SMALL_ANGLE
    safe = np.where(small, 1.0, angle)
    sine = np.sin(safe)
    before = np.where(small, 1.0 - share, np.sin((1.0 - share) * safe) / sine)
    after = np.where(small, share, np.sin(share * safe) / sine)
    result: np.ndarray = before[..., None] * start + after[..., None] * end
    return result


def resampled_frames(frames: int, *, source_fps: float, target_fps: float) -> int:
    """How many frames at the target rate last as long as ``frames`` at the source rate, to the nearest frame."""
    return max(1, int(np.floor(frames * target_fps / source_fps + 0.5)))


def sample_times(frames: int, *, source_fps: float, target_fps: float, target_frames: int) -> np.ndarray:
    """Position of each target frame on the source, in source frames (target_frames,).

    The last source frame stands for a whole frame of time, so samples may run on for half a frame and then hold.
    """
    last = frames - 1 + (_EXTRAPOLATED_FRAMES if frames > 1 else 0.0)
    times: np.ndarray = np.minimum(np.arange(target_frames) * (source_fps / target_fps), last)
    return times


def _cubic(values: np.ndarray, index: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Catmull-Rom through values (T, C) at index + share; straight where it runs on beyond the last value."""
    last = len(values) - 1
    slopes = np.gradient(values, axis=0)
    u = np.minimum(share, 1.0)[:, None]
    beyond = np.maximum(share - 1.0, 0.0)[:, None]
    right = np.minimum(index + 1, last)
    result: np.ndarray = (
        (1 + 2 * u) * (1 - u) ** 2 * values[index]
        + u * (1 - u) ** 2 * slopes[index]
        + u**2 * (3 - 2 * u) * values[right]
        + u**2 * (u - 1) * slopes[right]
        + beyond * slopes[right]
    )
    return result


def resample(
    poses: np.ndarray,
    pelvis: np.ndarray,
    *,
    source_fps: float,
    target_fps: float,
    frames: int | None = None,
    shifts: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The motion at another frame rate, lasting as long as before.

    poses: (T, ..., 3) axis-angle, radians; pelvis: (T, 3) metres; rates in frames a second, any positive number.
    frames: how many to return; by default as many as keep the duration T / source_fps to the nearest frame.
    shifts: (frames,) by how many source frames each target frame is taken later, none by default.
    Returns float32 poses (frames, ..., 3) and pelvis (frames, 3); beyond half a source frame after the end it holds.
    Raises ValueError for no frames, unequal lengths or a rate that is not positive.
    """
    count = len(poses)
    if count == 0 or len(pelvis) != count:
        raise ValueError(f"a motion needs frames, as many poses as pelvis positions: got {count} and {len(pelvis)}")
    if not (np.isfinite(source_fps) and np.isfinite(target_fps) and source_fps > 0.0 and target_fps > 0.0):
        raise ValueError(f"frame rates must be positive: got {source_fps} and {target_fps}")
    if frames is None:
        frames = resampled_frames(count, source_fps=source_fps, target_fps=target_fps)
    if count == 1 or (source_fps == target_fps and shifts is None):
        index = np.minimum(np.arange(frames), count - 1)
        return np.asarray(poses, dtype=np.float32)[index], np.asarray(pelvis, dtype=np.float32)[index]
    times = sample_times(count, source_fps=source_fps, target_fps=target_fps, target_frames=frames)
    if shifts is not None:
        times = np.clip(times + shifts, 0.0, times[-1])
    index = np.minimum(times.astype(np.int64), count - 2)
    share = times - index
    quaternions = continuous_quaternions(axis_angle_to_quaternion(poses))
    spread = share.reshape(-1, *([1] * (quaternions.ndim - 2)))
    turned = slerp(
        quaternions[index], quaternions[index + 1], np.broadcast_to(spread, (frames, *quaternions.shape[1:-1]))
    )
    moved = _cubic(np.asarray(pelvis, dtype=np.float64), index, share)
    return quaternion_to_axis_angle(turned).astype(np.float32), moved.astype(np.float32)
