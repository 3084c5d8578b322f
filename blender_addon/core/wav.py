"""Read the WAV files that Blender writes, with the standard library and numpy.

The library's own ``wave`` module refuses floating-point samples, which are what a mixdown wants: nothing clips.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .errors import PirouetteError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)  # what a writer leaves that could not go back to fill the length in


@dataclass(frozen=True, eq=False)
class Sound:
    """Sound in memory. samples: (N, channels) float32, full scale at 1; sample_rate_hz."""

    samples: npt.NDArray[np.float32]
    sample_rate_hz: int

    @property
    def mono(self) -> npt.NDArray[np.float32]:
        """All channels averaged: (N,)."""
        return self.samples[:, 0] if self.samples.shape[1] == 1 else self.samples.mean(axis=1, dtype=np.float32)


def read_wav(path: Path) -> Sound:
    """The samples of a WAV file: 16, 24 or 32 bit integers, 32 or 64 bit floats.

    Raises PirouetteError: damaged_file when there is no whole header or the sound ends before its announced length,
    not_audio for anything else.
    """
    data = path.read_bytes()
    if len(data) < 12 or data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        raise PirouetteError("not_audio", f"{path.name} is not a WAV file.")
    layout: tuple[int, int, int, int] | None = None
    position = 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        position += 8
        if name == b"fmt " and position + 16 <= len(data):
            layout = _layout(data, position, size)
        elif name == b"data":
            if layout is None:
                break
            if size in _UNKNOWN_LENGTHS:
                size = len(data) - position
            if position + size > len(data):
                raise PirouetteError("damaged_file", f"{path.name} ends before its sound does.")
            kind, bits, channels, rate = layout
            samples = _decode(data[position : position + size], kind=kind, bits=bits, name=path.name)
            return Sound(samples[: len(samples) // channels * channels].reshape(-1, channels), rate)
        position += size + size % 2
    raise PirouetteError("damaged_file", f"{path.name} holds no sound.")


def _layout(data: bytes, position: int, size: int) -> tuple[int, int, int, int]:
    """Kind of sample, bits of a sample, channels and rate from the format chunk."""
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, position)
    if kind == _EXTENSIBLE and size >= 26 and position + 26 <= len(data):
        (kind,) = struct.unpack_from("<H", data, position + 24)
    return kind, bits, max(channels, 1), rate


def _decode(data: bytes, *, kind: int, bits: int, name: str) -> npt.NDArray[np.float32]:
    whole = data[: len(data) // (bits // 8 or 1) * (bits // 8 or 1)]
    if (kind, bits) == (_FLOAT, 32):
        return np.frombuffer(whole, dtype="<f4").astype(np.float32)
    if (kind, bits) == (_FLOAT, 64):
        return np.frombuffer(whole, dtype="<f8").astype(np.float32)
    if (kind, bits) == (_PCM, 16):
        return np.frombuffer(whole, dtype="<i2").astype(np.float32) / np.float32(1 << 15)
    if (kind, bits) == (_PCM, 24):
        wide = np.zeros((len(whole) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(whole, dtype=np.uint8).reshape(-1, 3)
        return (wide.reshape(-1).view("<i4") / float(1 << 31)).astype(np.float32)
    if (kind, bits) == (_PCM, 32):
        return (np.frombuffer(whole, dtype="<i4") / float(1 << 31)).astype(np.float32)
    raise PirouetteError("not_audio", f"{name} has samples of a kind that is not known ({bits} bits).")
