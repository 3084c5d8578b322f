"""The wire's own file descriptors, out of every library's reach."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def guarded_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the wire away from fds 0 and 1, so that a library that prints or reads cannot disturb it.

    Returns private binary files for input and output; fd 0 then reads nothing and fd 1 goes where fd 2 goes.
    """
    inbound, outbound = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (inbound, outbound):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return os.fdopen(inbound, "rb"), os.fdopen(outbound, "wb")
