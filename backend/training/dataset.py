"""Windows of dance with music and words, drawn at random from a cache made by ``prepare``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from backend.diffusion.conditions import music_input
from backend.errors import PirouetteError
from backend.motion.representation import mirror, read_at
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid
from backend.training.pairing import Song, metrical_levels, pair
from backend.training.prepare import ClipEntry, SongEntry

WIDEST_TEMPO = 1.15  # tempo augmentation
FARTHEST = 8.0  # standard deviations: the heading of an upside-down dancer can jump
TEXT_NOISE = 0.02  # on each of 384 numbers of a unit vector


@dataclass(frozen=True)
class Drop:
    """Chances that a condition is not given in training."""

    music: float = 0.25
    timbre: float = 0.4
    genre: float = 0.3
    text: float = 0.3
    prompt: float = 0.15  # both words at once


@dataclass(frozen=True)
class Batch:
    """clean: (B, T, 151) normalised; music: (B, T, 45); genre, text: (B, 384); has_genre, has_text: (B,) bool."""

    clean: Tensor
    music: Tensor
    genre: Tensor
    text: Tensor
    has_genre: Tensor
    has_text: Tensor


class DanceData:
    """A cache in memory; draws batches with an explicit generator."""

    def __init__(self, cache: Path, *, split: str, general_share: float, drop: Drop) -> None:
        try:
            index = json.loads((cache / "index.json").read_text())
            motion = load_file(cache / "motion.safetensors")
            self.sound = load_file(cache / "music.safetensors")["sound"].numpy()
            self.words = load_file(cache / "words.safetensors")["embeddings"].float()
        except FileNotFoundError as error:
            raise PirouetteError(
                "missing_file", f"{cache} is not a prepared cache: {error}.", "Run `python -m backend prepare` first."
            ) from error
        self.numbers, self.speed = motion["numbers"], motion["speed"].numpy()
        self.mean, self.std = motion["mean"], motion["std"]
        self.clips = [ClipEntry(**row) for row in index["clips"] if row["split"] == split]
        self.genres: dict[str, list[int]] = index["genres"]
        songs = [self._song(SongEntry(**row)) for row in index["songs"] if row["split"] in (split, "train")]
        self.songs = [level for song in songs for level in metrical_levels(song)]
        self.general_share, self.drop = general_share, drop

    def _song(self, entry: SongEntry) -> Song:
        grid = BeatGrid(np.array(entry.beats_s), np.array(entry.downbeat), entry.tempo_bpm, entry.metre, clear=True)
        return Song(entry.id, self.sound[entry.start : entry.start + entry.frames], grid)

    def weights(self, frames: int) -> np.ndarray:
        """Chance of each clip for windows of this length: square root of a genre's minutes, then minutes in the
        genre.
        """
        room = np.array([max(clip.frames - frames / WIDEST_TEMPO, 0.0) for clip in self.clips])
        share = np.where(room > 0, np.maximum(room, frames * 0.5), 0.0)
        groups = np.array([clip.genre if clip.dance else "general" for clip in self.clips])
        weights = np.zeros(len(self.clips))
        for group in set(groups):
            inside = groups == group
            total = share[inside].sum()
            if total > 0:
                weights[inside] = share[inside] / total * np.sqrt(total)
        dance = groups != "general"
        for part, wanted in ((dance, 1.0 - self.general_share), (~dance, self.general_share)):
            if weights[part].sum() > 0:
                weights[part] *= wanted / weights[part].sum()
        if weights.sum() == 0:
            raise PirouetteError("too_short", f"No clip is as long as a training window ({frames / FPS:.0f} s).")
        chances: np.ndarray = weights / weights.sum()
        return chances

    def batch(self, size: int, frames: int, rng: np.random.Generator) -> Batch:
        """Draw windows (B, frames): tempo stretched, mirrored, paired with music, described in words."""
        chosen = rng.choice(len(self.clips), size=size, p=self.weights(frames))
        rows = [self._window(self.clips[index], frames, rng) for index in chosen]
        clean, music, genre, text, has_genre, has_text = zip(*rows, strict=True)
        return Batch(
            clean=((torch.stack(clean) - self.mean) / self.std).clamp(-FARTHEST, FARTHEST),
            music=torch.from_numpy(np.stack(music)),
            genre=torch.stack(genre),
            text=torch.stack(text),
            has_genre=torch.tensor(has_genre),
            has_text=torch.tensor(has_text),
        )

    def _window(
        self, clip: ClipEntry, frames: int, rng: np.random.Generator
    ) -> tuple[Tensor, np.ndarray, Tensor, Tensor, bool, bool]:
        fastest = min(WIDEST_TEMPO, (clip.frames - 1) / (frames - 1))
        rate = float(np.exp(rng.uniform(min(-np.log(WIDEST_TEMPO), np.log(fastest)), np.log(fastest))))
        first = float(rng.uniform(0, max(clip.frames - 1 - (frames - 1) * rate, 0.0)))
        place = np.clip(first + rate * np.arange(frames), 0, clip.frames - 1.001)
        numbers = read_at(self.numbers[clip.start : clip.start + clip.frames], place)
        if clip.mirror_ok and rng.random() < 0.5:
            numbers = mirror(numbers)
        speed = self.speed[clip.start + place.astype(int)] * rate
        music = self._music(clip, speed, first, rate, rng)
        has_genre, has_text = rng.random() > self.drop.genre, rng.random() > self.drop.text
        if rng.random() < self.drop.prompt:
            has_genre = has_text = False
        sentences = self.genres.get(clip.genre, []) if clip.dance else []
        genre = self._sentence(sentences, rng) if sentences and has_genre else None
        text = self._sentence(clip.sentences, rng) if clip.sentences and has_text else None
        nothing = torch.zeros(self.words.shape[1])
        return (
            numbers,
            music,
            nothing if genre is None else genre,
            nothing if text is None else text,
            genre is not None,
            text is not None,
        )

    def _music(
        self, clip: ClipEntry, speed: np.ndarray, first: float, rate: float, rng: np.random.Generator
    ) -> np.ndarray:
        frames = len(speed)
        if rng.random() < self.drop.music or not (clip.clear or (clip.dance and rng.random() < 0.5)):
            return music_input(None, None, frames=frames)
        beats_s = (np.array(clip.beats_s) - first / FPS) / rate
        grid = BeatGrid(beats_s, np.arange(len(beats_s)) % clip.metre == 0, 120.0, clip.metre, clip.clear)
        return pair(grid, speed, self.songs, timbre=rng.random() > self.drop.timbre, rng=rng)

    def _sentence(self, numbers: list[int], rng: np.random.Generator) -> Tensor:
        vector = self.words[numbers[int(rng.integers(len(numbers)))]]
        noise = torch.from_numpy(rng.standard_normal(len(vector)).astype(np.float32)) * TEXT_NOISE
        return torch.nn.functional.normalize(vector + noise, dim=0)
