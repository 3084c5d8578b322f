"""Run the steps of an installation as child processes: lines as they come, a log, cancel, an error one can act on."""

from __future__ import annotations

import contextlib
import queue
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass


class SetupError(Exception):
    """The backend's environment is missing or could not be made.

    code: ``no_environment``, ``disk_full`` or ``cancelled``; message: what is wrong; hint: what to do.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class StepRunner:
    """Runs the steps of an installation; their output goes to the log, and a cancel ends them."""

    environment: dict[str, str]
    write_log: Callable[[str], object]
    cancelled: Callable[[], bool]

    def run(self, command: Sequence[str]) -> str:
        """Run to the end and return the last line it wrote."""
        last = ""
        for line in self.lines(command):
            last = line.strip() or last
        return last

    def lines(self, command: Sequence[str]) -> Iterator[str]:
        """The lines a command writes, as they come. Raises SetupError when it fails or is cancelled."""
        self.write_log(f"$ {shlex.join(command)}\n")
        try:
            child = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except FileNotFoundError as error:
            raise SetupError("no_environment", f"There is no Python at {command[0]}.") from error
        seen: list[str] = []
        try:
            for line in self._until_end(child):
                self.write_log(line)
                seen = [*seen[-50:], line]
                yield line
        finally:
            if child.poll() is None:
                child.terminate()
            child.wait()
        if child.returncode:
            raise _failure(command, seen)

    def _until_end(self, child: subprocess.Popen[str]) -> Iterator[str]:
        assert child.stdout is not None
        arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()

        def listen(stream: Iterable[str]) -> None:
            for line in stream:
                arrived.put(line)
            arrived.put(None)

        threading.Thread(target=listen, args=(child.stdout,), daemon=True).start()
        while True:
            if self.cancelled():
                raise SetupError("cancelled", "The installation was cancelled.")
            with contextlib.suppress(queue.Empty):
                line = arrived.get(timeout=0.2)
                if line is None:
                    return
                yield line


def _failure(command: Sequence[str], seen: Sequence[str]) -> SetupError:
    """What went wrong, from the last lines a step wrote."""
    text = "".join(seen)
    lines = [line.strip() for line in seen if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["it gave no reason"]
    if "No space left on device" in text:
        return SetupError("disk_full", "The disk is full.", "Free some gigabytes and install again.")
    if "ensurepip" in text:
        hint = "Install Python's venv module (on Debian and Ubuntu the package python3-venv) and try again."
        return SetupError("no_environment", f"{command[0]} cannot make virtual environments.", hint)
    message = f"The installation failed: {errors[-1].removeprefix('ERROR:').strip()}"
    return SetupError("no_environment", message, "The whole output is in the log beside the environment.")
