"""Structure: verses and choruses are told apart, come again under their own name, and begin at eight-counts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.music.audio import SAMPLE_RATE_HZ, Audio
from backend.music.beats import BeatGrid
from backend.music.features import music_features
from backend.music.structure import MusicPart, music_parts

COUNTS = 4  # eight-counts of a part
# Each kind of part: its chords as semitones above A, the overtones of its instrument, how many off-beats its drum hits.
KINDS = {
    "A": (((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14)), (1.0, 0.3, 0.1), 0.3),
    "B": (((5, 9, 12), (7, 11, 14), (4, 7, 11), (9, 12, 16)), (1.0, 0.8, 0.6), 0.7),
    "C": (((2, 5, 9), (10, 14, 17), (3, 7, 10), (2, 5, 9)), (1.0, 0.1, 0.5), 0.1),
}


def grid_of(tempo_bpm: float, beats: int, metre: int = 4) -> BeatGrid:
    number = np.arange(beats)
    return BeatGrid(number * 60.0 / tempo_bpm, number % metre == 0, tempo_bpm, metre, True)


def song(form: str, tempo_bpm: float, seed: int = 0) -> tuple[np.ndarray, BeatGrid]:
    """What is heard of a song of this form: chords with a struck envelope, a drum on every beat, a shaker between."""
    rng = np.random.default_rng(seed)
    beat_s = 60.0 / tempo_bpm
    beats = 8 * COUNTS * len(form)
    samples = 0.01 * rng.normal(size=round(beats * beat_s * SAMPLE_RATE_HZ))
    hits = {kind: rng.random(4) < KINDS[kind][2] for kind in KINDS}

    def add(at_s: float, sound: np.ndarray) -> None:
        start = round(at_s * SAMPLE_RATE_HZ)
        samples[start : start + len(sound)] += sound[: max(len(samples) - start, 0)]

    bar_s = np.arange(round(4 * beat_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    hit_s = bar_s[: SAMPLE_RATE_HZ // 8]
    for number in range(beats):
        kind = form[number // (8 * COUNTS)]
        chords, overtones, _ = KINDS[kind]
        if number % 4 == 0:
            pitches = [220.0 * 2 ** (step / 12) for step in chords[number // 4 % 4]]
            tones = [a * np.sin(2 * np.pi * f * (i + 1) * bar_s) for f in pitches for i, a in enumerate(overtones)]
            add(number * beat_s, rng.uniform(0.07, 0.09) * np.sum(tones, axis=0) * np.exp(-bar_s))
        add(number * beat_s, 0.5 * np.sin(2 * np.pi * 60.0 * hit_s) * np.exp(-25.0 * hit_s))
        if hits[kind][number % 4]:
            add((number + 0.5) * beat_s, 0.12 * rng.normal(size=len(hit_s)) * np.exp(-55.0 * hit_s))
    grid = grid_of(tempo_bpm, beats)
    return music_features(Audio((samples / np.abs(samples).max()).astype(np.float32)), grid).sound, grid


def form_of(parts: tuple[MusicPart, ...]) -> str:
    return "".join(part.label for part in parts)


@pytest.mark.parametrize("tempo_bpm", [90.0, 150.0])
def test_verse_chorus_and_bridge_are_told_apart_and_known_again(tempo_bpm: float) -> None:
    sound, grid = song("ABABCB", tempo_bpm, seed=round(tempo_bpm))
    parts = music_parts(sound, grid)
    assert form_of(parts) == "ABABCB"
    assert [part.number for part in parts] == [0, 0, 1, 1, 0, 2]
    borders = np.arange(6) * 8 * COUNTS * 60.0 / tempo_bpm
    np.testing.assert_allclose([part.start_s for part in parts], borders, atol=0.01)


def test_labels_are_given_in_order_of_appearance() -> None:
    assert form_of(music_parts(*song("CBC", 120.0))) == "ABA"


def test_a_song_that_goes_on_alike_is_one_part() -> None:
    sound, grid = song("AAA", 120.0)
    assert music_parts(sound, grid) == (MusicPart(0.0, len(sound) / 30.0, "A", 0),)


def test_parts_cover_the_song_without_a_gap() -> None:
    sound, grid = song("ABA", 131.0)
    parts = music_parts(sound, grid)
    assert parts[0].start_s == 0.0
    assert parts[-1].end_s == pytest.approx(len(sound) / 30.0)
    for before, after in pairwise(parts):
        assert before.end_s == after.start_s


def test_a_short_song_is_one_part() -> None:
    sound, grid = song("A", 120.0)
    short = sound[: 8 * 30]
    assert music_parts(short, grid) == (MusicPart(0.0, 8.0, "A", 0),)


def test_what_is_heard_decides_and_not_chance() -> None:
    grid = grid_of(120.0, 192)
    sound = np.random.default_rng(0).normal(scale=0.1, size=(96 * 30, 37)).astype(np.float16)
    assert form_of(music_parts(sound, grid)) == "A"
    sound[32 * 30 : 64 * 30, 4:14] += 1.0
    parts = music_parts(sound, grid)
    assert form_of(parts) == "ABA"
    assert [part.start_s for part in parts] == [0.0, 32.0, 64.0]


def test_in_three_four_parts_begin_at_every_second_bar() -> None:
    grid = grid_of(120.0, 144, metre=3)
    sound = np.random.default_rng(1).normal(scale=0.1, size=(72 * 30, 37)).astype(np.float16)
    sound[33 * 30 :, 23:29] += 0.5
    starts = [part.start_s for part in music_parts(sound, grid)]
    assert starts == [0.0, 33.0]


def test_without_sound_there_are_no_parts() -> None:
    with pytest.raises(PirouetteError) as caught:
        music_parts(np.zeros((0, 37), np.float16), grid_of(120.0, 64))
    assert caught.value.code == "no_sound"
