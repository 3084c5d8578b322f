"""``object.pirouette`` on a dancer: its sections as a list that can be shown, selected and written in.

The truth is the take's document. The list mirrors it, and what the animator writes in the list goes into the document.
"""

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from .core.errors import PirouetteError
from .core.genres import ANY_GENRE
from .core.session import SESSION
from .lock_properties import LockItem
from .properties import genre_items
from .scene.section_list import LISTING, replace_words, select_range


def _writes(field: str) -> Callable[[Any, bpy.types.Context], None]:
    """An update callback that takes one field of a section over into the document."""

    def write(item: Any, context: bpy.types.Context) -> None:
        if LISTING.under_way:
            return
        value = getattr(item, field)
        value = "" if field == "genre" and value == ANY_GENRE else value
        try:
            replace_words(item.id_data, item.number, **{field: value})
        except PirouetteError as error:
            SESSION.error = error

    return write


def _selected(dancer: Any, context: bpy.types.Context) -> None:
    if not LISTING.under_way:
        select_range(context, dancer.id_data)


class SectionItem(bpy.types.PropertyGroup):
    """A section in the list."""

    bl_idname = "PIROUETTE_PG_section"

    name: StringProperty(name="Name", description="What you call this part of the dance", update=_writes("name"))
    genre: EnumProperty(
        name="Genre",
        description="The style that this section is danced in when it is regenerated",
        items=genre_items,
        update=_writes("genre"),
    )
    prompt: StringProperty(
        name="Prompt",
        description="What happens in this section, in plain words; heard when it is regenerated",
        update=_writes("prompt"),
    )
    seed: IntProperty(
        name="Seed",
        description="Same seed, same words, same neighbours: same movement",
        min=0,
        max=2**31 - 1,
        update=_writes("seed"),
    )
    locked: BoolProperty(
        name="Lock",
        description="Nothing changes, moves or blends into a locked section",
        update=_writes("locked"),
    )
    number: IntProperty(options={"HIDDEN"})
    counts: StringProperty(options={"HIDDEN"})
    first_frame: IntProperty(options={"HIDDEN"})
    last_frame: IntProperty(options={"HIDDEN"})


class DancerProperties(bpy.types.PropertyGroup):
    """What a dancer shows of its current take."""

    bl_idname = "PIROUETTE_PG_dancer"

    sections: CollectionProperty(type=SectionItem)
    active: IntProperty(
        name="Section", description="The section that the buttons work on", default=0, min=0, update=_selected
    )
    take: IntProperty(options={"HIDDEN"})
    problem: StringProperty(options={"HIDDEN"})
    locks: CollectionProperty(type=LockItem)
    active_lock: IntProperty(name="Lock", description="The pose or place that the buttons work on", default=0, min=0)


CLASSES = (SectionItem, DancerProperties)


def attach() -> None:
    """Give every object its list."""
    bpy.types.Object.pirouette = PointerProperty(name="Pirouette", type=DancerProperties)


def detach() -> None:
    """Take the lists away; the documents stay."""
    del bpy.types.Object.pirouette
