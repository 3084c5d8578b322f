"""Retargeting and following in a window: what is cancelled, and what it is too late to cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import pytest

from tests.addon.installed import part
from tests.addon.test_modal import ESCAPE, ByHand
from tests.characters.armatures import character_of

Dance = Callable[..., bpy.types.Object]


@pytest.fixture
def characters(dance: Dance) -> list[bpy.types.Object]:
    """Two characters beside a dance; the first is the panel's."""
    dance(seed=3)
    found = [character_of("Ann"), character_of("Ben")]
    bpy.context.scene.pirouette.character = found[0]
    return found


def tracks(character: bpy.types.Object) -> int:
    animation = character.animation_data
    return 0 if animation is None else len(animation.nla_tracks)


def bound(driven: ByHand) -> bool:
    return driven.operator._step is part("operators.stepping").Step.BOUND


def test_cancelling_leaves_a_character_as_it_was(characters: list[bpy.types.Object], with_window: None) -> None:
    actions = len(bpy.data.actions)
    driven = ByHand("retarget", "retarget", on="CHOSEN")
    assert driven.start() == {"RUNNING_MODAL"}
    driven.send(ESCAPE)
    assert driven.run() == {"CANCELLED"}
    assert tracks(characters[0]) == 0
    assert len(bpy.data.actions) == actions


def test_cancelling_between_characters_keeps_the_written_ones_in_the_undo_step(
    characters: list[bpy.types.Object], with_window: None
) -> None:
    for character in characters:
        character.select_set(True)
    driven = ByHand("retarget", "retarget", on="SELECTED")
    driven.start()
    driven.until(lambda: tracks(characters[0]) == 1)
    session = part("core.session").SESSION
    session.cancel_requested = True
    assert driven.run() == {"FINISHED"}  # what is finished has an undo step
    assert tracks(characters[0]) == 1


def test_a_character_follows_to_the_end_once_the_dance_is_written(
    characters: list[bpy.types.Object], with_window: None
) -> None:
    first = ByHand("retarget", "retarget", on="CHOSEN")
    first.start()
    assert first.run() == {"FINISHED"}
    checksum = part("scene.character_take")._checksum
    before = checksum(next(part("scene.character_take").character_takes(characters[0])).action)
    asked: dict[str, Any] = {"section": 2, "seed": 9, "strength": 1.0, "prompt": "", "genre": "", "draw_seed": False}
    driven = ByHand("sections", "section_regenerate", **asked, hand_edits="ASK")
    driven.start()
    driven.until(lambda: bound(driven))
    assert bound(driven)
    driven.send(ESCAPE)
    assert driven.run() == {"FINISHED"}
    after = checksum(next(part("scene.character_take").character_takes(characters[0])).action)
    assert after != before
