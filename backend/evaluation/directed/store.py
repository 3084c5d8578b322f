"""What the parts found, in a folder: a part that is done is not done again for the same settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.errors import PirouetteError
from backend.evaluation.directed.parts import Found
from backend.motion.io import replacing


class Store:
    """OUT/directed: a file for each part, with the settings it was made with."""

    def __init__(self, out: Path) -> None:
        self.folder = out / "directed"

    def known(self, part: str) -> dict[str, Any] | None:
        """``settings`` and ``found`` of a part, None where it is not done.

        Raises PirouetteError("damaged_file") for a file that is not whole.
        """
        path = self._path(part)
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise PirouetteError("damaged_file", f"{path} is damaged.", f"Make it again with --only {part}.") from error
        if not isinstance(content, dict) or not {"settings", "found"} <= content.keys():
            raise PirouetteError("damaged_file", f"{path} is damaged.", f"Make it again with --only {part}.")
        return content

    def keep(self, part: str, settings: Mapping[str, Any], found: Found) -> None:
        """Write a part down, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self._path(part), {"settings": dict(settings), "found": found})

    def _path(self, part: str) -> Path:
        return self.folder / f"{part}.json"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file, whole or not at all. Raises ValueError for numbers that are not finite."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as file:
        file.write(text.encode())
