"""Windows, sets beside each other, and whether a dance listens and lasts."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.compare import Spread, compare, draw_halves
from backend.evaluation.generated_set import genre_turns
from backend.evaluation.generators import changed_features, changed_grid
from backend.evaluation.lasting import lasting
from backend.evaluation.listening import listening
from backend.evaluation.measure import Measured, measure
from backend.evaluation.speed_curve import beat_phases, speed_over_beat
from backend.evaluation.verdicts import Judged, verdicts
from backend.evaluation.windows import NO_BEATS, Danced, at_model_rate, piece, windows_of
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid
from backend.music.features import MusicFeatures
from tests.backend.evaluation.bodies import FPS, wild

BEATS = np.arange(60) / 2.0


def danced(seed: int, *, duration_s: float = 10.0, beats_s: np.ndarray = NO_BEATS, still: bool = False) -> Danced:
    return Danced(f"dance {seed}", wild(duration_s, seed=seed, still=still), beats_s, seed=seed)


def before(end_s: float) -> np.ndarray:
    """The beats up to a second."""
    return BEATS[: np.searchsorted(BEATS, end_s)]


def stepping(offset_s: float, *, duration_s: float = 20.0, seed: int = 0) -> Danced:
    """A stiff body that swings sideways and stands still at every half second, offset_s later."""
    still = wild(duration_s, seed=0, still=True)
    pelvis = still.pelvis.copy()
    pelvis[:, 0] += 0.2 * np.cos(2 * np.pi * (np.arange(still.frames) / FPS - offset_s))
    return Danced("song_0", Motion(still.poses, pelvis, FPS), BEATS[duration_s > BEATS], seed=seed)


def measured(count: int, *, first: int = 0, still: bool = False) -> list[Measured]:
    return [measure(w) for seed in range(first, first + count) for w in windows_of(danced(seed, still=still))]


def test_dance_is_cut_into_windows_and_a_remainder_of_five_seconds_is_kept() -> None:
    cut = list(windows_of(danced(0, duration_s=26.0, beats_s=BEATS)))
    assert [(w.start_s, w.motion.frames) for w in cut] == [(0.0, 300), (10.0, 300), (20.0, 180)]
    np.testing.assert_allclose(cut[1].beats_s, np.arange(20) / 2.0)
    assert [w.start_s for w in windows_of(danced(0, duration_s=14.0))] == [0.0]
    assert not list(windows_of(danced(0, duration_s=4.0)))


def test_window_is_the_motion_from_its_start() -> None:
    dance = danced(0, duration_s=26.0)
    np.testing.assert_array_equal(piece(dance, 10.0, 20.0).motion.poses, dance.motion.poses[300:600])


def test_every_dance_is_judged_at_thirty_frames_a_second() -> None:
    fast = at_model_rate(wild(6.0, seed=1, fps=60.0))
    assert (fast.fps, fast.frames) == (30.0, 180)
    np.testing.assert_allclose(fast.joints(), wild(6.0, seed=1).joints(), atol=0.01)


def test_real_halves_share_no_window_and_by_dances_no_dance() -> None:
    names = [f"d{number // 4}" for number in range(16)]
    halves = draw_halves(names, 20, rng=np.random.default_rng(0), draws=10)
    assert halves.count == 8
    for first, second in zip(halves.first, halves.second, strict=True):
        assert not set(first) & set(second)
    for first, second in zip(halves.dances_first, halves.dances_second, strict=True):
        assert not {names[i] for i in first} & {names[i] for i in second}
    assert draw_halves(names, 5, rng=np.random.default_rng(0)).count == 5


def test_real_dances_judged_as_generated_are_as_near_as_real_halves() -> None:
    real = measured(12)
    rows = {row.metric: row for row in compare(real, measured(12, first=100), rng=np.random.default_rng(0))}
    for name in ("fid_k", "fid_g", "fid_k_compat"):
        generated, halves = rows[name].generated, rows[name].real_vs_real
        assert generated is not None
        assert halves is not None
        assert generated.middle < 2.0 * halves.middle
    lines = {v.asked: v.reached for v in verdicts(list(rows.values()), Judged())}
    assert lines["jerk 0.7 to 1.4 times real"] is True
    assert lines["fid_k at most 2 times real against real"] is True
    assert lines["the classifier names the prompted genre in at least 60%"] is None


def test_frozen_dancers_are_found_out() -> None:
    rows = {r.metric: r for r in compare(measured(8), measured(8, still=True), rng=np.random.default_rng(0))}
    lines = {v.asked: v.reached for v in verdicts(list(rows.values()), Judged())}
    assert lines["freezing at most 2 points above real"] is False
    assert lines["jerk 0.7 to 1.4 times real"] is False
    assert lines["fid_k at most 2 times real against real"] is False
    assert lines["div_k within 25% of real"] is False


def test_one_generated_window_has_metrics_but_no_distance() -> None:
    rows = {r.metric: r for r in compare(measured(6), measured(1, first=50), rng=np.random.default_rng(0))}
    assert rows["jerk_m_s3"].generated is not None
    assert rows["fid_k"].generated is None
    with pytest.raises(ValueError, match="at least 4"):
        compare(measured(3), None, rng=np.random.default_rng(0))


def test_spread_is_the_median_between_its_quantiles() -> None:
    assert Spread.of(np.arange(101.0), tails=0.25) == Spread(50.0, 25.0, 75.0)


def test_speed_over_the_beat_is_lowest_where_the_dancer_stops() -> None:
    on = speed_over_beat(windows_of(stepping(0.0)))
    late = speed_over_beat(windows_of(stepping(0.25)))
    assert on is not None
    assert late is not None
    assert min(on[0], on[-1]) < 0.3
    assert late[12] < 0.3 < on[12]
    assert speed_over_beat(windows_of(danced(0))) is None


def test_phase_is_zero_on_the_beat_and_unknown_outside_the_beats() -> None:
    phases = beat_phases(np.array([0.2, 0.6, 1.0]), frames=12, fps=10.0)
    np.testing.assert_allclose(phases[2:10], [0.0, 0.25, 0.5, 0.75, 0.0, 0.25, 0.5, 0.75], atol=1e-9)
    assert np.isnan(phases[[0, 1, 11]]).all()


def test_dancer_who_follows_what_it_is_told_listens() -> None:
    told = {"true": [stepping(0.0)], "half_beat": [stepping(0.25)], "random": [danced(3, duration_s=20.0)]}
    told["random"] = [Danced("song_0", told["random"][0].motion, told["true"][0].beats_s)]
    heard = listening(told)  # type: ignore[arg-type]
    assert heard.share_above("half_beat") == heard.share_above("random") == 1.0
    assert heard.medians()["true"]["score"] > 0.9
    assert heard.share_above("no_music") is None


def test_deaf_dancer_is_no_better_with_true_beats() -> None:
    heard = listening({"true": [stepping(0.0)], "half_beat": [stepping(0.0)]})
    assert heard.share_above("half_beat") == 0.0
    with pytest.raises(ValueError, match="same songs"):
        listening({"half_beat": [stepping(0.0)]})


def test_dance_that_freezes_at_its_end_does_not_last() -> None:
    def ending(seed: int, *, freezes: bool) -> Danced:
        motion = wild(30.0, seed=seed)
        poses = motion.poses.copy()
        pelvis = motion.pelvis.copy()
        if freezes:
            poses[600:], pelvis[600:] = poses[600], pelvis[600]
        return Danced(f"d{seed}", Motion(poses, pelvis, FPS), NO_BEATS, seed=seed)

    frozen = {c.metric: c for c in lasting([ending(seed, freezes=True) for seed in range(3)]).changes}
    assert (frozen["freezing_pct"].first, frozen["freezing_pct"].last) == (0.0, 100.0)
    assert frozen["freezing_pct"].steady is False
    alive = {c.metric: c for c in lasting([ending(seed, freezes=False) for seed in range(3)]).changes}
    assert alive["freezing_pct"].steady is True
    assert lasting([ending(0, freezes=False)]).changes[0].steady is None
    with pytest.raises(ValueError, match="20 s or more"):
        lasting([danced(0)])


def test_deceived_ears_hear_as_many_beats_elsewhere() -> None:
    grid = BeatGrid(BEATS, np.arange(60) % 4 == 0, 120.0, 4, True)
    assert changed_grid(grid, "true", seed=0) is grid
    np.testing.assert_allclose(changed_grid(grid, "half_beat", seed=0).beats_s, BEATS + 0.25)
    random = changed_grid(grid, "random", seed=0).beats_s
    assert (np.diff(random) > 0.2).all()
    assert random[-1] == pytest.approx(BEATS[-1])
    assert np.std(np.diff(random)) > 0.1
    np.testing.assert_array_equal(random, changed_grid(grid, "random", seed=0).beats_s)
    assert not np.array_equal(random, changed_grid(grid, "random", seed=1).beats_s)


def test_deceived_ears_hear_the_same_sound_with_its_beat_channel_moved() -> None:
    grid = BeatGrid(BEATS, np.arange(60) % 4 == 0, 120.0, 4, True)
    features = MusicFeatures(np.ones((300, 35), np.float32), np.ones((300, 2), np.float32), grid)
    heard = changed_features(features, "half_beat", seed=0)
    np.testing.assert_array_equal(heard.timbre[:, :34], features.timbre[:, :34])
    assert list(np.flatnonzero(heard.timbre[:, 34])[:2]) == [8, 22]
    assert features.timbre.all()


def test_genres_are_taken_in_turn_and_are_the_same_every_time() -> None:
    turns = genre_turns(16, 3)
    assert turns == genre_turns(16, 3)
    flat = [genre for row in turns for genre in row]
    counts = [flat.count(genre) for genre in set(flat)]
    assert max(counts) - min(counts) <= 1
    assert len(set(flat)) > 10
