"""What makes directed dances, as the judges of this folder see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.directions import Directions, Strategy
from backend.evaluation.windows import FloatArray
from backend.motion.motion import Motion
from backend.motion.sources import SongFile
from backend.music.audio import Audio
from backend.music.beats import BeatGrid


@dataclass(frozen=True)
class Asked:
    """What a dance is made for. grid: beats to dance to, None for those that are heard; exact: with the final pass that
    goes exactly through the key poses.
    """

    genre: str
    seed: int
    directions: Directions = field(default_factory=Directions)
    grid: BeatGrid | None = None
    exact: bool = True


@dataclass(frozen=True)
class Made:
    """A dance at 30 fps and the report of its making."""

    motion: Motion
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LongWish:
    """A long dance to the first seconds of a song, which is repeated where it is shorter."""

    song: SongFile
    seconds: float
    genre: str
    seed: int


@dataclass(frozen=True)
class LongMade:
    """A long dance, the beats it was made for, and what it took: seconds by the clock and of the processor, stages by
    name, and the most memory that the process had ever held when it was done, MiB, None where that cannot be known.
    """

    motion: Motion
    beats_s: FloatArray
    clock_s: float
    processor_s: float
    stages_s: Mapping[str, float]
    peak_mib: float | None
    report: Mapping[str, Any] = field(default_factory=dict)


class Director(Protocol):
    """Makes dances as directed. version: of what makes them."""

    version: str

    def dance(self, audio: Audio, asked: Asked) -> Made:
        """A dance as long as the audio; with ``directions.before``, the frames after it."""

    def long(self, strategy: Strategy, wishes: Sequence[LongWish]) -> Iterator[LongMade]:
        """Dances by one strategy, in a process of its own, so that its memory can be known. Shorter ones first."""
