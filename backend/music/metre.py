"""Three or four in a bar, and which beat is the one.

Metre: rhythm and spectrum repeat after a bar, so beats resemble those a bar and two bars on. Downbeat: the chord and
the sound change there, and the bass and the loudest attack like to fall there.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from backend.music.audio import SAMPLE_RATE_HZ, FloatArray
from backend.music.onsets import RATE_HZ, Onsets
from backend.music.tracking import TimeArray, envelope_at

PARTS = 4  # of a beat, told apart in its pattern
THREE_OVER_FOUR = 0.10  # resemblance by which three must win; four is by far the commoner
HARMONY_WINDOW, HARMONY_HOP = 4096, 1024
HARMONY_HZ = (200.0, 2000.0)
# Weights of the standardised signs of a downbeat, near those of a conditional logit on songs of known bars.
HARMONY_WEIGHT, SHORT_HARMONY_WEIGHT, SOUND_WEIGHT, LOW_WEIGHT, FULL_WEIGHT = 2.5, 1.5, 1.0, 1.2, 0.8
LARGEST_SIGN = 3.0


def metre_of(onsets: Onsets, beats_s: TimeArray) -> int:
    """3 or 4 beats a bar, from how beats resemble later ones; 4 where the song is too short to say."""
    if len(beats_s) < 12:
        return 4
    spectrum = _patterns(onsets, beats_s).reshape(len(beats_s), -1)
    period_s = float(np.median(np.diff(beats_s)))
    attacks = np.stack(
        [
            envelope_at(envelope, beats_s + part * period_s)
            for envelope in (onsets.full, onsets.low)
            for part in (0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75)
        ],
        axis=1,
    )
    evidence = _three_over_four(spectrum) + 0.3 * _three_over_four(attacks)
    return 3 if evidence > THREE_OVER_FOUR else 4


def downbeat_place(samples: FloatArray, onsets: Onsets, beats_s: TimeArray, metre: int) -> int:
    """The first beat (0..metre - 1) that starts a bar."""
    if len(beats_s) < 2 * metre:
        return 0
    sound = _patterns(onsets, beats_s).mean(axis=1)
    harmony = _beat_harmony(samples, beats_s)
    signs = (
        (HARMONY_WEIGHT, _novelty(harmony, metre)),
        (SHORT_HARMONY_WEIGHT, _novelty(harmony, 2)),
        (SOUND_WEIGHT, _novelty(sound, 2 * metre)),
        (LOW_WEIGHT, envelope_at(onsets.low, beats_s)),
        (FULL_WEIGHT, envelope_at(onsets.full, beats_s)),
    )
    total = np.zeros(len(beats_s))
    for weight, sign in signs:
        total += weight * np.minimum((sign - sign.mean()) / (sign.std() + 1e-6), LARGEST_SIGN)
    return int(np.argmax([total[place::metre].mean() for place in range(metre)]))


def _three_over_four(rows: TimeArray) -> float:
    """Resemblance after 3 and 6 beats less that after 4 and 8; rows: (beats, numbers)."""
    centred = rows - rows.mean(axis=0)
    unit = centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-9)
    alike = {lag: float((unit[lag:] * unit[:-lag]).sum(axis=1).mean()) for lag in (3, 4, 6, 8)}
    return alike[3] + alike[6] - alike[4] - alike[8]


def _patterns(onsets: Onsets, beats_s: TimeArray) -> TimeArray:
    """(beats, PARTS, bands) mean spectrum in each quarter of each beat."""
    ends = np.append(beats_s, 2 * beats_s[-1] - beats_s[-2])
    borders = ends[:-1, None] + np.diff(ends)[:, None] * np.arange(PARTS) / PARTS
    means = _means_between(onsets.bands, np.append(borders.ravel(), ends[-1]) * RATE_HZ)
    return means.reshape(len(beats_s), PARTS, -1)


def _beat_harmony(samples: FloatArray, beats_s: TimeArray) -> TimeArray:
    """(beats, 12) log-compressed chroma of each beat, less its weakest tone."""
    import librosa

    spectrum = np.abs(librosa.stft(samples, n_fft=HARMONY_WINDOW, hop_length=HARMONY_HOP))
    level = np.log1p(spectrum * (50.0 / max(float(np.percentile(spectrum, 98)), 1e-9)))
    ends = np.append(beats_s, 2 * beats_s[-1] - beats_s[-2])
    chroma = _means_between((_harmony_filters() @ level).T, ends * (SAMPLE_RATE_HZ / HARMONY_HOP))
    return np.asarray(chroma - chroma.min(axis=1, keepdims=True))


@lru_cache(maxsize=1)
def _harmony_filters() -> FloatArray:
    import librosa

    tone_hz = np.fft.rfftfreq(HARMONY_WINDOW, 1.0 / SAMPLE_RATE_HZ)
    audible = (tone_hz >= HARMONY_HZ[0]) & (tone_hz < HARMONY_HZ[1])
    return np.asarray(librosa.filters.chroma(sr=SAMPLE_RATE_HZ, n_fft=HARMONY_WINDOW) * audible, dtype=np.float32)


def _means_between(rows: FloatArray, border_frames: TimeArray) -> TimeArray:
    """(borders - 1, numbers) mean of the rows from each border to the next."""
    border = np.clip(np.round(border_frames).astype(np.int64), 0, len(rows))
    running = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    count = np.maximum(np.diff(border), 1)[:, None]
    return np.asarray((running[border[1:]] - running[border[:-1]]) / count)


def _novelty(rows: TimeArray, reach: int) -> TimeArray:
    """(beats,) one minus the cosine between the means of the rows before and from each beat on."""
    beats = len(rows)
    running = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    here = np.arange(beats)
    before = running[here] - running[np.maximum(here - reach, 0)]
    after = running[np.minimum(here + reach, beats)] - running[here]
    length = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    novelty = 1.0 - (before * after).sum(axis=1) / np.maximum(length, 1e-9)
    novelty[[0, -1]] = 0.0  # nothing lies before, hardly anything after
    return np.asarray(novelty)
