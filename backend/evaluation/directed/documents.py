"""Findings in documents: what stands between a part's marks is replaced by its tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from backend.errors import PirouetteError
from backend.evaluation.directed.shown import Shown, tables
from backend.motion.io import replacing


def fill(path: Path, shown: Sequence[Shown]) -> list[str]:
    """Write the tables of parts into a document between ``<!-- NAME -->`` and ``<!-- /NAME -->``; returns the names of
    those it has marks for. What is outside of marks stays, and so do parts that are not shown.

    Raises PirouetteError("missing_file") where there is no such document, and PirouetteError("bad_request") where it
    has marks for none.
    """
    if not path.is_file():
        raise PirouetteError("missing_file", f"There is no document {path}.")
    text, filled = path.read_text(encoding="utf-8"), []
    for each in shown:
        inside = re.compile(rf"(<!-- {re.escape(each.name)} -->\n).*?(<!-- /{re.escape(each.name)} -->)", re.DOTALL)
        body = f"\n{tables(each)}\n".replace("\\", r"\\")
        text, count = inside.subn(rf"\g<1>{body}\g<2>", text)
        filled += [each.name] if count else []
    if not filled:
        raise PirouetteError("bad_request", f"{path} has no place for what was found.", "Mark it: <!-- long -->.")
    with replacing(path) as file:
        file.write(text.encode())
    return filled
