"""Figures as inline SVG, drawn with nothing but strings: ranges, curves, stick figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from backend.evaluation.compare import Spread
from backend.motion.skeleton import JOINT_NAMES, PARENTS

COLOURS = ("#d1495b", "#2e6f95", "#8a8d91", "#edae49", "#3c896d", "#6d597a")
LINE_COLOURS = {"L": "#2e6f95", "R": "#d1495b", "": "#444"}
RANGE_WIDTH, ROW_HEIGHT, LABEL_WIDTH = 420, 18, 120


def _svg(width: float, height: float, parts: Sequence[str], *, title: str) -> str:
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'


def number(value: float) -> str:
    """A number with three digits that count."""
    if not np.isfinite(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ranges(title: str, spreads: Mapping[str, Spread | None]) -> str:
    """A row for each known spread: a bar from zero to its middle and a line over its range."""
    known = [(label, spread) for label, spread in spreads.items() if spread is not None]
    ends = [edge for _, spread in known for edge in (spread.low, spread.high)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    scale = (RANGE_WIDTH - LABEL_WIDTH - 70) / ((high - low) or 1.0)
    zero = LABEL_WIDTH - low * scale
    parts = [_text(0, 12, title, size=12)]
    for row, (label, spread) in enumerate(known):
        y = 20 + row * ROW_HEIGHT
        colour = COLOURS[list(spreads).index(label) % len(COLOURS)]
        left, width = zero + min(spread.middle, 0.0) * scale, abs(spread.middle) * scale
        whisker = f"M{zero + spread.low * scale:.1f} {y + 6} H{zero + spread.high * scale:.1f}"
        parts += [
            _text(LABEL_WIDTH - 6, y + 10, label, anchor="end", size=10),
            f'<rect x="{left:.1f}" y="{y}" width="{max(width, 0.8):.1f}" height="12" fill="{colour}" opacity=".55"/>',
            f'<path d="{whisker}" stroke="#222" stroke-width="1.5"/>',
            _text(RANGE_WIDTH - 2, y + 10, number(spread.middle), anchor="end", size=10),
        ]
    return _svg(RANGE_WIDTH, 24 + len(known) * ROW_HEIGHT, parts, title=title)


def curves(title: str, x: Sequence[float], lines: Mapping[str, Sequence[float]], *, x_label: str) -> str:
    """Lines over one axis, from their lowest to their highest value."""
    width, height, left, bottom = 560.0, 220.0, 44.0, 40.0
    values = np.array([value for line in lines.values() for value in line if np.isfinite(value)])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    span = (high - low) or 1.0
    across = (width - left - 10) / ((x[-1] - x[0]) or 1.0)
    parts = [_text(0, 12, title, size=12), _text(width / 2, height - 4, x_label, anchor="middle")]
    for level in (low, (low + high) / 2, high):
        y = 26 + (high - level) / span * (height - 26 - bottom)
        parts += [f'<path d="M{left} {y:.1f} H{width - 10}" stroke="#ddd"/>']
        parts += [_text(left - 4, y + 4, number(level), anchor="end", size=10)]
    for tick in (x[0], x[-1]):
        parts.append(_text(left + (tick - x[0]) * across, height - bottom + 14, number(tick), anchor="middle", size=10))
    for place, (label, line) in enumerate(lines.items()):
        points = " ".join(
            f"{left + (at - x[0]) * across:.1f},{26 + (high - value) / span * (height - 26 - bottom):.1f}"
            for at, value in zip(x, line, strict=True)
            if np.isfinite(value)
        )
        colour = COLOURS[place % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<rect x="{left + 4 + place * 125}" y="{height - 22}" width="9" height="9" fill="{colour}"/>')
        parts.append(_text(left + 17 + place * 125, height - 14, label, size=10))
    return _svg(width, height, parts, title=title)


def contact_sheet(title: str, joints: np.ndarray, *, poses: int = 10) -> str:
    """Stick figures of poses at equal steps of a dance (T, 24, 3), seen from the front; left blue, right red."""
    step, height, scale = 74.0, 128.0, 52.0
    parts = [_text(0, 11, title, size=11), f'<path d="M0 {height - 8} H{step * poses}" stroke="#bbb"/>']
    for place, frame in enumerate(np.linspace(0, len(joints) - 1, poses).astype(int)):
        body = joints[frame] - np.array([joints[frame, 0, 0], 0.0, 0.0])
        x = step * (place + 0.5) + body[:, 0] * scale
        y = height - 8 - body[:, 2] * scale
        for joint, parent in enumerate(PARENTS[:22]):
            if parent < 0:
                continue
            side = JOINT_NAMES[joint][0] if JOINT_NAMES[joint][1] == "_" else ""
            path = f"M{x[parent]:.1f} {y[parent]:.1f} L{x[joint]:.1f} {y[joint]:.1f}"
            parts.append(f'<path d="{path}" stroke="{LINE_COLOURS[side]}" stroke-width="2" stroke-linecap="round"/>')
        head = JOINT_NAMES.index("Head")
        parts.append(f'<circle cx="{x[head]:.1f}" cy="{y[head] - 4:.1f}" r="5" fill="#444"/>')
    return _svg(step * poses, height, parts, title=title)


def sheet_page(sheets: Sequence[str]) -> str:
    """Contact sheets one below the other, as an SVG file of its own."""
    step, height, width = 74.0, 128.0, 740.0
    placed = [sheet.replace("<svg ", f'<svg y="{place * (height + 6):g}" ', 1) for place, sheet in enumerate(sheets)]
    total = len(sheets) * (height + 6)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + step:g} {total:g}" width="{width + step:g}" '
        f'height="{total:g}" font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(placed)}</svg>"
    )
