"""Dance documents on their armature, as ID properties, one for each take."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

from ..core.dance import DanceDocument, from_parts, to_parts
from ..core.errors import PirouetteError

DANCES = "pirouette_dances"  # custom property of the armature: a group with one entry a take
CURRENT = "pirouette_take"  # custom property of the armature: the number of the take that was written last
_DOCUMENT = "document"


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
    if _DOCUMENT not in entry:
        raise PirouetteError("damaged_file", "This dance is damaged: its description is missing.", "Generate it again.")
    arrays = {name: np.zeros(0) for name in ("beats_s", "downbeat", "pose_codes", "movement_codes")}
    arrays |= {name: np.array(values) for name, values in entry.items() if name != _DOCUMENT}
    return from_parts(str(entry[_DOCUMENT]), arrays)


def read_document(dancer: bpy.types.Object) -> dict[str, Any]:
    """The description of the current take without its arrays, for showing; empty when none or damaged."""
    entry = dancer.get(DANCES, {}).get(_key(int(dancer.get(CURRENT, 0))))
    try:
        found = json.loads(entry[_DOCUMENT]) if entry is not None else {}
    except (KeyError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _key(number: int) -> str:
    return f"{number:03d}"
