"""Names and descriptions of phrases, in words that a dancer would search for.

A caption tells of a whole clip; a phrase of it earns a figure's name only where the figure can be seen in it: a
pirouette turns, an arabesque lifts a leg. Figures that cannot be measured (the twist, a moonwalk) are taken at the
caption's word, unless it lists figures in a row: then nobody knows which one this phrase shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from backend.library.cutting import Cut
from backend.library.measures import Shown
from backend.text.captions import prompt_sentence, take_apart
from backend.text.vocabulary import Genre, Movement, load_vocabulary
from backend.text.words import plain

FULL_TURN = 0.8
LEG_UP_M, LEG_HIGH_M = 0.6, 0.8
JUMP_S = 0.1
BENT_M, FLOOR_M = 0.78, 0.5
ARMS_UP = 0.12
FAR_M = 1.6
FORWARD, SIDEWAYS = 0.6, 0.4
QUICK_M_S, SLOW_M_S = 0.95, 0.42

Sign = Callable[[Shown], bool]


def _turns(shown: Shown) -> bool:
    return abs(shown.turns) >= FULL_TURN


# What must be seen of a figure with such a name: (pattern of its name, sign). The first that fits counts.
SIGNS: tuple[tuple[str, Sign], ...] = (
    (r"handstand", lambda s: s.inverted),
    (r"helicopter|floor work", lambda s: s.lowest_m < FLOOR_M or s.hands_down_s > 0.2),
    (r"turning leap", lambda s: s.airborne_s >= JUMP_S and abs(s.turns) > 0.4),
    (r"leap|jet[eé]|jump|hops?\b|flip$", lambda s: s.airborne_s >= JUMP_S),
    (r"pirouette|turn|whirl|chakkar|spin\b", _turns),
    (r"spiral", lambda s: abs(s.turns) >= 0.5),
    (r"side-by-side kick|flapper", lambda s: s.kick_m >= 0.3),
    (r"squat", lambda s: s.lowest_m < BENT_M),
    (r"arabesque|battement|kick|leg extension|rond de jambe", lambda s: s.kick_m >= LEG_UP_M),
    (r"deep bend|low bend|duck|sitting", lambda s: s.lowest_m < BENT_M),
    (r"held high|raised", lambda s: s.arms_up >= ARMS_UP),
    (r"forward-and-back", lambda s: s.forward_share >= 0.5 and not _turns(s)),
    (r"^side (basic|step|chass)", lambda s: s.forward_share < 0.5 and not _turns(s)),
    (r"all-round", lambda s: not _turns(s)),
)
# Figures of the vocabulary whose name there is shorter than what a dancer types.
SPOKEN = {
    "forward-and-back basic": "basic step forward and back",
    "side basic": "basic step from side to side",
    "all-round basic": "basic step in all directions",
    "basic movement": "basic step",
}
OTHER_WORDS = (("turn", "spin"), ("jump", "leap"), ("floor", "floor work"), ("raised", "arms up"))
UNSURE = re.compile(r"in a row")
# Captions of general motion that name a figure which dances have too.
ACROBATICS = re.compile(
    r"(cartwheels?|front hand flip|side flip|360 jumps?|jump with kick and spin|(left|right) spin reach)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Naming:
    """figure: the best name; figures: everything that is seen, other names included; description: a sentence or two."""

    genre: str
    figure: str
    figures: tuple[str, ...]
    description: str


def naming_of(cut: Cut, genre: Genre | None) -> Naming:
    """The words for a phrase; genre: None for motion that is no dance."""
    caption = " ".join(cut.clip.caption.split()).rstrip(". ")
    measured = measured_figures(cut.shown)
    if genre is None:
        figure = re.split(r"[,(]", caption)[0].strip().lower()
        return Naming("", figure, (figure, *measured), f"Not from a dance: {_listed((figure, *measured))}.")
    movements, figures = named_figures(cut, genre, measured)
    if UNSURE.search(caption):
        movements, figures = [], ["party moves", *measured]
    spoken = prompt_sentence(genre.name, "")
    sentence = f"{_capital(spoken)}: {_listed((*figures, _pace(cut.shown)))}."
    also = [other for movement in movements for other in movement.also] + [
        word for pattern, word in OTHER_WORDS if any(pattern in figure for figure in measured)
    ]
    return Naming(
        genre.name, figures[0], tuple(dict.fromkeys((*figures, *also))), f"{sentence} From: {_head(caption)}."
    )


def named_figures(cut: Cut, genre: Genre, measured: Sequence[str]) -> tuple[list[Movement], list[str]]:
    """Figures of the genre that the caption names and the phrase does not belie; and all figures, the best name first.

    What is named and seen comes first, or what the whole caption is about; then turns; then what is only said.
    """
    seen: list[Movement] = []
    said: list[Movement] = []
    for movement in _captioned(cut.clip.caption, genre.name):
        sign = next((sign for pattern, sign in SIGNS if re.search(pattern, movement.name)), None)
        topic = re.match(rf"(the )?{re.escape(plain(movement.name))}\b", plain(cut.clip.caption))
        if topic or (sign is not None and sign(cut.shown)):
            seen.append(movement)
        elif sign is None:
            said.append(movement)
    turns = [figure for figure in measured if "turn" in figure]
    words = [*_spoken(seen), *turns, *_spoken(said), *measured]
    return [*seen, *said], list(dict.fromkeys(words))


def measured_figures(shown: Shown) -> list[str]:
    """What is seen whatever the caption says, the most telling first; never empty."""
    found = []
    side = "left" if shown.turns > 0 else "right"
    whole = int(abs(shown.turns) + 1.0 - FULL_TURN)
    if shown.inverted:
        found.append("upside down")
    if shown.lowest_m < FLOOR_M:
        found.append("down on the floor")
    if shown.airborne_s >= JUMP_S:
        found.append("jump")
    if whole:
        many = {1: "full turn", 2: "double turn", 3: "triple turn"}.get(whole, "many turns")
        found.append(f"{many} {side}")
    if shown.kick_m >= LEG_HIGH_M:
        found.append("leg high behind" if shown.kick_behind else "high kick")
    if FLOOR_M <= shown.lowest_m < BENT_M - 0.08:
        found.append("deep knee bend")
    if shown.arms_up >= ARMS_UP:
        found.append("arms raised")
    found.append(_steps(shown))
    return found


def full_names(namings: Sequence[Naming]) -> list[str]:
    """A different name for each phrase: genre, figure, and a number where it is needed."""
    bare = [_capital(_bare_name(naming)) for naming in namings]
    total, given, names = Counter(bare), Counter[str](), []
    for name in bare:
        given[name] += 1
        names.append(f"{name} {given[name]}" if total[name] > 1 else name)
    return names


@cache
def _captioned(caption: str, genre: str) -> tuple[Movement, ...]:
    """Figures of the genre that the caption names."""
    return tuple(move for move in load_vocabulary().genres[genre].movements if move.named_in(caption))


def _bare_name(naming: Naming) -> str:
    if not naming.genre or naming.figure.startswith(f"{naming.genre} "):
        return naming.figure
    return f"{prompt_sentence(naming.genre, '')}, {naming.figure}"


def _spoken(movements: Sequence[Movement]) -> list[str]:
    return [SPOKEN.get(movement.name, movement.name) for movement in movements]


def _steps(shown: Shown) -> str:
    if shown.travel_m >= FAR_M:
        return "travelling steps"
    if shown.forward_share >= FORWARD:
        return "steps forward and back"
    if shown.forward_share <= SIDEWAYS:
        return "steps from side to side"
    return "steps on the spot" if shown.travel_m < 0.4 else "steps in all directions"


def _pace(shown: Shown) -> str:
    return "quick" if shown.speed_m_s > QUICK_M_S else "slow" if shown.speed_m_s < SLOW_M_S else "at a middle pace"


def _head(caption: str) -> str:
    """What the caption says of the clip before its measured details."""
    return take_apart(caption).head.rstrip(". ")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
