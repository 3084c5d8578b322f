"""The page of an evaluation: one self-contained HTML file with its figures inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from backend.evaluation.compare import Row, Spread
from backend.evaluation.drawing import contact_sheet, curves, number, ranges
from backend.evaluation.findings import Findings
from backend.evaluation.measure import FREEZING_THRESHOLDS_M_S, Measured
from backend.evaluation.reading import Names
from backend.evaluation.speed_curve import BINS
from backend.evaluation.verdicts import Verdict
from backend.evaluation.words import METRIC_WORDS

SHEETS = 6
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid #ddd}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:3px 8px;text-align:right}
th,td{border-bottom:1px solid #eee}
th:first-child,td:first-child{text-align:left}.yes{color:#1b7f4d}.no{color:#b3261e}.open{color:#777}
.bars{display:grid;grid-template-columns:repeat(auto-fill,minmax(420px,1fr));gap:14px}
svg{max-width:100%;height:auto}svg text{font-family:system-ui,sans-serif;fill:#222}p.note{color:#555;font-size:13px}
"""


def page(findings: Findings) -> str:
    """The HTML of the findings."""
    parts = [
        f"<h1>{escape(findings.subject)}</h1>",
        f"<p class=note>{escape(_settings(findings))}</p>",
        f"<h2>Verdict</h2>{verdict_rows(findings.verdicts)}" if findings.generated else "",
        "<h2>Every metric beside real dances</h2>",
        "<p class=note>Medians and quartiles over windows of ten seconds. Real against real: what the median of a "
        "random half of the real windows can be (5 to 95 %); for distances, half against half.</p>",
        table(findings.rows),
        f"<div class=bars>{''.join(_bars(findings.rows))}</div>",
        _listening(findings),
        _reading(findings),
        _lasting(findings),
        _beat_curves(findings),
        _freezing(findings),
        _sheets("Generated dances", findings.generated),
        _sheets("Real dances", findings.real),
    ]
    title = escape(findings.subject)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _settings(findings: Findings) -> str:
    windows = f"{len(findings.generated)} generated and {len(findings.real)} real windows"
    named = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in findings.settings.items() if value)
    return f"{windows}; {named}."


def spread_words(spread: Spread | None) -> str:
    """A middle and its range, or a dash."""
    return "–" if spread is None else f"{number(spread.middle)} [{number(spread.low)}, {number(spread.high)}]"


def share_words(share: float | None) -> str:
    """A share in per cent, or a dash."""
    return "–" if share is None else f"{share:.0%}"


