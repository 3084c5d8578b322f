"""What is known of a phrase without its movement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backend.text.words import plain

# What the library's rows call the data that a phrase comes from, and what may be done with it, in one sentence each.
LICENCES: Mapping[str, str] = {
    "cmu": "CMU capture, free for any use; its SMPL fit may be non-commercial (AMASS)",
    "g1moves": "CC BY 4.0 (G1 Moves)",
    "tang": "no licence stated at the source (ChoreoNet): ask before commercial use",
    "salsa_duet": "no licence stated at the source (InteractionGraph): ask before commercial use",
    "animated_drawings": "MIT (Animated Drawings)",
    "aist": "CC BY 4.0 (AIST++)",
    "own": "your own",
}


@dataclass(frozen=True)
class Entry:
    """A phrase of the library.

    genre: of the vocabulary, "" for none; figures: what is seen in it, for searching; frames: at 30 fps; counts: beats
    that it lasts; beats_s: of each of them, from the phrase's first frame; metre: 3 or 4; source: of the data; clip,
    start_s: where in it; own: the animator's; codec: the version of the codec that its codes are for, "" where it has
    none.
    """

    id: str
    name: str
    genre: str
    description: str
    figures: tuple[str, ...]
    frames: int
    counts: int
    beats_s: tuple[float, ...]
    metre: int
    bpm: float
    source: str
    licence: str
    clip: str
    start_s: float
    own: bool
    codec: str

    @property
    def seconds(self) -> float:
        """Length of the phrase."""
        return round(self.frames / 30.0, 3)

    @property
    def sentence(self) -> str:
        """What its meaning is taken from."""
        return f"{self.name}. {self.description}"

    def to_dict(self) -> dict[str, Any]:
        """What a list of phrases tells of it: id, name, genre, description, seconds, counts, bpm, licence, source, own,
        clip, start_s, codec.
        """
        told = asdict(self)
        for inner in ("figures", "frames", "beats_s", "metre"):
            del told[inner]
        return {**told, "seconds": self.seconds}


def slug(text: str) -> str:
    """A name as an identifier: lower case words joined by hyphens; "" where it has no letters."""
    return plain(text).replace(" ", "-")
