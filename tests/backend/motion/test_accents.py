"""Accents: a stop lands on the beat and is held, the dance's length, fixed frames and far passages stay."""

from __future__ import annotations

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.motion.accents import accented
from backend.motion.motion import Motion
from tests.fixtures.make_motion import long_sway

ACCENTS_S = (3.1, 6.37, 9.6)  # beside the sway's own stops


def speed_m_s(motion: Motion) -> np.ndarray:
    return np.linalg.norm(np.gradient(motion.joints(), axis=0), axis=-1).mean(axis=1) * motion.fps


def stillness(motion: Motion) -> float:
    """Speed at the accents over the mean speed around them."""
    speed = speed_m_s(motion)
    frames = [round(accent * motion.fps) for accent in ACCENTS_S]
    return float(np.mean([speed[frame] / speed[frame - 10 : frame + 11].mean() for frame in frames]))


def test_a_stop_falls_on_the_accent() -> None:
    motion = long_sway()
    danced = accented(motion, ACCENTS_S)
    assert stillness(motion) > 0.6
    assert stillness(danced) < 0.5
    for accent in ACCENTS_S:
        frame = round(accent * motion.fps)
        around = speed_m_s(danced)[frame - 7 : frame + 8]
        assert abs(int(np.argmin(around)) - 7) <= 2


def test_the_dance_keeps_its_length_and_its_poses_away_from_accents() -> None:
    motion = long_sway()
    danced = accented(motion, ACCENTS_S)
    assert danced.frames == motion.frames
    far = np.r_[0:74, 112:172, 212:268, 308:360]
    np.testing.assert_array_equal(danced.poses[far], motion.poses[far])
    np.testing.assert_array_equal(danced.pelvis[far], motion.pelvis[far])


def test_the_dance_arrives_faster_than_it_leaves() -> None:
    motion = long_sway()
    frame = round(ACCENTS_S[0] * motion.fps)
    speed = speed_m_s(accented(motion, ACCENTS_S[:1]))
    assert speed[frame - 5 : frame - 2].mean() > 1.2 * speed[frame + 1 : frame + 4].mean()


def test_no_joint_hurries_and_time_runs_forward() -> None:
    motion = long_sway(8)
    path = np.linspace(0.0, 3.0, motion.frames)
    walking = Motion(motion.poses, np.column_stack([path, *motion.pelvis.T[1:]]), motion.fps)
    danced = accented(walking, np.arange(1.0, 23.0, 0.7).tolist())
    assert np.linalg.norm(np.diff(danced.joints(), axis=0), axis=-1).max() * motion.fps < 4.3
    assert np.diff(danced.pelvis[:, 0]).min() >= 0.0


def test_fixed_frames_stay() -> None:
    motion = long_sway()
    key, span = 100, slice(180, 240)
    danced = accented(motion, ACCENTS_S, fixed=[(key, key + 1), (span.start, span.stop)])
    np.testing.assert_array_equal(danced.poses[key], motion.poses[key])
    np.testing.assert_array_equal(danced.poses[span], motion.poses[span])
    assert not np.array_equal(danced.poses[280:300], motion.poses[280:300])


def test_an_accent_on_a_fixed_frame_changes_nothing() -> None:
    motion = long_sway()
    assert accented(motion, [3.1], fixed=[(93, 94)]) is motion


def test_accents_at_one_place_are_one() -> None:
    motion = long_sway()
    once, twice = accented(motion, [3.1]), accented(motion, [3.1, 3.2])
    np.testing.assert_array_equal(once.poses, twice.poses)


def test_an_accent_beyond_the_dance_is_refused() -> None:
    with pytest.raises(PirouetteError, match="outside the dance") as caught:
        accented(long_sway(), [40.0])
    assert caught.value.code == "bad_range"
