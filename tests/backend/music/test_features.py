"""What the models hear: shapes, scales, and that the same song sounds the same from any file."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from backend.music.audio import SAMPLE_RATE_HZ, Audio, audio_from_samples, load_audio
from backend.music.features import MusicFeatures, music_features, warm_up

ONSET, ONSET_PEAK, BEAT = 0, 33, 34
MFCC, CHROMA = slice(1, 21), slice(21, 33)
BEATS_S = np.arange(0.2, 11.9, 0.5)


@pytest.fixture
def song(drums) -> Audio:
    return drums(BEATS_S, duration_s=12.0)


@pytest.mark.parametrize("extra_samples", [0, 1, 734])
def test_there_is_a_frame_for_every_thirtieth_of_a_second(song, extra_samples):
    features = music_features(Audio(song.samples[: 10 * SAMPLE_RATE_HZ + extra_samples]))
    frames = 300 if extra_samples == 0 else 301
    assert features.timbre.shape == (frames, 35)
    assert features.energy.shape == (frames, 2)
    assert features.timbre.dtype == features.energy.dtype == np.float32
    assert features.fps == 30.0


def test_features_are_finite_and_of_order_one(song):
    features = music_features(song)
    assert np.isfinite(features.timbre).all()
    assert np.abs(features.timbre).max() < 12
    assert features.energy.min() >= 0.0
    assert features.energy[:, 0].max() <= 4.0
    assert features.energy[:, 1].max() <= 1.0


def test_onsets_and_beats_fall_on_the_frames_of_the_drums(song):
    features = music_features(song)
    frames = np.round(BEATS_S * 30).astype(int)
    onset = features.timbre[:, ONSET]
    assert onset[frames].mean() > 4 * np.delete(onset, np.concatenate([frames - 1, frames, frames + 1])).mean()
    for column in (ONSET_PEAK, BEAT):
        found = np.flatnonzero(features.timbre[:, column])
        assert np.abs(found[:, None] - frames[None, :]).min(axis=0).max() <= 1


def test_a_tone_sounds_in_its_chroma():
    wave = 0.3 * np.sin(2 * np.pi * 440.0 * np.arange(5 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    chroma = music_features(Audio(wave.astype(np.float32))).timbre[:, CHROMA]
    assert (np.argmax(chroma[30:-30], axis=1) == 9).all()  # A is the tenth tone from C
    np.testing.assert_allclose(np.linalg.norm(chroma[30:-30], axis=1), 1.0, atol=1e-5)


def test_features_do_not_depend_on_the_file_s_rate_or_channels(tmp_path: Path, song):
    fine = soxr.resample(song.samples, SAMPLE_RATE_HZ, 44100)
    soundfile.write(str(tmp_path / "stereo.wav"), np.stack([fine, fine], axis=1), 44100, subtype="FLOAT")
    low, high = music_features(song), music_features(load_audio(tmp_path / "stereo.wav"))
    np.testing.assert_allclose(high.grid.beats_s, low.grid.beats_s, atol=0.005)
    for column in (slice(ONSET, ONSET + 1), MFCC, CHROMA):
        assert np.abs(high.timbre[:, column] - low.timbre[:, column]).mean() < 0.03
    assert np.abs(high.energy - low.energy).mean() < 0.03


def test_only_loudness_depends_on_the_level(song):
    loud, soft = music_features(song), music_features(Audio(song.samples * 0.1))
    np.testing.assert_allclose(soft.timbre, loud.timbre, atol=0.02)
    np.testing.assert_allclose(soft.energy[:, 0], loud.energy[:, 0], atol=0.02)
    np.testing.assert_allclose(loud.energy[30:-30, 1] - soft.energy[30:-30, 1], 20 / 60, atol=0.01)


def test_a_known_grid_is_kept(song):
    grid = music_features(song).grid
    features = music_features(song, grid)
    assert isinstance(features, MusicFeatures)
    assert features.grid is grid
    with pytest.raises(ValueError, match="22050"):
        music_features(Audio(song.samples, 44100))


def test_a_song_of_any_rate_passes_from_samples_to_features():
    rng = np.random.default_rng(3)
    audio = audio_from_samples(0.1 * rng.normal(size=(3 * 48000, 2)), 48000)
    assert len(music_features(audio).timbre) == 90


def test_heavy_libraries_are_loaded_only_when_a_song_is_heard():
    code = (
        "import sys, backend.music.features, backend.music.audio; "
        "print([m for m in ('librosa', 'scipy', 'numba', 'soundfile', 'soxr') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_ten_seconds_are_heard_in_a_fraction_of_a_second(song):
    warm_up()
    clip = Audio(song.samples[: 10 * SAMPLE_RATE_HZ])
    needed_s = []
    for _ in range(5):
        start_s = time.process_time()
        music_features(clip)
        needed_s.append(time.process_time() - start_s)
    assert min(needed_s) < 0.5  # 0.03 on one idle core; the test machine may be busy


@pytest.mark.parametrize("signal", ["one impulse", "constant", "two seconds", "mostly silent"])
def test_odd_signals_give_finite_features(signal):
    rng = np.random.default_rng(4)
    samples = np.zeros(6 * SAMPLE_RATE_HZ, np.float32)
    if signal == "one impulse":
        samples[0] = 1.0
    elif signal == "constant":
        samples[:] = 0.5
    elif signal == "two seconds":
        samples = (0.1 * rng.normal(size=2 * SAMPLE_RATE_HZ)).astype(np.float32)
    else:
        samples[:SAMPLE_RATE_HZ] = 0.1 * rng.normal(size=SAMPLE_RATE_HZ)
    features = music_features(Audio(samples))
    assert np.isfinite(features.timbre).all()
    assert np.isfinite(features.energy).all()
    assert len(features.grid.beats_s) >= 2
    assert not features.grid.clear
