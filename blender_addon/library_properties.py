"""``window_manager.pirouette_library``: what was searched in the library and what was found. Not saved."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .core.session import SESSION
from .properties import genre_items


def _search(library: object, context: bpy.types.Context) -> None:
    """Search while the animator types, where there is a window to wait in."""
    if not bpy.app.background and context.window is not None and not SESSION.busy:
        bpy.ops.pirouette.library_search("INVOKE_DEFAULT")


class PhraseItem(bpy.types.PropertyGroup):
    """A phrase that was found."""

    bl_idname = "PIROUETTE_PG_phrase"

    name: StringProperty(name="Name", description="What the movement is called")
    identity: StringProperty(options={"HIDDEN"})
    genre: StringProperty(name="Genre", description="The style it was danced in")
    description: StringProperty(name="Description", description="What happens in it")
    licence: StringProperty(name="Licence", description="What you may do with it")
    source: StringProperty(name="From", description="Who danced it, or where it was recorded")
    counts: IntProperty(name="Counts", description="How many beats it takes")
    seconds: FloatProperty(name="Seconds", description="How long it is")
    own: BoolProperty(name="Yours", description="Whether you have added it")


class LibraryProperties(bpy.types.PropertyGroup):
    """The library panel's state."""

    bl_idname = "PIROUETTE_PG_library"

    query: StringProperty(
        name="Search",
        description="What you look for, in plain words, such as: pirouette, basic step salsa, arms overhead",
        update=_search,
    )
    genre: EnumProperty(name="Genre", description="Only movements of this style", items=genre_items, update=_search)
    results: CollectionProperty(type=PhraseItem)
    active: IntProperty(name="Phrase", description="The movement that the buttons work on", default=0, min=0)
    searched: BoolProperty(options={"HIDDEN"})


CLASSES = (PhraseItem, LibraryProperties)


def attach() -> None:
    """Give the window manager its library."""
    bpy.types.WindowManager.pirouette_library = PointerProperty(name="Library", type=LibraryProperties)


def detach() -> None:
    """Take it away."""
    del bpy.types.WindowManager.pirouette_library
