"""What directed dances are judged on: songs, real dances, and how fast real dances ever are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from backend.evaluation.directed.limits import RealLimits, real_limits
from backend.evaluation.generated_set import HeardSong, genre_turns, heard_song, split_songs
from backend.evaluation.measure import Measured, measure
from backend.evaluation.real_set import real_dances
from backend.evaluation.windows import Danced, windows_of
from backend.motion.sources import SongFile

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Ground:
    """songs: folder of songs; most_songs: None for all of the split; most_dances: real dances that are gone on from;
    leave_out: starts of names of real dances to do without.
    """

    data: Path
    songs: Path
    split: str = "test"
    seeds: int = 3
    most_songs: int | None = None
    most_dances: int = 8
    leave_out: tuple[str, ...] = ()

    def plain(self) -> dict[str, object]:
        """What must be the same for two findings to stand side by side."""
        return {
            "split": self.split,
            "songs": len(self.files),
            "seeds": self.seeds,
            "dances": self.most_dances,
            "left_out": " ".join(self.leave_out),
        }

    @cached_property
    def files(self) -> list[SongFile]:
        """The songs to dance to, spread over the split. Raises PirouetteError("missing_file") where there is none."""
        return spread(split_songs(self.songs, self.split), self.most_songs)

    def heard(self, seconds: float) -> list[HeardSong]:
        """The songs' first seconds."""
        return [heard_song(file, seconds) for file in self.files]

    def genres(self) -> list[list[str]]:
        """The genre asked for, by song and seed."""
        return genre_turns(len(self.files), self.seeds)

    @cached_property
    def real(self) -> list[Danced]:
        """The real dances of the split. Raises PirouetteError("missing_file") where there is none."""
        return real_dances(self.data, self.split, leave_out=self.leave_out)

    @cached_property
    def windows(self) -> list[Measured]:
        """The real dances in windows of ten seconds, measured."""
        return [measure(window) for danced in self.real for window in windows_of(danced)]

    @cached_property
    def limits(self) -> RealLimits:
        """How fast the real dances of the split ever are."""
        return real_limits([danced.motion for danced in self.real])

    def chosen(self, shortest_s: float) -> list[Danced]:
        """Up to ``most_dances`` real dances of so many seconds or more, spread over the split."""
        return spread([danced for danced in self.real if danced.motion.duration_s >= shortest_s], self.most_dances)


def spread(things: list[Thing], most: int | None) -> list[Thing]:
    """At most so many of the things, evenly spread over them."""
    if most is None or most >= len(things):
        return things
    return [things[int(place)] for place in np.linspace(0, len(things) - 1, most).round()]
