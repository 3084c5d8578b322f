"""Every class of the add-on, in the order in which Blender must learn of them."""

from __future__ import annotations

import atexit

import bpy

from . import preferences, properties
from .core.session import SESSION
from .operators import environment, generate, song
from .panels import dance, result, setup

_CLASSES: tuple[type, ...] = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *generate.CLASSES,
    *song.CLASSES,
    *environment.CLASSES,
    *dance.CLASSES,
    *result.CLASSES,
    *setup.CLASSES,
)
_CLOSE_PATIENCE_S = 5.0


def _close_backend() -> None:
    SESSION.close(_CLOSE_PATIENCE_S)


def register() -> None:
    """Register all classes and ``scene.pirouette``."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    properties.attach()
    atexit.register(_close_backend)


def unregister() -> None:
    """Undo ``register`` and end the backend."""
    atexit.unregister(_close_backend)
    _close_backend()
    properties.detach()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
