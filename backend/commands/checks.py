"""What commands check before they work, so that nothing is done in vain."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import PirouetteError

if TYPE_CHECKING:
    from backend.choreographer import Choreographer

SUFFIXES = (".npz", ".bvh")


def check_target(path: Path) -> None:
    """Find out before the work that a file can be written there. Raises PirouetteError."""
    kinds = " or ".join(SUFFIXES)
    if path.is_dir():
        raise PirouetteError("bad_request", f"{path} is a folder.", f"Name a file that ends in {kinds}.")
    if path.suffix.lower() not in SUFFIXES:
        raise PirouetteError("bad_request", f"{path.name} is not a kind of file to write.", f"Choose {kinds}.")
    if not path.parent.is_dir():
        raise PirouetteError("bad_request", f"There is no folder {path.parent}.", "Make it first, or choose another.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PirouetteError("bad_request", f"Nothing can be written in {path.parent}: {reason}.") from error


def check_span(start_s: float, end_s: float | None) -> None:
    """Raise PirouetteError("bad_range") for a span of a song that is none."""
    if not 0.0 <= start_s < float("inf"):
        raise PirouetteError("bad_range", f"A dance cannot start at {start_s:g} s.", "Start at 0 or later.")
    if end_s is not None and not start_s < end_s:
        raise PirouetteError("bad_range", f"The range ends ({end_s:g} s) before it starts ({start_s:g} s).")


def check_folder(folder: Path) -> None:
    """Raise PirouetteError("missing_file") for a folder that is not there."""
    if not folder.is_dir():
        raise PirouetteError("missing_file", f"There is no folder {folder}.")


def load_choreographer(*, device: str, threads: int | None, weights: Path | None) -> Choreographer:
    """The models. Raises PirouetteError (weights_missing, weights_version)."""
    from backend.choreographer import Choreographer

    return Choreographer(device=device, threads=threads, weights=weights)
