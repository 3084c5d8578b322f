"""The library as it is used: list, search, and a phrase as codes or as a dance."""

from __future__ import annotations

import difflib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError
from backend.library.bundled import FOLDER, REPAIR, Numbers, read_index, read_numbers
from backend.library.entry import Entry
from backend.library.own import codec_in, own_paths, read_own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.dance import Dance
    from backend.motion.motion import Motion
    from backend.music.beats import BeatGrid

Codes = npt.NDArray[np.int16]


class Coder(Protocol):
    """The models, as far as the library calls them."""

    def encode(self, motion: Motion, frames: Sequence[int]) -> tuple[Codes, Codes]:
        """Movement and pose codes of a motion that consists of sections of so many frames."""

    def decode(self, movement_codes: Codes, pose_codes: Codes, frames: Sequence[int]) -> Motion:
        """The motion of consecutive runs of codes, from the origin."""

    def describe(self) -> dict[str, Any]:
        """``models`` names the codec's version: "…, codec VERSION"."""


def codec_of(artist: Coder) -> str:
    """The version of the codec that an artist encodes and decodes with. Raises PirouetteError weights_version."""
    version = codec_in(str(artist.describe().get("models", "")))
    if not version:
        raise PirouetteError("weights_version", "The models name no codec, which phrases need.", REPAIR)
    return version


class Library:
    """Bundled phrases and the animator's own. warnings: a sentence for each of the animator's files that is damaged."""

    def __init__(
        self, folder: Path, bundled: tuple[Entry, ...], user_folder: Path | None, own: list[Entry], warnings: list[str]
    ) -> None:
        self.folder, self.user_folder = folder, user_folder
        self.entries: tuple[Entry, ...] = (*bundled, *own)
        self.warnings: tuple[str, ...] = tuple(warnings)
        self._bundled = bundled
        self._number = {entry.id: number for number, entry in enumerate(self.entries)}

    @cached_property
    def _numbers(self) -> Numbers:
        return read_numbers(self.folder, self._bundled)

    def search(self, text: str, genre: str = "", limit: int = 20) -> list[Entry]:
        """The phrases that fit the words best, the best first; all in order where there are no words.

        genre: any name of one, "" for all. Raises PirouetteError unknown_genre, weights_* (sentence encoder).
        """
        wanted = [number for number, entry in enumerate(self.entries) if self._is_of(entry, genre)]
        entries = [self.entries[number] for number in wanted]
        if text.strip() and entries:
            from backend.library.search import ranked
            from backend.text.encoder import encode

            entries = ranked(text, entries, self._embeddings()[wanted], encode([text])[0])
        return entries[: max(limit, 0)]

    def genres(self) -> dict[str, int]:
        """How many phrases each genre has."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.genre] = counts.get(entry.genre, 0) + 1
        return counts

    def entry(self, identity: str) -> Entry:
        """The phrase with this id. Raises PirouetteError bad_request with the nearest ids as hint."""
        number = self._number.get(identity)
        if number is None:
            near = difflib.get_close_matches(identity, self._number, n=3, cutoff=0.5)
            hint = (
                f"Did you mean {' or '.join(near)}?" if near else "Search it: python -m backend library search WORDS."
            )
            raise PirouetteError("bad_request", f"The library has no phrase “{identity}”.", hint)
        return self.entries[number]

    def codes(self, identity: str) -> tuple[Codes, Codes]:
        """Movement codes (K, rows) and pose codes (2K, rows) of a phrase, for the codec that its entry names.

        Raises PirouetteError: bad_request (unknown, or an own phrase that was never encoded), damaged_file.
        """
        entry = self.entry(identity)
        if not entry.own:
            return self._numbers.codes(self._number[identity])
        dance = self._own_dance(entry)
        if not entry.codec:
            raise PirouetteError("bad_request", f"“{entry.name}” has not been encoded yet.", "Open it as a dance.")
        return dance.movement_codes, dance.pose_codes

    def dance(self, identity: str, artist: Coder) -> Dance:
        """A phrase as a dance of one section, with its beats as grid, from the origin.

        A bundled phrase is what the artist decodes. An own one keeps the motion as it was added; codes of another
        codec are made anew, and ``warnings`` says so. Raises PirouetteError: bad_request, damaged_file,
        weights_version (bundled phrases made for another codec).
        """
        entry, codec = self.entry(identity), codec_of(artist)
        return self._own_for(entry, codec, artist) if entry.own else self._bundled_for(entry, codec, artist)

    def _is_of(self, entry: Entry, genre: str) -> bool:
        if not genre.strip():
            return True
        from backend.text.vocabulary import resolve_genre

        return entry.genre == resolve_genre(genre).name

    def _embeddings(self) -> npt.NDArray[np.float32]:
        own = [entry.sentence for entry in self.entries if entry.own]
        if not own:
            return self._numbers.embeddings
        from backend.text.encoder import encode

        return np.concatenate([self._numbers.embeddings, encode(own)])

    def _bundled_for(self, entry: Entry, codec: str, artist: Coder) -> Dance:
        from backend.dance import Dance, Section, Settings
        from backend.motion.contacts import contact_labels

        if entry.codec != codec:
            raise PirouetteError(
                "weights_version",
                f"The library of movements is made for codec {entry.codec}, and this is codec {codec}.",
                REPAIR,
            )
        movement, pose = self._numbers.codes(self._number[entry.id])
        motion = artist.decode(movement, pose, [entry.frames])
        return Dance(
            motion=motion,
            contacts=contact_labels(motion.joints(), fps=motion.fps),
            grid=_grid(entry),
            sections=(Section(entry.name, 0.0, entry.frames / motion.fps, entry.genre, entry.name, 0),),
            settings=Settings(entry.genre, entry.name, 0),
            model_version=f"codec {entry.codec}",
            report={"library": {"id": entry.id, "source": entry.source, "licence": entry.licence}},
            movement_codes=movement,
            pose_codes=pose,
        )

    def _own_for(self, entry: Entry, codec: str, artist: Coder) -> Dance:
        from dataclasses import replace

        dance = self._own_dance(entry)
        if entry.codec == codec:
            return dance
        movement, pose = artist.encode(dance.motion, [dance.motion.frames])
        warnings = dance.warnings
        if entry.codec:
            warnings = (*warnings, f"“{entry.name}” had codes of codec {entry.codec}: made anew for codec {codec}.")
        return replace(
            dance, movement_codes=movement, pose_codes=pose, model_version=f"codec {codec}", warnings=warnings
        )

    def _own_dance(self, entry: Entry) -> Dance:
        from backend.dance import load_dance

        assert self.user_folder is not None
        return load_dance(own_paths(self.user_folder)[entry.id])


def load_library(folder: Path | None = None, user_folder: Path | None = None) -> Library:
    """The bundled library, with the phrases in user_folder where there is one.

    Only lists are read here; codes when they are asked for. Raises PirouetteError: missing_file, damaged_file.
    """
    folder = folder or FOLDER
    own, warnings = read_own(user_folder) if user_folder else ([], [])
    return Library(folder, read_index(folder), user_folder, own, warnings)


def _grid(entry: Entry) -> BeatGrid:
    from backend.music.beats import BeatGrid

    beats = np.array(entry.beats_s)
    return BeatGrid(beats, np.arange(len(beats)) % entry.metre == 0, entry.bpm, entry.metre, True)
