"""Set up, repair and remove the backend's environment, and copy a report for whoever helps."""

import platform
import shutil
import sys
from pathlib import Path

import bpy

from ..core.errors import PirouetteError
from ..core.locations import backend_requirements
from ..core.progress import Progress
from ..core.session import SESSION, log_tail
from ..core.setup_job import SetupJob
from ..preferences import backend_problem, environment_folder, log_path
from ..version import addon_version
from .readiness import BACKEND_PROBLEM
from .stepping import redraw

_TICK_S = 0.2
DOWNLOAD_NOTE = "Downloads about 300 MB and takes about 2 GB on the disk"


def building_python() -> str:
    """The Python that the environment is built on: Blender's own, which stays as it is."""
    return sys.executable


class PIROUETTE_OT_set_up_backend(bpy.types.Operator):
    """Install the dance backend into an environment of its own, apart from Blender's Python"""

    bl_idname = "pirouette.set_up_backend"
    bl_label = "Set Up Backend"

    _timer: bpy.types.Timer | None = None
    _job: SetupJob | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not while something else is under way, and only when Blender may go online."""
        if SESSION.busy:
            cls.poll_message_set("Something else is under way.")
            return False
        if not bpy.app.online_access:
            cls.poll_message_set("Blender may not go online. Allow it in Preferences > System > Network.")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Say what it costs, then begin."""
        return context.window_manager.invoke_confirm(
            self, event, title="Set Up Backend", message=DOWNLOAD_NOTE, confirm_text="Set Up"
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Install: to the end in background mode, else beside Blender."""
        SESSION.begin("setup")
        SESSION.close()
        self._job = SetupJob(environment_folder(), (backend_requirements(),), building_python())
        self._job.start()
        if bpy.app.background or context.window is None:
            self._job.join()
            return self._finish(context)
        self._timer = context.window_manager.event_timer_add(_TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Show how far it is."""
        if event.type != "TIMER" or self._job is None:
            return {"PASS_THROUGH"}
        if SESSION.cancel_requested:
            self._job.cancel()
        state = self._job.state
        SESSION.progress = Progress("setup", state.fraction)
        SESSION.detail = state.label
        redraw(context)
        return self._finish(context) if self._job.ended else {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator."""
        if self._job is not None:
            self._job.cancel()
        self._finish(context)

    def _finish(self, context: bpy.types.Context) -> set[str]:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        error = self._job.error if self._job is not None else None
        cancelled = self._job is not None and self._job.cancelled
        BACKEND_PROBLEM.forget()
        SESSION.end(error=error, warning="Cancelled." if cancelled else "")
        if error is not None:
            self.report({"ERROR"} if bpy.app.background else {"WARNING"}, str(error))
        redraw(context)
        return {"CANCELLED"} if error is not None or cancelled else {"FINISHED"}


class PIROUETTE_OT_remove_backend(bpy.types.Operator):
    """Delete the backend's environment; dances that were made stay"""

    bl_idname = "pirouette.remove_backend"
    bl_label = "Remove"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not while something is under way."""
        if SESSION.busy:
            cls.poll_message_set("Something else is under way.")
        return not SESSION.busy

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event, title="Remove the Backend", confirm_text="Remove")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """End the backend, then delete its folder."""
        SESSION.close(5.0)
        BACKEND_PROBLEM.forget()
        try:
            if environment_folder().exists():
                shutil.rmtree(environment_folder())
        except OSError as error:
            self.report({"ERROR"}, f"The environment could not be removed: {error}.")
            return {"CANCELLED"}
        return {"FINISHED"}


class PIROUETTE_OT_copy_report(bpy.types.Operator):
    """Copy versions, the last error and the end of the backend's log to the clipboard"""

    bl_idname = "pirouette.copy_report"
    bl_label = "Copy Report"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the report on the clipboard."""
        context.window_manager.clipboard = diagnostic_report(context)
        self.report({"INFO"}, "The report is on the clipboard.")
        return {"FINISHED"}


def diagnostic_report(context: bpy.types.Context) -> str:
    """What somebody who helps needs to know; the user's folder is shortened to ``~``."""
    problem: PirouetteError | None = backend_problem(context)
    path = log_path(context)
    lines = [
        f"Pirouette {addon_version()}, Blender {bpy.app.version_string}, Python {platform.python_version()}",
        f"System: {platform.platform()}, {platform.machine()}",
        f"Backend: {'ready' if problem is None else problem}",
        f"Last error: {SESSION.error or 'none'}",
        f"Log {path}:",
        log_tail(path) or "(empty)",
    ]
    return "\n".join(lines).replace(str(Path.home()), "~")


CLASSES = (PIROUETTE_OT_set_up_backend, PIROUETTE_OT_remove_backend, PIROUETTE_OT_copy_report)
