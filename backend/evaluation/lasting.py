"""Does it last? The last ten seconds of long dances beside their first ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from backend.evaluation.measure import measure
from backend.evaluation.windows import WINDOW_S, Danced, piece

JUDGED = ("foot_skate_cm_s", "jerk_m_s3", "freezing_pct", "below_floor_pct", "mean_joint_speed_m_s", "beat_alignment")


@dataclass(frozen=True)
class Change:
    """A metric's median in the first and the last seconds; seeds: how far single seeds' medians lie apart there, None
    for one seed.
    """

    metric: str
    first: float
    last: float
    seeds: float | None

    @property
    def steady(self) -> bool | None:
        """Whether the end differs from the beginning by no more than seeds differ; None where that is not known."""
        if self.seeds is None:
            return None
        return abs(self.last - self.first) <= self.seeds + 1e-9


@dataclass(frozen=True)
class Lasting:
    """changes: of JUDGED; minutes: how long; drift_m: median distance of the pelvis' end from its start."""

    minutes: float
    changes: tuple[Change, ...]
    drift_m: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"steady": {change.metric: change.steady for change in self.changes}}


def lasting(dances: Sequence[Danced]) -> Lasting:
    """Compare beginnings and ends of dances of two windows or more. Raises ValueError for shorter ones or none."""
    if not dances or min(dance.motion.duration_s for dance in dances) < 2 * WINDOW_S:
        raise ValueError(f"lasting needs dances of {2 * WINDOW_S:g} s or more")
    firsts = [measure(piece(dance, 0.0, WINDOW_S)).report for dance in dances]
    lasts = [measure(piece(d, d.motion.duration_s - WINDOW_S, d.motion.duration_s)).report for d in dances]
    ends = [np.linalg.norm(dance.motion.pelvis[-1, :2] - dance.motion.pelvis[0, :2]) for dance in dances]
    return Lasting(
        minutes=float(np.median([dance.motion.duration_s for dance in dances]) / 60.0),
        changes=tuple(_change(name, dances, firsts, lasts) for name in JUDGED if all(name in each for each in lasts)),
        drift_m=float(np.median(ends)),
    )


def _change(
    name: str, dances: Sequence[Danced], firsts: Sequence[dict[str, float]], lasts: Sequence[dict[str, float]]
) -> Change:
    seeds = sorted({dance.seed for dance in dances}, key=str)
    by_seed: list[float] = []
    for part in (firsts, lasts):
        medians = [
            np.median([report[name] for report, dance in zip(part, dances, strict=True) if dance.seed == seed])
            for seed in seeds
        ]
        by_seed.append(float(np.ptp(medians)))
    first, last = (float(np.median([report[name] for report in part])) for part in (firsts, lasts))
    return Change(name, first, last, max(by_seed) if len(seeds) > 1 else None)
