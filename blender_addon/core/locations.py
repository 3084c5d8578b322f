"""Where the add-on's own files lie: in the installed extension and in the repository."""

from __future__ import annotations

from pathlib import Path

ADDON_FOLDER = Path(__file__).resolve().parents[1]


def backend_folder() -> Path:
    """The backend's code: inside the installed extension, beside the add-on in the repository."""
    inside = ADDON_FOLDER / "backend"
    return inside if inside.is_dir() else ADDON_FOLDER.parent / "backend"


def backend_requirements() -> Path:
    """The exactly pinned packages of the backend's environment."""
    return backend_folder().parent / "requirements" / "backend.txt"


def vocabulary_file() -> Path:
    """The genres and fundamental movements that the backend knows."""
    return backend_folder() / "text" / "vocabulary.json"