def rows_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of words."""
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>{cells}</table>"


def table(rows: Sequence[Row]) -> str:
    """The table of all metrics."""
    head = ("metric", "generated", "real", "real against real", "other dances")
    spreads = [(row.generated, row.real, row.real_vs_real, row.other_dances) for row in rows]
    names = [METRIC_WORDS.get(row.metric, row.metric) for row in rows]
    return rows_of(head, [(name, *map(spread_words, four)) for name, four in zip(names, spreads, strict=True)])


def _bars(rows: Sequence[Row]) -> list[str]:
    return [
        ranges(
            METRIC_WORDS.get(row.metric, row.metric),
            {"generated": row.generated, "real": row.real, "real against real": row.real_vs_real},
        )
        for row in rows
        if row.generated or row.real or row.real_vs_real
    ]


def verdict_rows(verdicts: Iterable[Verdict]) -> str:
    """The table of verdicts."""
    words = {True: ("yes", "reached"), False: ("no", "not reached"), None: ("open", "not measured")}
    rows = "".join(
        f"<tr><td>{escape(v.asked)}</td><td>{escape(v.measured)}</td>"
        f"<td class={words[v.reached][0]}>{words[v.reached][1]}</td></tr>"
        for v in verdicts
    )
    return f"<table><tr><th>asked</th><th>measured</th><th></th></tr>{rows}</table>"


def _listening(findings: Findings) -> str:
    heard = findings.listening
    if heard is None:
        return ""
    rows = []
    for hearing, medians in heard.medians().items():
        share = heard.share_above(hearing) if hearing != "true" else None
        above = "" if share is None else f"{share:.0%}"
        rows.append((hearing.replace("_", " "), number(medians["score"]), number(medians["lift"]), above))
    head = ("beats told to the generator", "alignment to the true beats", "lift", "true is better in")
    return "<h2>Does it listen?</h2>" + rows_of(head, rows)


def _reading(findings: Findings) -> str:
    reading = findings.reading
    if reading is None:
        return ""
    sets = {
        "prompted dances": reading.generated,
        "real dances of these genres": reading.real.of(reading.asked),
        "all real dances": reading.real,
    }
    rows = [
        (name, str(len(names.dances)), share_words(names.share()), share_words(names.share_among()))
        for name, names in sets.items()
        if names is not None
    ]
    head = ("named as asked", "dances", f"of {len(reading.known)} genres", f"of {', '.join(reading.asked)}")
    parts = ["<h2>Does it read?</h2>", rows_of(head, rows)]
    if reading.distances is not None:
        apart = reading.distances
        far = [number(each) if each is not None else "–" for each in (apart.prompts, apart.seeds)]
        parts.append(
            f"<p class=note>Mean distance in the evaluator's space between dances to one song: {far[0]} where the "
            f"prompt differs and the seed does not, {far[1]} where the seed differs and the prompt does not.</p>"
        )
    for name, names in sets.items():
        if names is not None and names.dances and name != "real dances of these genres":
            parts.append(_confusion(name, names))
    return "".join(parts)


def _confusion(title: str, names: Names) -> str:
    table = names.confusion()
    seen = sorted({genre for row in table.values() for genre in row})
    rows = [(asked, *(str(row.get(genre, "")) for genre in seen)) for asked, row in sorted(table.items())]
    return f"<h3>{escape(title)}: asked, and seen</h3>" + rows_of(("", *seen), rows)


def _lasting(findings: Findings) -> str:
    lasting = findings.lasting
    if lasting is None:
        return ""
    steady = {True: "yes", False: "no", None: "unknown"}
    rows = [
        (
            METRIC_WORDS.get(c.metric, c.metric),
            number(c.first),
            number(c.last),
            "–" if c.seeds is None else number(c.seeds),
            steady[c.steady],
        )
        for c in lasting.changes
    ]
    note = (
        f"<p class=note>Dances of {lasting.minutes:.1f} minutes; they end {lasting.drift_m:.2f} m from the start.</p>"
    )
    head = ("metric", "first 10 s", "last 10 s", "spread of seeds", "steady")
    return "<h2>Does it last?</h2>" + note + rows_of(head, rows)


def _beat_curves(findings: Findings) -> str:
    if not findings.speed:
        return ""
    phase = [(place + 0.5) / BINS - 0.5 for place in range(BINS)]
    lines = {name: [float(v) for v in np.roll(curve, BINS // 2)] for name, curve in findings.speed.items()}
    note = "Real dances are laid over beats read from their own motion: the depth that a stop on every beat would have."
    figure = curves("Mean joint speed over the window's mean", phase, lines, x_label="beats from the nearest beat")
    return f"<h2>Speed over the beat</h2><p class=note>{note}</p>{figure}"


def _freezing(findings: Findings) -> str:
    lines = {name: [100.0 * rate for rate in rates] for name, rates in findings.freezing().items()}
    steps = [float(np.log10(threshold)) for threshold in FREEZING_THRESHOLDS_M_S]
    label = "log10 of the speed, m/s, under which the fastest joint counts as frozen"
    return "<h2>Freezing</h2>" + curves("Frozen frames, %", steps, lines, x_label=label)


def _sheets(title: str, measured: Sequence[Measured]) -> str:
    if not measured:
        return ""
    chosen = [measured[int(place)] for place in np.linspace(0, len(measured) - 1, min(SHEETS, len(measured)))]
    sheets = [
        contact_sheet(f"{m.window.name} {m.window.whole.genre}".strip(), m.window.motion.joints()) for m in chosen
    ]
    return f"<h2>{escape(title)}</h2>{''.join(f'<div>{sheet}</div>' for sheet in sheets)}"
