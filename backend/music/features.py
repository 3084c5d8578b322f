"""What the models hear of a song at 30 frames a second: 35 timbre numbers, 2 of energy, and the beat grid.

The 35 are the set common in music-to-dance work since AI Choreographer (Li et al. 2021): onset strength 1, MFCC 20,
chroma CENS 12, onset peak 1, beat 1. They are scaled to order one and, but for loudness, do not change with the
song's level. Trained weights depend on every line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backend.music.audio import SAMPLE_RATE_HZ, Audio
from backend.music.beats import BeatGrid, track_beats

FloatArray = npt.NDArray[np.float32]

FPS = 30.0
HOP = SAMPLE_RATE_HZ // 30  # 735 samples: exactly one frame
WINDOW = 2048
CHROMA_WINDOW = 4096  # twice as long: semitones are apart from 250 Hz up
MELS = 128
DYNAMIC_RANGE_DB = 80.0
CENS_SMOOTHING_FRAMES = 41
STEADY_RISE_DB = 0.5  # a drone rises less than this: its noise is not blown up into onsets
LARGEST_ONSET = 4.0
TIMBRE_SIZE = 35
ENERGY_SIZE = 2


@dataclass(frozen=True)
class MusicFeatures:
    """A song as the models hear it; frame i is centred at i / fps seconds.

    timbre: (T, 35); energy: (T, 2) onset strength over its 95th percentile (at most 4), loudness 0..1 for -60..0 dBFS.
    """

    timbre: FloatArray
    energy: FloatArray
    grid: BeatGrid
    fps: float = FPS

    @property
    def sound(self) -> npt.NDArray[np.float16]:
        """What a dance keeps of the song: energy, then timbre, (T, 37)."""
        return np.concatenate([self.energy, self.timbre], axis=1).astype(np.float16)


def music_features(audio: Audio, grid: BeatGrid | None = None) -> MusicFeatures:
    """Timbre, energy and beats of a song, T = ceil(duration * 30) frames.

    grid: the song's beats where they are known already; tracked otherwise.
    """
    if audio.sample_rate_hz != SAMPLE_RATE_HZ:
        raise ValueError(f"audio must be at {SAMPLE_RATE_HZ} Hz, not {audio.sample_rate_hz}")
    grid = track_beats(audio) if grid is None else grid
    frames = -(-audio.samples.shape[0] // HOP)
    level_db = _mel_level_db(audio.samples)[:, :frames]
    onset = _onset_strength(level_db)
    scaled_onset = np.minimum(onset / max(float(np.percentile(onset, 95)), STEADY_RISE_DB), LARGEST_ONSET)
    columns = (
        onset[:, None] / 10.0,
        _mfcc(level_db) / 100.0,
        _chroma_cens(audio.samples)[:frames],
        _onset_peaks(scaled_onset)[:, None],
        _beat_frames(grid, frames)[:, None],
    )
    energy = np.stack([scaled_onset, _loudness(audio.samples)[:frames]], axis=1)
    return MusicFeatures(np.concatenate(columns, axis=1).astype(np.float32), energy.astype(np.float32), grid)


def warm_up() -> None:
    """Load libraries and filters, so that the first song is heard as quickly as the next."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=4 * SAMPLE_RATE_HZ)
    music_features(Audio(noise.astype(np.float32)))


def _power_spectrum(samples: FloatArray, window: int) -> FloatArray:
    import librosa

    spectrum = librosa.stft(samples, n_fft=window, hop_length=HOP)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, dtype=np.float32)


@lru_cache(maxsize=1)
def _mel_filters() -> FloatArray:
    import librosa

    return np.asarray(librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=WINDOW, n_mels=MELS), dtype=np.float32)


@lru_cache(maxsize=1)
def _chroma_filters() -> FloatArray:
    import librosa

    return np.asarray(librosa.filters.chroma(sr=SAMPLE_RATE_HZ, n_fft=CHROMA_WINDOW), dtype=np.float32)


def _mel_level_db(samples: FloatArray) -> FloatArray:
    """(mels, frames) level below the song's loudest cell, 0 down to -80 dB."""
    import librosa

    power = _mel_filters() @ _power_spectrum(samples, WINDOW)
    return np.asarray(librosa.power_to_db(power, ref=np.max, amin=1e-20, top_db=DYNAMIC_RANGE_DB), dtype=np.float32)


def _onset_strength(level_db: FloatArray) -> FloatArray:
    """(frames,) mean rise of the mel bands in dB, one frame late as an attack is heard at its window's rim."""
    rise = np.maximum(np.diff(level_db, axis=1), 0.0).mean(axis=0)
    return np.concatenate([np.zeros(2, np.float32), rise])[: level_db.shape[1]].astype(np.float32)


def _mfcc(level_db: FloatArray) -> FloatArray:
    from scipy.fft import dct

    return np.asarray(dct(level_db + DYNAMIC_RANGE_DB / 2, type=2, norm="ortho", axis=0)[:20].T, dtype=np.float32)


def _chroma_cens(samples: FloatArray) -> FloatArray:
    """(frames, 12) chroma energy, quantised, smoothed over 1.4 s and of unit length (Müller and Ewert 2011)."""
    from scipy.ndimage import convolve1d
    from scipy.signal.windows import hann

    chroma = (_chroma_filters() @ _power_spectrum(samples, CHROMA_WINDOW)).T
    share = chroma / np.maximum(chroma.sum(axis=1, keepdims=True), 1e-10)
    steps = np.zeros_like(share)
    for threshold in (0.4, 0.2, 0.1, 0.05):
        steps += 0.25 * (share > threshold)
    window = hann(CENS_SMOOTHING_FRAMES + 2)[1:-1]
    smooth = convolve1d(steps, window / window.sum(), axis=0, mode="constant")
    length = np.linalg.norm(smooth, axis=1, keepdims=True)
    return np.asarray(smooth / np.maximum(length, 1e-6), dtype=np.float32)


def _onset_peaks(scaled_onset: FloatArray) -> FloatArray:
    """(frames,) 1 where the onset strength is the largest of three frames and stands out of its surroundings."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    largest = scaled_onset >= maximum_filter1d(scaled_onset, 3, mode="nearest")
    around = uniform_filter1d(scaled_onset, 7, mode="nearest")
    return np.asarray(largest & (scaled_onset > around + 0.1), dtype=np.float32)


def _beat_frames(grid: BeatGrid, frames: int) -> FloatArray:
    """(frames,) 1 at the frame nearest to each beat."""
    marks = np.zeros(frames, np.float32)
    index = np.round(grid.beats_s * FPS).astype(np.int64)
    marks[index[(index >= 0) & (index < frames)]] = 1.0
    return marks


def _loudness(samples: FloatArray) -> FloatArray:
    """(frames,) 0..1 for a level of -60..0 dBFS over 93 ms around each frame."""
    padded = np.pad(samples.astype(np.float64) ** 2, (WINDOW // 2, WINDOW // 2 + HOP))
    total = np.concatenate([[0.0], np.cumsum(padded)])
    start = np.arange(0, samples.shape[0] + 1, HOP)
    power = (total[start + WINDOW] - total[start]) / WINDOW
    level_db = 10.0 * np.log10(np.maximum(power, 1e-12))
    return np.asarray(np.clip(level_db / 60.0 + 1.0, 0.0, 1.0), dtype=np.float32)
