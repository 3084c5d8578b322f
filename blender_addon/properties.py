"""``scene.pirouette``: what the animator chooses for a dance, and, read-only, how it is going."""

from collections.abc import Iterator

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .core.errors import PirouetteError
from .core.genres import ANY_GENRE, read_genres
from .core.locations import vocabulary_file
from .core.session import SESSION
from .direction_properties import DirectionSettings
from .scene.armature import find_dancer, is_dancer
from .scene.character import is_character
from .scene.section_list import mark_sections
from .scene.strips import sound_strips

EnumItem = tuple[str, str, str, int]

SOURCES = (
    ("SCENE", "Scene Range", "Dance over the scene's frame range, to everything that is heard in it"),
    ("PREVIEW", "Preview Range", "Dance over the preview range, to everything that is heard in it"),
    ("STRIP", "Strip", "Dance over one sound strip, to that strip alone"),
)
_ANY_ITEM: EnumItem = (ANY_GENRE, "Any", "Let the music and the prompt decide", 0)
# Blender keeps no reference to the texts of a dynamic menu, so they must live as long as the add-on.
_genre_items: list[EnumItem] = []


def genre_items(owner: object, context: bpy.types.Context | None) -> list[EnumItem]:
    """The genre menu: Any, then every genre of the backend's vocabulary."""
    if not _genre_items:
        _genre_items.append(_ANY_ITEM)
        try:
            genres = read_genres(vocabulary_file())
        except PirouetteError as error:
            SESSION.error = error
            genres = ()
        _genre_items.extend((genre.name, genre.label, genre.description, genre.number) for genre in genres)
    return _genre_items


def _strip_names(owner: object, context: bpy.types.Context, text: str) -> Iterator[str]:
    return (strip.name for strip in sound_strips(context.scene) if text.lower() in strip.name.lower())


def _stage(owner: object) -> str:
    return SESSION.progress.label


def _progress(owner: object) -> float:
    return SESSION.progress.fraction


def _time_left(owner: object) -> float:
    left = SESSION.progress.time_left_s
    return -1.0 if left is None else left


def _last_error(owner: object) -> str:
    return "" if SESSION.error is None else str(SESSION.error)


def _last_warning(owner: object) -> str:
    return SESSION.warning


class DanceSettings(DirectionSettings, bpy.types.PropertyGroup):
    """Settings of the next dance of a scene."""

    bl_idname = "PIROUETTE_PG_dance_settings"

    source: EnumProperty(name="Source", description="Which part of the timeline is danced", items=SOURCES)
    strip: StringProperty(
        name="Strip", description="The sound strip to dance to", search=_strip_names, search_options={"SORT"}
    )
    genre: EnumProperty(name="Genre", description="The style of the dance", items=genre_items)
    prompt: StringProperty(
        name="Prompt",
        description="What the dance is like, in plain words: its movements, its mood, its character",
    )
    seed: IntProperty(
        name="Seed", description="Same seed, same settings, same music: same dance", default=1, min=0, max=2**31 - 1
    )
    new_seed: BoolProperty(
        name="New Seed Each Time", description="Draw another seed for every dance, for variations of it", default=False
    )
    model: EnumProperty(
        name="Made From",
        description="What new movement is made from, whole dances and sections alike",
        items=(
            ("MOTION", "Motion", "Make every frame anew: lively and on the beat"),
            (
                "CODE",
                "Codes",
                "Put the dance together from codes of real dance: calmer, and it hardly hears the beat yet",
            ),
        ),
        default="MOTION",
    )
    dancer: PointerProperty(
        name="Dancer",
        description="The armature that new takes go on; empty makes a new one",
        type=bpy.types.Object,
        poll=lambda self, candidate: is_dancer(candidate),
    )
    character: PointerProperty(
        name="Character",
        description="Your own rigged character, which the dance is put on",
        type=bpy.types.Object,
        poll=lambda self, candidate: is_character(candidate),
    )
    show_bone_map: BoolProperty(
        name="Show Stick Figure",
        description="Draw the bones that were found over the character, left and right in two colours, as a check",
        default=True,
    )
    retarget_report: StringProperty(
        name="Retargeting", description="How the dance came out on the character, as JSON", options={"HIDDEN"}
    )
    strength: FloatProperty(
        name="Strength",
        description="How far a regenerated section may go from what is danced there now: 0 varies it a little, "
        "1 makes something new",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    section_range: BoolProperty(
        name="Preview Range Follows",
        description="Selecting a section sets the preview range to it, so that playback repeats just that part",
        default=True,
    )
    section_jump: BoolProperty(
        name="Jump to Section", description="Selecting a section goes to its first frame", default=False
    )
    section_strips: BoolProperty(
        name="Show Sections in the Timeline",
        description="Draw the sections as strips along the lower edge of the timeline",
        default=True,
        update=lambda settings, context: redraw_timelines(context),
    )
    section_markers: BoolProperty(
        name="Markers",
        description="Put a timeline marker where each section starts; your own markers are never touched",
        default=False,
        update=lambda settings, context: mark_sections(context.scene, find_dancer(context)),
    )
    # Read-only, and of this Blender alone: nothing of it is saved or undone.
    stage: StringProperty(name="Stage", description="What is being done", get=_stage)
    progress: FloatProperty(
        name="Progress", description="How much of the dance is done", get=_progress, min=0.0, max=1.0
    )
    time_left: FloatProperty(name="Time Left", description="Seconds; -1 while unknown", get=_time_left)
    last_error: StringProperty(name="Last Error", description="What went wrong last", get=_last_error)
    last_warning: StringProperty(
        name="Last Warning", description="What to know about the last dance", get=_last_warning
    )


def redraw_timelines(context: bpy.types.Context) -> None:
    """Draw the timelines again, where the sections are shown."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "DOPESHEET_EDITOR":
                area.tag_redraw()


CLASSES = (DanceSettings,)


def attach() -> None:
    """Give every scene its settings."""
    bpy.types.Scene.pirouette = PointerProperty(name="Pirouette", type=DanceSettings)


def detach() -> None:
    """Take the settings away."""
    del bpy.types.Scene.pirouette
    _genre_items.clear()
