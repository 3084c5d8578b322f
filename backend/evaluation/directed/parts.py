"""What a part of the judgement is: it makes dances and measures them, and shows what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.evaluation.directed.director import Director
from backend.evaluation.directed.ground import Ground
from backend.evaluation.verdicts import Verdict

Found = dict[str, Any]  # what JSON can hold
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """Rows of words under a head; the first column names the row."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part's findings for the page, the terminal and the documents. figures: SVG."""

    title: str
    note: str
    tables: tuple[Table, ...]
    verdicts: tuple[Verdict, ...]
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """name: on the command line; find: make the dances and measure them; show: what was found."""

    name: str
    find: Callable[[Director, Ground, Tell], Found]
    show: Callable[[Found], Section]
