"""The list of the dance's sections, and what can be done with the selected one."""

import bpy

from ..core.errors import PirouetteError
from ..core.progress import in_words
from ..core.session import SESSION
from ..operators.readiness import fix_for
from ..operators.watching import WATCH
from ..scene.armature import find_dancer
from ..scene.storage import take_numbers
from ..scene.takes import find_take, is_heard, takes
from .dance import SidebarPanel, draw_problem, draw_text, is_wide

_ROWS = 6


class PIROUETTE_UL_sections(bpy.types.UIList):
    """Name, counts, words and lock of each section."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        """One line for a section."""
        edited = WATCH.edited(item.id_data)
        row = layout.row(align=True)
        if edited:
            row.label(text="", icon="VIEW_PAN" if item.number in edited else "BLANK1")
        wide = is_wide(context)
        split = row.split(factor=0.3 if wide else 0.5)
        split.prop(item, "name", text="", emboss=False)
        if wide:
            split = split.split(factor=0.3)
        split.label(text=item.counts)
        if wide:
            words = split.row(align=True)
            words.active = False
            words.label(text=in_short(item))
        row.prop(item, "locked", text="", icon="LOCKED" if item.locked else "UNLOCKED", emboss=False)


def in_short(item) -> str:
    """The words of a section: its genre, then its prompt."""
    genre = item.bl_rna.properties["genre"].name and item.genre
    shown = "" if genre == "ANY" else genre.replace("_", " ")
    return ", ".join(part for part in (shown, item.prompt) if part)


class PIROUETTE_PT_sections(SidebarPanel, bpy.types.Panel):
    """The sections of the current take."""

    bl_label = "Sections"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only on a dancer."""
        return find_dancer(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Take, list, the selected section, buttons."""
        dancer, layout = find_dancer(context), self.layout
        if dancer is None:
            return
        shown = dancer.pirouette
        _draw_take(layout, dancer)
        if shown.problem:
            draw_text(layout.box(), context, shown.problem, icon="ERROR")
            return
        if not shown.sections:
            layout.operator("pirouette.encode_animation", icon="ARMATURE_DATA")
            return
        _draw_list(layout, dancer)
        if 0 <= shown.active < len(shown.sections):
            _draw_selected(layout, context, shown.sections[shown.active])
        _draw_state(layout, context)


def _draw_take(layout: bpy.types.UILayout, dancer: bpy.types.Object) -> None:
    take = find_take(dancer)
    name = take.name if take is not None else "No take"
    row = layout.row(align=True)
    row.menu("PIROUETTE_MT_takes", text=name, icon="NLA")
    if take is not None and not is_heard(dancer, take):
        row.operator("pirouette.show_take", text="", icon="HIDE_ON").take = take.number


def _draw_list(layout: bpy.types.UILayout, dancer: bpy.types.Object) -> None:
    shown = dancer.pirouette
    row = layout.row()
    row.template_list("PIROUETTE_UL_sections", "", shown, "sections", shown, "active", rows=_ROWS)
    side = row.column(align=True)
    side.operator("pirouette.section_insert", text="", icon="ADD")
    side.operator("pirouette.section_delete", text="", icon="REMOVE")
    side.separator()
    side.operator("pirouette.section_move", text="", icon="TRIA_UP").direction = "UP"
    side.operator("pirouette.section_move", text="", icon="TRIA_DOWN").direction = "DOWN"
    side.separator()
    side.menu("PIROUETTE_MT_section", text="", icon="DOWNARROW_HLT")


def _draw_selected(layout: bpy.types.UILayout, context: bpy.types.Context, item) -> None:
    settings = context.scene.pirouette
    column = layout.column(align=True)
    column.enabled = not item.locked and not SESSION.busy
    column.prop(item, "genre", text="")
    column.prop(item, "prompt", text="", icon="TEXT", placeholder="What happens in this section")
    column.prop(item, "seed")
    column.prop(settings, "strength", slider=True)
    buttons = layout.column(align=True)
    buttons.enabled = not item.locked
    row = buttons.row(align=True)
    row.scale_y = 1.3
    row.operator("pirouette.section_regenerate", icon="FILE_REFRESH")
    row.operator("pirouette.section_regenerate", text="New Seed", icon="MOD_NOISE").draw_seed = True
    row = buttons.row(align=True)
    row.operator("pirouette.section_replace", text="Replace")
    row.operator("pirouette.section_mirror", text="Mirror")
    row.operator("pirouette.section_retime", text="Retime")
    row.operator("pirouette.section_transfer", text="Transfer")


def _draw_state(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    if SESSION.activity in ("edit", "library"):
        progress = SESSION.progress
        row = layout.row(align=True)
        at_first = "Looking in the library" if SESSION.activity == "library" else "Reading the keys"
        row.progress(text=progress.label or at_first, factor=progress.fraction)
        row.operator("pirouette.cancel", text="", icon="X")
        if progress.time_left_s is not None:
            layout.label(text=in_words(progress.time_left_s))
    elif SESSION.error is not None:
        problem: PirouetteError = SESSION.error
        if fix_for(problem) is None:
            draw_problem(layout, context, problem)


class PIROUETTE_PT_section_view(SidebarPanel, bpy.types.Panel):
    """How sections are shown and selected."""

    bl_label = "Display"
    bl_parent_id = "PIROUETTE_PT_sections"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The four choices."""
        settings = context.scene.pirouette
        column = self.layout.column(heading="Selecting")
        column.prop(settings, "section_range")
        column.prop(settings, "section_jump")
        column = self.layout.column(heading="Timeline")
        column.prop(settings, "section_strips", text="Strips")
        column.prop(settings, "section_markers")


class PIROUETTE_MT_takes(bpy.types.Menu):
    """The takes of the dancer"""

    bl_label = "Takes"
    bl_description = "Show another take on the dancer and list its sections"

    def draw(self, context: bpy.types.Context) -> None:
        """One line for each take that has a document."""
        dancer = find_dancer(context)
        if dancer is None:
            return
        known = set(take_numbers(dancer))
        for take in takes(dancer):
            if take.number in known:
                current = take.number == dancer.pirouette.take
                icon = "RADIOBUT_ON" if current else "RADIOBUT_OFF"
                self.layout.operator("pirouette.show_take", text=take.name, icon=icon).take = take.number
        self.layout.separator()
        self.layout.operator("pirouette.encode_animation", icon="ARMATURE_DATA")


class PIROUETTE_MT_section(bpy.types.Menu):
    """What else can be done with the selected section"""

    bl_label = "Section"
    bl_description = "What else can be done with the selected section"

    def draw(self, context: bpy.types.Context) -> None:
        """Groups of a kind."""
        layout = self.layout
        layout.operator("pirouette.section_copy", icon="COPYDOWN")
        layout.operator("pirouette.section_paste", icon="PASTEDOWN")
        layout.operator("pirouette.section_duplicate", icon="DUPLICATE")
        layout.separator()
        layout.operator("pirouette.section_split", icon="SNAP_MIDPOINT")
        layout.operator("pirouette.section_merge", icon="AUTOMERGE_ON")
        layout.separator()
        layout.operator("pirouette.section_lock", text="Lock or Unlock", icon="LOCKED")
        layout.operator("pirouette.section_select", icon="TRACKER")
        layout.separator()
        for to, text in (("BEATS", "Beats"), ("EIGHTS", "8-Counts"), ("STRUCTURE", "Parts of the Music")):
            layout.operator("pirouette.section_snap", text=f"Snap All to {text}", icon="SNAP_ON").to = to
        layout.separator()
        layout.operator("pirouette.library_add", text="Add to My Library…", icon="ASSET_MANAGER").source = "SECTION"
        layout.operator("pirouette.encode_animation", icon="ARMATURE_DATA")


CLASSES = (
    PIROUETTE_UL_sections,
    PIROUETTE_MT_takes,
    PIROUETTE_MT_section,
    PIROUETTE_PT_sections,
    PIROUETTE_PT_section_view,
)
