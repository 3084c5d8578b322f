"""Every class of the add-on, in the order in which Blender must learn of them."""

from __future__ import annotations

import atexit

import bpy

from . import (
    body_properties,
    character_properties,
    library_properties,
    lock_properties,
    preferences,
    properties,
    section_properties,
)
from .core.session import SESSION
from .operators import (
    beats,
    body,
    bone_map,
    character_preview,
    clipboard,
    contacts,
    encode,
    environment,
    export,
    generate,
    going_on,
    library,
    locks,
    retarget,
    section_material,
    sections,
    song,
    watching,
    waypoints,
)  # fmt: skip
from .panels import (
    beats_panel,
    body_panel,
    character_overlay,
    character_panel,
    contacts_panel,
    dance,
    export_panel,
    floor,
    going_on_panel,
    library_panel,
    locks_panel,
    result,
    sections_panel,
    setup,
    timeline,
)  # fmt: skip
from .scene import character_preview as shown_dance
from .scene import preview

_CLASSES: tuple[type, ...] = (
    *properties.CLASSES,
    *lock_properties.CLASSES,
    *section_properties.CLASSES,
    *library_properties.CLASSES,
    *character_properties.CLASSES,
    *body_properties.CLASSES,
    *preferences.CLASSES,
    *generate.CLASSES,
    *song.CLASSES,
    *environment.CLASSES,
    *sections.CLASSES,
    *section_material.CLASSES,
    *clipboard.CLASSES,
    *encode.CLASSES,
    *library.CLASSES,
    *locks.CLASSES,
    *waypoints.CLASSES,
    *beats.CLASSES,
    *going_on.CLASSES,
    *bone_map.CLASSES,
    *retarget.CLASSES,
    *body.CLASSES,
    *character_preview.CLASSES,
    *contacts.CLASSES,
    *export.CLASSES,
    *dance.CLASSES,
    *locks_panel.CLASSES,
    *beats_panel.CLASSES,
    *sections_panel.CLASSES,
    *going_on_panel.CLASSES,
    *library_panel.CLASSES,
    *character_panel.CLASSES,
    *contacts_panel.CLASSES,
    *body_panel.CLASSES,
    *export_panel.CLASSES,
    *result.CLASSES,
    *setup.CLASSES,
)
_ATTACHED = (
    properties,
    section_properties,
    library_properties,
    character_properties,
    body_properties,
    preview,
    shown_dance,
    watching,
    timeline,
    floor,
    character_overlay,
)
_CLOSE_PATIENCE_S = 5.0


def _close_backend() -> None:
    SESSION.close(_CLOSE_PATIENCE_S)


def register() -> None:
    """Register all classes, the properties of scenes, dancers and windows, and what watches them."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    for part in _ATTACHED:
        part.attach()
    atexit.register(_close_backend)


def unregister() -> None:
    """Undo ``register`` and end the backend."""
    atexit.unregister(_close_backend)
    _close_backend()
    for part in reversed(_ATTACHED):
        part.detach()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
