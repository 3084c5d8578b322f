"""The dances to be judged, made for the songs of a split: every song with every seed, genres taken in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.errors import PirouetteError
from backend.evaluation.generators import Generator, Hearing, Wish
from backend.evaluation.windows import Danced
from backend.motion.sources import SongFile, find_songs
from backend.music.audio import Audio, load_audio
from backend.music.beats import BeatGrid, track_beats
from backend.text.vocabulary import load_vocabulary

GENRE_ORDER_SEED = 20  # of the fixed order in which genres are asked for
Tell = Callable[[str], None]


@dataclass(frozen=True)
class HeardSong:
    """A song of the report with its beats. audio: the first seconds, repeated where it is shorter than asked for."""

    id: str
    audio: Audio
    grid: BeatGrid


def split_songs(folder: Path, split: str) -> list[SongFile]:
    """The songs of a split; every song in a folder without a manifest. Raises PirouetteError("missing_file") where
    there is none.
    """
    files = list(find_songs(folder))
    if (folder / "music.jsonl").is_file():
        files = [song for song in files if song.split == split]
    if not files:
        raise PirouetteError("missing_file", f"{folder} has no song in its {split} split.", "Choose another split.")
    return files


def heard_songs(folder: Path, split: str, *, seconds: float) -> list[HeardSong]:
    """The first seconds of the songs of a split, with their tracked beats. Raises as split_songs does."""
    return [heard_song(song, seconds) for song in split_songs(folder, split)]


def heard_song(song: SongFile, seconds: float) -> HeardSong:
    """The first seconds of a song."""
    audio = load_audio(song.path, end_s=seconds)
    wanted = round(seconds * audio.sample_rate_hz)
    audio = Audio(np.resize(audio.samples, wanted), audio.sample_rate_hz)
    return HeardSong(song.id, audio, track_beats(audio))


def genre_turns(songs: int, seeds: int) -> list[list[str]]:
    """The genre asked for, by song and seed: all genres of the training data in a fixed random order, in turn."""
    trained = sorted(genre.name for genre in load_vocabulary().genres.values() if genre.trained)
    order = np.random.default_rng(GENRE_ORDER_SEED).permutation(trained)
    return [[str(order[(song * seeds + seed) % len(order)]) for seed in range(seeds)] for song in range(songs)]


def generated_dances(
    generator: Generator, songs: list[HeardSong], *, seeds: int, tell: Tell, hearing: Hearing = "true"
) -> Iterator[Danced]:
    """A dance for each song and seed. Its beats are the song's, whatever the generator was told."""
    genres = genre_turns(len(songs), seeds)
    for song, row in zip(songs, genres, strict=True):
        for seed, genre in enumerate(row):
            tell(f"{song.id}, seed {seed}, {hearing.replace('_', ' ')}")
            motion = generator.dance(song.audio, Wish(genre, seed, hearing))
            beats = song.grid.beats_s[song.grid.beats_s < motion.duration_s]
            yield Danced(f"{song.id}_{seed}", motion, beats, genre=genre, seed=seed, song=song.id)
