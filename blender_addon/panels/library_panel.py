"""The library of movements: search, look, take."""

import bpy

from ..core.session import SESSION
from ..scene.armature import find_dancer
from ..scene.preview import preview_objects
from .dance import SidebarPanel, draw_text

_ROWS = 6


class PIROUETTE_UL_phrases(bpy.types.UIList):
    """Name, counts and genre of each phrase."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        """One line for a phrase."""
        row = layout.split(factor=0.62)
        row.label(text=item.name, icon="USER" if item.own else "ASSET_MANAGER")
        details = row.row(align=True)
        details.active = False
        details.label(text=f"{item.counts} counts" if item.counts else f"{item.seconds:.1f} s")


class PIROUETTE_PT_library(SidebarPanel, bpy.types.Panel):
    """Phrases of real dance, and the animator's own."""

    bl_label = "Movement Library"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Search field, list, what is known of the selected phrase, buttons."""
        library, layout = context.window_manager.pirouette_library, self.layout
        column = layout.column(align=True)
        row = column.row(align=True)
        row.prop(library, "query", text="", icon="VIEWZOOM", placeholder="Search movements")
        row.operator("pirouette.library_search", text="", icon="FILE_REFRESH")
        column.prop(library, "genre", text="")
        if not library.searched:
            layout.operator("pirouette.library_search", text="Browse the Library", icon="ASSET_MANAGER")
        elif not library.results:
            layout.label(text="Nothing in the library goes with this.", icon="INFO")
        else:
            layout.template_list("PIROUETTE_UL_phrases", "", library, "results", library, "active", rows=_ROWS)
            if 0 <= library.active < len(library.results):
                _draw_phrase(layout, context, library.results[library.active])
        has_dance = find_dancer(context) is not None
        column = layout.column(align=True)
        column.enabled = has_dance
        column.operator("pirouette.library_add", text="Add to My Library…", icon="ADD")


def _draw_phrase(layout: bpy.types.UILayout, context: bpy.types.Context, item) -> None:
    box = layout.box()
    draw_text(box, context, item.description or item.name, icon="INFO")
    facts = box.column(align=True)
    facts.active, facts.scale_y = False, 0.8
    facts.label(text=", ".join(part for part in (item.genre.replace("_", " "), f"{item.seconds:.1f} s") if part))
    if item.source or item.licence:
        draw_text(facts, context, " · ".join(part for part in (item.source, item.licence) if part), icon="BLANK1")
    row = layout.row(align=True)
    if preview_objects():
        row.operator("pirouette.library_preview_stop", icon="SNAP_FACE")
    row.operator("pirouette.library_preview", icon="PLAY")
    row = layout.row(align=True)
    row.enabled = not SESSION.busy
    row.operator("pirouette.section_insert", text="Insert After", icon="ADD").source = "LIBRARY"
    row.operator("pirouette.section_replace", text="Replace", icon="UV_SYNC_SELECT").source = "LIBRARY"


CLASSES = (PIROUETTE_UL_phrases, PIROUETTE_PT_library)
