"""Long dances by every strategy: quality by minute, seams, repetition, seconds, memory, and growth to ten minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from backend.directions import STRATEGIES, Strategy
from backend.evaluation.directed.director import Director, LongMade, LongWish
from backend.evaluation.directed.ground import Ground, spread
from backend.evaluation.directed.limits import RealLimits, beyond
from backend.evaluation.directed.parts import Found, Tell
from backend.evaluation.directed.repetition import a_phrase_apart, nearest_passages
from backend.evaluation.measure import measure
from backend.evaluation.report import median_report
from backend.evaluation.windows import Danced, FloatArray, windows_of
from backend.motion.motion import Motion

MINUTE_S = 60.0
MINUTES = 3
GROWTH_MINUTES = (1, MINUTES, 10)


def find(director: Director, ground: Ground, tell: Tell) -> Found:
    """Every strategy: three minutes with each seed, each to a song of its own; one and ten minutes with the first."""
    return {
        "strategies": {name: list(_dances(director, ground, name, tell)) for name in STRATEGIES},
        "real": {
            "quality": median_report([each.report for each in ground.windows]),
            "limits": asdict(ground.limits),
            **_repetition([(each.motion, each.beats_s) for each in ground.real]),
            **beyond([each.motion for each in ground.real], ground.limits),
        },
    }


def wishes(ground: Ground) -> list[LongWish]:
    """What every strategy is asked for, shorter dances first."""
    songs, genres = spread(ground.files, ground.seeds), ground.genres()
    asked = [(GROWTH_MINUTES[0], 0), *((MINUTES, seed) for seed in range(ground.seeds)), (GROWTH_MINUTES[-1], 0)]
    return [
        LongWish(songs[seed % len(songs)], MINUTE_S * minutes, genres[seed % len(genres)][0], seed)
        for minutes, seed in asked
    ]


def _dances(director: Director, ground: Ground, strategy: Strategy, tell: Tell) -> Iterator[dict[str, Any]]:
    asked = wishes(ground)
    tell(f"long dances: {strategy.replace('_', ' ')}")
    for wish, made in zip(asked, director.long(strategy, asked), strict=True):
        minutes = round(wish.seconds / MINUTE_S)
        tell(f"long dances: {strategy.replace('_', ' ')}, {minutes} min, seed {wish.seed}")
        yield {
            "song": wish.song.id,
            "seed": wish.seed,
            "genre": wish.genre,
            "minutes": minutes,
            "clock_s": made.clock_s,
            "processor_s": made.processor_s,
            "stages_s": dict(made.stages_s),
            "peak_mib": made.peak_mib,
            **(_quality(wish, made, ground.limits) if minutes == MINUTES else {}),
        }


def _quality(wish: LongWish, made: LongMade, limits: RealLimits) -> dict[str, Any]:
    """Of a dance of three minutes: each minute, seams wherever they are, repetition, and how far it wanders."""
    danced = Danced(wish.song.id, made.motion, made.beats_s, genre=wish.genre, seed=wish.seed)
    windows = [measure(window) for window in windows_of(danced)]
    by_minute = [
        median_report([each.report for each in windows if minute <= each.window.start_s / MINUTE_S < minute + 1])
        for minute in range(MINUTES)
    ]
    away = np.linalg.norm(made.motion.pelvis[:, :2] - made.motion.pelvis[:1, :2], axis=-1)
    return {
        "by_minute": by_minute,
        "farthest_m": float(away.max()),
        "end_m": float(away[-1]),
        **beyond([made.motion], limits),
        **_repetition([(made.motion, made.beats_s)]),
    }


def _repetition(dances: Sequence[tuple[Motion, FloatArray]]) -> dict[str, float | None]:
    """Mean distance of phrases from the next, and of passages from the nearest; None where no dance is so long."""
    phrases = np.concatenate([a_phrase_apart(motion, beats_s) for motion, beats_s in dances])
    passages = np.concatenate([nearest_passages(motion) for motion, _ in dances])
    return {
        "a_phrase_apart_cm": float(phrases.mean()) if len(phrases) else None,
        "nearest_passage_cm": float(passages.mean()) if len(passages) else None,
    }
