"""What a generator must reach beside real dances, line by line: reached, not reached, or not measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.evaluation.compare import Row
from backend.evaluation.generators import Hearing
from backend.evaluation.lasting import Change, Lasting
from backend.evaluation.listening import Listening
from backend.evaluation.reading import Reading

MOST_SKATE_ABOVE_REAL_CM_S = 1.0
JERK_RANGE = (0.7, 1.4)
MOST_FREEZING_ABOVE_REAL_PCT = 2.0
MOST_BELOW_FLOOR_PCT = 0.5
LEAST_SHARE_OF_REAL_LIFT = 0.5
LEAST_LISTENERS = 0.8
LEAST_NAMED = 0.6
MOST_TIMES_REAL_DISTANCE = 2.0
MOST_DIVERSITY_AWAY = 0.25


@dataclass(frozen=True)
class Verdict:
    """A line: what is asked, what was measured, and whether it is reached; None where it was not measured."""

    asked: str
    measured: str
    reached: bool | None


@dataclass(frozen=True)
class Judged:
    """What is judged beside the table, None where it was not measured.

    annotated_lift: of real dances with known beats.
    """

    annotated_lift: float | None = None
    listening: Listening | None = None
    reading: Reading | None = None
    lasting: Lasting | None = None


def verdicts(rows: Sequence[Row], judged: Judged) -> list[Verdict]:
    """Every line of the judgement."""
    by_name = {row.metric: row for row in rows}
    return [
        *_body(by_name),
        *_beat(by_name, judged.annotated_lift, judged.listening),
        *_sets(by_name),
        *_read(judged.reading),
        *_last(judged.lasting),
    ]


def _pair(by_name: Mapping[str, Row], name: str) -> tuple[float, float] | None:
    row = by_name.get(name)
    if row is None or row.generated is None or row.real is None:
        return None
    return row.generated.middle, row.real.middle


def _line(asked: str, pair: tuple[float, float] | None, reached: bool | None, unit: str) -> Verdict:
    return Verdict(asked, "-" if pair is None else f"{pair[0]:.3g}{unit}, real {pair[1]:.3g}{unit}", reached)


def _body(by_name: Mapping[str, Row]) -> list[Verdict]:
    skate, jerk = _pair(by_name, "foot_skate_cm_s"), _pair(by_name, "jerk_m_s3")
    freezing, floor = _pair(by_name, "freezing_pct"), _pair(by_name, "below_floor_pct")
    low, high = JERK_RANGE
    return [
        _line(
            f"foot skate at most {MOST_SKATE_ABOVE_REAL_CM_S:g} cm/s above real",
            skate,
            None if skate is None else skate[0] <= skate[1] + MOST_SKATE_ABOVE_REAL_CM_S,
            " cm/s",
        ),
        _line(
            f"jerk {low:g} to {high:g} times real",
            jerk,
            None if jerk is None else low * jerk[1] <= jerk[0] <= high * jerk[1],
            " m/s³",
        ),
        _line(
            f"freezing at most {MOST_FREEZING_ABOVE_REAL_PCT:g} points above real",
            freezing,
            None if freezing is None else freezing[0] <= freezing[1] + MOST_FREEZING_ABOVE_REAL_PCT,
            " %",
        ),
        _line(
            f"below the floor in at most {MOST_BELOW_FLOOR_PCT:g} % of frames",
            floor,
            None if floor is None else floor[0] <= MOST_BELOW_FLOOR_PCT,
            " %",
        ),
    ]


def _beat(by_name: Mapping[str, Row], annotated_lift: float | None, listening: Listening | None) -> list[Verdict]:
    row = by_name.get("beat_alignment_lift")
    lift = row.generated.middle if row is not None and row.generated is not None else None
    pair = None if lift is None or annotated_lift is None else (lift, annotated_lift)
    asked = f"beat lift at least {LEAST_SHARE_OF_REAL_LIFT:g} of real dances with known beats"
    lines = [_line(asked, pair, None if pair is None else pair[0] >= LEAST_SHARE_OF_REAL_LIFT * pair[1], "")]
    others: tuple[tuple[Hearing, str], ...] = (("half_beat", "half-beat-shifted"), ("random", "random"))
    for hearing, words in others:
        share = listening.share_above(hearing) if listening is not None else None
        asked = f"true beats above {words} beats in at least {LEAST_LISTENERS:.0%} of song and seed"
        lines.append(
            Verdict(
                asked, "-" if share is None else f"{share:.0%}", None if share is None else share >= LEAST_LISTENERS
            )
        )
    return lines


def _sets(by_name: Mapping[str, Row]) -> list[Verdict]:
    lines = []
    for name in ("fid_k", "fid_g"):
        row, pair = by_name.get(name), None
        if row is not None and row.generated is not None and row.real_vs_real is not None:
            pair = row.generated.middle, row.real_vs_real.middle
        asked = f"{name} at most {MOST_TIMES_REAL_DISTANCE:g} times real against real"
        lines.append(_line(asked, pair, None if pair is None else pair[0] <= MOST_TIMES_REAL_DISTANCE * pair[1], ""))
    for name in ("div_k", "div_g"):
        pair = _pair(by_name, name)
        within = None if pair is None else abs(pair[0] / pair[1] - 1.0) <= MOST_DIVERSITY_AWAY
        lines.append(_line(f"{name} within {MOST_DIVERSITY_AWAY:.0%} of real", pair, within, ""))
    return lines


def _read(reading: Reading | None) -> list[Verdict]:
    names = reading.generated if reading is not None else None
    share = names.share() if names is not None else None
    asked = f"the classifier names the prompted genre in at least {LEAST_NAMED:.0%}"
    if reading is None or names is None or share is None:
        told, lines = "no dances were prompted", []
    else:
        real = reading.real.of(reading.asked).share()
        beside = "" if real is None else f", real {real:.0%}"
        told = (
            f"{share:.0%} of {len(reading.known)} genres, {names.share_among():.0%} of the {len(reading.asked)} asked"
        )
        lines = [Verdict(asked, told + beside, share >= LEAST_NAMED)]
    lines = lines or [Verdict(asked, told, None)]
    apart = reading.distances if reading is not None else None
    measured, moves = "-", None
    if apart is not None and apart.prompts is not None and apart.seeds is not None:
        measured, moves = f"{apart.prompts:.3g}, seed {apart.seeds:.3g}", apart.prompt_moves_more
    return [*lines, Verdict("a changed prompt moves the dance more than a changed seed", measured, moves)]


def _last(lasting: Lasting | None) -> list[Verdict]:
    asked = "the last ten seconds of long dances are as the first, within the spread of seeds"
    if lasting is None:
        return [Verdict(asked, "no long dances were made", None)]
    return [
        Verdict(f"{asked}: {c.metric}", f"{c.first:.3g} then {c.last:.3g}, seeds {_seeds(c)}", c.steady)
        for c in lasting.changes
    ]


def _seeds(change: Change) -> str:
    return "unknown" if change.seeds is None else f"± {change.seeds:.3g}"
