"""Put a long mixdown together from short ones, without a seam.

Mixing three minutes of sound in one go would stop Blender for half a second, so it is mixed a few seconds at a time.
Compressed files do not start exactly where they are told to when they are read from the middle: MP3 is off by as much
as 25 ms. So neighbouring pieces overlap, and each is laid where it agrees with the piece before it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SEARCH_S = 0.04  # how far a piece may be off
OVERLAP_S = 0.25  # how much of the sound two neighbours share, before and behind
FADE_S = 0.005
_SURE = 0.6  # correlation above which two pieces are the same sound


def piece_offset(before: Samples, piece: Samples, *, search: int) -> int:
    """How many samples ``piece`` lies later than ``before`` says it should; 0 where that cannot be heard.

    before, piece: (N,) the same stretch of time, one from each piece; search: the most it may be.
    """
    count = min(len(before), len(piece))
    if count <= 4 * search:
        return 0
    pattern = np.asarray(before[search : count - search], dtype=np.float64)
    window = np.asarray(piece[:count], dtype=np.float64)
    energy = float(pattern @ pattern)
    if energy < 1e-9:
        return 0
    size = 1 << (count + len(pattern) - 1).bit_length()
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(pattern, size))
    agreement = np.fft.irfft(spectrum, size)[: 2 * search + 1]
    running = np.concatenate([[0.0], np.cumsum(window**2)])
    power = running[len(pattern) : len(pattern) + 2 * search + 1] - running[: 2 * search + 1]
    likeness = agreement / np.sqrt(np.maximum(power, 1e-12) * energy)
    best = int(np.argmax(likeness))
    return best - search if likeness[best] > _SURE else 0


class Splice:
    """Pieces of a mixdown laid one behind the other. Positions are sample numbers from the start of the whole."""

    def __init__(self, *, sample_rate_hz: int) -> None:
        self._search = round(SEARCH_S * sample_rate_hz)
        self._overlap = round(OVERLAP_S * sample_rate_hz)
        self._fade = round(FADE_S * sample_rate_hz)
        self._parts: list[Samples] = []
        self._end = 0
        self._seam: Samples = np.zeros(0, dtype=np.float32)  # the last piece around its end
        self._seam_at = 0

    def append(self, piece: Samples, *, piece_at: int, end: int) -> None:
        """Lay the stretch from the end of the last one to ``end``.

        piece: (N,) float32 whose first sample belongs at ``piece_at`` or a little off it, with overlap on both sides.
        What it lacks is filled up with silence.
        """
        window = max(piece_at, self._seam_at)
        offset = piece_offset(self._seam[window - self._seam_at :], piece[window - piece_at :], search=self._search)
        zero = piece_at - offset  # where the piece's first sample really belongs
        stretch = _between(piece, self._end - zero, end - zero)
        fade = min(self._fade, len(stretch), max(self._seam_at + len(self._seam) - self._end, 0))
        if fade:
            before = self._seam[self._end - self._seam_at :][:fade]
            share = np.linspace(0.0, 1.0, fade, dtype=np.float32)
            stretch[:fade] = (1.0 - share) * before + share * stretch[:fade]
        self._parts.append(stretch)
        self._end = end
        self._seam_at = max(end - self._overlap, zero)
        self._seam = _between(piece, self._seam_at - zero, min(end + self._overlap - zero, len(piece)))

    def samples(self) -> Samples:
        """Everything laid so far: (N,)."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, dtype=np.float32)


def _between(piece: Samples, begin: int, end: int) -> Samples:
    """A copy of piece[begin:end], with silence where the piece does not reach."""
    found = np.zeros(max(end - begin, 0), dtype=np.float32)
    first, last = max(begin, 0), min(end, len(piece))
    if last > first:
        found[first - begin : last - begin] = piece[first:last]
    return found
