"""Dance documents on their armature, as ID properties, one for each take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..core.dance import Beats, DanceDocument, Section, from_parts, sections_of_text, sections_text, to_parts
from ..core.errors import PirouetteError

DANCES = "pirouette_dances"  # custom property of the armature: a group with one entry a take
CURRENT = "pirouette_take"  # custom property of the armature: the number of the take that was written last
_DOCUMENT = "document"
_MAY_BE_EMPTY = (
    "beats_s", "downbeat", "pose_codes", "movement_codes", "sound", "kept_keys", "key_poses", "key_pelvis",
)  # fmt: skip


def store(dancer: bpy.types.Object, document: DanceDocument, *, number: int) -> None:
    """Keep the document of a take on its dancer and make it the current one."""
    text, arrays = to_parts(document)
    if DANCES not in dancer:
        dancer[DANCES] = {}
    entry: dict[str, Any] = {_DOCUMENT: text}
    entry.update({name: values for name, values in arrays.items() if values.size})
    dancer[DANCES][_key(number)] = entry
    dancer[CURRENT] = number


def load(dancer: bpy.types.Object, number: int | None = None) -> DanceDocument | None:
    """The document of a take, by default of the current one; None when there is none.

    Raises PirouetteError damaged_file for a document that is damaged or newer than this add-on.
    """
    number = int(dancer.get(CURRENT, 0)) if number is None else number
    dances = dancer.get(DANCES)
    if dances is None or _key(number) not in dances:
        return None
    entry = dances[_key(number)]
    text = _description(entry)
    arrays = {name: np.zeros(0) for name in _MAY_BE_EMPTY}
    arrays |= {name: np.array(values) for name, values in entry.items() if name != _DOCUMENT}
    return from_parts(text, arrays)


def read_document(dancer: bpy.types.Object) -> dict[str, Any]:
    """The description of the current take without its arrays, for showing; empty when none or damaged."""
    entry = dancer.get(DANCES, {}).get(_key(int(dancer.get(CURRENT, 0))))
    try:
        found = json.loads(entry[_DOCUMENT]) if entry is not None else {}
    except (KeyError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_sections(dancer: bpy.types.Object, number: int) -> tuple[Section, ...]:
    """The sections of a take; none when there is no such take. Raises PirouetteError damaged_file."""
    entry = dancer.get(DANCES, {}).get(_key(number))
    if entry is None:
        return ()
    return sections_of_text(_description(entry))


def write_sections(dancer: bpy.types.Object, number: int, sections: Sequence[Section]) -> None:
    """Other words, seeds or locks on the sections of a take. Raises PirouetteError damaged_file."""
    entry = dancer[DANCES][_key(number)]
    entry[_DOCUMENT] = sections_text(_description(entry), sections)


def read_beats(dancer: bpy.types.Object, number: int) -> Beats:
    """The beats of a take, without its motion. Raises PirouetteError damaged_file."""
    entry = dancer.get(DANCES, {}).get(_key(number), {})
    try:
        found = json.loads(_description(entry))["beats"] if entry else {"tempo_bpm": 0.0, "metre": 4, "clear": False}
        beats_s, downbeat = (np.array(entry.get(name, ())) for name in ("beats_s", "downbeat"))
        return Beats(
            beats_s.astype(np.float64), downbeat.astype(np.bool_),
            float(found["tempo_bpm"]), int(found["metre"]), bool(found["clear"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise PirouetteError(
            "damaged_file", "This dance is damaged: its beats cannot be read.", "Generate it again."
        ) from error


def take_numbers(dancer: bpy.types.Object) -> list[int]:
    """The numbers of all takes that have a document."""
    return sorted(int(key) for key in dancer.get(DANCES, {}).keys() if key.isdigit())  # noqa: SIM118  an ID property group


def _description(entry: Any) -> str:
    if _DOCUMENT not in entry:
        raise PirouetteError("damaged_file", "This dance is damaged: its description is missing.", "Generate it again.")
    return str(entry[_DOCUMENT])


def _key(number: int) -> str:
    return f"{number:03d}"
