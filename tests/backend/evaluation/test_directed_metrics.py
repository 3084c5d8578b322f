"""Metrics of directed dances, on motions whose answers are known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.directions import KeyPose
from backend.evaluation.directed.drawn_poses import LEAST_GAP_S, lock_frames, one_dance, strange_poses
from backend.evaluation.directed.facing import facing_joints, headings, set_down
from backend.evaluation.directed.limits import beyond, real_limits
from backend.evaluation.directed.lock_error import beside, lock_error
from backend.evaluation.directed.repetition import a_phrase_apart, nearest_passages
from backend.evaluation.directed.seams import joined, part_of, seam_at
from backend.evaluation.directed.song_spans import song_span
from backend.evaluation.directed.steps import fastest_steps, hardest_turns, peaks_near
from backend.evaluation.generated_set import HeardSong
from backend.motion.motion import Motion
from backend.music.audio import Audio
from backend.music.beats import BeatGrid
from tests.backend.evaluation.bodies import FPS, carried, wild
from tests.backend.evaluation.directors import on_beats


def turned(motion: Motion, turn: float) -> Motion:
    return set_down(motion, 0, (1.0, -2.0), float(headings(motion)[0]) + turn)


def key_of(motion: Motion, frame: int, **locks: bool) -> KeyPose:
    return KeyPose(frame / FPS, motion.poses[frame], motion.pelvis[frame], **locks)


def test_lock_met_in_another_heading_and_place_has_no_error_where_they_are_free() -> None:
    motion = wild(2.0, seed=1)
    error = lock_error(turned(motion, 2.0), key_of(motion, 30))
    assert error.distance_m < 1e-5
    assert error.worst_angle_deg < 1e-2
    assert error.place_m is None
    assert error.heading_deg is None


def test_locked_place_and_heading_count() -> None:
    motion = wild(2.0, seed=1)
    error = lock_error(turned(motion, 0.5), key_of(motion, 30, place=True, heading=True))
    assert error.heading_deg == pytest.approx(np.degrees(0.5), abs=0.01)
    assert error.place_m is not None
    assert error.place_m > 1.0
    assert error.distance_m > 0.05  # the body faces another way
    assert error.worst_angle_deg == pytest.approx(np.degrees(0.5), abs=0.01)  # and so does the pelvis


def test_wrong_joint_is_told_by_its_angle() -> None:
    motion = wild(2.0, seed=2)
    key = key_of(motion, 30)
    bent = motion.poses.copy()
    elbow = Rotation.from_rotvec(bent[30, 18]) * Rotation.from_rotvec([0.0, 0.0, np.radians(12.0)])
    bent[30, 18] = elbow.as_rotvec()
    error = lock_error(Motion(bent, motion.pelvis, FPS), key)
    assert error.worst_angle_deg == pytest.approx(12.0, abs=0.01)
    assert error.angle_deg == pytest.approx(0.5, abs=0.01)
    assert 0.0005 < error.distance_m < 0.02


def test_height_of_the_pelvis_is_told() -> None:
    motion = wild(2.0, seed=2)
    key = key_of(motion, 30)
    higher = key.pelvis + np.array([0.0, 0.0, 0.04], dtype=np.float32)
    assert lock_error(motion, replace(key, pelvis=higher)).height_m == pytest.approx(0.04, abs=1e-5)


def test_locks_of_some_joints_or_outside_the_dance_are_refused() -> None:
    motion = wild(1.0, seed=2)
    with pytest.raises(ValueError, match="whole body"):
        lock_error(motion, replace(key_of(motion, 3), joints=(18,)))
    with pytest.raises(ValueError, match="outside"):
        lock_error(motion, replace(key_of(motion, 3), time_s=1.0))


def test_pose_that_is_snapped_to_for_a_frame_is_far_beside_its_lock() -> None:
    motion, other = wild(2.0, seed=3), wild(2.0, seed=4)
    key = KeyPose(1.0, other.poses[10], other.pelvis[10])
    snapped = motion.poses.copy()
    snapped[30] = other.poses[10]
    assert lock_error(Motion(snapped, motion.pelvis, FPS), key).distance_m < 1e-5
    assert beside(Motion(snapped, motion.pelvis, FPS), key) > 0.05
    assert beside(motion, key_of(motion, 30)) < beside(Motion(snapped, motion.pelvis, FPS), key)


def test_steps_turns_and_peaks_of_a_carried_body() -> None:
    path = np.concatenate([np.arange(60) * 2.0 / FPS, [59 * 2.0 / FPS + 0.1] * 60])
    joints = carried(path, axis=0)
    steps = fastest_steps(joints, fps=FPS)
    assert steps[:59] == pytest.approx(2.0)
    assert steps[59] == pytest.approx(3.0)
    assert steps[60:] == pytest.approx(0.0)
    assert hardest_turns(joints, fps=FPS)[59] == pytest.approx(3.0 * FPS)
    assert peaks_near(steps, np.array([30, 51, 69, 70]), fps=FPS) == pytest.approx([2.0, 3.0, 0.0, 0.0])


def test_half_a_per_cent_of_the_real_is_beyond_its_limits() -> None:
    dances = [wild(20.0, seed=seed) for seed in range(4)]
    limits = real_limits(dances)
    found = beyond(dances, limits)
    assert found["steps_beyond_pct"] == pytest.approx(0.5, abs=0.1)
    assert limits.usual_step_m_s < limits.step_m_s <= limits.peak_m_s
    assert limits.usual_step_m_s < limits.usual_peak_m_s
    assert found["fastest_m_s"] >= limits.step_m_s


def test_seam_tells_a_jump_and_nothing_else() -> None:
    motion = on_beats(np.arange(0.0, 6.0, 0.5), 120)
    before, after = part_of(motion, 0, 60), part_of(motion, 60, 120)
    smooth = seam_at(joined([before, after]), 60)
    away = Motion(after.poses, after.pelvis + np.array([0.3, 0.0, 0.0], dtype=np.float32), FPS)
    jump = seam_at(joined([before, away]), 60)
    assert jump.speed_m_s == pytest.approx(0.3 * FPS, rel=0.1)
    assert smooth.speed_m_s < 0.2 * jump.speed_m_s
    assert smooth.turn_m_s2 < 0.2 * jump.turn_m_s2
    with pytest.raises(ValueError, match="two sides"):
        seam_at(motion, 1)


def test_dance_in_a_loop_repeats_itself_whichever_way_it_faces() -> None:
    loop = wild(4.0, seed=6)
    looped = joined([turned(loop, turn) for turn in range(6)])
    free = wild(24.0, seed=6)
    assert nearest_passages(looped).max() < 0.1
    assert nearest_passages(free).min() > 1.0
    beats = np.arange(0.0, 24.0, 0.5)
    assert a_phrase_apart(looped, beats).max() < 0.1
    assert a_phrase_apart(free, beats).min() > 1.0
    assert len(a_phrase_apart(free, beats[:12])) == 0
    assert len(nearest_passages(part_of(free, 0, 590))) == 0


def test_facing_joints_know_neither_place_nor_heading() -> None:
    motion = wild(2.0, seed=7)
    assert facing_joints(turned(motion, 1.0)) == pytest.approx(facing_joints(motion), abs=1e-5)


def test_locks_are_drawn_apart_and_the_same_for_a_seed() -> None:
    draws = [lock_frames(np.random.default_rng(seed), frames=300) for seed in range(50)]
    assert min(np.diff(draw).min() for draw in draws) >= LEAST_GAP_S * FPS
    assert min(draw.min() for draw in draws) >= 15
    assert max(draw.max() for draw in draws) < 285
    assert len({tuple(draw) for draw in draws}) > 45
    assert (draws[3] == lock_frames(np.random.default_rng(3), frames=300)).all()


def test_poses_of_one_dance_keep_their_order_place_and_heading() -> None:
    motion = turned(wild(10.0, seed=8), 1.0)
    keys = one_dance(np.random.default_rng(0), [motion], frames=300)
    span = set_down(motion, 0, (0.0, 0.0), 0.0)
    for key in keys:
        error = lock_error(span, key)
        assert key.place
        assert key.heading
        assert error.place_m is not None
        assert error.place_m < 1e-5
        assert error.distance_m < 1e-5
    with pytest.raises(ValueError, match="300"):
        one_dance(np.random.default_rng(0), [wild(9.0, seed=1)], frames=300)


def test_strange_poses_leave_place_and_heading_free() -> None:
    keys = strange_poses(np.random.default_rng(0), [wild(2.0, seed=seed) for seed in range(9)], frames=300)
    assert len(keys) == 5
    assert not any(key.place or key.heading for key in keys)


def test_span_of_a_song_keeps_its_beats() -> None:
    beats = np.arange(0.0, 10.0, 0.5)
    grid = BeatGrid(beats, np.arange(20) % 4 == 0, 120.0, 4, clear=True)
    song = HeardSong("song", Audio(np.arange(1000, dtype=np.float32), 100), grid)
    span = song_span(song, 3.0, 7.0)
    assert span.audio.samples[0] == 300
    assert span.audio.duration_s == pytest.approx(4.0)
    assert span.grid.beats_s == pytest.approx(np.arange(0.0, 4.0, 0.5))
    assert span.grid.downbeat.tolist() == [False, False, True, False, False, False, True, False]
    with pytest.raises(ValueError, match="two beats"):
        song_span(song, 3.0, 3.4)
