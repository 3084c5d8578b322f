"""Files that are written whole or not at all, in places that were checked before the work began."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from backend.errors import PirouetteError


def checked_target(path: Path, *, suffixes: Sequence[str]) -> Path:
    """The path, if a file of one of these kinds can be written there. Raises PirouetteError (bad_request)."""
    kinds = " or ".join(suffixes)
    if path.is_dir():
        raise PirouetteError("bad_request", f"{path} is a folder.", f"Name a file that ends in {kinds}.")
    if path.suffix.lower() not in suffixes:
        raise PirouetteError("bad_request", f"{path.name} is not a kind of file to write.", f"Choose {kinds}.")
    if not path.parent.is_dir():
        raise PirouetteError("bad_request", f"There is no folder {path.parent}.", "Make it first, or choose another.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PirouetteError("bad_request", f"Nothing can be written in {path.parent}: {reason}.") from error
    return path


@contextlib.contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A path beside the target to write to; it takes the target's place at the end, and vanishes if anything fails."""
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial{target.suffix}")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
