"""The vocabulary: every genre the project knows, its fundamental movements, and how to find them in words.

The facts are in ``vocabulary.json``, which the add-on reads too; the vectors in ``vocabulary.safetensors`` are computed
from it by ``python -m backend.text.vocabulary``. Genres and the least number of movements: EDMG, Table 1.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import PirouetteError
from backend.text.words import plain, position

VOCABULARY_FILE: Path = Path(__file__).with_name("vocabulary.json")
EMBEDDINGS_FILE: Path = Path(__file__).with_name("vocabulary.safetensors")

# Names of genres that are also everyday words: "swing the arms" is no swing.
# fmt: off
EVERYDAY_WORDS = frozenset((
    "break", "breaking", "broadway", "cartoon", "comic", "disco", "folk", "house", "housing", "indian", "jazz", "lock",
    "locker", "locking", "lyrical", "modern", "other", "party", "pop", "popper", "popping", "punking", "shuffle",
    "shuffling", "social", "street", "swing", "traditional", "whirling",
))
_DANCE_WORDS = (
    "dance", "dances", "danced", "dancing", "dancer", "dancers", "style", "routine", "choreography", "music",
)
# fmt: on
_NAMED_MOVEMENT = 0.15  # what a movement named in a text adds to its genre's cosine


@dataclass(frozen=True)
class Movement:
    """A fundamental movement. also: other names for it; trained: whether a caption of the training data names it."""

    name: str
    description: str
    also: tuple[str, ...] = ()
    trained: bool = False

    def named_in(self, text: str) -> bool:
        """Whether the text says this movement's name or one of its other names."""
        words = plain(text)
        return any(position(plain(name), words) >= 0 for name in (self.name, *self.also))


@dataclass(frozen=True)
class Genre:
    """A genre of dance.

    metre: 3 or 4 beats to the bar; tempo_range_bpm: slowest and fastest usual tempo, beats a minute;
    data_genres: labels of the training data that mean it; minutes: of training data the bundled model saw.
    """

    name: str
    label: str
    aliases: tuple[str, ...]
    description: str
    paraphrases: tuple[str, ...]
    metre: int
    tempo_range_bpm: tuple[int, int]
    data_genres: tuple[str, ...]
    minutes: float
    movements: tuple[Movement, ...]

    @property
    def trained(self) -> bool:
        """Whether the bundled model has seen this genre in training."""
        return self.minutes > 0

    @property
    def names(self) -> tuple[str, ...]:
        """Everything this genre may be called, its canonical name first."""
        return (self.name, self.label, *self.aliases, *self.data_genres)


@dataclass(frozen=True)
class Vocabulary:
    """All genres by canonical name, in the order of the file."""

    genres: Mapping[str, Genre]
    _by_name: Mapping[str, Genre] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {plain(name): genre for genre in self.genres.values() for name in genre.names}
        object.__setattr__(self, "_by_name", by_name)

    def resolve(self, name: str) -> Genre:
        """The genre of this name or alias, in any case and spelling of hyphens, with or without "dance".

        Raises PirouetteError unknown_genre, with the nearest names as the hint.
        """
        words = plain(name)
        genre = self._by_name.get(words) or self._by_name.get(_without_dance_word(words))
        if genre is None:
            raise PirouetteError("unknown_genre", f'There is no genre "{name.strip()}".', self._nearest_names(words))
        return genre

    def genre_in(self, text: str) -> Genre | None:
        """The genre that free text names, or None: "salsa, quick turns" is salsa.

        The earliest name counts, and of two at one place the longer. A name that is an everyday word too ("swing",
        "pop") counts only alone between commas or beside a word such as "dance".
        """
        return _named_genre(text, self._by_name)

    def movements_in(self, text: str, genre: Genre | None = None) -> tuple[tuple[Genre, Movement], ...]:
        """The movements that free text names, of one genre or of all, in the order of the file."""
        genres = self.genres.values() if genre is None else (genre,)
        return tuple((each, m) for each in genres for m in each.movements if m.named_in(text))

    def genre_of_data(self, label: str) -> Genre:
        """The genre that a label of the training data means. Raises PirouetteError unknown_genre."""
        for genre in self.genres.values():
            if label in genre.data_genres:
                return genre
        return self.resolve(label)

    def _nearest_names(self, words: str) -> str:
        by_likeness = sorted(self._by_name, key=lambda name: -_likeness(words, name))
        close = [name for name in by_likeness[:6] if _likeness(words, name) >= 0.6]
        found = list(dict.fromkeys(self._by_name[name].name for name in close))[:3]
        if found:
            return f"Did you mean {' or '.join(found)}?"
        return f"Known genres: {', '.join(self.genres)}."


def load_vocabulary() -> Vocabulary:
    """The bundled vocabulary, read once. Raises PirouetteError damaged_file."""
    return _load(VOCABULARY_FILE)


def resolve_genre(name: str) -> Genre:
    """The bundled vocabulary's genre of this name; see `Vocabulary.resolve`."""
    return load_vocabulary().resolve(name)


def genre_in_text(text: str) -> Genre | None:
    """The genre that free text names, or None; see `Vocabulary.genre_in`."""
    return load_vocabulary().genre_in(text)


