"""The add-on's end of the wire: one backend process, never waited for. Standard library only, no bpy.

Four threads serve a client: a writer (which also starts the child), a reader, one that keeps what the child writes to
stderr, and a guard that notices a dead or silent child and ends it politely, then firmly. Blender's thread only puts
messages into one queue and takes them from another. Every request gets exactly one closing message, whatever happens.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .environment import scrubbed_environment
from .protocol import PROTOCOL_VERSION, Message, ProtocolError, check_reply, frame_parts, read_message, request
from .stderr_log import StderrLog


@dataclass(frozen=True)
class Patience:
    """How long to wait for a child. A silent one is given up after ``silent_pings`` pings without any answer."""

    ping_every_s: float = 5.0
    silent_pings: int = 24
    shutdown_s: float = 2.0
    terminate_s: float = 2.0


class BackendClient:
    """One backend process and the conversation with it.

    command: argument list of the backend; log_path: file that keeps its stderr; environment: its variables, by default
    this process's without PYTHON*. No method but ``wait`` and ``close`` with a time blocks.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_path: Path,
        environment: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.log_path = log_path
        self._command = list(command)
        self._environment = dict(scrubbed_environment() if environment is None else environment)
        self._patience = patience or Patience()
        self._stderr = StderrLog(log_path)
        self._outbox: queue.SimpleQueue[list[bytes | memoryview] | None] = queue.SimpleQueue()
        self._arrived: deque[Message] = deque()
        self._state = threading.Condition()  # guards everything below
        self._open: set[str] = set()
        self._count = 0
        self._started = False
        self._ended = False
        self._ending: dict[str, Any] | None = None  # the error that ended it
        self._silent_pings = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether the backend is starting or running."""
        with self._state:
            return self._started and not self._ended

    @property
    def process_id(self) -> int | None:
        """The child's process id, once it is started."""
        child = self._child
        return None if child is None else child.pid

    def start(self) -> None:
        """Start the backend and greet it, without waiting; it answers with ``ready``. A second call does nothing."""
        with self._state:
            if self._started:
                return
            self._started = True
        self.submit({"type": "hello", "protocol": PROTOCOL_VERSION})
        self._guard = threading.Thread(target=self._watch, name="pirouette-guard", daemon=True)
        threading.Thread(target=self._write, name="pirouette-writer", daemon=True).start()
        self._guard.start()

    def submit(self, message: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> str:
        """Queue a request and return its id.

        message: header with ``type`` and the request's fields; arrays: numpy arrays or buffers by name, which must stay
        unchanged until the request is closed. Raises ProtocolError for a request that cannot be sent.
        """
        with self._state:
            self._count += 1
            identity = str(self._count)
        parts = frame_parts(request(str(message.get("type", "")), identity, message, arrays))
        with self._state:
            self._open.add(identity)
            if self._ended:
                self._close_request(identity, self._ending or self._death_note("The dance backend is not running."))
            else:
                self._outbox.put(parts)
        return identity

    def cancel(self, identity: str) -> None:
        """Ask to cancel a request; it will close with ``cancelled``, or with the result that was already under way."""
        with self._state:
            if identity in self._open and not self._ended:
                self._send("cancel", identity)

    def poll(self) -> list[Message]:
        """All messages that have arrived since the last call, in order."""
        with self._state:
            messages = list(self._arrived)
            self._arrived.clear()
        return messages

    def wait(self, identity: str, timeout_s: float, *, on_message: Callable[[Message], None] | None = None) -> Message:
        """Block until a request is closed and return its closing message; for scripts and background mode.

        on_message: called with each earlier message about this request; messages about others stay for ``poll``.
        Raises TimeoutError.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            with self._state:
                message = self._take(identity)
                if message is None:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        raise TimeoutError(f"The backend has not closed request {identity} within {timeout_s:g} s.")
                    self._state.wait(remaining)
                    continue
            if message.closes:
                return message
            if on_message is not None:
                on_message(message)

    def close(self, timeout_s: float = 0.0) -> None:
        """End the backend: ask, then terminate, then kill the process this client started.

        Everything still open closes with ``cancelled``. Waits for the end at most ``timeout_s``.
        """
        self._end({"type": "cancelled"})
        self._stop.set()
        if self._guard is not None:
            self._guard.join(timeout_s)

    def _send(self, type_: str, identity: str) -> None:
        self._outbox.put(frame_parts(request(type_, identity)))

    def _take(self, identity: str) -> Message | None:
        for index, message in enumerate(self._arrived):
            if message.id == identity:
                del self._arrived[index]
                return message
        return None

    # --- threads ---

    def _write(self) -> None:
        """Start the child, then send what is queued. (Starting may take a while under a virus scanner.)"""
        try:
            child = self._launch()
        except OSError as error:
            reason = f"The dance backend could not be started: {self._command[0]}: {error.strerror}."
            self._stderr.add(f"{reason}\n".encode())
            self._end_with(_error("no_environment", reason, "Set the backend up again."))
            self._stop.set()
            return
        assert child.stdin is not None
        try:
            while (parts := self._outbox.get()) is not None:
                for part in parts:
                    child.stdin.write(part)
                child.stdin.flush()
        except OSError:  # the child has closed its end; the reader tells what happened
            return
        finally:
            _close_quietly(child.stdin)

    def _launch(self) -> subprocess.Popen[bytes]:
        on_windows = sys.platform == "win32"
        self._stderr.begin(self._command)
        flags = 0
        if on_windows:  # no console window, and no Ctrl+C meant for Blender
            flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        child = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=not on_windows,
            creationflags=flags,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        with self._state:
            self._child = child
        keeper = threading.Thread(target=self._stderr.keep, args=(child.stderr,), name="pirouette-stderr", daemon=True)
        keeper.start()
        arguments = (child, child.stdout, keeper)
        threading.Thread(target=self._read, args=arguments, name="pirouette-reader", daemon=True).start()
        return child

    def _read(self, child: subprocess.Popen[bytes], stream: IO[bytes], keeper: threading.Thread) -> None:
        """Pass messages on until the child's last; then close every request that is still open."""
        reason = ""
        try:
            while (message := read_message(stream)) is not None:
                check_reply(message)
                self._receive(message)
        except ProtocolError as error:
            reason = f"The dance backend sent something else than a message. {error}"
        except OSError as error:
            reason = f"The dance backend could not be read: {error.strerror}."
        self._stop.set()  # the guard ends what is left of the child
        if not reason:
            try:
                reason = f"The dance backend has stopped{_exit_words(child.wait(self._patience.shutdown_s))}."
            except subprocess.TimeoutExpired:
                reason = "The dance backend has closed its output."
        keeper.join(1.0)  # so that the last line is the last
        self._end_with(self._death_note(reason))

    def _watch(self) -> None:
        """Ping while something is open, give up a silent child, and end the child when told to."""
        while not self._stop.wait(self._patience.ping_every_s):
            with self._state:
                waiting = bool(self._open)
                self._silent_pings = self._silent_pings + 1 if waiting else 0
                silent = self._silent_pings > self._patience.silent_pings
                if waiting and not silent and self._child is not None:
                    self._send("ping", f"ping-{self._silent_pings}")
            if silent:
                self._end_with(self._death_note("The dance backend does not answer any more."))
                break
        self._send("shutdown", "shutdown")
        self._outbox.put(None)
        child = self._child
        if child is not None:
            _end_child(child, self._patience)

    # --- state ---

    def _receive(self, message: Message) -> None:
        with self._state:
            self._silent_pings = 0
            if message.type == "pong" and message.id not in self._open:
                return
            if message.closes and message.id:
                if message.id not in self._open:
                    return  # this request is closed already
                self._open.discard(message.id)
            self._arrived.append(message)
            self._state.notify_all()

    def _close_request(self, identity: str, header: dict[str, Any]) -> None:
        self._open.discard(identity)
        self._arrived.append(Message({**header, "id": identity}))
        self._state.notify_all()

    def _end(self, closing: dict[str, Any]) -> None:
        with self._state:
            self._ended = True
            for identity in sorted(self._open, key=int):
                self._close_request(identity, closing)

    def _end_with(self, error: dict[str, Any]) -> None:
        """End, and tell requests that come later why: they may be on their way while the child fails to start."""
        with self._state:
            self._ending = self._ending or error
        self._end(error)

    def _death_note(self, reason: str) -> dict[str, Any]:
        hint = self._stderr.last_line or f"Its log is {self.log_path}."
        return _error("backend_died", reason, hint)


def _error(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": message, "hint": hint}


def _exit_words(code: int) -> str:
    if code == 0:
        return ""
    return f" (signal {-code})" if code < 0 and os.name != "nt" else f" (exit code {code})"


def _close_quietly(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):  # what was left to flush has no reader any more
        stream.close()


def _end_child(child: subprocess.Popen[bytes], patience: Patience) -> None:
    """Wait for the child to go by itself, then terminate it, then kill it."""
    for wait_s, then in ((patience.shutdown_s, child.terminate), (patience.terminate_s, child.kill)):
        try:
            child.wait(wait_s)
            return
        except subprocess.TimeoutExpired:
            then()
    child.wait()
