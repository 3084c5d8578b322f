"""Sound from any file or array, as the mono 22,050 Hz signal that the music features expect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError

FloatArray = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 22050
SHORTEST_S = 2.0
SILENCE_PEAK = 1e-3  # -60 dBFS


@dataclass(frozen=True)
class Audio:
    """A mono signal. samples: (N,) float32, full scale is 1."""

    samples: FloatArray
    sample_rate_hz: int = SAMPLE_RATE_HZ

    @property
    def duration_s(self) -> float:
        return self.samples.shape[0] / self.sample_rate_hz


def load_audio(path: str | Path, *, start_s: float = 0.0, end_s: float | None = None) -> Audio:
    """Read a span of a sound file as mono at 22,050 Hz.

    Raises PirouetteError: missing_file, not_audio, bad_range, and what audio_from_samples raises.
    """
    import soundfile

    if not Path(path).is_file():
        raise PirouetteError("missing_file", f"There is no file {Path(path).name}.")
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            first = round(start_s * rate)
            last = file.frames if end_s is None else min(round(end_s * rate), file.frames)
            if last <= first:
                raise PirouetteError("bad_range", "The range ends before it starts.")
            file.seek(first)
            samples = file.read(last - first, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise PirouetteError("not_audio", f"{Path(path).name} is not a sound file that can be read.") from error
    return audio_from_samples(samples, rate)


def audio_from_samples(samples: npt.ArrayLike, sample_rate_hz: int) -> Audio:
    """Mix samples (N,) or (N, channels) down to mono at 22,050 Hz and check that one can dance to them.

    Raises PirouetteError: too_short (under 2 s), silence (peak under -60 dBFS).
    """
    import soxr

    mono = np.asarray(samples, dtype=np.float32)
    if mono.ndim == 2:
        mono = mono.mean(axis=1)
    if mono.shape[0] < SHORTEST_S * sample_rate_hz:
        raise PirouetteError("too_short", "The sound is shorter than 2 seconds.")
    if float(np.abs(mono).max()) < SILENCE_PEAK:
        raise PirouetteError("silence", "The sound is silent.")
    if sample_rate_hz != SAMPLE_RATE_HZ:
        mono = np.asarray(soxr.resample(mono, sample_rate_hz, SAMPLE_RATE_HZ), dtype=np.float32)
    return Audio(np.ascontiguousarray(mono))
