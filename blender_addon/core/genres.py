"""The genres of the backend's vocabulary, as the genre menu needs them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import PirouetteError

ANY_GENRE = "ANY"  # the menu's first entry: the music and the prompt decide


@dataclass(frozen=True)
class GenreEntry:
    """A genre of the menu. number: stays the same when genres are added, so that a saved choice keeps its meaning."""

    name: str
    label: str
    description: str
    number: int


def read_genres(path: Path) -> tuple[GenreEntry, ...]:
    """The genres of a vocabulary file, those the model was trained on first, then by name.

    Raises PirouetteError damaged_file when there is no readable vocabulary.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["genres"]
        found = [(bool(entry.get("trained")), _entry(entry)) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PirouetteError(
            "damaged_file", f"The list of dance genres cannot be read: {error}.", "Install the add-on again."
        ) from error
    return tuple(entry for _, entry in sorted(found, key=lambda pair: (not pair[0], pair[1].label)))


def _entry(values: Mapping[str, Any]) -> GenreEntry:
    name = str(values["name"])
    description = str(values.get("description", "")).strip().rstrip(".")
    if not values.get("trained"):
        description += " (not in the model's training data: expect a free interpretation)"
    label = str(values.get("label", "")) or name.replace("_", " ").title()
    return GenreEntry(name, label, description, zlib.crc32(name.encode()) & 0x3FFFFFFF or 1)
