"""One request to the backend, from submit to its closing message; knows nothing of Blender.

A job never blocks. Whoever owns it hands it the messages that arrive and looks at its state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from .errors import PirouetteError
from .progress import Progress, ProgressMeter
from .protocol import Message, ProtocolError

CANCEL_PATIENCE_S = 0.7  # how long a cancelled job waits for the backend to agree


class JobState(Enum):
    """Where a job is in its life; the last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_FINAL = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Client(Protocol):
    """What a job needs of a backend client."""

    def submit(self, message: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> str: ...

    def cancel(self, identity: str, /) -> None: ...


class DanceJob:
    """A request to the backend.

    message: header of the request; arrays: its numpy arrays; clock: seconds, any origin.
    """

    def __init__(
        self,
        message: Mapping[str, Any],
        arrays: Mapping[str, Any],
        *,
        meter: ProgressMeter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._message = message
        self._arrays = arrays
        self._clock = clock
        self._meter = meter or ProgressMeter(now_s=clock())
        self._client: Client | None = None
        self._cancelled_at_s = 0.0
        self.id = ""
        self.state = JobState.WAITING
        self.result: Message | None = None
        self.error: PirouetteError | None = None
        self.warnings: list[str] = []

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._meter.progress

    @property
    def ended(self) -> bool:
        """Whether the closing message has come, or is no longer waited for."""
        return self.state in _FINAL

    @property
    def overdue(self) -> bool:
        """Whether it was cancelled and the backend has not agreed in time: the backend should be ended."""
        return self.state is JobState.CANCELLING and self._clock() - self._cancelled_at_s > CANCEL_PATIENCE_S

    def submit(self, client: Client) -> None:
        """Send the request. A request that may not be sent fails the job."""
        if self.state is not JobState.WAITING:
            raise RuntimeError(f"a job is submitted once; this one is {self.state.value}")
        self._client = client
        self._meter.report("start", done=0, total=1, now_s=self._clock())
        try:
            self.id = client.submit(self._message, self._arrays)
        except ProtocolError as error:
            self._fail(PirouetteError("bad_request", str(error)))
            return
        self.state = JobState.RUNNING

    def receive(self, message: Message) -> None:
        """Take a message about this job into account; after the closing one nothing changes any more."""
        if self.ended or message.id != self.id:
            return
        header = message.header
        if message.type == "progress":
            self._meter.report(
                str(header.get("stage", "")),
                done=_count(header.get("done")),
                total=_count(header.get("total")),
                now_s=self._clock(),
            )
        elif message.type == "warning":
            self.warnings.append(str(header.get("message", "")))
        elif message.type == "cancelled" or (message.closes and self.state is JobState.CANCELLING):
            self.state = JobState.CANCELLED
        elif message.type == "result":
            self.result = message
            self.state = JobState.DONE
        elif message.closes:
            code, text, hint = (str(header.get(key, "")) for key in ("code", "message", "hint"))
            self._fail(PirouetteError(code or "internal", text or "The backend gave no reason.", hint))

    def cancel(self) -> None:
        """Ask the backend to stop; the job then ends as cancelled, even if a result was already under way."""
        if self.state is JobState.WAITING:
            self.state = JobState.CANCELLED
        elif self.state is JobState.RUNNING and self._client is not None:
            self.state = JobState.CANCELLING
            self._cancelled_at_s = self._clock()
            self._client.cancel(self.id)

    def give_up(self) -> None:
        """End a cancelled job without the backend's agreement."""
        if not self.ended:
            self.state = JobState.CANCELLED

    def _fail(self, error: PirouetteError) -> None:
        self.error = error
        self.state = JobState.FAILED


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
