"""Reading sound: every format, every way a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.errors import PirouetteError
from backend.music.audio import SAMPLE_RATE_HZ, audio_from_samples, load_audio

TONE_HZ = 440.0
FORMATS = [
    ("song.wav", "WAV", "PCM_U8", 8000, 1),
    ("song.wav", "WAV", "PCM_16", 44100, 2),
    ("song.wav", "WAV", "PCM_24", 192000, 2),
    ("song.wav", "WAVEX", "PCM_32", 96000, 8),
    ("song.wav", "WAV", "FLOAT", 22050, 1),
    ("song.wav", "WAV", "DOUBLE", 11025, 3),
    ("song.mp3", "MP3", "MPEG_LAYER_III", 44100, 2),
    ("song.ogg", "OGG", "VORBIS", 32000, 2),
    ("song.opus", "OGG", "OPUS", 48000, 1),
    ("song.flac", "FLAC", "PCM_24", 88200, 6),
    ("song.aiff", "AIFF", "PCM_16", 16000, 2),
]


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    wave = 0.25 * np.sin(2 * np.pi * TONE_HZ * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def write(path: Path, samples: np.ndarray, rate: int, container: str = "WAV", subtype: str = "PCM_16") -> Path:
    soundfile.write(str(path), samples, rate, format=container, subtype=subtype)
    return path


def code_of(path: Path, **span: float) -> str:
    with pytest.raises(PirouetteError) as caught:
        load_audio(path, **span)
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize(("name", "container", "subtype", "rate", "channels"), FORMATS)
def test_every_format_rate_and_channel_count_gives_the_same_tone(tmp_path, name, container, subtype, rate, channels):
    path = write(tmp_path / name, tone(3.0, rate, channels), rate, container, subtype)
    audio = load_audio(path)
    assert audio.sample_rate_hz == SAMPLE_RATE_HZ
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert audio.duration_s == pytest.approx(3.0, abs=0.06)
    middle = audio.samples[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert int(np.argmax(spectrum)) == TONE_HZ
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(("name", "container", "subtype"), [("a.wav", "WAV", "PCM_16"), ("a.opus", "OGG", "OPUS")])
def test_a_range_is_that_part_of_the_whole(tmp_path, name, container, subtype):
    rng = np.random.default_rng(1)
    path = write(tmp_path / name, 0.1 * rng.normal(size=48000 * 8), 48000, container, subtype)
    whole = load_audio(path).samples
    part = load_audio(path, start_s=2.0, end_s=5.0).samples
    expected = whole[2 * SAMPLE_RATE_HZ : 5 * SAMPLE_RATE_HZ]
    assert len(part) == len(expected)
    assert np.corrcoef(part[1000:-1000], expected[1000:-1000])[0, 1] > 0.98


def test_an_end_past_the_file_means_the_file_s_end(tmp_path):
    path = write(tmp_path / "song.wav", tone(3.0, 44100), 44100)
    assert load_audio(path, start_s=0.5, end_s=99.0).duration_s == pytest.approx(2.5, abs=0.01)


def test_a_missing_file_is_named(tmp_path):
    assert code_of(tmp_path / "gone.wav") == "missing_file"
    assert code_of(tmp_path) == "missing_file"


@pytest.mark.parametrize("content", [b"These are words, not sound.\n" * 200, b"", b"\x00" * 5000])
def test_a_file_that_is_no_sound_says_so(tmp_path, content):
    path = tmp_path / "song.wav"
    path.write_bytes(content)
    assert code_of(path) == "not_audio"


@pytest.mark.parametrize(
    ("name", "container", "subtype"),
    [
        ("a.wav", "WAV", "PCM_16"),
        ("a.wav", "WAVEX", "PCM_24"),
        ("a.aiff", "AIFF", "PCM_16"),
        ("a.flac", "FLAC", "PCM_16"),
        ("a.ogg", "OGG", "VORBIS"),
        ("a.opus", "OGG", "OPUS"),
        ("a.mp3", "MP3", "MPEG_LAYER_III"),
    ],
)
def test_a_truncated_file_is_damaged_in_every_format(tmp_path, name, container, subtype):
    rng = np.random.default_rng(2)
    path = write(tmp_path / name, 0.1 * rng.normal(size=(48000 * 8, 2)), 48000, container, subtype)
    load_audio(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.7)])
    assert code_of(path) == "damaged_file"


def test_the_intact_part_of_a_truncated_file_can_be_used(tmp_path):
    path = write(tmp_path / "song.wav", tone(10.0, 44100), 44100)
    path.write_bytes(path.read_bytes()[: 44100 * 2 * 6])
    assert load_audio(path, end_s=5.0).duration_s == pytest.approx(5.0, abs=0.01)
    assert code_of(path, end_s=8.0) == "damaged_file"


def test_a_streamed_wav_of_unknown_length_is_not_damaged(tmp_path):
    path = write(tmp_path / "song.wav", tone(3.0, 44100), 44100)
    content = bytearray(path.read_bytes())
    assert content[36:40] == b"data"
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(content))
    assert load_audio(path).duration_s == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize("span", [{"start_s": 2.0, "end_s": 1.0}, {"start_s": 1.0, "end_s": 1.0}, {"start_s": 50.0}])
def test_an_impossible_range_is_refused(tmp_path, span):
    path = write(tmp_path / "song.wav", tone(4.0, 44100), 44100)
    assert code_of(path, **span) == "bad_range"


def test_silence_and_near_silence_are_refused(tmp_path):
    assert code_of(write(tmp_path / "a.wav", np.zeros(44100 * 3), 44100)) == "silence"
    assert code_of(write(tmp_path / "b.wav", tone(3.0, 44100) * 0.003, 44100, "WAV", "FLOAT")) == "silence"


def test_a_sound_of_a_third_of_a_second_is_too_short(tmp_path):
    assert code_of(write(tmp_path / "a.wav", tone(0.3, 44100), 44100)) == "too_short"
    assert code_of(write(tmp_path / "b.wav", tone(5.0, 44100), 44100), start_s=4.0) == "too_short"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_damaged(tmp_path, value):
    samples = tone(3.0, 44100)
    samples[500] = value
    assert code_of(write(tmp_path / "a.wav", samples, 44100, "WAV", "FLOAT")) == "damaged_file"


def test_channels_in_opposite_phase_are_heard():
    left = tone(3.0, SAMPLE_RATE_HZ)[:, 0]
    audio = audio_from_samples(np.stack([left, -left], axis=1), SAMPLE_RATE_HZ)
    assert np.abs(audio.samples).max() == pytest.approx(0.25, rel=0.01)


def test_integer_samples_are_pcm_of_their_width():
    wave = tone(3.0, SAMPLE_RATE_HZ)[:, 0]
    audio = audio_from_samples(np.round(wave * 32767).astype(np.int16), SAMPLE_RATE_HZ)
    np.testing.assert_allclose(audio.samples, wave, atol=1e-4)


@pytest.mark.parametrize(("samples", "rate"), [(np.zeros((2, 2, 2)), 22050), (np.zeros(99999), 0)])
def test_impossible_arrays_are_a_programming_error(samples, rate):
    with pytest.raises(ValueError, match="must be"):
        audio_from_samples(samples, rate)
