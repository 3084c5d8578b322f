"""Rows of the table on meaning: R-precision and multimodal distance to words and to music, generated beside real.

Conditions are far from distinct (many dances share a genre), so each number stands beside its own chance: the same with
the conditions dealt anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.diffusion.conditions import music_input
from backend.evaluation.compare import Row, Spread
from backend.evaluation.retrieval import POOL, Evaluator, multimodal_distance, r_precision
from backend.evaluation.windows import Window
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid
from backend.music.features import MusicFeatures
from backend.text.captions import prompt_sentence
from backend.text.vocabulary import load_vocabulary
from backend.training.pairing import Song, metrical_levels, pair

FloatArray = npt.NDArray[np.float64]
DRAWS = 50
FEWEST = 4  # windows for which a choice is one


@dataclass(frozen=True)
class Matched:
    """Embeddings (N, E) of windows, and of what each was made for or is paired with."""

    motions: FloatArray
    conditions: FloatArray


def meaning_rows(
    evaluator: Evaluator,
    real: Sequence[Window],
    made: Sequence[Window],
    songs: Mapping[str, MusicFeatures],
    *,
    rng: np.random.Generator,
) -> list[Row]:
    """R-precision (top 3) and distance for words and music, and what chance gives.

    songs: by the names that windows know them by. Real dances have no music of their own: each is paired with one of
    the songs as in training.
    """
    known = [window for window in made if window.whole.song in songs]
    rows = _rows("text", said(evaluator, real), said(evaluator, made), rng)
    return rows + _rows("music", paired(evaluator, real, songs, rng=rng), heard(evaluator, known, songs), rng)


def said(evaluator: Evaluator, windows: Sequence[Window]) -> Matched | None:
    """Windows of known genre with their genre's sentence; None for too few."""
    known = [window for window in windows if window.whole.genre]
    sentences = {genre: evaluator.embed_text(_sentence(genre)) for genre in {w.whole.genre for w in known}}
    return _matched([evaluator.embed_motion(w.motion) for w in known], [sentences[w.whole.genre] for w in known])


def heard(evaluator: Evaluator, windows: Sequence[Window], songs: Mapping[str, MusicFeatures]) -> Matched | None:
    """Windows with the span of the song that they were danced to."""
    conditions = []
    for window in windows:
        song, frames = songs[window.whole.song], window.motion.frames
        sound = np.concatenate([song.energy, song.timbre], axis=1)
        first = min(round(window.start_s * FPS), max(len(sound) - frames, 0))
        grid = song.grid
        shifted = BeatGrid(grid.beats_s - first / FPS, grid.downbeat, grid.tempo_bpm, grid.metre, grid.clear)
        piece = sound[first : first + frames]
        conditions.append(evaluator.embed_channels(music_input(shifted, piece, frames=len(piece))))
    return _matched([evaluator.embed_rhythm(window.motion) for window in windows], conditions)


def paired(
    evaluator: Evaluator, windows: Sequence[Window], songs: Mapping[str, MusicFeatures], *, rng: np.random.Generator
) -> Matched | None:
    """Real windows with a song whose beats were moved onto theirs, where they have a beat."""
    candidates = [
        level
        for name, song in songs.items()
        for level in metrical_levels(Song(name, np.concatenate([song.energy, song.timbre], axis=1), song.grid))
    ]
    motions, conditions = [], []
    for window in windows:
        beats = window.beats_s
        if len(beats) < FEWEST or not candidates:
            continue
        joints = window.motion.joints()
        speed = np.linalg.norm(np.gradient(joints, axis=0), axis=-1).mean(-1).astype(np.float32) * np.float32(FPS)
        grid = BeatGrid(beats, np.arange(len(beats)) % 4 == 0, 120.0, 4, clear=True)
        motions.append(evaluator.embed_rhythm(window.motion))
        conditions.append(evaluator.embed_channels(pair(grid, speed, candidates, timbre=True, rng=rng)))
    return _matched(motions, conditions)


def _sentence(genre: str) -> str:
    return prompt_sentence(genre, "") if genre in load_vocabulary().genres else genre


def _matched(motions: Sequence[FloatArray], conditions: Sequence[FloatArray]) -> Matched | None:
    return Matched(np.stack(motions), np.stack(conditions)) if len(motions) >= FEWEST else None


def _rows(name: str, real: Matched | None, made: Matched | None, rng: np.random.Generator) -> list[Row]:
    """Four rows over random draws of one number of windows from both sets."""
    sizes = [len(matched.motions) for matched in (real, made) if matched is not None]
    if not sizes:
        return []
    size = min([POOL, *sizes])
    spreads = [_draws(matched, size, rng) if matched is not None else {} for matched in (made, real)]
    names = ("r_precision", "r_precision_chance", "mm_distance", "mm_distance_chance")
    return [Row(f"{each}_{name}", spreads[0].get(each), spreads[1].get(each), None) for each in names]


def _draws(matched: Matched, size: int, rng: np.random.Generator) -> dict[str, Spread]:
    values: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        chosen = rng.permutation(len(matched.motions))[:size]
        motions, own = matched.motions[chosen], matched.conditions[chosen]
        for suffix, conditions in (("", own), ("_chance", own[rng.permutation(size)])):
            precision = r_precision(motions, conditions, generator=rng)
            values.setdefault(f"r_precision{suffix}", []).append(precision)
            values.setdefault(f"mm_distance{suffix}", []).append(multimodal_distance(motions, conditions))
    return {name: Spread.of(each, tails=0.05) for name, each in values.items()}
