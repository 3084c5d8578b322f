"""Long dances: what was found, as tables, curves and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.directions import STRATEGIES
from backend.evaluation.directed.long_dances import GROWTH_MINUTES, MINUTES, find
from backend.evaluation.directed.parts import Found, Part, Section, Table
from backend.evaluation.drawing import curves, number
from backend.evaluation.verdicts import MOST_FREEZING_ABOVE_REAL_PCT, Verdict
from backend.evaluation.words import METRIC_WORDS

QUALITY = (
    "foot_skate_cm_s",
    "jerk_m_s3",
    "freezing_pct",
    "below_floor_pct",
    "mean_joint_speed_m_s",
    "beat_alignment",
    "beat_alignment_lift",
    "pfc",
)
MOST_GROWTH = 1.25  # of what proportion gives
Dance = Mapping[str, Any]


def show(found: Found) -> Section:
    """Tables by minute and by strategy, and growth."""
    strategies: dict[str, Sequence[Dance]] = {
        name: found["strategies"][name] for name in STRATEGIES if name in found["strategies"]
    }
    note = (
        f"Dances of {MINUTES} minutes, one for each seed, each to a song of its own, repeated where it is shorter; "
        "medians. Seams may lie anywhere: steps of the fastest joint and hardest turns beyond the 99.5th percentile of "
        "real dances. Repetition: mean distance of joints between each phrase of eight counts and the next, and of "
        "each two seconds from the most alike two of the same twenty; smaller is more alike. Seconds and memory: each "
        "strategy in a process of its own, shorter dances first, after a first dance; the most memory held until then."
    )
    tables = (_minutes(strategies, found["real"]), _whole(strategies, found["real"]), _growth(strategies))
    return Section("Long dances", note, tables, _verdicts(strategies, found["real"]), _figures(strategies))


def _long(dances: Sequence[Dance]) -> list[Dance]:
    return [dance for dance in dances if dance["minutes"] == MINUTES]


def _middle(reports: Sequence[Dance], name: str) -> str:
    values = [value for report in reports if (value := report.get(name)) is not None]
    return number(float(np.median(values))) if values else "–"


def _words(strategy: str) -> str:
    return strategy.replace("_", " ")


def _minutes(strategies: Mapping[str, Sequence[Dance]], real: Dance) -> Table:
    rows = []
    for name, dances in strategies.items():
        for minute in range(MINUTES):
            reports = [dance["by_minute"][minute] for dance in _long(dances)]
            cells = [_middle(reports, q) for q in QUALITY]
            rows.append((f"{_words(name)}, minute {minute + 1}", *cells))
    cells = [number(real["quality"][q]) if q in real["quality"] else "–" for q in QUALITY]
    rows.append(("real dances", *cells))
    return Table("Quality by minute", ("", *(METRIC_WORDS[q] for q in QUALITY)), tuple(rows))


def _whole(strategies: Mapping[str, Sequence[Dance]], real: Dance) -> Table:
    columns = {
        "steps_beyond_pct": "steps beyond real's 99.5 %, %",
        "fastest_m_s": "fastest, m/s",
        "turns_beyond_pct": "turns beyond, %",
        "hardest_m_s2": "hardest, m/s²",
        "a_phrase_apart_cm": "a phrase apart, cm",
        "nearest_passage_cm": "nearest passage, cm",
        "farthest_m": "farthest from the start, m",
        "clock_s": "seconds",
        "peak_mib": "peak memory, MiB",
    }
    rows = [
        (_words(name), *(_middle(_long(dances), column) for column in columns)) for name, dances in strategies.items()
    ]
    rows.append(("real dances", *("–" if real.get(c) is None else number(real[c]) for c in columns)))
    return Table(f"{MINUTES} minutes: seams, repetition, cost", ("", *columns.values()), tuple(rows))


def _at(dances: Sequence[Dance], minutes: int, name: str) -> float | None:
    """The value at a length, of the first seed."""
    values = [dance[name] for dance in dances if dance["minutes"] == minutes and dance["seed"] == 0]
    return values[0] if values else None


def _growth(strategies: Mapping[str, Sequence[Dance]]) -> Table:
    rows = []
    for name, dances in strategies.items():
        cells: list[str] = []
        for column in ("clock_s", "processor_s", "peak_mib"):
            values = [_at(dances, minutes, column) for minutes in GROWTH_MINUTES]
            cells += ["–" if value is None else number(value) for value in values]
        rows.append((_words(name), *cells))
    head = [f"{words}, {m} min" for words in ("seconds", "processor s", "peak MiB") for m in GROWTH_MINUTES]
    return Table("Growth with length", ("", *head), tuple(rows))


def _verdicts(strategies: Mapping[str, Sequence[Dance]], real: Dance) -> tuple[Verdict, ...]:
    lines: list[Verdict] = []
    middle, longest = GROWTH_MINUTES[-2:]
    limit = real["quality"]["freezing_pct"] + MOST_FREEZING_ABOVE_REAL_PCT
    for name, dances in strategies.items():
        some, most = (_at(dances, minutes, "processor_s") for minutes in (middle, longest))
        if some is not None and most is not None:
            times = (most / longest) / (some / middle)
            measured = f"{some / middle:.3g} s of the processor a minute, then {most / longest:.3g} s"
            asked = f"{_words(name)}: from {middle} to {longest} minutes seconds grow with length, or slower"
            lines.append(Verdict(asked, measured, times <= MOST_GROWTH))
        frozen = [
            float(np.median([dance["by_minute"][minute]["freezing_pct"] for dance in _long(dances)]))
            for minute in range(MINUTES)
        ]
        asked = f"{_words(name)}: freezing at most {MOST_FREEZING_ABOVE_REAL_PCT:g} points above real in each minute"
        lines.append(Verdict(asked, ", ".join(f"{each:.3g} %" for each in frozen), max(frozen) <= limit))
    return tuple(lines)


def _figures(strategies: Mapping[str, Sequence[Dance]]) -> tuple[str, ...]:
    minutes = [float(each) for each in GROWTH_MINUTES]
    figures = []
    for column, title in (("processor_s", "Seconds of the processor"), ("peak_mib", "Peak memory, MiB")):
        lines = {_words(name): [_at(dances, m, column) for m in GROWTH_MINUTES] for name, dances in strategies.items()}
        known = {name: [v for v in line if v is not None] for name, line in lines.items()}
        known = {name: line for name, line in known.items() if len(line) == len(minutes)}
        if known:
            figures.append(curves(title, minutes, known, x_label="minutes of dance"))
    return tuple(figures)


PART = Part("long", find, show)
