"""Training of the evaluator: a dance lies near its words and its music, and its genre is named.

Windows are disturbed in all the ways in which capture systems differ (posture, build, drift, noise, sliding, smoothing)
and dancers do not, so that a genre is told by its movement.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.diffusion.conditions import MUSIC_CHANNELS, MUSIC_GIVEN, music_input
from backend.errors import PirouetteError
from backend.models.evaluator import (
    FEATURES,
    PACE,
    EvaluatorConfig,
    MeaningEvaluator,
    mirror_stick,
    stick_figure,
)
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid
from backend.training.dataset import TEXT_NOISE, WIDEST_TEMPO, DanceData, Drop
from backend.training.pairing import pair
from backend.training.prepare import ClipEntry

UNKNOWN = -1
SAME_MEANING = 0.85  # cosine of two sentences from which on they mean the same
ALIKE = 0.1  # label smoothing
LIMBS = tuple(
    [3 * joint + axis for joint in joints for axis in range(3)] for joints in ((2, 4), (3, 5), (9, 11), (10, 12))
)
SLOW_KNOTS_S = 0.7  # slow disturbances have a random value so often


@dataclass(frozen=True)
class Noise:
    """Standard deviations of what is not the dance, as shares of those of each number over all dances.

    posture: the same for a window; drift: slow; shake: of every frame; build: of the body's size.
    """

    posture: float = 0.35
    drift: float = 0.2
    shake: float = 0.15
    build: float = 0.05
    stiff: float = 0.15  # chance that a limb's movement is not seen


@dataclass(frozen=True)
class EvaluatorWeights:
    """Weights of the cross-entropies: of the genre, and of words and music among those of a batch."""

    genre: float
    words: float
    music: float


class StickWindows:
    """Windows of the stick figures of a split, with genre, words and music."""

    def __init__(self, data: DanceData, genres: dict[str, int], recipe: dict[str, Any]) -> None:
        self.data, self.genres, self.noise = data, genres, Noise(**recipe["noise"])
        self.general_share, self.rare_share = float(recipe["general_share"]), float(recipe["rare_share"])
        self.sticks = [stick_figure(data.numbers[clip.start : clip.start + clip.frames]) for clip in data.clips]
        self.groups = sorted({clip.genre for clip in data.clips if clip.dance})
        self.spread = torch.ones(FEATURES)

    def odds(self, frames: int) -> np.ndarray:
        """Chance of each clip: genres that are known equally often, the rare ones together at rare_share; minutes
        within them.
        """
        groups = np.array([clip.genre if clip.dance else "" for clip in self.data.clips])
        lengths = np.array([clip.frames for clip in self.data.clips], dtype=np.float64)
        lengths[lengths < frames / WIDEST_TEMPO] = 0.0
        odds = np.zeros(len(groups))
        for kind, share in (
            ([""], self.general_share),
            ([g for g in self.groups if g in self.genres], (1 - self.general_share) * (1 - self.rare_share)),
            ([g for g in self.groups if g not in self.genres], (1 - self.general_share) * self.rare_share),
        ):
            there = [group for group in kind if lengths[groups == group].sum() > 0]
            for group in there:
                inside = groups == group
                odds[inside] = lengths[inside] / lengths[inside].sum() * share / len(there)
        if odds.sum() == 0:
            raise PirouetteError("too_short", f"No clip is as long as a training window ({frames / FPS:.0f} s).")
        chances: np.ndarray = odds / odds.sum()
        return chances

    def draw(self, size: int, frames: int, heard: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """A batch; the first ``heard`` windows have music where their beats are known."""
        chosen = rng.choice(len(self.data.clips), size=size, p=self.odds(frames))
        motions, words, generic, music = [], [], [], []
        for row, index in enumerate(chosen):
            clip = self.data.clips[index]
            motion, place, rate = self._window(clip, self.sticks[index], frames, rng)
            motions.append(motion)
            sentence, is_generic = self._sentence(clip, rng)
            words.append(sentence)
            generic.append(is_generic)
            if row < heard:
                music.append(self._music(clip, place, rate, rng))
        clips = [self.data.clips[index] for index in chosen]
        batch = disturbed(torch.stack(motions), self.spread, self.noise, rng)
        return {
            "motion": batch,
            "words": torch.stack(words),
            "generic": torch.tensor(generic),
            "clip": torch.from_numpy(chosen),
            "group": torch.tensor([self.groups.index(c.genre) if c.dance else UNKNOWN for c in clips]),
            "genre": torch.tensor([self.genres.get(c.genre, UNKNOWN) if c.dance else UNKNOWN for c in clips]),
            "music": torch.from_numpy(np.stack(music)) if music else torch.zeros(0, frames, MUSIC_CHANNELS),
        }

    def _window(
        self, clip: ClipEntry, stick: Tensor, frames: int, rng: np.random.Generator
    ) -> tuple[Tensor, np.ndarray, float]:
        fastest = min(WIDEST_TEMPO, (clip.frames - 1) / (frames - 1))
        slowest = min(1.0 / WIDEST_TEMPO, fastest)
        rate = float(np.exp(rng.uniform(np.log(slowest), np.log(fastest))))
        first = float(rng.uniform(0, max(clip.frames - 1 - (frames - 1) * rate, 0.0)))
        place = np.clip(first + rate * np.arange(frames), 0, clip.frames - 1.001)
        index = torch.from_numpy(place.astype(np.int64))
        motion = torch.lerp(
            stick[index], stick[index + 1], torch.from_numpy(place - place.astype(int)).float()[:, None]
        )
        motion[:, PACE] *= rate
        if clip.mirror_ok and rng.random() < 0.5:
            motion = mirror_stick(motion)
        return motion, place, rate

    def _sentence(self, clip: ClipEntry, rng: np.random.Generator) -> tuple[Tensor, bool]:
        """A sentence for the clip, and whether it is of its genre alone."""
        of_genre = self.data.genres.get(clip.genre, []) if clip.dance else []
        generic = bool(of_genre) and (rng.random() < 0.5 or not clip.sentences)
        numbers = of_genre if generic else clip.sentences
        if not numbers:
            return torch.zeros(self.data.words.shape[1]), False
        vector = self.data.words[numbers[int(rng.integers(len(numbers)))]]
        noise = torch.from_numpy(rng.standard_normal(len(vector)).astype(np.float32)) * TEXT_NOISE
        return F.normalize(vector + noise, dim=0), generic

    def _music(self, clip: ClipEntry, place: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
        """Music channels (T, 45) that fall on the clip's beats; zeros where they are not known."""
        if not (clip.clear or clip.dance):
            return music_input(None, None, frames=len(place))
        beats_s = (np.array(clip.beats_s) - place[0] / FPS) / rate
        grid = BeatGrid(beats_s, np.arange(len(beats_s)) % clip.metre == 0, 120.0, clip.metre, clip.clear)
        speed = self.data.speed[clip.start + place.astype(int)] * rate
        return pair(grid, speed, self.data.songs, timbre=rng.random() < 0.8, rng=rng)


