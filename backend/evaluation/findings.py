"""All that one evaluation found, as it goes into the table, the JSON file and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.evaluation.compare import Row
from backend.evaluation.lasting import Lasting
from backend.evaluation.listening import Listening
from backend.evaluation.measure import FREEZING_THRESHOLDS_M_S, Measured
from backend.evaluation.reading import Reading
from backend.evaluation.speed_curve import BINS
from backend.evaluation.verdicts import Verdict

FORMAT = 1
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Annotated:
    """Beat alignment of the real dances whose beats are known: dances, windows, median score and median lift."""

    dances: int
    windows: int
    score: float
    lift: float


@dataclass(frozen=True)
class Findings:
    """subject: what was judged, in words; settings: how; generated: empty where the real set alone is described."""

    subject: str
    settings: Mapping[str, Any]
    real: Sequence[Measured]
    generated: Sequence[Measured]
    rows: Sequence[Row]
    verdicts: Sequence[Verdict]
    annotated: Annotated | None
    listening: Listening | None
    reading: Reading | None
    lasting: Lasting | None
    speed: Mapping[str, FloatArray]

    def freezing(self) -> dict[str, list[float]]:
        """Mean freezing rate of each set over FREEZING_THRESHOLDS_M_S."""
        sets = {"generated": self.generated, "real": self.real}
        return {name: np.mean([m.freezing for m in part], axis=0).tolist() for name, part in sets.items() if part}

    def plain(self) -> dict[str, Any]:
        """Everything for JSON."""
        hearing = self.listening
        return {
            "format": FORMAT,
            "subject": self.subject,
            "settings": dict(self.settings),
            "windows": {"generated": len(self.generated), "real": len(self.real)},
            "table": [row.plain() for row in self.rows],
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "real_with_known_beats": asdict(self.annotated) if self.annotated else None,
            "does_it_listen": None
            if hearing is None
            else {
                "medians": dict(hearing.medians()),
                "true_above": {name: hearing.share_above(name) for name in hearing.scores if name != "true"},
                "scores": dict(hearing.scores),
            },
            "does_it_read": self.reading.plain() if self.reading else None,
            "does_it_last": self.lasting.plain() if self.lasting else None,
            "freezing_curve": {"thresholds_m_s": list(FREEZING_THRESHOLDS_M_S), **self.freezing()},
            "speed_over_beat": {
                "phase": ((np.arange(BINS) + 0.5) / BINS).tolist(),
                **{name: _finite(curve) for name, curve in self.speed.items()},
            },
            "generated": [_window(measured) for measured in self.generated],
            "real": [_window(measured) for measured in self.real],
        }


def _finite(values: FloatArray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _window(measured: Measured) -> dict[str, Any]:
    whole = measured.window.whole
    return {
        "name": measured.window.name,
        "genre": whole.genre,
        "song": whole.song,
        "seed": whole.seed,
        **measured.report,
    }
