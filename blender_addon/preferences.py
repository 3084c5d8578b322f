"""The add-on's preferences: which backend is used, on which device, and where its files are."""

from dataclasses import replace
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from .core.environment import BackendCommand, environment_python, find_backend_command
from .core.errors import PirouetteError
from .core.installation_steps import SetupError
from .core.locations import backend_folder, backend_requirements
from .core.session import SESSION

ADDON = __package__
LICENCE_NOTE = (
    "The bundled dance model was trained on motion data whose licences are in part non-commercial.",
    "Check the model card before you use its dances commercially.",
)
DEVICES = (
    ("auto", "Automatic", "A GPU where there is one, else the CPU"),
    ("cpu", "CPU", "Leave the GPU to Blender"),
    ("cuda", "NVIDIA GPU", "CUDA"),
    ("mps", "Apple GPU", "Metal"),
)


class PirouettePreferences(bpy.types.AddonPreferences):
    """What is the same for all scenes."""

    bl_idname = ADDON

    backend_command: StringProperty(
        name="Backend Command",
        description="Leave empty to use the backend set up here. Else a Python, or a whole command, "
        "such as: ssh gpu-box pirouette-backend serve",
    )
    device: EnumProperty(name="Device", description="Where the backend computes", items=DEVICES)
    log_folder: StringProperty(name="Log Folder", description="Empty: in the add-on's own folder", subtype="DIR_PATH")

    def draw(self, context: bpy.types.Context) -> None:
        """The environment's state first, since nothing works without it."""
        layout = self.layout
        layout.use_property_split = True
        _draw_environment(layout, context)
        layout.prop(self, "device")
        layout.prop(self, "backend_command")
        layout.prop(self, "log_folder")
        note = layout.box().column(align=True)
        for line in LICENCE_NOTE:
            note.label(text=line)


def _draw_environment(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    box = layout.box()
    if SESSION.activity == "setup":
        progress = SESSION.progress
        box.progress(text=SESSION.detail or progress.label, factor=progress.fraction)
        box.operator("pirouette.cancel", icon="X")
        return
    problem = backend_problem(context)
    installed = environment_python(environment_folder()).exists()
    box.label(
        text="The backend is ready." if problem is None else problem.message,
        icon="CHECKMARK" if problem is None else "ERROR",
    )
    row = box.row(align=True)
    row.operator("pirouette.set_up_backend", text="Repair" if installed else "Set Up", icon="IMPORT")
    remove = row.row(align=True)
    remove.enabled = installed
    remove.operator("pirouette.remove_backend", icon="TRASH")
    row.operator("pirouette.copy_report", icon="COPYDOWN")


def preferences(context: bpy.types.Context) -> PirouettePreferences | None:
    """The add-on's preferences; None while it is used without being installed."""
    addon = context.preferences.addons.get(ADDON)
    return None if addon is None else addon.preferences


def user_folder() -> Path:
    """Where the add-on may write: its extension's own folder."""
    try:
        return Path(bpy.utils.extension_path_user(ADDON, create=True))
    except ValueError:  # used from its source folder, which is no extension
        return Path(bpy.utils.user_resource("DATAFILES", path="pirouette", create=True))


def environment_folder() -> Path:
    """The backend's own Python environment."""
    return user_folder() / "environment"


def library_folder() -> Path:
    """The animator's own phrases."""
    return user_folder() / "library"


def log_path(context: bpy.types.Context) -> Path:
    """The log of the backend."""
    chosen = preferences(context)
    folder = Path(bpy.path.abspath(chosen.log_folder)) if chosen and chosen.log_folder else user_folder() / "logs"
    return folder / "backend.log"


def backend_command(context: bpy.types.Context) -> BackendCommand:
    """How the backend is started. Raises PirouetteError no_environment when there is none."""
    chosen = preferences(context)
    try:
        command = find_backend_command(
            backend_folder=backend_folder(),
            environment_folder=environment_folder(),
            preference=chosen.backend_command if chosen else "",
            requirements=(backend_requirements(),),
        )
    except SetupError as error:
        raise PirouetteError(error.code, error.message, error.hint) from error
    device = chosen.device if chosen else "auto"
    if device == "auto" or command.origin == "preference":
        return command
    return replace(command, arguments=(*command.arguments, "--device", device))


def backend_problem(context: bpy.types.Context) -> PirouetteError | None:
    """Why the backend cannot be started, or None."""
    try:
        backend_command(context)
    except PirouetteError as error:
        return error
    return None


CLASSES = (PirouettePreferences,)
