"""What the dances of an ablated network are like: straight from the network, and after the pass that follows it.

Planting stops the feet, whatever the network does; so everything is also measured *raw*, on the refined dance before
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from backend.errors import PirouetteError
from backend.evaluation.beat_alignment import beat_alignment
from backend.evaluation.bundled_generator import BundledGenerator, DeceivedChoreographer
from backend.evaluation.compare import Row, Spread, compare
from backend.evaluation.freezing import freezing_curve
from backend.evaluation.generated_set import HeardSong, generated_dances
from backend.evaluation.generators import Hearing
from backend.evaluation.listening import listening
from backend.evaluation.measure import Measured, measure
from backend.evaluation.real_set import real_dances
from backend.evaluation.windows import WINDOW_S, Danced, piece, windows_of
from backend.motion.motion import Motion
from backend.motion.representation import decode
from backend.motion.sources import find_songs
from backend.music.audio import Audio, load_audio
from backend.music.beats import track_beats

# fmt: off
METRICS = (
    "foot_skate_cm_s", "jerk_m_s3", "freezing_pct", "beat_alignment_lift", "fid_k", "fid_g", "div_k",
    "mean_joint_speed_m_s", "farthest_from_start_m",
)
# fmt: on
OF_REAL = tuple(name for name in METRICS if name != "beat_alignment_lift")  # their beats are read from themselves
HEARD: tuple[Hearing, ...] = ("true", "half_beat")
FROZEN_M_S = (0.05, 0.2, 0.4)
LONG_S = 60.0
SPLITS = ("valid", "train")
DRAW_SEED = 0
Figures = dict[str, float]


@dataclass(frozen=True)
class Scope:
    """What every variant is judged on. songs: at most so many; seconds: danced to of each; seeds: dances for each;
    long_s: length of the long dances.
    """

    library: Path
    songs: int
    seconds: float
    seeds: int
    long_s: float = LONG_S


@dataclass(frozen=True)
class Judged:
    """Metrics by name, straight from the network, and planted; real: the same of real dances, where they have
    them; windows: in each set that distances compare.
    """

    raw: Figures
    passed: Figures
    real: Figures
    windows: int


class WitnessedChoreographer(DeceivedChoreographer):
    """A choreographer that keeps the refined dance as it was before it was planted."""

    raw: Motion

    def refine(self, numbers: Tensor) -> Tensor:
        """As any other, but remembers."""
        refined = super().refine(numbers)
        self.raw = decode(refined)
        return refined


class WitnessedGenerator(BundledGenerator):
    """The networks of a folder, with so much of the refiner's correction."""

    choreographer: WitnessedChoreographer

    def __init__(self, weights: Path, *, refinement: float, device: str, threads: int) -> None:
        self.choreographer = WitnessedChoreographer(
            device=device, threads=threads, weights=weights, refinement=refinement
        )
        self.version = self.choreographer.version

    def dances(
        self, songs: list[HeardSong], *, seeds: int, hearing: Hearing = "true"
    ) -> tuple[list[Danced], list[Danced]]:
        """Dances for each song and seed: raw, and planted."""
        raw, passed = [], []
        for danced in generated_dances(self, songs, seeds=seeds, tell=lambda _: None, hearing=hearing):
            passed.append(danced)
            raw.append(replace(danced, motion=self.choreographer.raw))
        return raw, passed


def judged_songs(scope: Scope, *, seconds: float) -> list[HeardSong]:
    """Songs spread over the validation split, or over the training split of a library that has none there.

    Raises PirouetteError("missing_file") where there is no song in either.
    """
    found = list(find_songs(scope.library))
    for split in SPLITS:
        if files := [song for song in found if song.split == split]:
            chosen = np.unique(np.linspace(0, len(files) - 1, scope.songs).round().astype(int))
            return [_heard(files[index].id, files[index].path, seconds) for index in chosen]
    raise PirouetteError(
        "missing_file", f"{scope.library} has no song to train or validate with.", "Give one with songs."
    )


def _heard(name: str, path: Path, seconds: float) -> HeardSong:
    """The first seconds of a song, repeated where it is shorter."""
    audio = load_audio(path, end_s=seconds)
    audio = Audio(np.resize(audio.samples, round(seconds * audio.sample_rate_hz)), audio.sample_rate_hz)
    return HeardSong(name, audio, track_beats(audio))


class Judge:
    """Songs and real dances, loaded once for all variants.

    The few dances of a validation split cannot carry a distance between sets: those of the training split are real too.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.songs = judged_songs(scope, seconds=scope.seconds)
        self.long_songs = judged_songs(scope, seconds=scope.long_s)
        self.real = [
            measure(window)
            for split in SPLITS
            for danced in real_dances(scope.library, split)
            for window in windows_of(danced)
        ]

    def judge(self, generator: WitnessedGenerator) -> Judged:
        """Let a generator dance, and measure it."""
        short = {hearing: generator.dances(self.songs, seeds=self.scope.seeds, hearing=hearing) for hearing in HEARD}
        long = generator.dances(self.long_songs, seeds=1)
        made = [
            self._stage({hearing: dances[stage] for hearing, dances in short.items()}, long[stage]) for stage in (0, 1)
        ]
        rows = made[1][1]
        real = {row.metric: spread.middle for row in rows if (spread := _of_real(row)) is not None}
        windows = min(len(self.real) // 2, sum(len(list(windows_of(danced))) for danced in short["true"][1]))
        return Judged(made[0][0], made[1][0], {name: real[name] for name in OF_REAL if name in real}, windows)

    def _stage(self, short: Mapping[Hearing, Sequence[Danced]], long: Sequence[Danced]) -> tuple[Figures, list[Row]]:
        made: list[Measured] = [measure(window) for danced in short["true"] for window in windows_of(danced)]
        rows = compare(self.real, made, rng=np.random.default_rng(DRAW_SEED))
        figures = {r.metric: r.generated.middle for r in rows if r.metric in METRICS and r.generated is not None}
        late = [window for danced in short["half_beat"] for window in windows_of(danced)]
        lifts = [beat_alignment(w.motion.joints(), w.beats_s, fps=w.motion.fps).lift for w in late]
        figures["lift_told_half_beat"] = float(np.median(lifts))
        figures["true_above_half_beat_pct"] = 100.0 * (listening(short).share_above("half_beat") or 0.0)
        return figures | _frozen(long), rows


def _of_real(row: Row) -> Spread | None:
    """A metric of real dances: its median, or for a distance that of one half to the other."""
    return row.real or row.real_vs_real


def _frozen(long: Sequence[Danced]) -> Figures:
    """Share of long dances, and of their last ten seconds, in which even the fastest joint is slow."""
    figures: Figures = {}
    for name, first_s in (("long", 0.0), ("end", max(long[0].motion.duration_s - WINDOW_S, 0.0))):
        parts = [piece(danced, first_s, danced.motion.duration_s).motion for danced in long]
        rates = np.mean([freezing_curve(part.joints(), FROZEN_M_S, fps=part.fps) for part in parts], axis=0)
        for threshold, rate in zip(FROZEN_M_S, rates, strict=True):
            figures[f"frozen_{name}_{100 * threshold:.0f}_cm_s_pct"] = 100.0 * float(rate)
    return figures