def slow_noise(shape: tuple[int, int, int], rng: np.random.Generator) -> Tensor:
    """Smooth noise (B, T, C) of standard deviation near 1 that changes over SLOW_KNOTS_S."""
    size, frames, channels = shape
    knots = max(int(frames / FPS / SLOW_KNOTS_S), 2)
    values = torch.from_numpy(rng.standard_normal((size, channels, knots), dtype=np.float32))
    return F.interpolate(values, frames, mode="linear", align_corners=True).transpose(1, 2)


def disturbed(motion: Tensor, spread: Tensor, noise: Noise, rng: np.random.Generator) -> Tensor:
    """The windows (B, T, 43) as other capture systems, dancers of other build and sliding feet would show them.

    spread: (43,) standard deviation of each number over all dances.
    """
    size, frames, channels = motion.shape

    def normal(*shape: int) -> Tensor:
        return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))

    posture = noise.posture * normal(size, 1, channels)
    posture[..., PACE] = 0.0
    change = posture + noise.shake * normal(size, frames, channels)
    change += noise.drift * slow_noise((size, frames, channels), rng)
    strength = torch.from_numpy(rng.uniform(0.0, 1.5, (size, 1, 1)).astype(np.float32))
    for limb in LIMBS:
        stiff = torch.from_numpy(rng.random((size, 1, 1)) < noise.stiff)
        motion[..., limb] = torch.where(stiff, motion[..., limb].mean(1, keepdim=True), motion[..., limb])
    grown = motion * (1.0 + noise.build * normal(size, 1, 1)) + strength * spread * change
    width = int(rng.choice([1, 1, 3, 5]))
    padded = F.pad(grown.transpose(1, 2), (width // 2, width // 2), mode="replicate")
    return F.avg_pool1d(padded, width, stride=1).transpose(1, 2)


def matching_loss(one: Tensor, other: Tensor, same: Tensor, scale: Tensor) -> Tensor:
    """InfoNCE of rows (B, E) that belong together, both ways; ``same`` (B, B) marks pairs that are no contrast."""
    if len(one) < 2:
        return one.sum() * 0.0
    scores = scale * one @ other.T
    diagonal = torch.eye(len(one), dtype=torch.bool, device=one.device)
    scores = scores.masked_fill(same & ~diagonal, -torch.inf)
    own = torch.arange(len(one), device=one.device)
    return 0.5 * (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own))


def same_meaning(batch: dict[str, Tensor]) -> Tensor:
    """(B, B): whether one's sentence says as much of the other's dance: one clip, like sentences, or one genre where a
    sentence names nothing else.
    """
    words, group, generic = batch["words"], batch["group"], batch["generic"]
    alike = words @ words.T > SAME_MEANING
    clip = batch["clip"][:, None] == batch["clip"]
    genre = (group[:, None] == group) & (group[:, None] != UNKNOWN) & (generic[:, None] | generic)
    return alike | clip | genre


class EvaluatorTask:
    """Windows of the training split, and how near they lie to their words, their music, their genre."""

    kind = "evaluator"
    judged_by = "judged"

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        def load(split: str) -> DanceData:
            return DanceData(cache, split=split, general_share=0.0, drop=Drop())

        train = load("train")
        minutes: dict[str, float] = {}
        for clip in train.clips:
            if clip.dance:
                minutes[clip.genre] = minutes.get(clip.genre, 0.0) + clip.frames / FPS / 60.0
        known = sorted(genre for genre, length in minutes.items() if length >= float(recipe["fewest_minutes"]))
        if len(known) < 2:
            raise PirouetteError("missing_file", "An evaluator needs two genres or more to tell apart.")
        numbers = {genre: number for number, genre in enumerate(known)}
        self.train = StickWindows(train, numbers, recipe)
        self.valid = StickWindows(load("valid"), numbers, recipe | {"general_share": 0.0, "rare_share": 0.0})
        dance = torch.cat([s for s, c in zip(self.train.sticks, train.clips, strict=True) if c.dance])
        self.mean, self.std = dance.mean(0), dance.std(0).clamp(min=0.01)
        assert self.mean.shape == (FEATURES,)
        self.train.spread = self.valid.spread = self.std
        self.extra = {"mean": self.mean, "std": self.std}
        self.network: torch.nn.Module = MeaningEvaluator(EvaluatorConfig(genres=known, **recipe["network"]))
        self.weights = EvaluatorWeights(**recipe["loss"])
        self.heard = int(recipe["heard"])

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """Windows with their words, the first ones with music."""
        return (self.valid if valid else self.train).draw(size, frames, min(self.heard, size), rng)

    def loss(
        self, network: torch.nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropies of genre, words and music."""
        assert isinstance(network, MeaningEvaluator)
        seen, words, music = network((batch["motion"] - mean) / std, batch["words"], batch["music"])
        named, heard = batch["genre"] != UNKNOWN, batch["music"][:, 0, MUSIC_GIVEN] > 0
        said = batch["words"].abs().sum(-1) > 0
        scores, rhythm = seen.genres[named], seen.rhythm[: len(music)][heard]
        nothing_same = torch.zeros(len(rhythm), len(rhythm), dtype=torch.bool, device=rhythm.device)
        terms = {
            "genre": F.cross_entropy(scores, batch["genre"][named], label_smoothing=ALIKE),
            "words": matching_loss(
                seen.meaning[said], words[said], same_meaning(batch)[said][:, said], network.scale(0)
            ),
            "music": matching_loss(rhythm, music[heard], nothing_same, network.scale(1)),
        }
        total = torch.stack([getattr(self.weights, name) * term for name, term in terms.items()]).sum()
        right = (scores.argmax(-1) == batch["genre"][named]).float().mean()
        return total, terms | {"judged": terms["genre"] + terms["words"], "right": right}
