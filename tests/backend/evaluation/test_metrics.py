"""Every metric on motion whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.beat_alignment import alignment_score, beat_alignment, motion_beats, shifted_beats
from backend.evaluation.floor import below_floor_share, floating_share
from backend.evaluation.foot_skate import foot_skate
from backend.evaluation.freezing import freezing_curve, freezing_rate
from backend.evaluation.jerk import jerk
from backend.evaluation.report import median_report, quality_report
from backend.evaluation.speed import mean_joint_speed
from backend.motion.motion import Motion
from backend.motion.skeleton import OFFSETS_M, PARENTS, REST_TO_WORLD

FPS = 30.0


def standing(frames: int) -> np.ndarray:
    """Joints (T, 24, 3) of a body standing still with the balls of its feet 2 cm above the floor."""
    rest = np.zeros((24, 3))
    for joint in range(1, 24):
        rest[joint] = rest[PARENTS[joint]] + REST_TO_WORLD @ OFFSETS_M[joint]
    rest[:, 2] -= rest[:, 2].min() - 0.02
    return np.repeat(rest[None], frames, axis=0)


def moved(frames: int, path_m: np.ndarray) -> np.ndarray:
    """The standing body carried along a path (T, 3)."""
    return standing(frames) + path_m[:, None, :]


def path(frames: int, axis: int, metres: np.ndarray) -> np.ndarray:
    result = np.zeros((frames, 3))
    result[:, axis] = metres
    return result


def seconds(frames: int, fps: float = FPS) -> np.ndarray:
    return np.arange(frames) / fps


def steps_on(beats_hz: float, *, duration_s: float, fps: float, offset_s: float = 0.0) -> np.ndarray:
    """A body that swings sideways and stands still exactly at offset + k / beats_hz."""
    t = seconds(int(duration_s * fps), fps) - offset_s
    return moved(len(t), path(len(t), 0, 0.2 * np.cos(np.pi * beats_hz * t)))


def test_planted_feet_do_not_skate() -> None:
    skate = foot_skate(standing(60), fps=FPS)
    assert (skate.mean_cm_s, skate.share_above_10, skate.contact_share) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("speed_cm_s", "share"), [(8.0, 0.0), (25.0, 1.0)])
def test_sliding_foot_is_measured_at_its_speed(speed_cm_s: float, share: float) -> None:
    skate = foot_skate(moved(60, path(60, 1, 0.01 * speed_cm_s * seconds(60))), fps=FPS)
    assert skate.mean_cm_s == pytest.approx(speed_cm_s)
    assert skate.share_above_10 == share


def test_foot_in_the_air_may_move_freely() -> None:
    airborne = moved(60, path(60, 0, 3.0 * seconds(60)) + path(60, 2, np.full(60, 0.3)))
    assert foot_skate(airborne, fps=FPS).contact_share == 0.0


def test_foot_that_lands_is_not_yet_in_contact() -> None:
    landing = moved(10, path(10, 2, np.linspace(0.02, 0.0, 10)) + path(10, 0, 1.0 * seconds(10)))
    assert foot_skate(landing, fps=FPS).contact_share == 1.0  # 6.7 cm/s down: standing
    faster = moved(10, path(10, 2, 0.02 - 0.2 * seconds(10)))
    assert foot_skate(faster, fps=FPS).contact_share == 0.0  # 20 cm/s down: landing


def test_jerk_of_a_cubic_path_is_its_third_derivative() -> None:
    cubic = moved(60, path(60, 0, 2.0 * seconds(60) ** 3))
    assert jerk(cubic, fps=FPS) == pytest.approx(12.0, rel=1e-6)
    assert jerk(moved(60, path(60, 0, 5.0 * seconds(60) ** 2)), fps=FPS) == pytest.approx(0.0, abs=1e-6)


def test_still_dancer_is_frozen_and_a_walking_one_is_not() -> None:
    assert freezing_rate(standing(60), fps=FPS) == 1.0
    assert freezing_rate(moved(60, path(60, 0, 0.5 * seconds(60))), fps=FPS) == 0.0


def test_only_stops_of_half_a_second_count_as_freezing() -> None:
    walk = 0.5 * seconds(100)
    short, long = walk.copy(), walk.copy()
    short[40:] = np.concatenate([np.full(14, walk[39]), walk[39] + 0.5 * seconds(46)])
    long[40:] = np.concatenate([np.full(30, walk[39]), walk[39] + 0.5 * seconds(30)])
    assert freezing_rate(moved(100, path(100, 0, short)), fps=FPS) == 0.0
    assert freezing_rate(moved(100, path(100, 0, long)), fps=FPS) == pytest.approx(0.30, abs=0.02)


def test_one_moving_hand_is_enough_not_to_be_frozen() -> None:
    joints = standing(60)
    joints[:, 22, 2] += 0.2 * seconds(60)
    assert freezing_rate(joints, fps=FPS) == 0.0


def test_freezing_curve_rises_with_the_threshold() -> None:
    slow = moved(60, path(60, 0, 0.08 * seconds(60)))
    np.testing.assert_array_equal(freezing_curve(slow, [0.05, 0.1], fps=FPS), [0.0, 1.0])


def test_sinking_body_is_counted_from_two_centimetres() -> None:
    depth = np.linspace(0.0, -0.08, 81)  # the toes start at +2 cm and pass -2 cm after 4 cm
    sinking = moved(81, path(81, 2, depth))
    assert below_floor_share(sinking) == pytest.approx(40 / 81, abs=1.5 / 81)
    assert below_floor_share(sinking, depth_m=0.03) == pytest.approx(30 / 81, abs=1.5 / 81)
    assert below_floor_share(standing(10)) == 0.0


def test_hovering_is_seen_and_a_jump_is_not_hovering() -> None:
    assert floating_share(moved(30, path(30, 2, np.full(30, 0.2))), fps=FPS) == 1.0
    jump = 3.0 * seconds(18) - 0.5 * 9.81 * seconds(18) ** 2
    assert floating_share(moved(18, path(18, 2, jump)), fps=FPS) == 0.0
    assert floating_share(standing(30), fps=FPS) == 0.0


def test_mean_speed_of_a_body_carried_at_one_metre_a_second() -> None:
    assert mean_joint_speed(moved(30, path(30, 0, seconds(30))), fps=FPS) == pytest.approx(1.0)


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_motion_beats_are_the_moments_of_standing_still(fps: float) -> None:
    found = motion_beats(steps_on(2.0, duration_s=6.0, fps=fps), fps=fps)
    np.testing.assert_allclose(found, np.arange(1, 12) / 2.0, atol=0.5 / fps + 1e-9)


def test_steps_exactly_on_the_beat_score_one_and_between_the_beats_nothing() -> None:
    beats = np.arange(0, 20) / 2.0
    on = beat_alignment(steps_on(2.0, duration_s=10.0, fps=FPS), beats, fps=FPS)
    assert on.motion_to_music > 0.99
    assert on.music_to_motion > 0.9  # the first beat has no minimum before it
    assert on.half_beat < 0.01
    assert on.lift > 0.6
    off = beat_alignment(steps_on(2.0, duration_s=10.0, fps=FPS, offset_s=0.25), beats, fps=FPS)
    assert off.motion_to_music < 0.01
    assert off.lift < 0.0


def test_dancer_at_another_tempo_has_no_lift() -> None:
    deaf = steps_on(1.7, duration_s=30.0, fps=FPS)
    assert abs(beat_alignment(deaf, np.arange(60) / 2.0, fps=FPS).lift) < 0.05


def test_alignment_falls_to_the_gaussian_at_one_sigma() -> None:
    assert alignment_score(np.array([1.05]), np.array([1.0, 2.0])) == pytest.approx(np.exp(-0.5))
    assert alignment_score(np.array([]), np.array([1.0])) == 0.0
    assert alignment_score(np.array([1.0]), np.array([])) == 0.0


def test_shifted_beats_keep_their_number_and_come_in_again_at_the_start() -> None:
    moved_beats = shifted_beats(np.array([0.5, 1.0, 1.5, 2.0]), 0.5, duration_s=2.2)
    np.testing.assert_allclose(moved_beats, [0.05, 0.75, 1.25, 1.75])


def test_report_names_every_metric_and_needs_no_music() -> None:
    poses = np.zeros((60, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    motion = Motion(poses, np.tile([0.0, 0.0, 0.95], (60, 1)), FPS)
    silent = quality_report(motion)
    assert silent["freezing_pct"] == 100.0
    assert silent["foot_skate_cm_s"] == 0.0
    assert "beat_alignment" not in silent
    heard = quality_report(motion, np.arange(4) / 2.0)
    assert {"beat_alignment", "beat_alignment_lift", "beat_alignment_half_beat"} <= set(heard)


def test_median_report_takes_each_metric_where_it_is_known() -> None:
    middle = median_report([{"a": 1.0}, {"a": 2.0, "b": 5.0}, {"a": 9.0, "b": 7.0}])
    assert middle == {"a": 2.0, "b": 6.0}
    with pytest.raises(ValueError, match="at least one"):
        median_report([])


@pytest.mark.parametrize("metric", [foot_skate, jerk, freezing_rate, floating_share, mean_joint_speed, motion_beats])
def test_one_frame_is_refused_in_words(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="at least"):
        metric(standing(1), fps=FPS)