def nearest_genre(text: str) -> tuple[Genre, float]:
    """The genre that free text is likeliest to mean, and the cosine of its meaning to that genre's, -1 to 1.

    A genre that the text names is taken at its word; else the nearest meaning wins, and each movement of a genre that
    the text names brings that genre nearer. A cosine under about 0.3 means that the text says little of any dance.
    Raises PirouetteError as `encode` does.
    """
    from backend.text.encoder import encode

    vocabulary = load_vocabulary()
    query = encode([text])[0]
    cosines = {name: float(genre_embedding(name) @ query) for name in vocabulary.genres}
    scores = dict(cosines)
    for genre, _ in vocabulary.movements_in(text):
        scores[genre.name] += _NAMED_MOVEMENT
    best = vocabulary.genre_in(text) or vocabulary.genres[max(scores, key=scores.__getitem__)]
    return best, cosines[best.name]


def genre_embedding(name: str) -> NDArray[np.float32]:
    """Unit vector (384,) of a genre: the mean of its paraphrases. Raises PirouetteError unknown_genre, weights_*."""
    return _unit(_embeddings()[f"genre/{resolve_genre(name).name}"])


def movement_embeddings(name: str) -> NDArray[np.float32]:
    """Unit vectors (movements, 384) of a genre's movements, in their order, each from name and description."""
    return _unit(_embeddings()[f"movements/{resolve_genre(name).name}"])


def fingerprint(vocabulary: Vocabulary) -> str:
    """Digest of every sentence that is embedded: it tells vectors computed from an older vocabulary."""
    sentences = [s for genre in vocabulary.genres.values() for s in (*genre.paraphrases, *movement_sentences(genre))]
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()


def movement_sentences(genre: Genre) -> list[str]:
    """The sentence that stands for each movement of a genre when it is embedded."""
    return [f"{genre.label}, {movement.name}: {movement.description}" for movement in genre.movements]


def vocabulary_from_json(content: Mapping[str, Any]) -> Vocabulary:
    """A vocabulary from the parsed file. Raises KeyError or TypeError for content of another form."""
    return Vocabulary({entry["name"]: _genre(entry) for entry in content["genres"]})


@cache
def _load(path: Path) -> Vocabulary:
    try:
        return vocabulary_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PirouetteError(
            "damaged_file", f"The dance vocabulary cannot be read: {error}.", "Install the add-on again."
        ) from error


def _genre(entry: Mapping[str, Any]) -> Genre:
    slowest, fastest = entry["tempo_range_bpm"]
    return Genre(
        name=entry["name"],
        label=entry["label"],
        aliases=tuple(entry["aliases"]),
        description=entry["description"],
        paraphrases=tuple(entry["paraphrases"]),
        metre=entry["metre"],
        tempo_range_bpm=(slowest, fastest),
        data_genres=tuple(entry["data_genres"]),
        minutes=entry["minutes"],
        movements=tuple(
            Movement(move["name"], move["description"], tuple(move.get("also", ())), move["trained"])
            for move in entry["movements"]
        ),
    )


@cache
def _embeddings() -> Mapping[str, NDArray[np.float16]]:
    from safetensors import SafetensorError, safe_open

    repair = "Run python -m backend.text.vocabulary, or install the add-on again."
    try:
        with safe_open(EMBEDDINGS_FILE, framework="np") as file:
            made_from = (file.metadata() or {}).get("fingerprint")
            vectors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise PirouetteError("weights_missing", "The vocabulary's vectors cannot be read.", repair) from error
    if made_from != fingerprint(load_vocabulary()):
        raise PirouetteError("weights_version", "The vocabulary's vectors are of another vocabulary.", repair)
    return vectors


def _unit(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    single = vectors.astype(np.float32)
    unit: NDArray[np.float32] = single / np.linalg.norm(single, axis=-1, keepdims=True)
    return unit


def _likeness(typed: str, name: str) -> float:
    """Similarity 0 to 1, the better of both reading directions, since difflib is blind to some swapped letters."""
    forward = difflib.SequenceMatcher(a=typed, b=name).ratio()
    return max(forward, difflib.SequenceMatcher(a=typed[::-1], b=name[::-1]).ratio())


def _without_dance_word(words: str) -> str:
    head, _, last = words.rpartition(" ")
    return head if last in _DANCE_WORDS else words


def _named_genre(text: str, by_name: Mapping[str, Genre]) -> Genre | None:
    hits = [hit for start, clause in _clauses(text) for hit in _names_in_clause(start, clause, by_name)]
    return by_name[min(hits, key=lambda hit: (hit[0], -len(hit[1])))[1]] if hits else None


def _clauses(text: str) -> Iterable[tuple[int, str]]:
    """The parts of a text between its commas and stops, as `plain` words, numbered."""
    for mark in ",;:.!?()\n":
        text = text.replace(mark, "\0")
    return enumerate(plain(part) for part in text.split("\0"))


def _names_in_clause(start: int, clause: str, by_name: Mapping[str, Genre]) -> Iterable[tuple[tuple[int, int], str]]:
    for name in by_name:
        at = position(name, clause)
        if at < 0:
            continue
        following = clause[at + len(name) :].split(" ")
        beside_dance = len(following) > 1 and following[1] in _DANCE_WORDS
        if name not in EVERYDAY_WORDS or beside_dance or clause == name:
            yield (start, at), name


if __name__ == "__main__":
    from backend.text.vocabulary_build import main

    main()
