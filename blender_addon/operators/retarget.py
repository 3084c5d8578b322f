"""Put the dance on a character, or on several: new Actions, one undo step."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

import bpy
from bpy.props import EnumProperty

from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..scene.armature import find_dancer
from ..scene.character import find_character, is_character
from ..scene.takes import find_take
from .carrying import SeenDance, carry_over, seen_dance
from .character_base import CharacterSteps, know_bones, problem_with_character
from .readiness import BUSY, allowed
from .stepping import Step, bound

WORST = (
    "limb_error_deg", "legs_turned_deg", "foot_slide_cm_s", "foot_slide_unlocked_cm_s", "knee_speed_deg_s",
    "penetration_cm", "penetration_unlocked_cm", "hips_sunk_cm", "fewer_keys_error_cm",
)  # fmt: skip
_ON = (
    ("CHOSEN", "The Character", "The character that the panel shows"),
    ("SELECTED", "All Selected", "Every selected armature that is no dancer"),
)


def selected_characters(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected armatures that can take a dance over, by name."""
    chosen = [thing for thing in context.view_layer.objects if thing.select_get() and is_character(thing)]
    return sorted(chosen, key=lambda thing: thing.name)


def problem_before_retarget(context: bpy.types.Context) -> PirouetteError | None:
    """Why the dance cannot be put on a character: what can be told at a glance."""
    if SESSION.busy:
        return BUSY
    dancer = find_dancer(context)
    if dancer is None or find_take(dancer) is None:
        return PirouetteError("no_take", "There is no dance to put on a character.", "Generate one first.")
    return None if selected_characters(context) else problem_with_character(context)


class PIROUETTE_OT_retarget(CharacterSteps, bpy.types.Operator):
    """Put the dance on the character: a new Action on a track of its own; whatever else it does stays as it is"""

    bl_idname = "pirouette.retarget"
    bl_label = "Retarget"
    bl_options = {"UNDO"}

    on: EnumProperty(name="On", description="Which characters get the dance", items=_ON, options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        if properties.on == "SELECTED":
            return "Put the dance on every selected armature; bones that are not known yet are looked for"
        return cls.__doc__ or ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are a dance and a character; the reason why not is the button's tooltip."""
        return allowed(cls, problem_before_retarget(context))

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read the dance once, then write it on each character in turn."""
        dancer = find_dancer(context)
        chosen = find_character(context)
        characters = selected_characters(context) if self.on == "SELECTED" or chosen is None else [chosen]
        if not characters:
            raise PirouetteError("no_character", "No armature is selected that is no dancer.", "Select the characters.")
        return _retargeted(context.scene, dancer, characters)


def _retargeted(
    scene: bpy.types.Scene, dancer: bpy.types.Object, characters: list[bpy.types.Object]
) -> Generator[Step, None, None]:
    """A character that cannot have the dance is told and the others have it; it is an error where none can."""
    dance = yield from seen_dance(dancer)
    reports, told = [], []
    for index, character in enumerate(characters):
        SESSION.report("write", done=index, total=len(characters))
        if reports and SESSION.cancel_requested:
            told.append(f"Cancelled after {len(reports)} of {len(characters)} characters.")
            break
        steps = _one(character, dance, dancer)
        try:
            report = yield from (bound(steps) if reports else steps)
        except PirouetteError as error:
            if index == len(characters) - 1 and not reports:
                raise
            told.append(f"“{character.name}” was left out: {error}")
            continue
        reports.append(report)
        told += [f"{character.name}: {text}" if len(characters) > 1 else text for text in report["warnings"]]
    keep_report(scene, reports)
    SESSION.warning = " ".join(dict.fromkeys(told))


def _one(
    character: bpy.types.Object, dance: SeenDance, dancer: bpy.types.Object
) -> Generator[Step, None, dict[str, Any]]:
    know_bones(character)
    yield Step.WRITE
    with closing(carry_over(character, dance, dancer=dancer.name)) as steps:
        report = yield from steps
    character.pirouette_character.dancer = dancer
    return report


def keep_report(scene: bpy.types.Scene, reports: list[dict[str, Any]]) -> None:
    """``scene.pirouette.retarget_report``: the first character's figures, the worst of all for what is measured, and
    every character's own under ``characters``.
    """
    told = {**reports[0], "characters": reports, "seconds": round(sum(report["seconds"] for report in reports), 3)}
    told |= {key: max(report[key] for report in reports) for key in WORST}
    scene.pirouette.retarget_report = json.dumps(told)


CLASSES = (PIROUETTE_OT_retarget,)
