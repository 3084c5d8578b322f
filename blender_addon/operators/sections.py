"""Change one section of the dance: regenerate, delete, duplicate, move, split, merge, mirror, retime, snap."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core import edits
from ..core.dance import DanceDocument
from ..core.errors import PirouetteError
from ..core.genres import ANY_GENRE
from ..core.sections import counts_of
from ..scene.armature import find_dancer
from ..scene.takes import current_take
from .editing import EditPlan
from .section_base import SectionOperator, locked_error, new_seed, section_of


class PIROUETTE_OT_section_regenerate(SectionOperator, bpy.types.Operator):
    """Dance this section anew by its own words; the rest of the dance stays exactly as it is"""

    bl_idname = "pirouette.section_regenerate"
    bl_label = "Regenerate"
    bl_options = {"UNDO"}

    strength: FloatProperty(
        name="Strength", description="0 varies what is there a little, 1 makes something new; -1: as set in the panel",
        default=-1.0, min=-1.0, max=1.0, options={"SKIP_SAVE"},
    )  # fmt: skip
    draw_seed: BoolProperty(
        name="New Seed", description="Draw another seed, for another movement of the same words", default=False,
        options={"SKIP_SAVE"},
    )  # fmt: skip
    seed: IntProperty(name="Seed", description="-1: the section's own", default=-1, min=-1, options={"SKIP_SAVE"})
    prompt: StringProperty(
        name="Prompt", description="Other words for the section; empty: its own", options={"SKIP_SAVE"}
    )
    genre: StringProperty(
        name="Genre", description="Another style for the section; empty: its own", options={"SKIP_SAVE"}
    )

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """Other frames for the section, all others as they are."""
        section = section_of(document, index)
        seed = new_seed() if self.draw_seed else section.seed if self.seed < 0 else self.seed
        strength = context.scene.pirouette.strength if self.strength < 0.0 else self.strength
        operation = edits.regenerate(section, seed=seed, strength=strength, model=context.scene.pirouette.model)
        if self.prompt:
            operation["prompt"] = self.prompt
        if self.genre:
            operation["genre"] = "" if self.genre == ANY_GENRE else self.genre
        return EditPlan(operation, replaced=(index,), select=index)


class PIROUETTE_OT_section_delete(SectionOperator, bpy.types.Operator):
    """Take this section out; what follows is danced earlier and goes on from where the dancer stands"""

    bl_idname = "pirouette.section_delete"
    bl_label = "Delete Section"
    bl_options = {"UNDO"}

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """The dance without the section."""
        section = section_of(document, index)
        if len(document.sections) == 1:
            raise PirouetteError("bad_range", "This is the only section of the dance.", "Mute the take instead.")
        return EditPlan(edits.delete(section), replaced=(index,), select=index)


class PIROUETTE_OT_section_duplicate(SectionOperator, bpy.types.Operator):
    """Dance this section once more, right after it"""

    bl_idname = "pirouette.section_duplicate"
    bl_label = "Duplicate"
    bl_options = {"UNDO"}

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """The section twice."""
        return EditPlan(edits.duplicate(section_of(document, index)), select=index + 1)


class PIROUETTE_OT_section_move(SectionOperator, bpy.types.Operator):
    """Exchange this section with its neighbour in time"""

    bl_idname = "pirouette.section_move"
    bl_label = "Move Section"
    bl_options = {"UNDO"}

    direction: EnumProperty(
        name="Direction",
        description="Which neighbour to exchange with",
        items=(
            ("UP", "Earlier", "Dance it before the section above"),
            ("DOWN", "Later", "Dance it after the section below"),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        where = "before the one above it" if properties.direction == "UP" else "after the one below it"
        return f"Dance this section {where}; the music stays where it is"

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """The two sections exchanged."""
        section = section_of(document, index)
        other = index - 1 if self.direction == "UP" else index + 1
        if not 0 <= other < len(document.sections):
            raise PirouetteError("bad_range", "There is no section on that side.")
        neighbour = document.sections[other]
        if neighbour.locked or section.locked:
            raise locked_error(*((neighbour, other) if neighbour.locked else (section, index)))
        to_s = neighbour.start_s if other < index else neighbour.end_s
        return EditPlan(edits.reorder(section, to_s), select=other)


class PIROUETTE_OT_section_split(SectionOperator, bpy.types.Operator):
    """Make two sections of this one, at the current frame or else in its middle; the movement stays the same"""

    bl_idname = "pirouette.section_split"
    bl_label = "Split"
    bl_options = {"UNDO"}

    frame: IntProperty(
        name="Frame", description="Where to split; -1: at the current frame, or in the middle if that lies elsewhere",
        default=-1, options={"SKIP_SAVE"},
    )  # fmt: skip

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """A border on a frame inside the section."""
        section = section_of(document, index)
        take = current_take(find_dancer(context))
        frame = context.scene.frame_current if self.frame == -1 else self.frame
        at_s = (take.action_frame(frame) - document.placement.first_frame) / document.placement.fps
        first, last = document.frames_of(section)
        at = round(at_s * document.fps)
        if self.frame == -1 and not first < at < last:
            at = self._middle(document, index)
        if not first < at < last:
            raise PirouetteError("bad_range", f"Frame {frame} does not lie inside this section.")
        return EditPlan(edits.split(at / document.fps), select=index)

    def _middle(self, document: DanceDocument, index: int) -> int:
        """The beat nearest to the middle of a section, as a frame of the dance."""
        section = section_of(document, index)
        middle_s = (section.start_s + section.end_s) / 2
        inside = [float(t) for t in document.beats.beats_s if section.start_s + 0.3 < t < section.end_s - 0.3]
        return round(min(inside, key=lambda t: abs(t - middle_s), default=middle_s) * document.fps)


class PIROUETTE_OT_section_merge(SectionOperator, bpy.types.Operator):
    """Make one section of this one and the next; the movement stays the same"""

    bl_idname = "pirouette.section_merge"
    bl_label = "Merge with Next"
    bl_options = {"UNDO"}

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """One section of two."""
        section = section_of(document, index)
        if index + 1 >= len(document.sections):
            raise PirouetteError("bad_range", "There is no section after this one.")
        return EditPlan(edits.merge(section, document.sections[index + 1]), select=index)


class PIROUETTE_OT_section_mirror(SectionOperator, bpy.types.Operator):
    """Dance this section with left and right exchanged; what follows goes on from where the dancer then stands"""

    bl_idname = "pirouette.section_mirror"
    bl_label = "Mirror"
    bl_options = {"UNDO"}

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """Left for right."""
        section = section_of(document, index)
        if section.locked:
            raise locked_error(section, index)
        return EditPlan(edits.mirror(section), select=index)


class PIROUETTE_OT_section_retime(SectionOperator, bpy.types.Operator):
    """Dance this section over another number of counts, slower or quicker; what follows moves in time"""

    bl_idname = "pirouette.section_retime"
    bl_label = "Retime"
    bl_options = {"UNDO"}

    counts: IntProperty(
        name="Counts", description="How many beats of the music the section takes", default=8, min=1, max=512
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the counts."""
        return context.window_manager.invoke_props_dialog(self, title="Retime the Section", confirm_text="Retime")

    def draw(self, context: bpy.types.Context) -> None:
        """The one choice."""
        self.layout.use_property_split = True
        self.layout.prop(self, "counts")

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """The same movement over other counts."""
        section = section_of(document, index)
        if section.locked:
            raise locked_error(section, index)
        if counts_of(document.beats, section)[1] == self.counts:
            raise PirouetteError("bad_range", f"The section takes {self.counts} counts already.")
        return EditPlan(edits.retime(section, counts=self.counts), select=index)


