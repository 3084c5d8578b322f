"""The bundled phrases' two files: an index that people can read, and the numbers.

phrases.json          the codec's version, the licences, one row a phrase
phrases.safetensors   movement (K, rows) and pose (2K, rows) codes of all phrases one behind the other, int16;
                      embeddings (N, 384) of their sentences, float16; a digest of the index
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError
from backend.library.entry import Entry

FORMAT = 1
FOLDER = Path(__file__).parent
INDEX_NAME, NUMBERS_NAME = "phrases.json", "phrases.safetensors"
REPAIR = "Install the add-on again, or build it: python -m backend library build."
Codes = npt.NDArray[np.int16]
_FIELDS = (
    *("id", "name", "genre", "description", "figures", "frames", "counts", "beats_s", "metre", "bpm"),
    *("source", "clip", "start_s"),
)


@dataclass(frozen=True)
class Numbers:
    """movement: (K, rows), pose: (2K, rows) int16; embeddings: (N, 384) float32 unit vectors; first: (N + 1,) where a
    phrase's movement codes begin.
    """

    movement: Codes
    pose: Codes
    embeddings: npt.NDArray[np.float32]
    first: tuple[int, ...]

    def codes(self, number: int) -> tuple[Codes, Codes]:
        """Movement and pose codes of the phrase with this number."""
        first, last = self.first[number], self.first[number + 1]
        return self.movement[first:last], self.pose[2 * first : 2 * last]


def write_bundled(
    folder: Path, entries: Sequence[Entry], codes: Sequence[tuple[Codes, Codes]], embeddings: npt.NDArray[np.floating]
) -> int:
    """Write both files; returns their bytes. All entries are for the same codec."""
    from safetensors.numpy import save

    from backend.motion.io import replacing

    licences = {entry.source: entry.licence for entry in entries}
    head = {"format": FORMAT, "codec": entries[0].codec, "licences": licences}
    rows = ",\n".join(_json({name: getattr(entry, name) for name in _FIELDS}) for entry in entries)
    text = f'{_json(head)[:-1]}, "phrases": [\n{rows}\n]}}\n'.encode()
    numbers = {
        "movement": np.ascontiguousarray(np.concatenate([movement for movement, _ in codes]), dtype=np.int16),
        "pose": np.ascontiguousarray(np.concatenate([pose for _, pose in codes]), dtype=np.int16),
        "embeddings": np.ascontiguousarray(embeddings, dtype=np.float16),
    }
    content = save(numbers, metadata={"index": hashlib.sha256(text).hexdigest()})
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in ((NUMBERS_NAME, content), (INDEX_NAME, text)):
        with replacing(folder / name) as file:
            file.write(part)
    return len(text) + len(content)


def read_index(folder: Path) -> tuple[Entry, ...]:
    """The bundled phrases. Raises PirouetteError: missing_file, damaged_file."""
    path = folder / INDEX_NAME
    if not path.is_file():
        raise PirouetteError("missing_file", f"The library of movements is missing: there is no {path}.", REPAIR)
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise PirouetteError("damaged_file", f"{path.name} is of format {content['format']}, not {FORMAT}.", REPAIR)
        return tuple(_entry(row, content) for row in content["phrases"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PirouetteError("damaged_file", f"The library of movements cannot be read: {error}.", REPAIR) from error


def read_numbers(folder: Path, entries: Sequence[Entry]) -> Numbers:
    """Codes and embeddings of the bundled phrases. Raises PirouetteError: missing_file, damaged_file."""
    from safetensors import SafetensorError, safe_open

    from backend.dance import movement_count

    path = folder / NUMBERS_NAME
    if not path.is_file():
        raise PirouetteError("missing_file", f"The library's codes are missing: there is no {path}.", REPAIR)
    try:
        with safe_open(path, framework="np") as file:
            belongs_to = (file.metadata() or {}).get("index")
            arrays = {name: file.get_tensor(name) for name in ("movement", "pose", "embeddings")}
    except (OSError, SafetensorError) as error:
        raise PirouetteError("damaged_file", f"The library's codes cannot be read: {error}.", REPAIR) from error
    first = tuple(accumulate((movement_count(entry.frames) for entry in entries), initial=0))
    fits = len(arrays["movement"]) == first[-1] and len(arrays["pose"]) == 2 * first[-1]
    if belongs_to != hashlib.sha256((folder / INDEX_NAME).read_bytes()).hexdigest() or not fits:
        raise PirouetteError("damaged_file", "The library's codes do not belong to its list of phrases.", REPAIR)
    return Numbers(arrays["movement"], arrays["pose"], arrays["embeddings"].astype(np.float32), first)


def _entry(row: dict[str, Any], content: dict[str, Any]) -> Entry:
    fields = {name: row[name] for name in _FIELDS}
    fields["figures"], fields["beats_s"] = tuple(row["figures"]), tuple(row["beats_s"])
    return Entry(**fields, licence=content["licences"][row["source"]], own=False, codec=content["codec"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
