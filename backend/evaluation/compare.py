"""Two sets of windows side by side: each metric of the generated, the real, and the real against the real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.evaluation.diversity import diversity
from backend.evaluation.feature_scale import GEOMETRIC_FLOOR, KINETIC_FLOOR, FeatureScale
from backend.evaluation.frechet import frechet_distance
from backend.evaluation.measure import Measured

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DRAWS = 50
SETS = {
    "fid_k": ("kinetic", frechet_distance),
    "fid_g": ("geometric", frechet_distance),
    "div_k": ("kinetic", None),
    "div_g": ("geometric", None),
    "fid_k_compat": ("kinetic_compat", frechet_distance),
    "fid_g_compat": ("geometric_compat", frechet_distance),
    "div_k_compat": ("kinetic_compat", None),
    "div_g_compat": ("geometric_compat", None),
}


@dataclass(frozen=True)
class Spread:
    """A middle value and the range around it: quartiles over windows, or 5 % to 95 % over random draws."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | FloatArray, *, tails: float) -> Spread:
        """The median of values and the quantiles at tails and 1 - tails."""
        low, middle, high = np.quantile(values, (tails, 0.5, 1.0 - tails))
        return cls(float(middle), float(low), float(high))


@dataclass(frozen=True)
class Row:
    """One metric. None where it does not apply.

    real_vs_real: random halves of the real windows; other_dances: halves that share no dance, for distances alone.
    """

    metric: str
    generated: Spread | None
    real: Spread | None
    real_vs_real: Spread | None
    other_dances: Spread | None = None

    def plain(self) -> dict[str, Any]:
        """The row for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Halves:
    """Draws of disjoint sets of real windows, and of generated windows, all of one number.

    first, second: (draws, count) drawn by windows; dances_first, dances_second: drawn by whole dances.
    """

    first: IntArray
    second: IntArray
    dances_first: IntArray
    dances_second: IntArray
    generated: IntArray

    @property
    def count(self) -> int:
        """Windows in each set."""
        return int(self.first.shape[1])


def draw_halves(
    dances: Sequence[str], generated: int | None, *, rng: np.random.Generator, draws: int = DRAWS
) -> Halves:
    """Draws from real windows, of which dances names each one's dance, and from so many generated ones.

    The sets are as large as half the real windows, or as the generated where they are fewer.
    """
    total = len(dances)
    count = total // 2 if generated is None else min(total // 2, generated)
    orders = np.stack([rng.permutation(total) for _ in range(draws)])
    names = np.array(dances)
    by_dance = np.stack(
        [np.concatenate([np.flatnonzero(names == name) for name in rng.permutation(np.unique(names))]) for _ in orders]
    )
    picks = np.stack([rng.permutation(generated or 0)[:count] for _ in orders])
    return Halves(
        orders[:, :count], orders[:, total - count :], by_dance[:, :count], by_dance[:, total - count :], picks
    )


def compare(real: Sequence[Measured], generated: Sequence[Measured] | None, *, rng: np.random.Generator) -> list[Row]:
    """All rows of the table; what compares sets is left out for fewer than 2 generated windows.

    Raises ValueError for fewer than 4 real windows.
    """
    if len(real) < 4:
        raise ValueError(f"a comparison needs at least 4 real windows, got {len(real)}")
    dances = [each.window.whole.dance for each in real]
    halves = draw_halves(dances, len(generated) if generated and len(generated) > 1 else None, rng=rng)
    names = list(dict.fromkeys(name for measured in [*real, *(generated or [])] for name in measured.report))
    rows = [_metric_row(name, real, generated, halves) for name in names]
    return rows + [_set_row(name, real, generated, halves) for name in SETS]


def _values(measured: Sequence[Measured], name: str) -> FloatArray:
    return np.array([each.report.get(name, np.nan) for each in measured], dtype=np.float64)


def _known(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _metric_row(name: str, real: Sequence[Measured], generated: Sequence[Measured] | None, halves: Halves) -> Row:
    """Medians over windows; real_vs_real: what the median of a random half can be."""
    real_values = _values(real, name)
    made = _known(_values(generated, name)) if generated is not None else np.zeros(0)
    medians = [float(np.median(part)) for draw in halves.first if len(part := _known(real_values[draw]))]
    return Row(
        name,
        Spread.of(made, tails=0.25) if len(made) else None,
        Spread.of(_known(real_values), tails=0.25) if len(_known(real_values)) else None,
        Spread.of(medians, tails=0.05) if medians else None,
    )


def _set_row(name: str, real: Sequence[Measured], generated: Sequence[Measured] | None, halves: Halves) -> Row:
    """A metric of sets, z-scored by all real windows: generated against a real half, beside half against half."""
    space, distance = SETS[name]
    kind = space.removesuffix("_compat")
    raw = np.stack([each.features[space] for each in real])
    scale = FeatureScale.of(
        raw, floor=1e-10 if space != kind else {"kinetic": KINETIC_FLOOR}.get(kind, GEOMETRIC_FLOOR)
    )
    truth = scale.apply(raw)
    made = None
    if generated and len(generated) > 1:
        made = scale.apply(np.stack([each.features[space] for each in generated]))

    def over(of: Callable[[int], float]) -> Spread:
        return Spread.of([of(draw) for draw in range(len(halves.first))], tails=0.05)

    first, second, picks = halves.first, halves.second, halves.generated
    if distance is None:
        return Row(
            name,
            over(lambda k: diversity(made[picks[k]])) if made is not None else None,
            over(lambda k: diversity(truth[first[k]])),
            over(lambda k: diversity(truth[second[k]])),
        )
    return Row(
        name,
        over(lambda k: distance(truth[first[k]], made[picks[k]])) if made is not None else None,
        None,
        over(lambda k: distance(truth[first[k]], truth[second[k]])),
        over(lambda k: distance(truth[halves.dances_first[k]], truth[halves.dances_second[k]])),
    )
