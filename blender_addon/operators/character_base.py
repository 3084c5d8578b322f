"""What the operators on the chosen character have in common: whether there is one, its bones, what went wrong."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..core.bone_presets import Preset
from ..core.errors import PirouetteError
from ..core.rig import BoneMap
from ..core.session import SESSION
from ..preferences import user_folder
from ..scene.character import all_presets, editable, find_bones, find_character, store_bone_map
from .readiness import BUSY, allowed
from .stepping import StepsOperator

PROBLEMS: dict[str, PirouetteError] = {}  # what went wrong last, for the panels: by the operators' activity


def presets_folder() -> Path:
    """Where the animator's own tables of bones are."""
    return user_folder() / "bone_maps"


def known_presets() -> tuple[Preset, ...]:
    """The animator's own presets, then the bundled ones. Raises PirouetteError for a file that cannot be read."""
    try:
        return all_presets(presets_folder())
    except PirouetteError as error:
        raise PirouetteError(error.code, error.message, f"Mend it or take it out of {presets_folder()}.") from error


def look_for_bones(character: bpy.types.Object) -> BoneMap:
    """Find a character's bones and keep them. Where there is no body the table stays empty, to be filled in by hand.

    Raises PirouetteError bad_rig for that and for a character that cannot be edited, damaged_file for a preset.
    """
    editable(character)
    try:
        return find_bones(character, known_presets())
    except PirouetteError:
        if not character.pirouette_character.rows:
            store_bone_map(character, BoneMap((), "table"))
        raise


def know_bones(character: bpy.types.Object) -> None:
    """Look for a character's bones unless they are known. Raises PirouetteError bad_rig."""
    if not any(row.bone for row in character.pirouette_character.rows):
        look_for_bones(character)


def problem_with_character(context: bpy.types.Context) -> PirouetteError | None:
    """Why nothing can be done with the chosen character: what can be told at a glance."""
    if SESSION.busy:
        return BUSY
    if find_character(context) is None:
        return PirouetteError("no_character", "No character is chosen.", "Choose an armature.")
    return None


class CharacterOperator:
    """An operator on the chosen character that needs no backend and is done at once."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """On a character, while nothing is being made."""
        return allowed(cls, problem_with_character(context))

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """The work; returns a sentence for the animator, or nothing. Raises PirouetteError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, or say why not."""
        try:
            told = self.act(context, find_character(context))
        except PirouetteError as error:
            self.report({"ERROR"} if bpy.app.background else {"WARNING"}, str(error))
            return {"CANCELLED"}
        if told:
            self.report({"INFO"}, told)
        return {"FINISHED"}


class CharacterSteps(StepsOperator):
    """An operator that works in steps; the character's panel shows its bar, and afterwards what went wrong."""

    _activity = "character"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget what went wrong before, then do the work."""
        PROBLEMS.pop(self._activity, None)
        return StepsOperator.execute(self, context)

    def failed(self, context: bpy.types.Context, error: PirouetteError) -> None:
        """Keep it for the panel."""
        PROBLEMS[self._activity] = error
