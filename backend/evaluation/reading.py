"""Does it read? One song and one seed, danced to in every genre that was learned well: is the genre to be seen?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.evaluation.generated_set import HeardSong
from backend.evaluation.generators import Generator, Wish
from backend.evaluation.retrieval import Evaluator
from backend.evaluation.windows import NO_BEATS, Danced, windows_of
from backend.motion.motion import Motion
from backend.music.audio import Audio
from backend.text.vocabulary import load_vocabulary

FloatArray = npt.NDArray[np.float64]
Tell = Callable[[str], None]
READ_S = 15.0  # length of the dances, and of the pieces of real ones beside them
SONGS = 4  # at most: every genre with every seed is danced to each of them
FEWEST_MINUTES = 3.0  # of training that a genre needs to be asked for


@dataclass(frozen=True)
class Named:
    """A dance of the genre ``asked`` and what it looks like: of all genres, and of those asked for alone ("" where its
    own is none of these).
    """

    dance: str
    asked: str
    named: str
    among: str


@dataclass(frozen=True)
class Names:
    """How a set of dances is named."""

    dances: tuple[Named, ...]

    def share(self) -> float | None:
        """Share that is named what was asked, of all genres; None without dances."""
        return float(np.mean([each.named == each.asked for each in self.dances])) if self.dances else None

    def share_among(self) -> float | None:
        """The same where only the genres asked for are to choose from, of the dances of these genres."""
        among = [each.among == each.asked for each in self.dances if each.among]
        return float(np.mean(among)) if among else None

    def of(self, genres: Collection[str]) -> Names:
        """The dances of some genres."""
        return Names(tuple(each for each in self.dances if each.asked in genres))

    def confusion(self) -> dict[str, dict[str, int]]:
        """By the genre asked for, then by the genre seen: how many."""
        table: dict[str, dict[str, int]] = {}
        for each in self.dances:
            row = table.setdefault(each.asked, {})
            row[each.named] = row.get(each.named, 0) + 1
        return table

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        by_genre = {genre: self.of([genre]).share() for genre in sorted({each.asked for each in self.dances})}
        return {
            "dances": len(self.dances),
            "share": self.share(),
            "share_among": self.share_among(),
            "by_genre": by_genre,
            "confusion": self.confusion(),
        }


@dataclass(frozen=True)
class Distances:
    """Mean distances in the evaluator's space. prompts: one song and seed, different prompts; seeds: one song and
    prompt, different seeds. None where there are no such pairs.
    """

    prompts: float | None
    seeds: float | None

    @property
    def prompt_moves_more(self) -> bool | None:
        """Whether a changed prompt changes the dance more than a changed seed."""
        return None if self.prompts is None or self.seeds is None else self.prompts > self.seeds


@dataclass(frozen=True)
class Reading:
    """asked: genres prompted; known: genres told apart; real: pieces of the split's dances; the rest is None where no
    dances were made for it.
    """

    version: str
    asked: tuple[str, ...]
    known: tuple[str, ...]
    real: Names
    generated: Names | None = None
    distances: Distances | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "evaluator": self.version,
            "asked": list(self.asked),
            "known": list(self.known),
            "chance": 1.0 / len(self.known),
            "chance_among": 1.0 / max(len(self.asked), 1),
            "real": self.real.plain(),
            "real_of_asked": self.real.of(self.asked).plain(),
            "generated": self.generated.plain() if self.generated else None,
            "distances": asdict(self.distances) if self.distances else None,
        }


def well_known(evaluator: Evaluator) -> tuple[str, ...]:
    """The genres that were trained for FEWEST_MINUTES or more and that the evaluator tells apart."""
    genres = load_vocabulary().genres.values()
    return tuple(g.name for g in genres if g.minutes >= FEWEST_MINUTES and g.name in evaluator.genres)


def name_of(evaluator: Evaluator, motion: Motion, *, among: Collection[str] = ()) -> str:
    """The genre that a motion looks like, of all or of some."""
    chances = dict(zip(evaluator.genres, evaluator.genre_chances(motion), strict=True))
    return max((genre for genre in evaluator.genres if not among or genre in among), key=chances.__getitem__)


def named(evaluator: Evaluator, dances: Iterable[Danced], *, among: Collection[str]) -> Names:
    """What the evaluator calls dances whose genre is known to it. among: the genres asked for."""
    return Names(
        tuple(
            Named(
                d.dance,
                d.genre,
                name_of(evaluator, d.motion),
                name_of(evaluator, d.motion, among=among) if d.genre in among else "",
            )
            for d in dances
            if d.genre in evaluator.genres
        )
    )


def read_real(evaluator: Evaluator, dances: Sequence[Danced]) -> Reading:
    """What the evaluator calls real dances, in pieces of READ_S."""
    asked = well_known(evaluator)
    pieces = [
        Danced(window.name, window.motion, NO_BEATS, genre=danced.genre)
        for danced in dances
        for window in windows_of(danced, length_s=READ_S)
    ]
    return Reading(evaluator.version, asked, evaluator.genres, named(evaluator, pieces, among=asked))


def prompted_dances(
    generator: Generator, songs: Sequence[HeardSong], genres: Sequence[str], *, seeds: int, tell: Tell
) -> list[Danced]:
    """Every genre with every seed to the beginnings of some of the songs, spread over the list."""
    chosen = [songs[int(place)] for place in np.linspace(0, len(songs) - 1, min(SONGS, len(songs)))]
    made = []
    for song in chosen:
        audio = Audio(song.audio.samples[: round(READ_S * song.audio.sample_rate_hz)], song.audio.sample_rate_hz)
        for seed in range(seeds):
            for genre in genres:
                tell(f"{song.id}, seed {seed}, {genre}")
                motion = generator.dance(audio, Wish(genre, seed))
                name = f"{song.id}_{seed}_{genre.replace(' ', '-')}"
                made.append(Danced(name, motion, NO_BEATS, genre=genre, seed=seed, song=song.id))
    return made


def reading(evaluator: Evaluator, made: Sequence[Danced], real: Reading) -> Reading:
    """The reading of real dances, with that of prompted ones beside it."""
    return Reading(
        real.version,
        real.asked,
        real.known,
        real.real,
        named(evaluator, made, among=real.asked),
        distances(made, np.stack([evaluator.embed_motion(danced.motion) for danced in made])),
    )


def distances(made: Sequence[Danced], embeddings: FloatArray) -> Distances:
    """How far prompts and seeds move dances; embeddings: (N, E) of the dances."""
    prompts: list[float] = []
    seeds: list[float] = []
    for (one, a), (other, b) in combinations(zip(made, embeddings, strict=True), 2):
        if one.song != other.song:
            continue
        if one.seed == other.seed and one.genre != other.genre:
            prompts.append(float(np.linalg.norm(a - b)))
        if one.seed != other.seed and one.genre == other.genre:
            seeds.append(float(np.linalg.norm(a - b)))
    return Distances(*(float(np.mean(each)) if each else None for each in (prompts, seeds)))
