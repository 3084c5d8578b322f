"""How strongly something starts at each moment of a song: the raw material of beat tracking.

Spectral flux with a maximum filter over frequency (SuperFlux, Böck and Widmer 2013), which a singer's vibrato does
not set off, split into the whole spectrum and its lowest part, where kick drum and bass mark the beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from backend.music.audio import SAMPLE_RATE_HZ, FloatArray

HOP = 256
RATE_HZ = SAMPLE_RATE_HZ / HOP  # 86.1 envelope values a second
WINDOW = 1024
BANDS = 48
LOW_HZ = 160.0
FLUX_LAG = 2
LEVELLING_S = 4.0


@dataclass(frozen=True)
class Onsets:
    """Onset envelopes, levelled so that soft and loud parts of a song count alike; value i is at i / RATE_HZ seconds.

    full, low: (N,) strength of what starts, in all bands and under 160 Hz;
    bands: (N, BANDS) log-compressed mel spectrum.
    """

    full: FloatArray
    low: FloatArray
    bands: FloatArray


def onset_envelopes(samples: FloatArray) -> Onsets:
    """Onset strength of a mono signal (N,) at 22,050 Hz."""
    import librosa
    from scipy.ndimage import maximum_filter1d

    spectrum = librosa.stft(samples, n_fft=WINDOW, hop_length=HOP)
    power = _filters() @ (spectrum.real**2 + spectrum.imag**2)
    bands = np.log1p(power * (1000.0 / max(float(np.percentile(power, 98)), 1e-12))).T.astype(np.float32)
    earlier = maximum_filter1d(bands[:-FLUX_LAG], 3, axis=1)
    rise = np.zeros_like(bands)
    # Centred between the two windows compared, and half a window on: an attack shows as soon as a window touches it.
    rise[FLUX_LAG:] = np.maximum(bands[FLUX_LAG:] - earlier, 0.0)
    low_bands = _low_bands()
    full = _levelled(rise.mean(axis=1))
    low = _levelled(rise[:, :low_bands].mean(axis=1))
    return Onsets(full, low, bands)


def _levelled(strength: FloatArray) -> FloatArray:
    """Divide by the strength of the surrounding seconds; 1 is a usual deviation."""
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    width = round(LEVELLING_S * RATE_HZ)
    smooth = gaussian_filter1d(strength, 1.0)
    around = np.sqrt(np.maximum(uniform_filter1d(smooth**2, width, mode="reflect"), 0.0))
    floor = 0.1 * float(np.sqrt(np.mean(smooth**2))) + 1e-9
    return np.asarray(smooth / np.maximum(around, floor), dtype=np.float32)


@lru_cache(maxsize=1)
def _filters() -> FloatArray:
    import librosa

    return np.asarray(librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=WINDOW, n_mels=BANDS, norm=None), dtype=np.float32)


@lru_cache(maxsize=1)
def _low_bands() -> int:
    """The number of bands whose weight lies below 160 Hz."""
    centre_hz = np.argmax(_filters(), axis=1) * (SAMPLE_RATE_HZ / WINDOW)
    return max(int(np.sum((centre_hz > 0) & (centre_hz < LOW_HZ))), 1)
