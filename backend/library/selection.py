"""Choose phrases that are sound and different: from every clip one, from every genre its share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.library.cutting import Cut
from backend.library.measures import MOST_SKATE_CM_S
from backend.library.naming import Naming

MOST_A_TAKE, MOST_A_POOR_TAKE = 6, 3
A_ROOT_MINUTE = 12.0  # phrases of a genre for the square root of its minutes
MOST_ALIKE_M = 0.1  # root mean square distance of joints under which two phrases are the same
FAR_M = 0.5  # beyond which they are simply different
SPINNING, LOW_M = 1.5, 0.5  # feet that spin or crawl slide: that is no fault
SLIDING = "sliding feet"
UNSEEN_CLIP = 5.0  # outweighs everything else: from every clip one
GLIDING = re.compile(r"moonwalk", re.IGNORECASE)  # figures whose point it is
MOST_SLIDE_CM_S = 45.0
FEWEST_A_GENRE = 4


@dataclass(frozen=True)
class Candidate:
    """A cut and its words."""

    cut: Cut
    naming: Naming


def choose(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The phrases of the library, in the order of their genre, figure and clip."""
    by_genre: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_genre[candidate.naming.genre].append(candidate)
    chosen = [each for genre in sorted(by_genre) for each in _of_genre(_sound(by_genre[genre]), genre)]
    return sorted(chosen, key=lambda c: (c.naming.genre, c.naming.figure, c.cut.clip.id, c.cut.start))


def _sound(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those without a glitch; where a genre has hardly any, also those whose feet slide: they are planted later."""
    good = [each for each in candidates if not each.cut.sound.glitch or _slides_rightly(each.cut)]
    starts = {(each.cut.clip.id, each.cut.start // max(each.cut.frames, 1)) for each in good}
    if len(starts) >= FEWEST_A_GENRE:
        return good
    return [each for each in candidates if each.cut.sound.glitch in ("", SLIDING) and _slide(each) < MOST_SLIDE_CM_S]


def _slides_rightly(cut: Cut) -> bool:
    if cut.sound.glitch != SLIDING:
        return False
    if cut.shown.lowest_m < LOW_M or cut.shown.hands_down_s > 0.3 or GLIDING.search(cut.clip.caption):
        return True
    return abs(cut.shown.turns) >= SPINNING and cut.sound.skate_cm_s < MOST_SLIDE_CM_S


def _slide(candidate: Candidate) -> float:
    return candidate.cut.sound.skate_cm_s


def _of_genre(candidates: list[Candidate], genre: str) -> list[Candidate]:
    """Greedy: the best of every clip first, then whatever adds most that is new, until the genre has its share."""
    if not candidates:
        return []
    covered: dict[str, int] = defaultdict(int)
    for each in candidates:
        covered[each.cut.clip.id] = max(covered[each.cut.clip.id], each.cut.start + each.cut.frames)
    minutes = sum(covered.values()) / 30.0 / 60.0
    share = len(_captions(candidates)) if not genre else max(round(A_ROOT_MINUTE * minutes**0.5), len(covered))
    looks = np.stack([each.cut.look for each in candidates])
    worth = np.array([_worth(each) for each in candidates])
    apart = np.full(len(candidates), FAR_M)
    free = np.ones(len(candidates), dtype=bool)
    takes, figures, chosen = Counter[str](), Counter[str](), list[Candidate]()
    said = Counter[str]()
    while len(chosen) < share:
        fresh = np.array(
            [UNSEEN_CLIP * (takes[_take(c)] == 0) + 0.5 / (1 + figures[c.naming.figure]) for c in candidates]
        )
        score = np.where(free, worth + fresh + apart / FAR_M, -np.inf)
        best = int(score.argmax())
        if not free[best]:
            break
        pick = candidates[best]
        chosen.append(pick)
        takes[_take(pick)] += 1
        figures[pick.naming.figure] += 1
        said[pick.cut.clip.caption] += 1
        apart = np.minimum(apart, np.sqrt(np.square(looks - pick.cut.look).sum(-1).mean((1, 2))))
        free &= apart > MOST_ALIKE_M
        for index, each in enumerate(candidates):
            same_clip = each.cut.clip.id == pick.cut.clip.id and _overlap(each.cut, pick.cut)
            full = takes[_take(each)] >= _most(each) or (not genre and said[each.cut.clip.caption] > 0)
            free[index] &= not (same_clip or full)
    return chosen


def _most(candidate: Candidate) -> int:
    """Phrases that a take may give: fewer where its own manifest calls it poor."""
    poor = (candidate.cut.clip.row.get("quality") or {}).get("rating") == "low"
    return MOST_A_POOR_TAKE if poor else MOST_A_TAKE


def _captions(candidates: Sequence[Candidate]) -> set[str]:
    return {each.cut.clip.caption for each in candidates}


def _take(candidate: Candidate) -> str:
    return str(candidate.cut.clip.row.get("take") or candidate.cut.clip.id)


def _overlap(first: Cut, second: Cut) -> bool:
    """Whether more than an eighth of the shorter one lies in both."""
    shared = min(first.start + first.frames, second.start + second.frames) - max(first.start, second.start)
    return shared > min(first.frames, second.frames) / 8


def _worth(candidate: Candidate) -> float:
    """How good a phrase is by itself: it begins and ends where the body arrives, its feet stand, and it shows
    something.
    """
    cut = candidate.cut
    figure = min(len(candidate.naming.figures), 4) / 4
    slide = min(cut.sound.skate_cm_s, MOST_SKATE_CM_S) / 40.0  # more than that, and it is meant
    return 1.5 * cut.arrival + 0.4 * figure - slide - 0.3 * (cut.counts < 2 * cut.metre)
