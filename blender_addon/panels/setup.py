"""How the installation of the backend is going, where the animator is waiting for it."""

import bpy

from ..core.session import SESSION
from .dance import SidebarPanel


class PIROUETTE_PT_setup(SidebarPanel, bpy.types.Panel):
    """Only there while the backend is being set up."""

    bl_label = "Setting Up"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """While it is being set up."""
        return SESSION.activity == "setup"

    def draw(self, context: bpy.types.Context) -> None:
        """A bar, and a way out."""
        self.layout.progress(text=SESSION.detail or "Starting", factor=SESSION.progress.fraction)
        self.layout.operator("pirouette.cancel", icon="X")


CLASSES = (PIROUETTE_PT_setup,)
