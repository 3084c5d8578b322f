"""What all operators on a section of the dance have in common."""

import random
from collections.abc import Generator
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty

from ..core.dance import DanceDocument, Section
from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..preferences import backend_command, library_folder, log_path
from ..scene.armature import find_dancer
from ..scene.storage import load
from ..version import addon_version
from .editing import Desk, EditPlan, document_of, edit_dance
from .readiness import allowed, problem_before_edit
from .stepping import Step, StepsOperator

HAND_EDITS = (
    ("ASK", "Ask", "Say so before keys that you have made by hand would be lost"),
    ("KEEP", "Read Them In", "Take your keys into the dance first, then change it"),
    ("DISCARD", "Discard", "Let the new movement take the place of your keys"),
)


def desk(context: bpy.types.Context, *, hand_edits: str = "ASK") -> Desk:
    """Where an edit of the current dancer is made. Raises PirouetteError."""
    dancer = find_dancer(context)
    if dancer is None:
        raise PirouetteError("no_take", "There is no dancer.", "Generate a dance first.")
    return Desk(
        SESSION,
        backend_command(context),
        log_path(context),
        addon_version(),
        str(library_folder()),
        dancer.name,
        hand_edits,
    )


def new_seed() -> int:
    """A seed that was drawn."""
    return random.SystemRandom().randrange(1 << 31)


class SectionOperator(StepsOperator):
    """Plans one edit of one section; the rest is the same for all."""

    _activity = "edit"

    section: IntProperty(
        name="Section", description="Which section, counted from 1; 0: the one that is selected", default=0, min=0,
        options={"SKIP_SAVE", "HIDDEN"},
    )  # fmt: skip
    hand_edits: EnumProperty(
        name="Keys Made by Hand",
        description="What becomes of keys that you have made by hand where the dance changes",
        items=HAND_EDITS,
        default="ASK",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a dance to edit; the reason why not is the button's tooltip."""
        return allowed(cls, problem_before_edit(context))

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """What this operator does with a section. Raises PirouetteError."""
        raise NotImplementedError

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read, ask, write."""
        dancer = find_dancer(context)
        chosen = self.section - 1 if self.section else dancer.pirouette.active

        def plan(document: DanceDocument) -> EditPlan:
            section = section_of(document, chosen)
            planned = self.plan(context, document, chosen)
            if section.locked and chosen in planned.replaced:
                raise locked_error(section, chosen)
            return planned

        return edit_dance(desk(context, hand_edits=self.hand_edits), plan)

    def failed(self, context: bpy.types.Context, error: PirouetteError) -> None:
        """Keys made by hand are in the way: ask what is to become of them."""
        if error.code != "hand_edits" or bpy.app.background:
            return
        idname, given = self.bl_idname, self.as_keywords(ignore=("hand_edits",))

        def draw(menu: Any, _: bpy.types.Context) -> None:
            menu.layout.operator_context = "EXEC_DEFAULT"
            for choice, text, icon in (
                ("KEEP", "Read my keys into the dance, then go on", "CHECKMARK"),
                ("DISCARD", "Discard my keys in this section", "TRASH"),
            ):
                button = menu.layout.operator(idname, text=text, icon=icon)
                for name, value in given.items():
                    setattr(button, name, value)
                button.hand_edits = choice

        context.window_manager.popup_menu(draw, title=error.message, icon="HAND")


def section_of(document: DanceDocument, index: int) -> Section:
    """A section by its number from 0. Raises PirouetteError bad_range."""
    if not 0 <= index < len(document.sections):
        raise PirouetteError("bad_range", f"There is no section {index + 1}: there are {len(document.sections)}.")
    return document.sections[index]


def locked_error(section: Section, index: int) -> PirouetteError:
    """Why a locked section is left alone."""
    return PirouetteError("locked", f"Section “{section.name or index + 1}” is locked.", "Unlock it to change it.")


def take_document(dancer: bpy.types.Object, number: int) -> DanceDocument:
    """The document of another take. Raises PirouetteError."""
    if number <= 0 or load(dancer, number) is None:
        raise PirouetteError("no_take", f"There is no take {number} to take from.")
    return document_of(dancer, number)
