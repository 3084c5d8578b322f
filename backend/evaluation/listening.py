"""Does it listen? The same seeds told the true beats, beats half a beat late, random beats, and no music at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.evaluation.beat_alignment import beat_alignment
from backend.evaluation.generators import Hearing
from backend.evaluation.windows import Danced


@dataclass(frozen=True)
class Listening:
    """Alignment of whole dances to the true beats. scores: by hearing, one for each song and seed in one order;
    lifts: the same, over the beats circularly shifted.
    """

    scores: Mapping[Hearing, list[float]]
    lifts: Mapping[Hearing, list[float]]

    def share_above(self, hearing: Hearing) -> float | None:
        """Share of song and seed that align better with the true beats told than with this hearing."""
        if hearing not in self.scores:
            return None
        true, other = np.array(self.scores["true"]), np.array(self.scores[hearing])
        return float((true > other).mean())

    def medians(self) -> dict[Hearing, dict[str, float]]:
        """By hearing: median score, median lift."""
        return {
            hearing: {"score": float(np.median(scores)), "lift": float(np.median(self.lifts[hearing]))}
            for hearing, scores in self.scores.items()
        }


def listening(dances: Mapping[Hearing, Sequence[Danced]]) -> Listening:
    """Compare dances made with other ears; each sequence holds the same songs and seeds in the same order.

    Raises ValueError where they do not, or where "true" is missing.
    """
    order = [dance.dance for dance in dances.get("true", ())]
    if not order or any([dance.dance for dance in told] != order for told in dances.values()):
        raise ValueError("every hearing needs the same songs and seeds, and one must be true")
    found = {
        hearing: [beat_alignment(dance.motion.joints(), dance.beats_s, fps=dance.motion.fps) for dance in told]
        for hearing, told in dances.items()
    }
    return Listening(
        {hearing: [each.motion_to_music for each in scores] for hearing, scores in found.items()},
        {hearing: [each.lift for each in scores] for hearing, scores in found.items()},
    )
