"""Spans as an animator writes them, and the counts of the music."""

from __future__ import annotations

import numpy as np
import pytest

from backend.dance import Dance
from backend.editing.spans import Counts, point_frame, section_range, span_frames
from backend.errors import PirouetteError
from backend.music.beats import BeatGrid


def grid(*beats_s: float) -> BeatGrid:
    beats = np.array(beats_s)
    return BeatGrid(beats, np.arange(len(beats)) % 4 == 0, 120.0, 4, True)


def test_count_zero_is_the_first_beat_of_the_dance() -> None:
    counts = Counts(grid(-0.4, 0.1, 0.6, 1.1, 1.6))
    assert float(counts.seconds(0)) == pytest.approx(0.1)
    assert float(counts.seconds(3)) == pytest.approx(1.6)
    assert float(counts.at(0.35)) == pytest.approx(0.5, abs=0.01)


def test_counts_go_on_beyond_the_last_beat() -> None:
    counts = Counts(grid(0.0, 0.5, 1.0))
    assert float(counts.seconds(10)) == pytest.approx(5.0)
    assert float(counts.seconds(-2)) == pytest.approx(-1.0)


def test_counts_follow_a_tempo_that_changes() -> None:
    counts = Counts(grid(0.0, 0.5, 1.0, 1.6, 2.2))
    assert float(counts.seconds(4)) == pytest.approx(2.2)
    between = counts.seconds(np.linspace(0.0, 4.0, 50))
    assert (np.diff(between) > 0).all()


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("8.0:12.0", (240, 360)),
        ("16c:24c", (306, 455)),
        ("#3", (213, 362)),
        ("#3:#5", (213, 659)),
        ("240f:360f", (240, 360)),
        (":8c", (0, 158)),
        ("50:", (1500, 1624)),
        ("#2:10", (65, 300)),
        ("7.1:12.05", (213, 362)),
    ],
)
def test_a_span_means_frames(dance: Dance, text: str, frames: tuple[int, int]) -> None:
    assert span_frames(text, dance) == frames


@pytest.mark.parametrize("text", ["", "8", "8:8", "12:8", "a:b", "#0", "#13", "0:99", "8c", "-1:3", "#3:#2", "1e3:2e3"])
def test_what_is_no_span_of_the_dance_is_refused(dance: Dance, text: str) -> None:
    with pytest.raises(PirouetteError) as caught:
        span_frames(text, dance)
    assert caught.value.code == "bad_range"


def test_a_point_is_where_a_section_starts(dance: Dance) -> None:
    assert point_frame("#3", dance) == 213
    assert point_frame("end", dance) == 1624


def test_a_span_touches_sections(dance: Dance) -> None:
    assert section_range("8.0:12.0", dance) == range(2, 3)
    assert section_range("6.0:13.0", dance) == range(1, 4)
