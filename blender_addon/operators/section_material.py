"""Bring other material into the dance: insert, replace, transfer, paste."""

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..core import edits
from ..core.dance import DanceDocument
from ..core.errors import PirouetteError
from ..core.sections import counts_of
from ..properties import genre_items
from ..scene.armature import find_dancer
from ..scene.storage import take_numbers
from .clipboard import CLIPBOARD
from .editing import EditPlan
from .section_base import SectionOperator, new_seed, section_of, take_document
from .sections import section_genre

Material = tuple[dict[str, Any], DanceDocument | None]
_HIDDEN = {"SKIP_SAVE"}

_SOURCES = (
    ("PROMPT", "Words", "New movement by a genre and a prompt"),
    ("SECTION", "Section", "Another section of this dance"),
    ("TAKE", "Take", "A section of another take on this dancer"),
    ("LIBRARY", "Library", "The phrase that is selected in the library"),
    ("CLIPBOARD", "Clipboard", "The section that was copied last"),
)


def chosen_phrase(context: bpy.types.Context) -> str:
    """The identity of the phrase that is selected in the library. Raises PirouetteError."""
    library = context.window_manager.pirouette_library
    if not 0 <= library.active < len(library.results):
        raise PirouetteError("bad_request", "No phrase is selected in the library.", "Search it and select one.")
    return str(library.results[library.active].identity)


