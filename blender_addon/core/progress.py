"""How far a job is and how long it still takes, from the stages it reports."""

from __future__ import annotations

from dataclasses import dataclass

# Share of the whole that each stage takes on a machine without a GPU, in order, and what the animator reads.
STAGES: dict[str, tuple[float, str]] = {
    "mix": (0.04, "Mixing the sound"),
    "start": (0.10, "Starting the backend"),
    "listen": (0.22, "Listening to the music"),
    "dance": (0.46, "Dancing"),
    "refine": (0.08, "Refining"),
    "plant": (0.04, "Planting the feet"),
    "write": (0.06, "Writing the keyframes"),
}
_MEASURABLE = 0.05  # share of the work that must be done before a time left means anything
_SETTLE_S = 0.5


@dataclass(frozen=True)
class Progress:
    """Where a job is. stage: a key of STAGES; fraction: 0 to 1 of the whole; time_left_s: None while unknown."""

    stage: str = ""
    fraction: float = 0.0
    time_left_s: float | None = None

    @property
    def label(self) -> str:
        """The stage in words."""
        return STAGES[self.stage][1] if self.stage in STAGES else self.stage.capitalize()


class ProgressMeter:
    """Adds stages up to one fraction that never goes back, and estimates the time left from the pace so far."""

    def __init__(self, *, now_s: float) -> None:
        self._progress = Progress()
        self._pace_from: tuple[float, float] | None = None  # time and fraction where the pace is measured from
        self._started_s = now_s

    @property
    def progress(self) -> Progress:
        """The latest state."""
        return self._progress

    def report(self, stage: str, *, done: int, total: int, now_s: float) -> Progress:
        """Take a report of a stage into account; a stage of an unknown name keeps the fraction."""
        fraction = self._progress.fraction
        if stage in STAGES:
            names = list(STAGES)
            before = sum(STAGES[name][0] for name in names[: names.index(stage)])
            within = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
            fraction = max(fraction, before + within * STAGES[stage][0])
        if stage in ("mix", "start"):  # their length says nothing about the rest
            self._pace_from = None
        elif self._pace_from is None:
            self._pace_from = (now_s, fraction)
        self._progress = Progress(stage, min(fraction, 1.0), self._time_left(fraction, now_s))
        return self._progress

    def _time_left(self, fraction: float, now_s: float) -> float | None:
        if self._pace_from is None:
            return None
        since_s, done = now_s - self._pace_from[0], fraction - self._pace_from[1]
        if done < _MEASURABLE or since_s < _SETTLE_S:
            return None
        return since_s / done * (1.0 - fraction)


def in_words(time_left_s: float | None) -> str:
    """A time left as an animator reads it: ``about 40 s left``, or nothing while it is unknown."""
    if time_left_s is None:
        return ""
    if time_left_s < 1.5:
        return "about 1 s left"
    if time_left_s < 90.0:
        return f"about {round(time_left_s)} s left"
    return f"about {round(time_left_s / 60.0)} min left"
