"""Prompts made from training captions: many, true to the clip, and of the form that animators' prompts take."""

from __future__ import annotations

from typing import Any

import pytest

from backend.errors import PirouetteError
from backend.text.captions import caption_paraphrases, mirrored_caption, prompt_sentence, take_apart
from backend.text.words import plain


def dance(genre: str, caption: str, **more: Any) -> dict[str, Any]:
    return {"dance": True, "genre": genre, "caption": caption, **more}


def general(genre: str, caption: str) -> dict[str, Any]:
    return {"dance": False, "genre": genre, "caption": caption}


SALSA = dance("salsa", "Salsa figures, with forward-and-back steps and four full turns, at a quick pace.")
ROWS = [
    SALSA,
    dance("break", "Breakdance handstand with kicking legs, at a quick pace."),
    dance("cha-cha", "A dancer dances a solo cha-cha-cha sequence."),
    dance("other", "Comic dancing ant with arms bowed out."),
    general("general: walk", "Walk."),
    general("general: other", "Miming: paying for something."),
    general("general: turn", "180.0."),
    general("karate", "A man performs karate moves (Move1)."),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["caption"])
def test_a_clip_has_ten_or_more_different_prompts_with_its_caption_first(row: dict[str, Any]) -> None:
    prompts = caption_paraphrases(row)
    assert len(prompts) >= 10
    assert prompts[0] == row["caption"]
    assert len({plain(prompt) for prompt in prompts}) == len(prompts)
    assert prompts == caption_paraphrases(row)
    assert all(plain(prompt) for prompt in prompts)


@pytest.mark.parametrize(
    "prompt",
    [
        "salsa",
        "salsa dance",
        "salsa, turns",
        "fast salsa dance",
        "salsa, steps forward and back",
        "salsa, forward-and-back basic",
        "salsa, fast, turns, many turns, steps forward and back",
    ],
)
def test_genre_attributes_and_movements_are_prompts(prompt: str) -> None:
    assert prompt in caption_paraphrases(SALSA)


def test_the_caption_without_its_genre_is_a_prompt() -> None:
    prompts = caption_paraphrases(dance("pop", "A woman dances a pop choreography with turns and raised arms (Song)."))
    assert "turns and raised arms" in prompts
    assert "pop dance, turns and raised arms" in prompts


def test_a_prompt_promises_nothing_that_the_caption_does_not_say() -> None:
    prompts = caption_paraphrases(dance("salsa", "Partner salsa, the leader's part, mostly on the spot."))
    assert not any("turn" in prompt for prompt in prompts)
    assert not any("solo" in prompt for prompt in prompts)


def test_figures_that_are_words_are_prompts_and_codes_are_not() -> None:
    prompts = caption_paraphrases(dance("rumba", "A rumba.", figures=["R-2-1", "Hockey Stick"]))
    assert "rumba, hockey stick" in prompts
    assert not any("r-2-1" in prompt for prompt in prompts)


def test_general_motion_is_told_from_dance() -> None:
    prompts = caption_paraphrases(general("karate", "A man performs karate moves (ForwardKarate)."))
    assert "karate moves, forward karate, not dancing" in prompts
    assert not any("dance " in prompt and "no dance" not in prompt for prompt in prompts)


def test_a_caption_without_words_falls_back_on_its_kind() -> None:
    assert "a person: turn" in caption_paraphrases(general("general: turn", "180.0."))


def test_a_caption_is_taken_apart_at_its_details() -> None:
    parts = take_apart("Ballet with a leap, a turn and a bow, with high kicks, mostly on the spot, at a slow pace.")
    assert parts.head == "Ballet with a leap, a turn and a bow"
    assert parts.details == ("with high kicks", "mostly on the spot", "at a slow pace")
    assert {wordings[0] for wordings in parts.asked} == {"slow", "kicks", "jumps", "on the spot"}


def test_left_and_right_change_places_in_a_mirrored_clip() -> None:
    assert mirrored_caption("Left jab, walk to the right, leftover.") == "Right jab, walk to the left, leftover."


@pytest.mark.parametrize(
    ("genre", "text", "sentence"),
    [
        ("", "", ""),
        ("", "  wave\n the arms ", "wave the arms"),
        ("Salsa", "", "salsa"),
        ("pop", "", "pop dance"),
        ("salsa", "quick turns", "salsa, quick turns"),
        ("salsa", "a salsa with quick turns", "a salsa with quick turns"),
        ("breakdance", "like a tango", "breaking, like a tango"),
    ],
)
def test_genre_and_text_become_a_sentence_of_the_form_trained_on(genre: str, text: str, sentence: str) -> None:
    assert prompt_sentence(genre, text) == sentence


def test_a_prompt_of_an_unknown_genre_is_refused() -> None:
    with pytest.raises(PirouetteError, match="polonaise"):
        prompt_sentence("polonaise", "slowly")
