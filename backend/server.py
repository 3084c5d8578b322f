"""The backend as a process: requests in on one pipe, replies out on another, one job at a time.

The reader thread takes requests, answers pings and cancels at once and sees the parent's end; the writer thread sends,
so that a parent that reads slowly holds nothing up; the main thread makes the engine and runs the jobs in order. The
process ends when its input closes, even in the middle of a job. Only the standard library is imported here: what a job
needs comes with the engine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from backend import __version__
from backend.errors import Cancelled, PirouetteError
from backend.pipes import guarded_pipes
from backend.protocol import (
    PROTOCOL_VERSION,
    Message,
    ProtocolError,
    Sink,
    Source,
    check_request,
    frame_parts,
    read_message,
)

MAX_OPEN_REQUESTS = 32
PROGRESS_EVERY_S = 0.05
SHUTDOWN_S = 1.5  # for a running job to notice; the add-on waits 2 s before it terminates the process
FLUSH_S = 2.0
LAST_WORDS_S = 0.5  # a parent that has closed its end may still read

Progress = Callable[[str, int, int], None]


class Engine(Protocol):
    """What does the work: made once, used from one thread."""

    def describe(self) -> dict[str, Any]:
        """The fields of ``ready`` that only the engine knows: ``device`` and ``models``."""

    def warm_up(self) -> None:
        """Whatever makes the first job as fast as the second."""

    def run(self, message: Message, *, progress: Progress, cancelled: Callable[[], bool]) -> Message:
        """Do a request; the answer needs neither type nor id. Raises PirouetteError, Cancelled."""


@dataclass(eq=False)
class _Job:
    message: Message
    cancelled: threading.Event = field(default_factory=threading.Event)
    stage: str = ""
    told_at_s: float = 0.0


class Server:
    """Runs requests from ``inbound`` with an engine and writes the replies to ``outbound``.

    make_engine: called in the thread of ``run``; it may raise PirouetteError, which then answers every request.
    leave: ends the process with an exit code; it need not return.
    """

    def __init__(
        self, inbound: Source, outbound: Sink, make_engine: Callable[[], Engine], *, leave: Callable[[int], object]
    ) -> None:
        self._inbound = inbound
        self._outbound = outbound
        self._make_engine = make_engine
        self._leave = leave
        self._engine: Engine | None = None
        self._outbox: queue.SimpleQueue[list[bytes | memoryview] | threading.Event] = queue.SimpleQueue()
        self._state = threading.Condition()  # guards the four below
        self._waiting: deque[_Job] = deque()
        self._open: dict[str, _Job] = {}
        self._stopping = False
        self._idle = True

    def run(self) -> None:
        """Serve until told to stop: make the engine, then run jobs; warm up in the first idle moment."""
        threading.Thread(target=self._write, name="writer", daemon=True).start()
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        unprepared = [self._prepare, self._warm_up]
        while not self._stopping:
            job = self._next_job(block=not unprepared)
            if job is not None:
                self._run_job(job)
                with self._state:
                    self._idle = True
                    self._state.notify_all()
            elif unprepared and not self._stopping:
                unprepared.pop(0)()

    # --- the main thread ---

    def _next_job(self, *, block: bool) -> _Job | None:
        with self._state:
            while block and not self._waiting and not self._stopping:
                self._state.wait()
            if not self._waiting or self._stopping:
                return None
            self._idle = False
            return self._waiting.popleft()

    def _prepared_engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _prepare(self) -> None:
        """Make the engine before it is needed; if it cannot be made, each request will be told."""
        _attempt(self._prepared_engine)

    def _warm_up(self) -> None:
        if self._engine is not None:
            failure = _attempt(self._engine.warm_up)
            if failure is not None:
                self._send(Message({"type": "warning", **failure}))

    def _run_job(self, job: _Job) -> None:
        answers: list[Message] = []
        failure = _attempt(lambda: answers.append(self._answer(job)))
        if job.cancelled.is_set() or (failure and failure["code"] == "cancelled"):
            self._close(job, Message({"type": "cancelled"}))
        elif failure is not None:
            self._close(job, Message({"type": "error", **failure}))
        else:
            self._close(job, answers[0])

    def _answer(self, job: _Job) -> Message:
        if job.message.type == "hello":
            return self._greeting(job.message)
        engine = self._prepared_engine()
        answer = engine.run(job.message, progress=lambda *step: self._tell(job, *step), cancelled=job.cancelled.is_set)
        return Message({**answer.header, "type": "result"}, answer.arrays)

    def _greeting(self, message: Message) -> Message:
        spoken = message.header["protocol"]
        if spoken != PROTOCOL_VERSION:
            raise PirouetteError(
                "bad_request",
                f"The add-on speaks version {spoken} of the wire and the backend version {PROTOCOL_VERSION}.",
                "Install the add-on and its backend from the same release.",
            )
        known = self._prepared_engine().describe()
        return Message({**known, "type": "ready", "version": __version__, "protocol": PROTOCOL_VERSION})

    def _tell(self, job: _Job, stage: str, done: int, total: int) -> None:
        """Send progress: each new stage, each end, and otherwise no more than one message every 50 ms."""
        now_s = time.monotonic()
        if stage == job.stage and done < total and now_s - job.told_at_s < PROGRESS_EVERY_S:
            return
        job.stage, job.told_at_s = stage, now_s
        header = {"type": "progress", "id": job.message.id, "stage": stage, "done": done, "total": total}
        with self._state:
            if self._open.get(job.message.id) is job:
                self._send(Message(header))

    # --- what every thread may call ---

    def _close(self, job: _Job, message: Message) -> None:
        """Close a request with one message, unless it is closed already."""
        header = {**message.header, "id": job.message.id}
        try:
            parts = frame_parts(Message(header, message.arrays))
        except ProtocolError as error:
            failure = {"type": "error", "id": job.message.id, **_failure("internal", str(error))}
            parts = frame_parts(Message(failure))
        with self._state:
            if self._open.get(job.message.id) is job:
                del self._open[job.message.id]
                self._outbox.put(parts)

    def _send(self, message: Message) -> None:
        self._outbox.put(frame_parts(message))

    def _refuse(self, identity: str, text: str, hint: str = "") -> None:
        about = {"id": identity} if identity else {}
        self._send(Message({"type": "error", **about, **_failure("bad_request", text, hint)}))

    # --- the reader thread ---

    def _read(self) -> None:
        code = 1
        try:
            code = self._read_until_end()
        finally:  # without a reader nobody could end this process
            self._leave(code)

    def _read_until_end(self) -> int:
        """Take requests until there is a reason to leave; returns the exit code."""
        try:
            while (message := read_message(self._inbound)) is not None:
                self._receive(message)
                if message.type == "shutdown":
                    self._stop(wait_s=SHUTDOWN_S)
                    return 0
        except ProtocolError as error:
            self._refuse("", str(error), "The connection is of no use any more; start the backend again.")
            self._stop(wait_s=0.0)
            return 2
        except OSError:  # the same as an end: there is no parent to read from
            pass
        with self._state:
            self._stopping = True
            self._state.notify_all()
        self._flush(LAST_WORDS_S)
        return 0

    def _receive(self, message: Message) -> None:
        identity = message.id
        with self._state:
            known = self._open.get(identity)
            crowded = len(self._open) >= MAX_OPEN_REQUESTS
        try:
            check_request(message)
        except ProtocolError as error:
            self._refuse("" if known else identity, str(error))
            return
        if message.type == "ping":
            self._send(Message({"type": "pong", "id": identity}))
        elif message.type == "cancel":
            self._cancel(identity)
        elif known is not None:
            self._refuse("", f"There is already an open request {identity!r}.")
        elif crowded:
            self._refuse(identity, f"There are already {MAX_OPEN_REQUESTS} open requests.")
        elif message.type != "shutdown":
            self._enqueue(_Job(message))

    def _enqueue(self, job: _Job) -> None:
        with self._state:
            self._open[job.message.id] = job
            self._waiting.append(job)
            self._state.notify_all()

    def _cancel(self, identity: str) -> None:
        with self._state:
            job = self._open.get(identity)
            if job is None:
                return
            job.cancelled.set()
            waiting = job in self._waiting
            if waiting:
                self._waiting.remove(job)
        if waiting:
            self._close(job, Message({"type": "cancelled"}))

    def _stop(self, *, wait_s: float) -> None:
        """Close whatever is open and let the last message out."""
        with self._state:
            self._stopping = True
            for job in self._open.values():
                job.cancelled.set()
            self._waiting.clear()
            self._state.notify_all()
            self._state.wait_for(lambda: self._idle, wait_s)
            remaining = list(self._open.values())
        for job in remaining:
            self._close(job, Message({"type": "cancelled"}))
        self._flush(FLUSH_S)

    def _flush(self, patience_s: float) -> None:
        sent = threading.Event()
        self._outbox.put(sent)
        sent.wait(patience_s)

    # --- the writer thread ---

    def _write(self) -> None:
        try:
            while True:
                parts = self._outbox.get()
                if isinstance(parts, threading.Event):
                    parts.set()
                    continue
                for part in parts:
                    self._outbound.write(part)
                self._outbound.flush()
        except (OSError, ValueError):  # nobody reads any more
            self._leave(1)


def _failure(code: str, message: str, hint: str = "") -> dict[str, str]:
    return {"code": code, "message": message, "hint": hint}


def _attempt(step: Callable[[], object]) -> dict[str, str] | None:
    """Do a step; whatever goes wrong comes back as the fields of an error, and the traceback goes to the log."""
    try:
        step()
    except Cancelled:
        return _failure("cancelled", "The job was cancelled.")
    except PirouetteError as error:
        return _failure(error.code, error.message, error.hint)
    except ProtocolError as error:
        return _failure("bad_request", str(error))
    except MemoryError:
        traceback.print_exc()
        return _failure("internal", "The computer has not enough memory for this.", "Choose a shorter range.")
    except (Exception, SystemExit) as error:  # noqa: BLE001  a request must close whatever a library throws
        traceback.print_exc()
        return _failure("internal", f"The backend failed: {type(error).__name__}: {error}.", "Its log says more.")
    return None


def serve(make_engine: Callable[[], Engine], pipes: tuple[BinaryIO, BinaryIO]) -> None:
    """Serve on guarded pipes; the process ends in here."""

    def leave(code: int) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # a dead parent reads no log either
                stream.flush()
        os._exit(code)  # a job in the main thread may be deep inside a library

    Server(*pipes, make_engine, leave=leave).run()
    threading.Event().wait()  # the reader thread leaves as soon as the last message is out


def main(arguments: list[str]) -> None:
    """``python -m backend serve``: guard the pipes first of all, then read the options."""
    on_terminal = os.isatty(0)
    pipes = guarded_pipes()
    parser = argparse.ArgumentParser(prog="backend serve", description="Serve the add-on over stdin and stdout.")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=int, default=None, help="threads of the processor to use")
    parser.add_argument("--weights", type=Path, default=None, help="folder of weights; the bundled ones by default")
    options = parser.parse_args(arguments)
    if on_terminal:
        parser.exit(2, "This command is for the add-on: it speaks in binary messages, not on a terminal.\n")

    def make_engine() -> Engine:
        from backend.engine import ChoreographerEngine

        return ChoreographerEngine.make(device=options.device, threads=options.threads, weights=options.weights)

    serve(make_engine, pipes)
