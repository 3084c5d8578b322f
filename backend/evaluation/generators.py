"""What makes the dances to be judged: the bundled models, or real dances played back to music they do not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np

from backend.errors import PirouetteError
from backend.evaluation.real_set import real_dances
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid
from backend.music.features import MusicFeatures

Hearing = Literal["true", "half_beat", "random", "no_music"]
HEARINGS: tuple[Hearing, ...] = get_args(Hearing)
BEAT_COLUMN = -1  # of the timbre: 1 at the frame of each beat


@dataclass(frozen=True)
class Wish:
    """What a dance is made for. hearing: which beats the generator is told, whatever the song's are."""

    genre: str
    seed: int
    hearing: Hearing = "true"


class Generator(Protocol):
    """Dances to a song; as long as the song, or shorter where it cannot. version: of what makes the dances."""

    version: str

    def dance(self, audio: Audio, wish: Wish) -> Motion:
        """The dance at 30 fps."""


def changed_grid(grid: BeatGrid, hearing: Hearing, *, seed: int) -> BeatGrid:
    """The beats as they are, half a beat later, as many at random (intervals from half to one and a half), or, without
    music, a grid that is not clear: nothing may follow it.
    """
    if hearing == "no_music":
        return replace(grid, clear=False)
    if hearing == "half_beat":
        intervals = np.diff(grid.beats_s)
        return replace(grid, beats_s=grid.beats_s + 0.5 * np.append(intervals, intervals[-1:]))
    if hearing == "random":
        share = np.random.default_rng(seed).uniform(0.5, 1.5, len(grid.beats_s) - 1)
        intervals = np.diff(grid.beats_s).mean() * share / share.mean()
        return replace(grid, beats_s=grid.beats_s[0] + np.concatenate([[0.0], np.cumsum(intervals)]))
    return grid


def changed_features(features: MusicFeatures, hearing: Hearing, *, seed: int) -> MusicFeatures:
    """A song's features with changed beats; its sound, onsets included, stays."""
    if hearing == "true":
        return features
    grid = changed_grid(features.grid, hearing, seed=seed)
    timbre = features.timbre.copy()
    frames = np.round(grid.beats_s * features.fps).astype(np.int64)
    timbre[:, BEAT_COLUMN] = 0.0
    timbre[frames[(frames >= 0) & (frames < len(timbre))], BEAT_COLUMN] = 1.0
    return replace(features, timbre=timbre, grid=grid)


class Replay:
    """Real dances of the training split, drawn by the seed: real quality, deaf ears."""

    def __init__(self, data: Path) -> None:
        self.library = real_dances(data, "train")
        self.version = f"{len(self.library)} real dances"

    def dance(self, audio: Audio, wish: Wish) -> Motion:
        """A span of a dance of the genre if there is one long enough, of any genre otherwise."""
        frames = round(audio.duration_s * FPS)
        rng = np.random.default_rng([wish.seed, frames])
        wanted = min(frames, max(each.motion.frames for each in self.library))
        long_enough = [each for each in self.library if each.motion.frames >= wanted]
        chosen = [each for each in long_enough if each.genre == wish.genre] or long_enough
        motion = chosen[int(rng.integers(len(chosen)))].motion
        first = int(rng.integers(motion.frames - wanted + 1))
        return Motion(motion.poses[first : first + wanted], motion.pelvis[first : first + wanted], FPS)


def _bundled(data: Path, device: str, weights: Path | None, *, model: str = "") -> Generator:  # noqa: ARG001
    from backend.evaluation.bundled_generator import BundledGenerator

    return BundledGenerator(device=device, weights=weights, model=model)


def _replay(data: Path, device: str, weights: Path | None) -> Generator:  # noqa: ARG001
    return Replay(data)


GENERATORS: dict[str, Callable[[Path, str, Path | None], Generator]] = {
    "pirouette": _bundled,
    "pirouette-motion": partial(_bundled, model="motion"),
    "pirouette-code": partial(_bundled, model="code"),
    "replay": _replay,
}


def load_generator(name: str, *, data: Path, device: str = "auto", weights: Path | None = None) -> Generator:
    """The generator of a name. Raises PirouetteError("bad_request") for one that is not known."""
    if name not in GENERATORS:
        known = ", ".join(GENERATORS)
        raise PirouetteError("bad_request", f"There is no generator “{name}”.", f"There are: {known}.")
    return GENERATORS[name](data, device, weights)
