"""Beat tracking on drum patterns whose beats are known, and what the grid says at each frame."""

from __future__ import annotations

import numpy as np
import pytest

from backend.music.audio import SAMPLE_RATE_HZ, Audio
from backend.music.beats import BeatGrid, eight_counts, rhythm_features, track_beats

TOLERANCE_S = 0.07


def f_measure(found_s: np.ndarray, true_s: np.ndarray) -> float:
    """Harmonic mean of precision and recall at +-70 ms (MIREX)."""
    near = np.abs(found_s[:, None] - true_s[None, :]) <= TOLERANCE_S
    precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
    return 2 * precision * recall / max(precision + recall, 1e-9)


def assert_covers(grid: BeatGrid, duration_s: float) -> None:
    longest_s = np.diff(grid.beats_s).max()
    assert 0.0 <= grid.beats_s[0] <= longest_s
    assert duration_s - longest_s - 0.02 <= grid.beats_s[-1] <= duration_s
    assert np.diff(grid.beats_s).min() > 0.2
    assert len(grid.downbeat) == len(grid.beats_s)


@pytest.mark.parametrize("metre", [3, 4])
@pytest.mark.parametrize("tempo_bpm", [90, 101.3, 117, 128, 144.5, 170])
def test_drums_give_their_beats_downbeats_tempo_and_metre(drums, tempo_bpm, metre):
    beats_s = np.arange(0.31, 29.8, 60 / tempo_bpm)
    grid = track_beats(drums(beats_s, metre=metre))
    assert grid.tempo_bpm == pytest.approx(tempo_bpm, rel=0.005)
    assert grid.metre == metre
    assert grid.clear
    assert f_measure(grid.beats_s, beats_s) > 0.97
    assert f_measure(grid.beats_s[grid.downbeat], beats_s[::metre]) > 0.9
    assert_covers(grid, 30.0)


@pytest.mark.parametrize("tempo_bpm", [70, 80])
def test_slow_drums_are_followed_at_their_tempo_or_twice_it(drums, tempo_bpm):
    beats_s = np.arange(0.1, 29.8, 60 / tempo_bpm)
    grid = track_beats(drums(beats_s))
    halves_s = np.arange(0.1, 29.8, 30 / tempo_bpm)
    assert max(f_measure(grid.beats_s, beats_s), f_measure(grid.beats_s, halves_s)) > 0.97


@pytest.mark.parametrize("tempo_bpm", [70, 95, 120, 150, 170])
def test_a_click_track_is_met_within_ten_milliseconds(tempo_bpm):
    beats_s = np.arange(0.2, 19.8, 60 / tempo_bpm)
    samples = np.zeros(20 * SAMPLE_RATE_HZ, np.float32)
    time_s = np.arange(600) / SAMPLE_RATE_HZ
    click = np.sin(2 * np.pi * 1000 * time_s) * np.exp(-300 * time_s)
    for first in np.round(beats_s * SAMPLE_RATE_HZ).astype(int):
        samples[first : first + 600] += click
    grid = track_beats(Audio(samples))
    assert np.abs(grid.beats_s[:, None] - beats_s[None, :]).min(axis=0).max() < 0.01
    assert grid.tempo_bpm == pytest.approx(tempo_bpm, rel=0.005)


@pytest.mark.parametrize(("first_bpm", "second_bpm"), [(100, 130), (120, 90), (128, 132)])
def test_a_change_of_tempo_is_followed(drums, first_bpm, second_bpm):
    beats_s = np.concatenate([np.arange(0, 20, 60 / first_bpm), np.arange(20.1, 39.8, 60 / second_bpm)])
    assert f_measure(track_beats(drums(beats_s, duration_s=40.0)).beats_s, beats_s) > 0.93


@pytest.mark.parametrize(("first_s", "last_s"), [(0.60, 0.45), (0.45, 0.60)])
def test_a_tempo_that_drifts_is_followed(drums, first_s, last_s):
    beats_s = np.cumsum(np.linspace(first_s, last_s, 70))
    grid = track_beats(drums(beats_s, duration_s=float(beats_s[-1]) + 0.4))
    assert f_measure(grid.beats_s, beats_s) > 0.93
    assert grid.clear


def test_the_beat_goes_on_through_silence_in_the_middle(drums):
    beats_s = np.arange(0.2, 39.8, 60 / 118)
    samples = drums(beats_s, duration_s=40.0).samples.copy()
    samples[14 * SAMPLE_RATE_HZ : 24 * SAMPLE_RATE_HZ] = 0.0
    grid = track_beats(Audio(samples))
    assert f_measure(grid.beats_s, beats_s) > 0.97


def test_the_beat_covers_a_silent_start_and_end(drums):
    beats_s = np.arange(6.0, 24.0, 0.5)
    grid = track_beats(drums(beats_s))
    assert f_measure(grid.beats_s, np.arange(0.0, 30.0, 0.5)) > 0.97
    assert_covers(grid, 30.0)


