"""The add-on's one conversation with its backend: kept warm between dances, restarted when it has died.

Also what the panel shows: what is being done, how far it is, what went wrong last.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .client import BackendClient
from .environment import BackendCommand
from .errors import PirouetteError
from .job import DanceJob
from .progress import Progress, ProgressMeter

ClientFactory = Callable[[BackendCommand, Path], BackendClient]


def _client(command: BackendCommand, log_path: Path) -> BackendClient:
    return BackendClient(command.arguments, log_path=log_path, environment=command.environment)


class Session:
    """One backend, at most one job, and the last thing that was said to the animator."""

    def __init__(self, *, factory: ClientFactory = _client) -> None:
        self._factory = factory
        self._client: BackendClient | None = None
        self._command: BackendCommand | None = None
        self._job: DanceJob | None = None
        self._meter = ProgressMeter(now_s=time.monotonic())
        self.progress = Progress()
        self.activity = ""  # "", "dance", "edit", "library", "character", "body" or "setup": where a bar is shown
        self.detail = ""  # a line about the step under way
        self.cancel_requested = False
        self.error: PirouetteError | None = None
        self.warning = ""

    @property
    def busy(self) -> bool:
        """Whether a dance is being made or the backend is being set up."""
        return bool(self.activity)

    @property
    def client(self) -> BackendClient | None:
        """The running backend, if any."""
        return self._client if self._client is not None and self._client.alive else None

    def begin(self, activity: str) -> None:
        """Start something that the panel shows; forgets what was said before."""
        self.end()
        self.activity = activity
        self._meter = ProgressMeter(now_s=time.monotonic())

    def end(self, *, error: PirouetteError | None = None, warning: str = "") -> None:
        """The activity has ended, well or with an error."""
        self.activity = ""
        self.detail = ""
        self.cancel_requested = False
        self.progress = Progress()
        self.error = error
        self.warning = warning

    def report(self, stage: str, *, done: int, total: int) -> None:
        """Tell how far a step on this side of the wire is."""
        self.progress = self._meter.report(stage, done=done, total=total, now_s=time.monotonic())

    def new_job(self, message: Mapping[str, Any], arrays: Mapping[str, Any]) -> DanceJob:
        """A request whose progress goes on where this side's steps have left off."""
        return DanceJob(message, arrays, meter=self._meter)

    def submit(self, job: DanceJob, command: BackendCommand, *, log_path: Path) -> None:
        """Send a job to the backend of this command, which is started if it is not running. Does not block."""
        if self.client is None or command != self._command:
            self.close()
            self._client = self._factory(command, log_path)
            self._command = command
            self._client.start()
        self._job = job
        assert self._client is not None
        job.submit(self._client)

    def pump(self) -> None:
        """Hand arrived messages to the job; end a backend that does not let itself be cancelled. Does not block."""
        if self._client is not None:
            for message in self._client.poll():
                if self._job is not None:
                    self._job.receive(message)
        self._settle()

    def wait(self, timeout_s: float) -> None:
        """Like ``pump``, but waits for the job's next message; for scripts and background mode."""
        job, client = self._job, self._client
        if job is not None and client is not None and job.id and not job.ended:
            with contextlib.suppress(TimeoutError):  # the caller looks at the job and waits again
                job.receive(client.wait(job.id, timeout_s, on_message=job.receive))
        self.pump()

    def close(self, timeout_s: float = 0.0) -> None:
        """End the backend that this session started."""
        if self._client is not None:
            self._client.close(timeout_s)
        self._client = None
        self._command = None

    def _settle(self) -> None:
        job = self._job
        if job is not None and job.overdue:
            self.close()
            job.give_up()
        if job is not None and not job.ended and self.activity != "setup":
            self.progress = job.progress


def log_tail(path: Path, *, lines: int = 60) -> str:
    """The last lines of a log, for a report; empty when there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


SESSION = Session()
