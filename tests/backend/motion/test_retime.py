"""Arriving on the beat: stops move onto the beats, nothing else is lost, and the pace stays gentle."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.beat_alignment import beat_alignment
from backend.motion.motion import Motion
from backend.motion.representation import decode, encode, read_at
from backend.motion.retime import arrivals, pace_to_beats
from tests.fixtures.make_motion import sway


def long_sway() -> Motion:
    motion = sway()
    return Motion(np.tile(motion.poses, (4, 1, 1)), np.tile(motion.pelvis, (4, 1)), motion.fps)


@pytest.mark.parametrize("late_s", [-0.1, 0.05, 0.12])
def test_stops_move_onto_the_beats(late_s: float) -> None:
    motion = long_sway()
    stops, _ = arrivals(motion.joints(), fps=30.0)
    beats = stops + late_s
    place = pace_to_beats(motion.joints(), beats, fps=30.0)
    moved = decode(read_at(encode(motion), place))
    before, after = (beat_alignment(m.joints(), beats, fps=30.0).motion_to_music for m in (motion, moved))
    assert after > 0.8
    assert after > before


def test_time_runs_forward_from_the_first_frame_to_the_last() -> None:
    motion = long_sway()
    rng = np.random.default_rng(0)
    place = pace_to_beats(motion.joints(), np.sort(rng.uniform(0, 12, 30)), fps=30.0)
    assert place[0] == 0.0
    assert place[-1] == pytest.approx(motion.frames - 1)
    assert np.all(np.diff(place) > 0.3)
    assert np.all(np.diff(place) < 2.0)


def test_a_dance_without_beats_or_stops_is_left_alone() -> None:
    motion = long_sway()
    still = Motion(motion.poses[:1].repeat(60, axis=0), motion.pelvis[:1].repeat(60, axis=0), 30.0)
    for joints, beats in ((motion.joints(), np.zeros(0)), (still.joints(), np.arange(0, 2, 0.5))):
        assert np.allclose(pace_to_beats(joints, beats, fps=30.0), np.arange(len(joints)))


def test_far_stops_stay_where_they_are() -> None:
    motion = long_sway()
    stops, _ = arrivals(motion.joints(), fps=30.0)
    place = pace_to_beats(motion.joints(), stops + 0.25, fps=30.0)  # half a beat away: nobody's
    assert np.allclose(place, np.arange(motion.frames), atol=0.5)
