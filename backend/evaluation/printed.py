"""The findings in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from backend.evaluation.findings import Findings
from backend.evaluation.page import share_words, spread_words
from backend.evaluation.reading import Reading
from backend.evaluation.words import METRIC_WORDS

SIGNS = {True: "[green]reached[/]", False: "[red]not reached[/]", None: "not measured"}


def print_findings(findings: Findings, console: Console) -> None:
    """The table of metrics, whether it listens, reads and lasts, and the verdicts."""
    windows = f"{len(findings.generated)} generated and {len(findings.real)} real windows"
    table = Table(title=f"{findings.subject}: {windows}", caption="median \\[quartiles]; real against real: 5 to 95 %")
    table.add_column("metric", no_wrap=True)
    for name in ("generated", "real", "real against real"):
        table.add_column(name, justify="right")
    for row in findings.rows:
        cells = map(_plain, map(spread_words, (row.generated, row.real, row.real_vs_real)))
        table.add_row(METRIC_WORDS.get(row.metric, row.metric), *cells)
    console.print(table)
    if findings.annotated is not None:
        known = findings.annotated
        console.print(
            f"Real dances with known beats ({known.dances}): alignment {known.score:.3f}, lift {known.lift:.3f}"
        )
    if findings.listening is not None:
        _print_listening(findings, console)
    if findings.reading is not None:
        _print_reading(findings.reading, console)
    if findings.verdicts:
        judged = Table("asked", "measured", "")
        for verdict in findings.verdicts:
            judged.add_row(_plain(verdict.asked), _plain(verdict.measured), SIGNS[verdict.reached])
        console.print(judged)


def _plain(text: str) -> str:
    """Text in which brackets are no markup."""
    return text.replace("[", "\\[")


def _print_listening(findings: Findings, console: Console) -> None:
    heard = findings.listening
    assert heard is not None
    table = Table("told", "alignment", "lift", "true is better in", title="Does it listen?")
    for hearing, medians in heard.medians().items():
        share = heard.share_above(hearing) if hearing != "true" else None
        above = "" if share is None else f"{share:.0%}"
        table.add_row(hearing.replace("_", " "), f"{medians['score']:.3f}", f"{medians['lift']:.3f}", above)
    console.print(table)


def _print_reading(reading: Reading, console: Console) -> None:
    columns = ("dances", "", f"named of {len(reading.known)} genres", f"of the {len(reading.asked)} asked", "seen as")
    table = Table(*columns, title="Does it read?")
    sets = {"prompted": reading.generated, "real": reading.real}
    for name, names in sets.items():
        for genre, seen in sorted(names.confusion().items()) if names is not None else ():
            of = names.of([genre]) if names is not None else reading.real
            among = share_words(of.share_among())
            ordered = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
            words = ", ".join(f"{other} {count}" for other, count in ordered)
            table.add_row(name, genre, share_words(of.share()), among, words)
        if names is not None and names.dances:
            shares = names.share(), names.share_among()
            table.add_row(name, "all", *map(share_words, shares), f"{len(names.dances)} dances", end_section=True)
    console.print(table)