def test_four_seconds_are_enough_for_a_beat(drums):
    beats_s = np.arange(0.1, 3.9, 0.5)
    grid = track_beats(drums(beats_s, duration_s=4.0))
    assert f_measure(grid.beats_s, beats_s) > 0.9


def _noise(rng: np.random.Generator) -> np.ndarray:
    return 0.1 * rng.normal(size=20 * SAMPLE_RATE_HZ)


def _pads(rng: np.random.Generator) -> np.ndarray:
    time_s = np.arange(40 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    samples = 1e-3 * rng.normal(size=len(time_s))
    for _ in range(25):
        swell = np.exp(-(((time_s - rng.uniform(0, 40)) / rng.uniform(2, 5)) ** 2))
        samples += 0.1 * swell * np.sin(2 * np.pi * rng.choice([110.0, 165.0, 220.0, 262.0, 330.0]) * time_s)
    return samples


def _rubato(rng: np.random.Generator) -> np.ndarray:
    samples = 1e-4 * rng.normal(size=40 * SAMPLE_RATE_HZ)
    time_s = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    start_s = 0.0
    while start_s < 39.0:
        first = round(start_s * SAMPLE_RATE_HZ)
        tone_hz = rng.choice([220.0, 262.0, 330.0, 392.0])
        samples[first : first + len(time_s)] += 0.3 * np.sin(2 * np.pi * tone_hz * time_s) * np.exp(-6 * time_s)
        start_s += rng.gamma(4, 0.12)
    return samples


@pytest.mark.parametrize("music", [_noise, _pads, _rubato])
def test_music_without_a_beat_says_so_and_still_gives_a_steady_grid(music):
    samples = music(np.random.default_rng(5)).astype(np.float32)
    grid = track_beats(Audio(samples))
    assert not grid.clear
    assert_covers(grid, len(samples) / SAMPLE_RATE_HZ)
    assert np.ptp(np.diff(grid.beats_s)[1:]) < 1e-6
    assert 50 <= grid.tempo_bpm <= 220


def _grid(beats: int = 16, metre: int = 4, period_s: float = 0.5, start_s: float = 0.0) -> BeatGrid:
    beats_s = start_s + period_s * np.arange(beats)
    return BeatGrid(beats_s, np.arange(beats) % metre == 0, 60 / period_s, metre, True)


def test_eight_counts_start_at_every_second_downbeat():
    np.testing.assert_allclose(eight_counts(_grid()), [0.0, 4.0])
    np.testing.assert_allclose(eight_counts(_grid(metre=3)), [0.0, 3.0, 6.0])


def test_rhythm_features_are_phases_of_beat_and_bar():
    rhythm = rhythm_features(_grid(), frames=240)
    assert rhythm.shape == (240, 6)
    assert rhythm.dtype == np.float32
    np.testing.assert_allclose(rhythm[0], [0, 0, 1, 0, 1, 0], atol=1e-6)  # on the downbeat
    np.testing.assert_allclose(rhythm[15], [0, 0, 1, 1, 0, 0], atol=1e-6)  # on the second beat: a quarter of the bar
    np.testing.assert_allclose(rhythm[60], [0, 0, 1, 0, 1, 0], atol=1e-6)  # the next bar
    np.testing.assert_allclose(rhythm[5][:1], [5 / 30], atol=1e-6)
    np.testing.assert_allclose(rhythm[10][:1], [5 / 30], atol=1e-6)  # distance counts to the nearer beat
    np.testing.assert_allclose(np.hypot(rhythm[:, 1], rhythm[:, 2]), 1.0, atol=1e-5)


def test_rhythm_features_go_on_beyond_the_grid():
    inner = rhythm_features(_grid(beats=8, start_s=2.0), frames=300)
    np.testing.assert_allclose(inner, rhythm_features(_grid(beats=20), frames=300), atol=1e-4)


def test_rhythm_features_know_the_local_tempo_at_any_frame_rate():
    beats_s = np.concatenate([np.arange(0, 4, 0.5), np.arange(4, 12, 1.0)])
    grid = BeatGrid(beats_s, np.arange(16) % 4 == 0, 120.0, 4, True)
    rhythm = rhythm_features(grid, frames=240, fps=24.0)
    np.testing.assert_allclose(rhythm[:96, 5], 0.0, atol=1e-6)
    np.testing.assert_allclose(rhythm[97:200, 5], -1.0, atol=1e-6)
    assert rhythm[:, 0].max() <= 0.5


def test_a_grid_without_downbeats_counts_bars_from_its_first_beat():
    grid = _grid()
    bare = BeatGrid(grid.beats_s, np.zeros(16, dtype=bool), 120.0, 4, True)
    np.testing.assert_array_equal(rhythm_features(bare, frames=240), rhythm_features(grid, frames=240))
    with pytest.raises(ValueError, match="two beats"):
        rhythm_features(BeatGrid(np.array([1.0]), np.array([True]), 120.0, 4, True), frames=30)