class MaterialOperator(SectionOperator):
    """An operator that takes material from somewhere."""

    source: EnumProperty(name="From", description="Where the movement comes from", items=_SOURCES, options=_HIDDEN)
    from_section: IntProperty(
        name="Section", description="Which section it comes from, counted from 1", default=1, min=1, options=_HIDDEN
    )
    from_take: IntProperty(
        name="Take", description="The number of the take that it comes from", default=1, min=1, options=_HIDDEN
    )
    library_id: StringProperty(
        name="Phrase", description="A phrase of the library; empty: the selected one", options={"SKIP_SAVE", "HIDDEN"}
    )
    prompt: StringProperty(name="Prompt", description="What the new movement is like, in plain words", options=_HIDDEN)
    genre: EnumProperty(name="Genre", description="The style of the new movement", items=genre_items, options=_HIDDEN)
    seed: IntProperty(name="Seed", description="Of the new movement; -1 draws one", default=-1, min=-1, options=_HIDDEN)

    def material(self, context: bpy.types.Context, document: DanceDocument) -> Material:
        """The source as the backend knows it, and the other dance that goes with it. Raises PirouetteError."""
        if self.source == "PROMPT":
            seed = new_seed() if self.seed < 0 else self.seed
            model = context.scene.pirouette.model
            return edits.from_prompt(self.prompt.strip(), genre=section_genre(self.genre), seed=seed, model=model), None
        if self.source == "SECTION":
            return edits.from_here(section_of(document, self.from_section - 1)), None
        if self.source == "LIBRARY":
            return edits.from_library(self.library_id or chosen_phrase(context)), None
        if self.source == "CLIPBOARD":
            other, section = CLIPBOARD.content()
            return edits.from_other(edits.span_of(section)), other
        other = take_document(find_dancer(context), self.from_take)
        return edits.from_other(edits.span_of(section_of(other, self.from_section - 1))), other

    def draw_material(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        """The fields that go with the chosen source."""
        layout.use_property_split = True
        layout.prop(self, "source")
        if self.source == "PROMPT":
            layout.prop(self, "genre")
            layout.prop(self, "prompt")
        elif self.source in ("SECTION", "TAKE"):
            if self.source == "TAKE":
                layout.prop(self, "from_take")
                numbers = ", ".join(map(str, take_numbers(find_dancer(context))))
                layout.label(text=f"Takes: {numbers}", icon="INFO")
            layout.prop(self, "from_section")
        elif self.source == "CLIPBOARD":
            layout.label(text=CLIPBOARD.in_words(), icon="PASTEDOWN")
        else:
            layout.label(text=_selected_phrase(context), icon="ASSET_MANAGER")


def _selected_phrase(context: bpy.types.Context) -> str:
    library = context.window_manager.pirouette_library
    if 0 <= library.active < len(library.results):
        return str(library.results[library.active].name)
    return "No phrase is selected in the library."


class PIROUETTE_OT_section_insert(MaterialOperator, bpy.types.Operator):
    """Dance something else after this section; what follows moves later in time"""

    bl_idname = "pirouette.section_insert"
    bl_label = "Insert"
    bl_options = {"UNDO"}

    counts: IntProperty(
        name="Counts", description="How many beats of the music it takes; 0: as many as it has", default=0, min=0,
        max=512, options=_HIDDEN,
    )  # fmt: skip
    before: EnumProperty(
        name="Where",
        description="On which side of the section",
        items=(("AFTER", "After", "After the section"), ("BEFORE", "Before", "Before the section")),
        options=_HIDDEN,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where from and how long, unless the button has said so."""
        if self.properties.is_property_set("source") and self.source != "PROMPT":
            return self.execute(context)
        if self.counts == 0:
            self.counts = 8
        return context.window_manager.invoke_props_dialog(self, title="Insert Movement", confirm_text="Insert")

    def draw(self, context: bpy.types.Context) -> None:
        """Source, place and length."""
        self.draw_material(self.layout, context)
        self.layout.prop(self, "before", expand=True)
        self.layout.prop(self, "counts")

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """A gap beside the section, filled."""
        section = section_of(document, index)
        source, other = self.material(context, document)
        counts = self.counts or (max(counts_of(document.beats, section)[1], 1) if self.source == "PROMPT" else 0)
        after = self.before == "AFTER"
        at_s = section.end_s if after else section.start_s
        return EditPlan(edits.insert(at_s, source, counts=counts), other=other, select=index + 1 if after else index)


class PIROUETTE_OT_section_replace(MaterialOperator, bpy.types.Operator):
    """Dance something else in place of this section, over the same counts"""

    bl_idname = "pirouette.section_replace"
    bl_label = "Replace"
    bl_options = {"UNDO"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where from, unless the button has said so."""
        if self.properties.is_property_set("source") and self.source != "PROMPT":
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, title="Replace the Section", confirm_text="Replace")

    def draw(self, context: bpy.types.Context) -> None:
        """Where from."""
        self.draw_material(self.layout, context)

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """Other material for the section's counts."""
        source, other = self.material(context, document)
        operation = edits.replace(section_of(document, index), source)
        return EditPlan(operation, replaced=(index,), other=other, select=index)


class PIROUETTE_OT_section_transfer(MaterialOperator, bpy.types.Operator):
    """Mix this section with another: keep its poses and move through them like the other, or the other way round"""

    bl_idname = "pirouette.section_transfer"
    bl_label = "Transfer"
    bl_options = {"UNDO"}

    keep: EnumProperty(
        name="Keep",
        description="What of this section stays",
        items=(
            ("POSES", "Poses", "Keep the poses; take speed and travel from the other"),
            ("MOVEMENT", "Movement", "Keep speed and travel; take the poses from the other"),
        ),
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where from."""
        if self.source == "PROMPT":
            self.source = "SECTION"
        return context.window_manager.invoke_props_dialog(self, title="Transfer", confirm_text="Transfer")

    def draw(self, context: bpy.types.Context) -> None:
        """What stays, and where the rest comes from."""
        self.layout.prop(self, "keep", expand=True)
        self.draw_material(self.layout, context)

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """Half of one, half of the other."""
        if self.source == "PROMPT":
            raise PirouetteError("bad_request", "A transfer takes from a dance, not from words.", "Regenerate instead.")
        source, other = self.material(context, document)
        operation = edits.transfer(section_of(document, index), source, keep=self.keep)
        return EditPlan(operation, replaced=(index,), other=other, select=index)


class PIROUETTE_OT_section_paste(SectionOperator, bpy.types.Operator):
    """Dance the copied section after this one; what follows moves later in time"""

    bl_idname = "pirouette.section_paste"
    bl_label = "Paste"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when something was copied."""
        if CLIPBOARD.empty:
            cls.poll_message_set("No section was copied.")
            return False
        return super().poll(context)

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """The copied section behind this one."""
        other, section = CLIPBOARD.content()
        source = edits.from_other(edits.span_of(section))
        return EditPlan(edits.insert(section_of(document, index).end_s, source), other=other, select=index + 1)


CLASSES = (
    PIROUETTE_OT_section_insert,
    PIROUETTE_OT_section_replace,
    PIROUETTE_OT_section_transfer,
    PIROUETTE_OT_section_paste,
)
