"""SMPL bodies from the animator's own file: a new one, and another shape for one that is there."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..body_properties import shape_numbers
from ..core.errors import PirouetteError
from ..core.session import SESSION
from ..core.smpl_body import SmplBody, body_from_result, body_request
from ..preferences import backend_command, log_path
from ..scene.character import find_character
from ..scene.smpl_body import create_body, reshape_body
from .character_base import CharacterSteps, look_for_bones
from .making import ask
from .readiness import allowed, problem_before_backend
from .stepping import Step

ACTIVITY = "body"


class BodyOperator(CharacterSteps):
    """An operator that asks the backend for a body."""

    _activity = ACTIVITY

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while nothing else is being made, and with a backend."""
        return allowed(cls, problem_before_backend(context))


def _asked_body(context: bpy.types.Context, file: str, betas: Sequence[float]) -> Generator[Step, None, SmplBody]:
    """The body of a file in a shape. Raises PirouetteError, Cancelled."""
    path = Path(bpy.path.abspath(file))
    if not file or not path.is_file():
        raise PirouetteError(
            "missing_file",
            f"“{file}” is no file." if file else "No body file is chosen.",
            "Choose your own SMPL, SMPL-H or SMPL-X file.",
        )
    request = body_request(path, list(betas))
    message = yield from ask(SESSION, request, backend_command(context), log_path=log_path(context))
    return body_from_result(message)


class PIROUETTE_OT_add_smpl_body(BodyOperator, bpy.types.Operator):
    """Add a body from your own SMPL, SMPL-H or SMPL-X file, ready to take the dance; nothing in the file is run"""

    bl_idname = "pirouette.add_smpl_body"
    bl_label = "Add SMPL Body"
    bl_options = {"UNDO"}

    filepath: StringProperty(
        name="File",
        description="Empty: the file that is chosen in the panel",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: StringProperty(default="*.npz;*.pkl", options={"HIDDEN"})
    betas: shape_numbers()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for a file where none is chosen."""
        if self.filepath or context.scene.pirouette_body_file:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read, build, find its bones: it is the character now."""
        file = self.filepath or context.scene.pirouette_body_file
        betas = tuple(self.betas)
        body = yield from _asked_body(context, file, betas)
        context = bpy.context
        armature = create_body(context, body)
        kept = armature.pirouette_body
        kept.file, kept.kind, kept.shapes, kept.betas = file, body.kind, body.shapes, betas
        context.scene.pirouette_body_file = file
        context.scene.pirouette.character = armature
        look_for_bones(armature)


class PIROUETTE_OT_shape_smpl_body(BodyOperator, bpy.types.Operator):
    """Give the body these shape numbers; its animation stays, and Retarget fits it to the new shape"""

    bl_idname = "pirouette.shape_smpl_body"
    bl_label = "Apply Shape"
    bl_options = {"UNDO"}

    betas: shape_numbers()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """On a character that was made from a file."""
        if shaped_character(context) is None:
            cls.poll_message_set("The character is no SMPL body that was added here.")
            return False
        return super().poll(context)

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Read, move bones and skin."""
        armature = shaped_character(context)
        kept, name = armature.pirouette_body, armature.name
        betas = tuple(self.betas if self.properties.is_property_set("betas") else kept.betas)
        body = yield from _asked_body(context, kept.file, betas)
        armature = bpy.data.objects.get(name)
        if armature is None:
            raise PirouetteError("no_take", f"“{name}” is no longer there.")
        reshape_body(bpy.context, armature, body)
        armature.pirouette_body.betas = betas
        if armature.pirouette_character.dancer is not None:
            SESSION.warning = "Retarget again, so that the feet of the new shape meet the floor."


def shaped_character(context: bpy.types.Context) -> bpy.types.Object | None:
    """The character, if it is a body made from a file."""
    character = find_character(context)
    return character if character is not None and character.pirouette_body.file else None


CLASSES = (PIROUETTE_OT_add_smpl_body, PIROUETTE_OT_shape_smpl_body)
