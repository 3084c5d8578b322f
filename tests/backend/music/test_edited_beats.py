"""Edited beats become a grid: bars start where they started, and what is no row of beats is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.music.beats import BeatGrid
from backend.music.edited_beats import edited_grid

HEARD = BeatGrid(0.5 * np.arange(17), np.arange(17) % 4 == 1, 120.0, 4, False)


def bars(grid: BeatGrid) -> list[float]:
    return [round(float(beat_s), 3) for beat_s in grid.beats_s[grid.downbeat]]


def test_moved_beats_take_their_bars_with_them() -> None:
    for shift_s in (-0.25, -0.1, 0.1, 0.25):
        grid = edited_grid(HEARD.beats_s + shift_s, before=HEARD)
        assert bars(grid) == [round(beat_s + shift_s, 3) for beat_s in bars(HEARD)]


def test_beats_that_all_moved_by_half_a_beat_agree_where_bars_start_though_one_is_gone() -> None:
    moved = HEARD.beats_s[:-1] + 0.25
    assert bars(edited_grid(moved, before=HEARD)) == [0.75, 2.75, 4.75, 6.75]
    jitter = np.random.default_rng(1).normal(scale=0.01, size=len(moved))
    grid = edited_grid(moved + jitter, before=HEARD)
    np.testing.assert_array_equal(np.flatnonzero(grid.downbeat), [1, 5, 9, 13])


def test_a_beat_more_or_less_moves_no_bar() -> None:
    assert bars(edited_grid(np.sort([*HEARD.beats_s, 3.25]), before=HEARD)) == bars(HEARD)
    assert bars(edited_grid(np.delete(HEARD.beats_s, 7), before=HEARD)) == bars(HEARD)


def test_a_beat_that_started_a_bar_and_is_gone_leaves_the_bar_to_the_next() -> None:
    assert bars(edited_grid(np.delete(HEARD.beats_s, 5), before=HEARD)) == [0.5, 3.0, 4.5, 6.5]


def test_marks_that_are_given_count_and_the_tempo_follows() -> None:
    grid = edited_grid([0.0, 0.4, 0.8], [False, False, True], before=replace(HEARD, metre=3))
    assert grid.downbeat.tolist() == [False, False, True]
    assert grid.tempo_bpm == pytest.approx(150.0)
    assert grid.metre == 3
    assert grid.clear


@pytest.mark.parametrize(
    ("beats_s", "sentence"),
    [
        ([], "0 beats are too few"),
        ([1.0], "1 beats are too few"),
        ([1.0, float("nan")], "not a finite number"),
        ([1.0, 1.0], "comes after"),
        ([2.0, 1.0], "comes after"),
        ([1.0, 1.09], "nearer than 0.1 s"),
    ],
)
def test_what_is_no_row_of_beats_is_refused(beats_s: list[float], sentence: str) -> None:
    with pytest.raises(PirouetteError, match=sentence) as caught:
        edited_grid(beats_s, before=HEARD)
    assert caught.value.code == "bad_request"
