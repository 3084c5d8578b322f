"""Pirouette: turns the music on a Blender timeline into a dance on an SMPL armature."""


def register() -> None:
    """Make the add-on known to Blender."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take the add-on out of Blender and end its backend."""
    from . import registration

    registration.unregister()
