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
from ..preferences import user_folder
from ..scene.armature import find_dancer
from ..scene.character import all_presets, find_bones, find_character, is_character
from ..scene.takes import find_take
from .carrying import SeenDance, carry_over, seen_dance
from .stepping import Step, StepsOperator

WORST = ("limb_error_deg", "foot_slide_cm_s", "foot_slide_unlocked_cm_s", "penetration_cm", "knee_speed_deg_s")
_ON = (
    ("CHOSEN", "The Character", "The character that the panel shows"),
    ("SELECTED", "All Selected", "Every selected armature that is no dancer"),
)


def presets_folder() -> Any:
    """Where the animator's own tables of bones are."""
    return user_folder() / "bone_maps"


def selected_characters(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected armatures that can take a dance over, by name."""
    chosen = [thing for thing in context.view_layer.objects if thing.select_get() and is_character(thing)]
    return sorted(chosen, key=lambda thing: thing.name)


def problem_before_retarget(context: bpy.types.Context) -> PirouetteError | None:
    """Why the dance cannot be put on a character: what can be told at a glance."""
    if SESSION.busy:
        return PirouetteError("busy", "Something is being made.")
    dancer = find_dancer(context)
    if dancer is None or find_take(dancer) is None:
        return PirouetteError("no_take", "There is no dance to put on a character.", "Generate one first.")
    if find_character(context) is None and not selected_characters(context):
        return PirouetteError("no_character", "No character is chosen.", "Choose an armature.")
    return None


class PIROUETTE_OT_retarget(StepsOperator, bpy.types.Operator):
    """Put the dance on the character: a new Action on a track of its own; whatever else it does stays as it is"""

    bl_idname = "pirouette.retarget"
    bl_label = "Retarget"
    bl_options = {"UNDO"}

    _activity = "edit"

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
        problem = problem_before_retarget(context)
        if problem is not None:
            cls.poll_message_set(str(problem))
        return problem is None

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read the dance once, then each character in turn. Nothing is left of it when one of them fails."""
        dancer = find_dancer(context)
        chosen = find_character(context)
        characters = selected_characters(context) if self.on == "SELECTED" or chosen is None else [chosen]
        if not characters:
            raise PirouetteError("no_character", "No armature is selected that is no dancer.", "Select the characters.")
        return _retargeted(context.scene, dancer, characters)


def _retargeted(
    scene: bpy.types.Scene, dancer: bpy.types.Object, characters: list[bpy.types.Object]
) -> Generator[Step, None, None]:
    for character in characters:
        if not character.pirouette_character.rows:
            find_bones(character, all_presets(presets_folder()))
            yield Step.WRITE
    dance = yield from seen_dance(dancer)
    reports = []
    for index, character in enumerate(characters):
        SESSION.report("write", done=index, total=len(characters))
        reports.append((yield from _one(character, dance, dancer)))
    keep_report(scene, reports)
    told = [
        f"{report['character']}: {warning}" if len(reports) > 1 else warning
        for report in reports
        for warning in report["warnings"]
    ]
    SESSION.warning = " ".join(dict.fromkeys(told))


def _one(
    character: bpy.types.Object, dance: SeenDance, dancer: bpy.types.Object
) -> Generator[Step, None, dict[str, Any]]:
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