class PIROUETTE_OT_section_snap(SectionOperator, bpy.types.Operator):
    """Move where the sections begin and end; the movement stays the same"""

    bl_idname = "pirouette.section_snap"
    bl_label = "Snap Sections"
    bl_options = {"UNDO"}

    to: EnumProperty(
        name="To",
        description="What the sections' borders snap to",
        items=(
            ("BEATS", "Beats", "To the nearest beat of the music"),
            ("EIGHTS", "8-Counts", "To the nearest start of an 8-count (6-count in three-four time)"),
            ("STRUCTURE", "Parts of the Music", "To where the music turns into something else"),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        where = {"BEATS": "nearest beat", "EIGHTS": "nearest 8-count", "STRUCTURE": "nearest change in the music"}
        return f"Move the borders of all sections to the {where[properties.to]}; the movement stays the same"

    def plan(self, context: bpy.types.Context, document: DanceDocument, index: int) -> EditPlan:
        """Other borders."""
        return EditPlan(edits.snap(self.to.lower()), select=index)


def section_genre(values: str) -> str:
    """A genre of the menu as the backend knows it."""
    return "" if values == ANY_GENRE else values


CLASSES = (
    PIROUETTE_OT_section_regenerate,
    PIROUETTE_OT_section_delete,
    PIROUETTE_OT_section_duplicate,
    PIROUETTE_OT_section_move,
    PIROUETTE_OT_section_split,
    PIROUETTE_OT_section_merge,
    PIROUETTE_OT_section_mirror,
    PIROUETTE_OT_section_retime,
    PIROUETTE_OT_section_snap,
)
