"""What the backend writes to stderr: kept in a file that cannot grow without bound, its last line at hand."""

from __future__ import annotations

import contextlib
import os
import shlex
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

MAX_LOG_BYTES = 1 << 20
_TAIL_BYTES = 4096
_READ_BYTES = 1 << 16


class StderrLog:
    """A log file and one older one (``<name>.1``). A log that cannot be written never disturbs the dance."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_LOG_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._tail = b""

    @property
    def last_line(self) -> str:
        """The last line with something in it; empty when the child has written nothing."""
        with self._lock:
            lines = [line.strip() for line in self._tail.decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def begin(self, command: Sequence[str]) -> None:
        """Note the start of a new child."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        with self._lock:
            self._append(f"--- {now} {shlex.join(command)}\n".encode())

    def add(self, data: bytes) -> None:
        """Keep what the child has written."""
        with self._lock:
            self._tail = (self._tail + data)[-_TAIL_BYTES:]
            self._append(data)

    def keep(self, stream: IO[bytes]) -> None:
        """Keep all of a stream until it ends, as it comes."""
        with contextlib.suppress(OSError, ValueError):  # the pipe is gone: so is the child
            while data := os.read(stream.fileno(), _READ_BYTES):
                self.add(data)
        stream.close()

    def _append(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk or a folder that is read-only
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > self._max_bytes:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            with self._path.open("ab") as file:
                file.write(data)
