"""Copy a section, lock it, show another take: what needs no backend. The clipboard outlives the file it is from."""

import bpy
from bpy.props import EnumProperty, IntProperty

from ..core.dance import DanceDocument, Section
from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..scene.armature import find_dancer
from ..scene.section_list import mark_sections, section_at_frame, show_sections
from ..scene.takes import hear_take
from .carrying import shown_on
from .editing import document_of
from .watching import WATCH


class Clipboard:
    """The section that was copied last."""

    def __init__(self) -> None:
        self._content: tuple[DanceDocument, Section] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was copied."""
        return self._content is None

    def put(self, document: DanceDocument, section: Section) -> None:
        """Copy a section."""
        self._content = (document, section)

    def content(self) -> tuple[DanceDocument, Section]:
        """The dance and its section that was copied. Raises PirouetteError."""
        if self._content is None:
            raise PirouetteError("bad_request", "No section was copied.", "Copy one first.")
        return self._content

    def in_words(self) -> str:
        """What was copied, for a label."""
        if self._content is None:
            return "No section was copied."
        section = self._content[1]
        return f"“{section.name}”, {section.end_s - section.start_s:.1f} s"


CLIPBOARD = Clipboard()


class DocumentOperator:
    """An operator on the current take that needs no backend."""

    section: IntProperty(
        name="Section", description="Which section, counted from 1; 0: the one that is selected", default=0, min=0,
        options={"SKIP_SAVE", "HIDDEN"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only on a dancer, while nothing is being made."""
        if SESSION.busy:
            cls.poll_message_set("Something is being made.")
            return False
        dancer = find_dancer(context)
        if dancer is None or not dancer.pirouette.sections:
            cls.poll_message_set("There is no dance to edit.")
            return False
        return True

    def chosen(self, dancer: bpy.types.Object) -> int:
        """The number of the section, from 0. Raises PirouetteError."""
        index = self.section - 1 if self.section else dancer.pirouette.active
        if not 0 <= index < len(dancer.pirouette.sections):
            raise PirouetteError("bad_range", f"There is no section {index + 1}.")
        return index

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """The work. Raises PirouetteError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it at once."""
        try:
            self.act(context, find_dancer(context))
        except PirouetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class PIROUETTE_OT_section_copy(DocumentOperator, bpy.types.Operator):
    """Copy this section, to paste it elsewhere in this dance or into another"""

    bl_idname = "pirouette.section_copy"
    bl_label = "Copy"

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Keep it in mind."""
        document = document_of(dancer)
        CLIPBOARD.put(document, document.sections[self.chosen(dancer)])


class PIROUETTE_OT_section_lock(DocumentOperator, bpy.types.Operator):
    """Lock or unlock this section: nothing changes, moves or blends into a locked one"""

    bl_idname = "pirouette.section_lock"
    bl_label = "Lock"
    bl_options = {"UNDO"}

    state: EnumProperty(
        name="State",
        description="Whether it is locked afterwards",
        items=(
            ("TOGGLE", "Toggle", "The other than now"),
            ("LOCK", "Locked", "Nothing changes it"),
            ("UNLOCK", "Free", "It may be changed"),
        ),
        options={"SKIP_SAVE"},
    )

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Write it into the document."""
        item = dancer.pirouette.sections[self.chosen(dancer)]
        item.locked = not item.locked if self.state == "TOGGLE" else self.state == "LOCK"


class PIROUETTE_OT_section_select(DocumentOperator, bpy.types.Operator):
    """Select the section that is danced at the current frame"""

    bl_idname = "pirouette.section_select"
    bl_label = "Select Section at Playhead"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """The one asked for, or the one at the playhead."""
        found = self.section - 1 if self.section else section_at_frame(dancer, context.scene.frame_current)
        if found is None:
            raise PirouetteError("bad_range", "Nothing is danced at this frame.")
        dancer.pirouette.active = found


class PIROUETTE_OT_show_take(DocumentOperator, bpy.types.Operator):
    """Show this take on the dancer, silence the others and list its sections"""

    bl_idname = "pirouette.show_take"
    bl_label = "Show Take"
    bl_options = {"UNDO"}

    take: IntProperty(name="Take", description="The number of the take", default=1, min=1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only on a dancer, while nothing is being made."""
        return not SESSION.busy and find_dancer(context) is not None

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Mute and unmute, then list."""
        hear_take(dancer, self.take)
        shown_on(dancer, self.take)
        show_sections(dancer)
        mark_sections(context.scene, dancer)
        WATCH.look_again()


CLASSES = (
    PIROUETTE_OT_section_copy,
    PIROUETTE_OT_section_lock,
    PIROUETTE_OT_section_select,
    PIROUETTE_OT_show_take,
)
