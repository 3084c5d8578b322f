"""Coarse to fine: bars are found, segments end on them, cues are hard at borders and soft elsewhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from backend.diffusion.conditions import Conditions, music_input
from backend.diffusion.sampling import CUES_UNTIL, Given
from backend.longform.coarse_to_fine import LONGEST_SEGMENT, covering, reused, segment_borders, with_cues
from backend.longform.primitives import (
    BEFORE,
    PRIMITIVE_FRAMES,
    PrimitiveMaker,
    bar_frames,
    bar_music,
    cut_primitives,
)
from backend.motion.representation import mirror
from backend.music.beats import BeatGrid
from backend.music.structure import MusicPart


def song(frames: int, bpm: float = 120.0, metre: int = 4) -> torch.Tensor:
    beats_s = 0.2 + np.arange(round(frames / 30 * bpm / 60)) * 60.0 / bpm
    grid = BeatGrid(beats_s, np.arange(len(beats_s)) % metre == 0, bpm, metre, clear=True)
    return torch.from_numpy(music_input(grid, np.zeros((frames, 37), dtype=np.float32), frames=frames))


@pytest.mark.parametrize(("bpm", "metre"), [(120.0, 4), (93.0, 4), (100.0, 3)])
def test_bars_begin_on_the_downbeats(bpm: float, metre: int) -> None:
    bars = bar_frames(song(900, bpm, metre))
    wanted = (0.2 + np.arange(40) * metre * 60.0 / bpm) * 30
    wanted = wanted[(wanted >= BEFORE) & (wanted <= 900 - BEFORE - 1)]
    assert np.abs(bars.numpy() - wanted[: len(bars)]).max() <= 1
    assert len(bars) == len(wanted)


def test_silence_has_no_bars_but_is_covered_all_the_same() -> None:
    assert len(bar_frames(torch.zeros(300, 45))) == 0
    marks = covering([], 700)
    assert max(later - earlier for earlier, later in pairwise([0, *marks, 700])) <= 120


@pytest.mark.parametrize("frames", [200, 292, 294, 900, 5401])
def test_segments_are_short_enough_and_end_on_bars(frames: int) -> None:
    frames += frames % 2
    bars = covering(bar_frames(song(frames)).tolist(), frames)
    borders = segment_borders(bars, frames)
    assert borders[0] == 0
    assert borders[-1] == frames
    assert all(0 < later - earlier <= LONGEST_SEGMENT for earlier, later in pairwise(borders))
    assert all(border in {bar // 2 * 2 for bar in bars} for border in borders[1:-1])


def test_cues_are_hard_at_borders_soft_elsewhere_and_never_over_what_is_known() -> None:
    primitives = torch.arange(3.0)[:, None, None].expand(3, PRIMITIVE_FRAMES, 5) + 1.0
    kept = torch.zeros(600, 5)
    kept[100] = 1.0
    given = with_cues(Given(torch.zeros(600, 5), kept), primitives, [100, 280, 400], [0, 280, 600], 600)
    assert given.kept[276:284].min() == 1.0
    assert (given.clean[276:284] == 2.0).all()
    assert given.kept[396:404].max() == 0.0
    assert given.cues[396:404].min() == 1.0
    assert (given.clean[100] == 0.0).all()
    assert given.cues[100].max() == 0.0
    assert given.mask(CUES_UNTIL + 1)[400].max() == 1.0
    assert given.mask(CUES_UNTIL)[400].max() == 0.0


def test_a_primitive_is_the_eight_frames_around_its_bar() -> None:
    rows = torch.arange(60.0)[:, None].expand(60, 3)
    cut = cut_primitives(rows, torch.tensor([10, 30]))
    assert cut.unflatten(1, (8, 3))[:, :, 0].tolist() == [list(range(6, 14)), list(range(26, 34))]


def test_the_music_of_bars_is_their_mean_and_tells_one_from_the_other() -> None:
    music = song(300)
    music[:, 7] = torch.arange(300.0)
    rows = bar_music(music, torch.tensor([6, 66, 126]))
    assert rows[:2, 7].tolist() == pytest.approx([35.5, 95.5])
    assert rows[0, 4] == -rows[1, 4]


class Mirrored:
    """A space that counts how often something is mirrored in it."""

    def enter(self, numbers: torch.Tensor) -> torch.Tensor:
        return numbers

    def leave(self, rows: torch.Tensor) -> torch.Tensor:
        return rows


@pytest.mark.parametrize("mirrored", [False, True])
def test_parts_that_come_again_share_the_primitives_of_their_first_time(mirrored: bool) -> None:
    primitives = torch.randn(6, PRIMITIVE_FRAMES, 151, generator=torch.Generator().manual_seed(0))
    parts = [MusicPart(0.0, 4.0, "A", 0), MusicPart(4.0, 8.0, "B", 0), MusicPart(8.0, 12.0, "A", 1)]
    again = reused(primitives, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0], parts, Mirrored(), mirrored=mirrored)
    assert torch.equal(again[:4], primitives[:4])
    wanted = mirror(primitives[:2]) if mirrored else primitives[:2]
    assert torch.allclose(again[4:], wanted, atol=1e-6)


def test_the_shipped_network_makes_a_primitive_for_every_bar() -> None:
    maker = PrimitiveMaker(torch.device("cpu"))
    music = song(900)
    bars = bar_frames(music)
    first, again, other = (maker.make(Conditions(music, None, None), bars, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (len(bars), PRIMITIVE_FRAMES, 151)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1)
    assert float(first.abs().mean()) < 2.0  # numbers are normalised
