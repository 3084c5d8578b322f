"""The tables of the ablations, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Column = tuple[str, str, str]  # heading, name of the metric, format
TRAINING: tuple[Column, ...] = (
    ("parameters", "parameters", ",.0f"),
    ("steps", "steps", ".0f"),
    ("ms a step", "ms_per_step", ".0f"),
    ("x0 error, valid", "x0_error", ".4f"),
)
DANCE: tuple[Column, ...] = (
    ("foot skate cm/s", "foot_skate_cm_s", ".2f"),
    ("jerk m/s³", "jerk_m_s3", ".1f"),
    ("freezing %", "freezing_pct", ".1f"),
    ("BAS lift", "beat_alignment_lift", ".3f"),
    ("lift told half a beat late", "lift_told_half_beat", ".3f"),
    ("true above late %", "true_above_half_beat_pct", ".0f"),
    ("FID_k", "fid_k", ".1f"),
    ("FID_g", "fid_g", ".1f"),
    ("Div_k", "div_k", ".1f"),
    ("speed m/s", "mean_joint_speed_m_s", ".3f"),
    ("farthest m", "farthest_from_start_m", ".2f"),
)
FREEZING: tuple[Column, ...] = (
    ("under 5 cm/s %", "frozen_long_5_cm_s_pct", ".1f"),
    ("under 20 cm/s %", "frozen_long_20_cm_s_pct", ".1f"),
    ("under 40 cm/s %", "frozen_long_40_cm_s_pct", ".1f"),
    ("end, under 20 cm/s %", "frozen_end_20_cm_s_pct", ".1f"),
    ("end, under 40 cm/s %", "frozen_end_40_cm_s_pct", ".1f"),
)


def tables(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Four tables of judged variants by their names: training, dances raw and planted, freezing of long ones.

    Each is as ``judged.json`` holds it.
    """
    if not found:
        return "Nothing is judged yet.\n"
    variants = list(found.values())
    real = ("real dances", variants[0]["real"])

    def rows(stage: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(variant["title"], variant[stage]) for variant in variants]

    parts = [
        _table("training", TRAINING, [(variant["title"], variant) for variant in variants]),
        _table("straight from the network, refined", DANCE, [*rows("raw"), real]),
        _table("after planting", DANCE, [*rows("passed"), real]),
        _table("freezing of long dances, raw", FREEZING, rows("raw")),
    ]
    return "\n".join(parts)


def _table(corner: str, columns: Sequence[Column], rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    lines = [[corner, *(heading for heading, _, _ in columns)], ["---"] * (len(columns) + 1)]
    lines += [[title, *(_cell(values.get(name), form) for _, name, form in columns)] for title, values in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
