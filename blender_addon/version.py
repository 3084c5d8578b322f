"""The add-on's version, from its manifest."""

from __future__ import annotations

import functools
import tomllib

from .core.locations import ADDON_FOLDER


@functools.cache
def addon_version() -> str:
    """Such as ``0.1.0``."""
    manifest = tomllib.loads((ADDON_FOLDER / "blender_manifest.toml").read_text(encoding="utf-8"))
    return str(manifest["version"])
