"""The findings on directed dances: one page, Markdown for the documents, and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from backend.evaluation.directed.parts import Section, Table
from backend.evaluation.page import STYLE, rows_of, verdict_rows
from backend.evaluation.printed import SIGNS
from backend.evaluation.verdicts import Verdict

REACHED = {True: "reached", False: "not reached", None: "not measured"}


@dataclass(frozen=True)
class Shown:
    """A part that is done: its name on the command line, what was found in words, and the settings it was made with."""

    name: str
    section: Section
    settings: Mapping[str, Any]

    def settings_words(self) -> str:
        """The settings in a line."""
        named = ((name.replace("_", " "), value) for name, value in self.settings.items() if value not in ("", None))
        return ", ".join(f"{name} {value}" for name, value in named)


def plain(shown: Sequence[Shown], found: Mapping[str, Any]) -> dict[str, Any]:
    """Everything for JSON; found: what was measured, by the names of parts."""
    return {
        "format": 1,
        "verdicts": [asdict(verdict) | {"part": each.name} for each in shown for verdict in each.section.verdicts],
        "parts": {
            each.name: {
                "settings": dict(each.settings),
                "tables": [asdict(table) for table in each.section.tables],
                "found": found[each.name],
            }
            for each in shown
        },
    }


def page(shown: Sequence[Shown]) -> str:
    """One self-contained HTML page."""
    title = "Directed dances"
    verdicts = [verdict for each in shown for verdict in each.section.verdicts]
    parts = [f"<h1>{title}</h1>", "<h2>Verdict</h2>", verdict_rows(verdicts)]
    for each in shown:
        section = each.section
        parts += [f"<h2>{escape(section.title)}</h2>", f"<p class=note>{escape(section.note)}</p>"]
        parts += [f"<h3>{escape(table.title)}</h3>{rows_of(table.head, table.rows)}" for table in section.tables]
        parts += [f"<div>{figure}</div>" for figure in section.figures]
        parts.append(f"<p class=note>{escape(each.settings_words())}.</p>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def markdown(shown: Sequence[Shown]) -> str:
    """Notes, tables and verdicts."""
    return "\n".join(f"## {each.section.title}\n\n{each.section.note}\n\n{tables(each)}" for each in shown)


def tables(each: Shown) -> str:
    """A part's tables and verdicts in Markdown, and the settings that they were made with."""
    section = each.section
    parts = [f"{table.title}\n\n{_piped(table.head, table.rows)}" for table in section.tables]
    rows = [(verdict.asked, verdict.measured, REACHED[verdict.reached]) for verdict in section.verdicts]
    return "\n".join([*parts, _piped(("asked", "measured", ""), rows), f"{each.settings_words()}.\n"])


def _piped(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def print_shown(shown: Sequence[Shown], console: Console) -> None:
    """Tables and verdicts in the terminal."""
    for each in shown:
        for table in each.section.tables:
            console.print(_rich(table))
    judged = RichTable("asked", "measured", "", title="Verdict")
    for verdict in _verdicts(shown):
        judged.add_row(_unmarked(verdict.asked), _unmarked(verdict.measured), SIGNS[verdict.reached])
    console.print(judged)


def _verdicts(shown: Sequence[Shown]) -> list[Verdict]:
    return [verdict for each in shown for verdict in each.section.verdicts]


def _rich(table: Table) -> RichTable:
    drawn = RichTable(title=_unmarked(table.title))
    for place, name in enumerate(table.head):
        drawn.add_column(_unmarked(name), justify="right" if place else "left")
    for row in table.rows:
        drawn.add_row(*map(_unmarked, row))
    return drawn


def _unmarked(text: str) -> str:
    """Text in which brackets are no markup."""
    return text.replace("[", "\\[")
