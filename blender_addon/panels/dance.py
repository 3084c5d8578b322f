"""The panel in which a dance is asked for."""

import textwrap

import bpy

from ..core.errors import PirouetteError
from ..core.progress import in_words
from ..core.session import SESSION
from ..operators.directing import directed_in_words
from ..operators.readiness import fix_for, problem_before_dance
from ..scene.strips import chosen_range, music_scene
from ..scene.timing import scene_fps

CATEGORY = "Dance"
_WIDE_PX = 320  # a narrower sidebar has no room for words in a list
_PIXELS_A_CHARACTER = 6.5  # of the interface's font at scale 1


class SidebarPanel:
    """Where every panel of Pirouette is: the 3D view's sidebar, in a tab of its own."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY


class PIROUETTE_PT_dance(SidebarPanel, bpy.types.Panel):
    """Source, genre, prompt and seed; Generate and Cancel; how far it is and what went wrong."""

    bl_label = "Generate Dance"

    def draw(self, context: bpy.types.Context) -> None:
        """Top to bottom in the order in which an animator decides."""
        layout = self.layout
        choices = layout.column()
        choices.enabled = SESSION.activity != "dance"
        _draw_source(choices, context)
        _draw_prompt(choices, context)
        _draw_button(layout, context)


def _draw_source(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.pirouette
    column = layout.column(align=True)
    column.prop(settings, "source", text="", icon="SOUND")
    if settings.source == "STRIP":
        column.prop(settings, "strip", text="", icon="SEQ_SEQUENCER")
    line = column.row()
    line.active = False
    line.label(text=_range_in_words(context))


def _range_in_words(context: bpy.types.Context) -> str:
    settings = context.scene.pirouette
    scene = music_scene(context) if settings.source == "STRIP" else context.scene
    try:
        frames = chosen_range(scene, source=settings.source, strip_name=settings.strip)
    except PirouetteError as error:
        return error.message
    return f"Frames {frames.first} – {frames.last}, {frames.duration_s(scene_fps(scene)):.1f} s"


def _draw_prompt(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.pirouette
    column = layout.column(align=True)
    column.prop(settings, "genre", text="")
    column.prop(settings, "prompt", text="", icon="TEXT", **_placeholder("Describe the dance"))
    row = layout.row(align=True)
    row.prop(settings, "seed")
    row.prop(settings, "new_seed", text="", icon="FILE_REFRESH")


def _placeholder(text: str) -> dict[str, str]:
    """``prop`` shows a grey text in an empty field from Blender 4.2 on."""
    return {"placeholder": text}


def _draw_button(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    if SESSION.activity == "dance":
        progress = SESSION.progress
        column = layout.column(align=True)
        column.scale_y = 1.5
        column.operator("pirouette.cancel", icon="X")
        layout.progress(text=progress.label, factor=progress.fraction)
        line = layout.row()
        line.active = False
        line.label(text=in_words(progress.time_left_s) or " ")
        return
    problem = problem_before_dance(context)
    column = layout.column(align=True)
    column.scale_y = 1.5
    column.operator("pirouette.generate_dance", icon="PLAY")
    directed = directed_in_words(context)
    if directed:
        draw_text(layout, context, f"Follows {directed}", icon="CHECKMARK")
    if problem is not None and problem.code != "busy":
        draw_problem(layout, context, problem)
    elif SESSION.error is not None:
        draw_problem(layout, context, SESSION.error)
    elif SESSION.warning:
        draw_text(layout, context, SESSION.warning, icon="INFO")


def draw_problem(layout: bpy.types.UILayout, context: bpy.types.Context, problem: PirouetteError) -> None:
    """One sentence, and one button that helps where there is one."""
    box = layout.box()
    fix = fix_for(problem)
    text = problem.message if fix is not None else str(problem)
    draw_text(box, context, text, icon="ERROR")
    if fix is not None:
        box.operator(fix.operator, text=fix.text, icon=fix.icon)


def is_wide(context: bpy.types.Context) -> bool:
    """Whether the sidebar has room for words in a list."""
    scale = context.preferences.system.ui_scale or 1.0
    return context.region is not None and context.region.width > _WIDE_PX * scale


def draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, *, icon: str) -> None:
    """A sentence, broken to the sidebar's width, which Blender's labels are not."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 where there is no window
    width = max(20, int((context.region.width / scale - 60) / _PIXELS_A_CHARACTER)) if context.region else 40
    column = layout.column(align=True)
    column.scale_y = 0.8
    for index, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1")


class PIROUETTE_PT_more(SidebarPanel, bpy.types.Panel):
    """What is rarely changed."""

    bl_label = "More"
    bl_parent_id = "PIROUETTE_PT_dance"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """What of the shown take counts, how a long dance is made, which model makes new movement."""
        settings, layout = context.scene.pirouette, self.layout
        column = layout.column(heading="Follow")
        column.prop(settings, "section_words")
        column.prop(settings, "locked_sections")
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "strategy")
        column.prop(settings, "reuse")
        column.prop(settings, "novelty", slider=True)
        layout.row().prop(settings, "model", expand=True)


CLASSES = (PIROUETTE_PT_dance, PIROUETTE_PT_more)
