"""Pieces of a mixdown become one sound, however far off each of them starts."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.splice import Splice, piece_offset

RATE_HZ = 8000


def music(seconds: float, *, seed: int = 1) -> np.ndarray:
    """Noise without high frequencies, like nothing but itself at every place."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * RATE_HZ) + 8)
    return np.convolve(noise, np.ones(8) / 8, mode="valid")[: round(seconds * RATE_HZ)].astype(np.float32)


def spliced(whole: np.ndarray, cuts: list[int], offsets: list[int], *, margin: int = 2400) -> np.ndarray:
    """The pieces between the cuts; each holds the sound from ``offset`` samples earlier than it should."""
    splice = Splice(sample_rate_hz=RATE_HZ)
    padded = np.concatenate([np.zeros(8000, dtype=np.float32), whole, np.zeros(8000, dtype=np.float32)])
    for begin, end, offset in zip([0, *cuts[:-1]], cuts, offsets, strict=True):
        at = begin - margin
        piece = padded[8000 + at - offset : 8000 + end + margin - offset]
        splice.append(piece, piece_at=at, end=end)
    return splice.samples()


@pytest.mark.parametrize("offset", [0, 1, -1, 60, -200, 319, -319])
def test_a_piece_that_starts_early_or_late_is_laid_where_it_belongs(offset: int) -> None:
    whole = music(6.0)
    found = spliced(whole, [16000, 32000, 48000], [0, offset, -offset])
    assert np.abs(found - whole).max() < 1e-5


def test_all_pieces_follow_the_first(  # which is what is heard when the timeline is played from the start
) -> None:
    whole = music(4.0)
    found = spliced(whole, [16000, 32000], [100, 100])
    assert np.abs(found[100:] - whole[:-100]).max() < 1e-5


def test_silence_and_unlike_pieces_are_left_where_they_are() -> None:
    silence = np.zeros(4000, dtype=np.float32)
    assert piece_offset(silence, silence, search=320) == 0
    assert piece_offset(music(0.5), silence, search=320) == 0
    assert piece_offset(music(0.5, seed=1), music(0.5, seed=2), search=320) == 0
    assert piece_offset(np.zeros(0, dtype=np.float32), music(0.5), search=320) == 0


def test_a_piece_that_is_too_short_is_filled_up_with_silence() -> None:
    splice = Splice(sample_rate_hz=RATE_HZ)
    splice.append(music(1.0)[:5000], piece_at=0, end=8000)
    assert len(splice.samples()) == 8000
    assert not splice.samples()[5000:].any()


def test_there_is_no_click_at_a_seam_between_unlike_pieces() -> None:
    splice = Splice(sample_rate_hz=RATE_HZ)
    high = np.full(8000, 0.8, dtype=np.float32)
    splice.append(high, piece_at=0, end=4000)
    splice.append(-high, piece_at=2000, end=8000)
    assert np.abs(np.diff(splice.samples())).max() < 0.1
