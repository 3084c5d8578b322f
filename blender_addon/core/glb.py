"""What a binary glTF file says of its animations. No bpy."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

_MAGIC = b"glTF"
_JSON = 0x4E4F534A


def animation_span_s(path: Path) -> tuple[float, float]:
    """From which second to which the animations of a .glb file last; (0, 0) where there are none.

    Raises ValueError for a file of another kind.
    """
    document = _document(path)
    accessors = document.get("accessors", [])
    inputs = {sampler["input"] for found in document.get("animations", []) for sampler in found["samplers"]}
    times = [accessors[number] for number in inputs]
    if not times:
        return 0.0, 0.0
    return min(float(each["min"][0]) for each in times), max(float(each["max"][0]) for each in times)


def _document(path: Path) -> dict[str, Any]:
    """The JSON at the head of the file."""
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20 or head[:4] != _MAGIC:
            raise ValueError(f"{path} is no binary glTF file")
        _, _, _, length, kind = struct.unpack("<4sIIII", head)
        if kind != _JSON:
            raise ValueError(f"{path} does not begin with its JSON")
        document: dict[str, Any] = json.loads(file.read(length))
    return document
