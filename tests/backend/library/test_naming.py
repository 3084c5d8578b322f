"""Names that a dancer would search for, and that the phrase deserves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backend.library.cutting import Cut, cuts_of
from backend.library.entry import slug
from backend.library.measures import Shown
from backend.library.naming import Naming, full_names, measured_figures, naming_of
from backend.motion.sources import Clip
from backend.text.vocabulary import resolve_genre
from tests.backend.library.conftest import stepping

PLAIN = Shown(
    turns=0.0,
    travel_m=0.2,
    forward_share=0.5,
    airborne_s=0.0,
    kick_m=0.2,
    kick_behind=False,
    lowest_m=0.9,
    hands_down_s=0.0,
    arms_up=0.0,
    inverted=False,
    speed_m_s=0.6,
)


def cut(caption: str, shown: Shown = PLAIN) -> Cut:
    clip = Clip(Path("clip.npz"), "clip", "train", True, "", caption)
    return replace(cuts_of(clip, stepping(5.0), metre=4)[0], shown=shown)


def figures(genre: str, caption: str, shown: Shown = PLAIN) -> tuple[str, ...]:
    return naming_of(cut(caption, shown), resolve_genre(genre)).figures


def test_a_pirouette_is_called_so_only_where_it_turns() -> None:
    caption = "Ballet with small leaps and a pirouette."
    assert figures("ballet", caption, replace(PLAIN, turns=-1.6))[0] == "pirouette"
    assert "pirouette" not in figures("ballet", caption)


@pytest.mark.parametrize(
    ("genre", "caption", "shown", "figure"),
    [
        ("ballet", "Ballet with an arabesque.", replace(PLAIN, kick_m=1.2), "arabesque"),
        ("breaking", "Breakdance handstand with kicking legs.", replace(PLAIN, inverted=True), "handstand"),
        ("folk", "Russian dance squatting low and kicking the legs out.", replace(PLAIN, lowest_m=0.4), "squat kick"),
        ("salsa", "Salsa figures, with forward-and-back steps.", replace(PLAIN, forward_share=0.8), "basic step"),
        ("salsa", "Salsa figures, with side-to-side steps.", replace(PLAIN, forward_share=0.1), "basic step"),
        ("rumba", "A solo rumba with walks and turns.", replace(PLAIN, turns=1.0), "full turn left"),
        ("social", "Macarena with a jump turn.", replace(PLAIN, turns=1.0), "macarena"),
        ("tango", "A tango with walks.", PLAIN, "tango walk"),
    ],
)
def test_the_best_figure_comes_first(genre: str, caption: str, shown: Shown, figure: str) -> None:
    assert figures(genre, caption, shown)[0].startswith(figure)


def test_figures_in_a_row_are_not_guessed() -> None:
    naming = naming_of(cut("Party moves in a row: the Dive, the Twist."), resolve_genre("social"))
    assert naming.figure == "party moves"
    assert "twist" not in naming.figures
    assert "Twist" in naming.description


def test_a_description_tells_what_is_seen_and_where_from() -> None:
    shown = replace(PLAIN, turns=2.1, arms_up=0.5, travel_m=3.0, speed_m_s=1.2)
    naming = naming_of(cut("Salsa figures, with two full turns, at a quick pace.", shown), resolve_genre("salsa"))
    assert naming.description == (
        "Salsa: spot turn, double turn left, arms raised, travelling steps, quick. From: Salsa figures."
    )
    assert "spin" in naming.figures


def test_every_phrase_shows_something() -> None:
    assert measured_figures(PLAIN) == ["steps on the spot"]
    assert measured_figures(replace(PLAIN, airborne_s=0.4, kick_m=1.0, kick_behind=True))[:2] == [
        "jump",
        "leg high behind",
    ]


def test_what_is_no_dance_says_so() -> None:
    naming = naming_of(cut("Cartwheel."), None)
    assert (naming.genre, naming.figure) == ("", "cartwheel")
    assert naming.description.startswith("Not from a dance")


def test_names_are_numbered_where_they_repeat() -> None:
    namings = [
        Naming(*words, (), "") for words in (("salsa", "spot turn"), ("salsa", "spot turn"), ("tango", "tango walk"))
    ]
    assert full_names(namings) == ["Salsa, spot turn 1", "Salsa, spot turn 2", "Tango walk"]


def test_an_identifier_is_typed_without_effort() -> None:
    assert slug("Ballet, jeté 2") == "ballet-jete-2"
    assert slug("…!") == ""
