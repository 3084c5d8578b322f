"""Coarse to fine (Lodge): primitives for the whole dance first, then all segments between them as one batch.

A primitive stands on every bar. Those at the borders of segments are hard cues: both neighbours are told their eight
frames, and meet there. The others are soft cues: followed while the noise is loud, then left to the network. Where
parts of the music come again, their primitives may come again, too, as they were or mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from backend.diffusion.conditions import Conditions
from backend.diffusion.sampling import Given
from backend.diffusion.windows import WINDOW_FRAMES
from backend.longform.primitives import BEFORE, PRIMITIVE_FRAMES, PrimitiveMaker, bar_frames
from backend.longform.spans import even_borders
from backend.motion.representation import mirror
from backend.music.structure import MusicPart
from backend.spaces import MotionSpace

LONGEST_SEGMENT = WINDOW_FRAMES - PRIMITIVE_FRAMES
SILENT_BAR_FRAMES = 60


@dataclass(frozen=True)
class Plan:
    """What the segments are told, and the borders between them, in frames."""

    given: Given
    borders: list[int]


def planned(
    maker: PrimitiveMaker,
    conditions: Conditions,
    given: Given | None,
    *,
    seed: int,
    again: Callable[[Tensor, list[int]], Tensor] | None = None,
) -> Plan:
    """Primitives for the bars of a dance, and its segments between them.

    again: changes primitives (N, 8, C) around bars at frames (N,), where parts of the music come again.
    """
    frames = len(conditions.music)
    bars = covering(bar_frames(conditions.music).tolist(), frames)
    primitives = maker.make(conditions, torch.tensor(bars), seed=seed)
    primitives = primitives if again is None else again(primitives, bars)
    borders = segment_borders(bars, frames)
    return Plan(with_cues(given, primitives, bars, borders, frames), borders)


def covering(bars: Sequence[int], frames: int) -> list[int]:
    """Bars, and more of them every two seconds where there are none: before and behind the music, and without it."""
    marks, covered = [0, *bars, frames], list(bars)
    for first, last in pairwise(marks):
        covered += range(first + SILENT_BAR_FRAMES, last - SILENT_BAR_FRAMES // 2, SILENT_BAR_FRAMES)
    return sorted(bar for bar in covered if BEFORE <= bar <= frames - BEFORE)


def segment_borders(bars: Sequence[int], frames: int) -> list[int]:
    """Borders of segments, 0..frames, even: on bars, each segment as long as it may be; evenly where no bar serves."""
    borders = [0]
    while frames - borders[-1] > LONGEST_SEGMENT:
        reach = [bar // 2 * 2 for bar in bars if borders[-1] + PRIMITIVE_FRAMES < bar <= borders[-1] + LONGEST_SEGMENT]
        reach = [bar for bar in reach if bar <= frames - PRIMITIVE_FRAMES]
        borders.append(reach[-1] if reach else even_borders(frames - borders[-1], LONGEST_SEGMENT)[1] + borders[-1])
    return [*borders, frames]


def with_cues(
    given: Given | None, primitives: Tensor, bars: Sequence[int], borders: Sequence[int], frames: int
) -> Given:
    """What is given of a dance, and its primitives (N, 8, C) around bars: hard cues at borders, soft ones elsewhere."""
    width, device = primitives.shape[-1], primitives.device
    if given is None:
        nothing = torch.zeros(frames, width, device=device)
        given = Given(nothing, nothing, eased=True)
    clean, kept, cues = given.clean.clone(), given.kept.expand(frames, width).clone(), torch.zeros_like(given.clean)
    hard = {border // 2 * 2 for border in borders[1:-1]}
    for primitive, bar in zip(primitives, bars, strict=True):
        rows = slice(bar - BEFORE, bar - BEFORE + PRIMITIVE_FRAMES)
        free = kept[rows] == 0
        clean[rows] = torch.where(free, primitive, clean[rows])
        target = kept if bar // 2 * 2 in hard else cues
        target[rows] = torch.where(free, torch.ones_like(primitive), target[rows])
    return replace(given, clean=clean, kept=kept, cues=cues)


def reused(
    primitives: Tensor, bars_s: Sequence[float], parts: Sequence[MusicPart], space: MotionSpace, *, mirrored: bool
) -> Tensor:
    """Primitives (N, 8, C) of which those of a part of the music that comes again are those of its first time.

    bars_s: when each primitive comes; mirrored: with left and right exchanged, every second time.
    """
    result = primitives.clone()
    first: dict[str, list[int]] = {}
    for part in sorted(parts, key=lambda each: each.start_s):
        inside = [number for number, time_s in enumerate(bars_s) if part.start_s - 0.1 <= time_s < part.end_s - 0.1]
        source = first.setdefault(part.label, inside)
        for here, there in zip(inside, source, strict=False):
            if here != there:
                again = result[there]
                result[here] = space.enter(mirror(space.leave(again))) if mirrored and part.number % 2 else again
    return result
