"""Candidates for phrases: from beat to beat, as long as eight counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.library.cutting import Cut, at_model_rate, cuts_of
from backend.motion.motion import Motion
from backend.motion.sources import Clip
from tests.backend.library.conftest import FPS, stepping


def cuts(motion: Motion, *, beats_s: np.ndarray | None = None, metre: int = 4) -> list[Cut]:
    clip = Clip(Path("clip.npz"), "clip", "train", True, "salsa", "Salsa.", beats_s=beats_s)
    return cuts_of(clip, motion, metre=metre)


def test_annotated_beats_are_cut_into_eight_counts() -> None:
    found = cuts(stepping(10.0), beats_s=np.arange(0.25, 10.0, 0.5))
    assert len(found) == 20 - 8
    for cut in found:
        assert cut.counts == len(cut.beats_s) == 8
        assert cut.seconds == pytest.approx(4.0, abs=0.05)
        assert cut.bpm == pytest.approx(120.0, abs=1.5)
        assert cut.beats_s[0] == pytest.approx(0.0, abs=0.02)
        np.testing.assert_allclose(np.diff(cut.beats_s), 0.5, atol=0.01)
        assert cut.start >= 0
        assert cut.start + cut.frames <= 300


def test_a_waltz_is_cut_into_six_counts() -> None:
    assert {cut.counts for cut in cuts(stepping(10.0), beats_s=np.arange(0.25, 10.0, 0.5), metre=3)} == {6}


def test_without_annotation_the_body_tells_the_beat() -> None:
    found = cuts(stepping(12.0, bpm=110.0))
    assert found
    assert all(cut.counts == 8 for cut in found)
    assert np.median([cut.bpm for cut in found]) == pytest.approx(110.0, rel=0.06)


def test_a_short_clip_gives_one_phrase_of_the_beats_it_has() -> None:
    found = cuts(stepping(3.1), beats_s=np.arange(0.25, 3.1, 0.5))
    assert len(found) == 1
    assert 4 <= found[0].counts < 8


def test_a_clip_without_any_beat_is_cut_into_about_four_seconds() -> None:
    found = cuts(stepping(14.0), beats_s=np.arange(0.0, 14.0, 3.0))
    assert found
    assert all(3.0 <= cut.seconds <= 5.0 for cut in found)


def test_a_phrase_is_the_same_frames_of_the_clip() -> None:
    motion = stepping(10.0)
    cut = cuts(motion, beats_s=np.arange(0.25, 10.0, 0.5))[3]
    phrase = cut.motion(motion)
    np.testing.assert_array_equal(phrase.poses, motion.poses[cut.start : cut.start + cut.frames])
    assert phrase.fps == FPS


def test_a_clip_at_another_rate_is_cut_in_time() -> None:
    fast = Motion(np.repeat(stepping(4.0).poses, 2, axis=0), np.repeat(stepping(4.0).pelvis, 2, axis=0), 60.0)
    assert at_model_rate(fast).fps == FPS
    assert at_model_rate(fast).duration_s == pytest.approx(4.0, abs=0.05)
