"""Search the library of movements, see a phrase danced, and keep your own."""

from collections.abc import Generator
from contextlib import closing

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..core.dance import Placement, Settings
from ..core.edits import library_add_request, library_get_request, library_request
from ..core.errors import PirouetteError
from ..core.reply import Phrase, added_id, document_from_result, phrases_from_result
from ..core.sections import alone
from ..core.session import SESSION
from ..preferences import backend_command, library_folder, log_path
from ..properties import genre_items
from ..scene.armature import find_dancer
from ..scene.preview import preview_objects, remove_preview, show_preview
from ..version import addon_version
from .editing import document_of
from .encode import encoded_animation
from .making import ask
from .readiness import allowed, problem_before_backend
from .section_base import section_of
from .section_material import chosen_phrase
from .sections import section_genre
from .stepping import Step, StepsOperator, redraw

MOST_RESULTS = 60


class LibraryOperator(StepsOperator):
    """An operator that talks to the backend about its library."""

    _activity = "library"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while nothing else is being made, and with a backend."""
        return allowed(cls, problem_before_backend(context))


class PIROUETTE_OT_library_search(LibraryOperator, bpy.types.Operator):
    """Find movements that go with these words"""

    bl_idname = "pirouette.library_search"
    bl_label = "Search"

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Ask, then list what was found."""
        library, command = context.window_manager.pirouette_library, backend_command(context)
        asked = (library.query, library.genre)
        request = library_request(
            library.query.strip(),
            genre=section_genre(library.genre),
            limit=MOST_RESULTS,
            user_folder=str(library_folder()),
        )
        message = yield from ask(SESSION, request, command, log_path=log_path(context))
        list_phrases(context, phrases_from_result(message))
        self._again = asked != (library.query, library.genre)

    def succeeded(self, context: bpy.types.Context) -> None:
        """Show the list."""
        redraw(context)

    _again = False

    def _end(self, context: bpy.types.Context, **told: object) -> None:
        """Search once more when the words have changed meanwhile."""
        super()._end(context, **told)  # type: ignore[arg-type]
        if self._again and not bpy.app.background:
            self._again = False
            bpy.ops.pirouette.library_search("INVOKE_DEFAULT")


def list_phrases(context: bpy.types.Context, phrases: tuple[Phrase, ...]) -> None:
    """Put what was found into the list."""
    library = context.window_manager.pirouette_library
    library.results.clear()
    for phrase in phrases:
        item = library.results.add()
        item.identity = phrase.id
        for name in ("name", "genre", "description", "licence", "source", "counts", "seconds", "own"):
            setattr(item, name, getattr(phrase, name))
    library.active, library.searched = 0, True


class PIROUETTE_OT_library_preview(LibraryOperator, bpy.types.Operator):
    """See the selected movement danced by a second mannequin beside the dancer; your dance is not touched"""

    bl_idname = "pirouette.library_preview"
    bl_label = "Preview"

    library_id: StringProperty(name="Phrase", description="Empty: the selected one", options={"SKIP_SAVE", "HIDDEN"})

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Fetch the phrase, put the mannequin there, play."""
        identity, command = self.library_id or chosen_phrase(context), backend_command(context)
        request = library_get_request(identity, user_folder=str(library_folder()))
        message = yield from ask(SESSION, request, command, log_path=log_path(context))
        frames = message.array("poses", dtype="<f4", dimensions=(3,)).shape[0]
        document = document_from_result(
            message, settings=Settings(), placement=Placement(1, frames, 30.0), addon_version=addon_version()
        )
        with closing(show_preview(bpy.context, document)) as steps:
            for _ in steps:
                yield Step.WRITE

    def succeeded(self, context: bpy.types.Context) -> None:
        """Play, so that it is seen at once."""
        screen = context.screen if context.window is not None and not bpy.app.background else None
        if screen is not None and not screen.is_animation_playing:
            bpy.ops.screen.animation_play()


class PIROUETTE_OT_library_preview_stop(bpy.types.Operator):
    """Take the preview's mannequin away"""

    bl_idname = "pirouette.library_preview_stop"
    bl_label = "Stop Preview"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when there is one."""
        return bool(preview_objects())

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it, and stop playing."""
        remove_preview()
        if context.window is not None and not bpy.app.background and context.screen.is_animation_playing:
            bpy.ops.screen.animation_cancel(restore_frame=True)
        redraw(context)
        return {"FINISHED"}


class PIROUETTE_OT_library_add(LibraryOperator, bpy.types.Operator):
    """Keep a movement in your own library, to find it again in every file"""

    bl_idname = "pirouette.library_add"
    bl_label = "Add to Library"

    source: EnumProperty(
        name="What",
        description="Which movement is kept",
        items=(
            ("SECTION", "Selected Section", "The section that is selected in the list"),
            ("ANIMATION", "Animation", "What the armature does in the preview range or else in its Action"),
        ),
    )
    section: IntProperty(
        name="Section", description="Counted from 1; 0: the selected one", default=0, min=0,
        options={"SKIP_SAVE", "HIDDEN"},
    )  # fmt: skip
    name: StringProperty(name="Name", description="What you will look for", default="My Movement")
    genre: EnumProperty(name="Genre", description="Its style", items=genre_items)
    description: StringProperty(name="Description", description="What happens in it, in plain words")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the words it is found by."""
        dancer = find_dancer(context)
        if dancer is not None and self.source == "SECTION" and dancer.pirouette.sections:
            item = dancer.pirouette.sections[min(dancer.pirouette.active, len(dancer.pirouette.sections) - 1)]
            self.genre, self.description = item.genre, item.prompt
        return context.window_manager.invoke_props_dialog(self, title="Add to Your Library", confirm_text="Add")

    def draw(self, context: bpy.types.Context) -> None:
        """What, and the words."""
        self.layout.use_property_split = True
        for name in ("source", "name", "genre", "description"):
            self.layout.prop(self, name)

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read it, with its codes, and hand it to the backend to keep."""
        dancer, command, log = find_dancer(context), backend_command(context), log_path(context)
        if dancer is None:
            raise PirouetteError("no_take", "There is no dancer.", "Select one.")
        if not self.name.strip():
            raise PirouetteError("bad_request", "The movement has no name.", "Give it one.")
        if self.source == "SECTION":
            document = document_of(dancer)
            index = self.section - 1 if self.section else dancer.pirouette.active
            section_of(document, index)
            document = alone(document, index)
        else:
            document = yield from encoded_animation(context, dancer, command)
        request = library_add_request(
            document,
            name=self.name.strip(),
            genre=section_genre(self.genre),
            description=self.description.strip(),
            user_folder=str(library_folder()),
        )
        library_folder().mkdir(parents=True, exist_ok=True)
        added_id((yield from ask(SESSION, request, command, log_path=log)))

    def succeeded(self, context: bpy.types.Context) -> None:
        """Say so."""
        self.report({"INFO"}, f"“{self.name.strip()}” is in your library.")


CLASSES = (
    PIROUETTE_OT_library_search,
    PIROUETTE_OT_library_preview,
    PIROUETTE_OT_library_preview_stop,
    PIROUETTE_OT_library_add,
)
