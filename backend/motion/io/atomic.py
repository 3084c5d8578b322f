"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from backend.errors import PirouetteError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file beside path that takes path's place when the block ends well, and vanishes when it does not.

    Raises PirouetteError("disk_full") for a full disk, PirouetteError("missing_file") where path cannot be written.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PirouetteError(
                "disk_full", f"The disk is full: {path} was not written.", "Free some space."
            ) from error
        raise PirouetteError(
            "missing_file", f"{path} cannot be written: {error.strerror or error}.", "Choose a folder you can write to."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The permissions that new files do not get: a temporary file is private, its successor is an ordinary file."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
