"""Sound from any file or array, as the mono 22,050 Hz signal that the music features expect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError

if TYPE_CHECKING:
    from soundfile import SoundFile

FloatArray = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 22050
SHORTEST_S = 2.0
SILENCE_PEAK = 1e-3  # -60 dBFS
BLOCK_FRAMES = 1 << 18
MISSING_S = 0.1  # an MP3's length is an estimate: less than this is not missed
CANCELLED_OUT = 0.1  # of the first channel's level: a mix so low lost its sound to opposite phases
FORMATS = "WAV, FLAC, OGG, Opus, MP3 or AIFF"
# libsndfile mends a file that ends too early and says so only in its log.
_SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAMED_SIZE = 0x7FFFF000  # sizes from here on stand for "not known when the header was written"


@dataclass(frozen=True)
class Audio:
    """A mono signal. samples: (N,) float32, full scale is 1."""

    samples: FloatArray
    sample_rate_hz: int = SAMPLE_RATE_HZ

    @property
    def duration_s(self) -> float:
        return float(self.samples.shape[0] / self.sample_rate_hz)


def load_audio(path: str | Path, *, start_s: float = 0.0, end_s: float | None = None) -> Audio:
    """Read a span of a sound file (WAV, FLAC, OGG, Opus, MP3, AIFF; any rate, any channels) as mono at 22,050 Hz.

    start_s, end_s: the span in seconds; an end past the file's end means the file's end.
    Raises PirouetteError: missing_file, not_audio, damaged_file (truncated, or holds no numbers), bad_range, and what
    audio_from_samples raises.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise PirouetteError("missing_file", f"There is no sound file {path.name}.", "Choose the file again.")
    if end_s is not None and end_s <= start_s:
        raise PirouetteError("bad_range", "The range ends before it starts.", "Set an end after the start.")
    try:
        file = soundfile.SoundFile(str(path))
    except soundfile.LibsndfileError as error:
        raise PirouetteError(
            "not_audio", f"{path.name} is not a sound file that can be read.", f"Use {FORMATS}."
        ) from error
    with file:
        first, last = _span(file, path.name, start_s, end_s)
        samples = _read_channels(file, path.name, first, last)
        return audio_from_samples(samples, int(file.samplerate))


def audio_from_samples(samples: npt.ArrayLike, sample_rate_hz: int) -> Audio:
    """Mix samples (N,) or (N, channels) down to mono at 22,050 Hz and check that one can dance to them.

    Integers are taken as PCM of their width, floats as full scale 1.
    Raises PirouetteError: too_short (under 2 s), damaged_file (not finite), silence (peak under -60 dBFS).
    """
    import soxr

    if sample_rate_hz <= 0:
        raise ValueError(f"sample_rate_hz must be positive, not {sample_rate_hz}")
    channels = _as_float(np.asarray(samples))
    if channels.shape[0] < SHORTEST_S * sample_rate_hz:
        length_s = channels.shape[0] / sample_rate_hz
        raise PirouetteError(
            "too_short", f"The sound is only {length_s:.1f} seconds long.", f"A dance needs {SHORTEST_S:g} seconds."
        )
    if not np.isfinite(channels).all():
        raise PirouetteError("damaged_file", "The sound holds values that are no numbers.", "Export the sound again.")
    mono = _mono(channels)
    if float(np.abs(mono).max()) < SILENCE_PEAK:
        raise PirouetteError("silence", "The sound is silent.", "Check that the strip is not muted and has volume.")
    if sample_rate_hz != SAMPLE_RATE_HZ:
        mono = np.asarray(soxr.resample(mono, sample_rate_hz, SAMPLE_RATE_HZ), dtype=np.float32)
    return Audio(np.ascontiguousarray(mono))


def _span(file: SoundFile, name: str, start_s: float, end_s: float | None) -> tuple[int, int]:
    """First and last + 1 frame of a range, which must lie in the file's intact part."""
    rate = int(file.samplerate)
    first = round(max(start_s, 0.0) * rate)
    last = file.frames if end_s is None else round(end_s * rate)
    if first >= file.frames:
        raise PirouetteError(
            "bad_range",
            f"The range starts after the end of {name}, which is {file.frames / rate:.1f} seconds long.",
            "Set an earlier start.",
        )
    reaches_end = end_s is None or last > file.frames
    if reaches_end and _is_truncated(file):
        raise _cut_off(name)
    return first, min(last, file.frames)


def _is_truncated(file: SoundFile) -> bool:
    """Whether libsndfile's log tells of a file that ends before its header says."""
    log = str(file.extra_info)
    for promised, found in _SHORT_CHUNK.findall(log):
        if int(found) < int(promised) < _STREAMED_SIZE:
            return True
    return "lacks an end-of-stream bit" in log and "Junk after the last page" in log


def _read_channels(file: SoundFile, name: str, first: int, last: int) -> FloatArray:
    """(N, 2) the mix of all channels and the first of them, read block by block to bound memory."""
    import soundfile

    blocks: list[FloatArray] = []
    wanted = last - first
    try:
        file.seek(first)
        while wanted > 0:
            block = file.read(min(wanted, BLOCK_FRAMES), dtype="float32", always_2d=True)
            if len(block) == 0:
                break
            blocks.append(np.stack([block.mean(axis=1), block[:, 0]], axis=1))
            wanted -= len(block)
    except soundfile.LibsndfileError as error:
        raise _cut_off(name) from error
    if wanted > MISSING_S * file.samplerate:
        raise _cut_off(name)
    return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)


def _cut_off(name: str) -> PirouetteError:
    return PirouetteError("damaged_file", f"{name} is damaged or cut off.", "Export or download it again.")


def _as_float(samples: npt.NDArray[Any]) -> FloatArray:
    """(N, channels) float32 with full scale 1."""
    if samples.ndim not in (1, 2):
        raise ValueError(f"samples must be (N,) or (N, channels), not {samples.shape}")
    if samples.dtype.kind not in "if":
        raise ValueError(f"samples must be floats or signed integers, not {samples.dtype}")
    full_scale = 1.0 if samples.dtype.kind == "f" else float(2 ** (8 * samples.dtype.itemsize - 1))
    return np.asarray(samples.reshape(samples.shape[0], -1) / np.float32(full_scale), dtype=np.float32)


def _mono(channels: FloatArray) -> FloatArray:
    """The channels' mean, or the first channel where the mean cancels out."""
    mix = channels.mean(axis=1)
    first = channels[:, 0]
    level, first_level = (float(np.sqrt(np.mean(signal**2))) for signal in (mix, first))
    return np.asarray(first if level < CANCELLED_OUT * first_level else mix, dtype=np.float32)
