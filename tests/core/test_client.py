"""The add-on's end of the wire, against a real process that plays a script (tests/fixtures/scripted_backend.py)."""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_addon.core.client import BackendClient, Patience
from blender_addon.core.protocol import MAX_BODY_BYTES, Message, ProtocolError
from blender_addon.core.stderr_log import StderrLog

SCRIPT = Path(__file__).resolve().parents[1] / "fixtures" / "scripted_backend.py"
SOUND = array("f", bytes(4 * 8000))
PATIENCE_S = 60.0
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX")

Start = Callable[..., BackendClient]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    clients: list[BackendClient] = []

    def begin(*command: str, **settings: object) -> BackendClient:
        arguments = command or (sys.executable, "-I", str(SCRIPT))
        clients.append(BackendClient(arguments, log_path=tmp_path / "backend.log", **settings))  # type: ignore[arg-type]
        clients[-1].start()
        return clients[-1]

    yield begin
    for client in clients:
        client.close(10.0)


def program(tmp_path: Path, source: str) -> tuple[str, ...]:
    path = tmp_path / "program.py"
    path.write_text(source, encoding="utf-8")
    return (sys.executable, "-I", str(path))


def generate(client: BackendClient, text: str = "") -> str:
    return client.submit({"type": "generate", "sample_rate_hz": 8000, "text": text}, {"audio": SOUND})


class Reached(Exception):
    """The message that was waited for has come."""


def running(client: BackendClient, identity: str) -> None:
    """Wait until a request is in its last stage."""

    def look(message: Message) -> None:
        if message.header.get("stage") == "plant":
            raise Reached

    with pytest.raises(Reached):
        client.wait(identity, PATIENCE_S, on_message=look)


def frame(header: bytes) -> str:
    """Source of a program that sends one message without arrays."""
    prefix = b"PIRO" + len(header).to_bytes(4, "little") + bytes(4)
    return f"import os, sys, signal; os.write(1, {prefix + header!r})\n"


READY = b'{"type": "ready", "id": "1", "version": "0", "protocol": 1, "device": "", "models": ""}'


def test_the_backend_greets_with_ready(start: Start) -> None:
    client = start()
    ready = client.wait("1", PATIENCE_S)
    assert ready.type == "ready"
    assert ready.header["device"] == "script"
    assert client.alive


def test_a_dance_arrives_after_its_progress(start: Start) -> None:
    client = start()
    seen: list[Message] = []
    result = client.wait(generate(client), PATIENCE_S, on_message=seen.append)
    assert result.type == "result"
    assert result.arrays["poses"].shape == (30, 24, 3)
    assert list(dict.fromkeys(m.header["stage"] for m in seen)) == ["listen", "dance", "refine", "plant"]


def test_waiting_for_one_request_leaves_the_messages_of_others(start: Start) -> None:
    client = start()
    first, second = generate(client), generate(client)
    assert client.wait(second, PATIENCE_S).type == "result"
    assert [m.type for m in client.poll() if m.id == first and m.closes] == ["result"]


def test_waiting_too_long_is_a_timeout(start: Start) -> None:
    client = start()
    with pytest.raises(TimeoutError):
        client.wait(generate(client, "wait"), 0.05)


def test_cancel_closes_a_request_with_exactly_one_message(start: Start) -> None:
    client = start()
    identity = generate(client, "wait")
    client.cancel(identity)
    client.cancel(identity)
    assert client.wait(identity, PATIENCE_S).type == "cancelled"
    client.cancel(identity)
    assert client.wait(generate(client), PATIENCE_S).type == "result"
    assert not [m for m in client.poll() if m.id == identity and m.closes]


def test_a_killed_backend_closes_every_open_request_once_with_its_last_words(start: Start) -> None:
    client = start()
    client.wait("1", PATIENCE_S)
    first, second = generate(client, "crash"), generate(client)
    errors = [client.wait(identity, PATIENCE_S) for identity in (first, second)]
    for error in errors:
        assert (error.type, error.header["code"]) == ("error", "backend_died")
        assert "exit code 7" in error.header["message"]
        assert error.header["hint"] == "CUDA error: an illegal memory access was encountered"
    assert not client.alive
    assert not [m for m in client.poll() if m.closes]


def test_a_request_to_a_dead_backend_is_closed_at_once(start: Start) -> None:
    client = start()
    client.wait(generate(client, "crash"), PATIENCE_S)
    identity = generate(client)
    assert [m.header["code"] for m in client.poll() if m.id == identity] == ["backend_died"]


def test_a_program_that_does_not_exist_is_told_as_no_environment(start: Start, tmp_path: Path) -> None:
    client = start(str(tmp_path / "no python here"))
    error = client.wait("1", PATIENCE_S)
    assert (error.type, error.header["code"]) == ("error", "no_environment")
    assert "no python here" in error.header["message"]
    assert not client.alive
    later = generate(client)  # it was on its way while the start failed
    assert [m.header["code"] for m in client.poll() if m.id == later] == ["no_environment"]


def test_a_backend_that_fails_to_import_gives_the_reason(start: Start, tmp_path: Path) -> None:
    client = start(*program(tmp_path, "import a_package_that_is_not_there"))
    error = client.wait("1", PATIENCE_S)
    assert error.header["code"] == "backend_died"
    assert "No module named 'a_package_that_is_not_there'" in error.header["hint"]


def test_something_else_than_a_message_is_an_error_that_shows_it(start: Start, tmp_path: Path) -> None:
    client = start(*program(tmp_path, "print('Welcome to the GPU box!', flush=True); import time; time.sleep(60)"))
    error = client.wait("1", PATIENCE_S)
    assert error.header["code"] == "backend_died"
    assert "Welcome to t" in error.header["message"]


def test_a_reply_of_an_unknown_type_ends_the_conversation(start: Start, tmp_path: Path) -> None:
    source = frame(b'{"type": "joke"}') + "sys.stdin.read()"
    error = start(*program(tmp_path, source)).wait("1", PATIENCE_S)
    assert "unknown type 'joke'" in error.header["message"]


@POSIX
def test_a_backend_that_does_not_answer_is_given_up_and_killed(start: Start) -> None:
    patience = Patience(ping_every_s=0.05, silent_pings=40, shutdown_s=0.1, terminate_s=0.1)
    client = start(patience=patience)
    error = client.wait(generate(client, "freeze"), PATIENCE_S)
    assert error.header["code"] == "backend_died"
    assert "does not answer" in error.header["message"]
    client.close(PATIENCE_S)
    assert_gone(client)


def test_a_long_job_is_not_taken_for_silence(start: Start) -> None:
    client = start(patience=Patience(ping_every_s=0.02, silent_pings=25))
    identity = generate(client, "deaf")
    with pytest.raises(TimeoutError):  # more than twice the silence that is allowed
        client.wait(identity, 1.2)
    assert client.alive


def test_close_ends_the_backend_and_cancels_what_is_open(start: Start) -> None:
    client = start()
    identity = generate(client, "wait")
    running(client, identity)
    client.close(PATIENCE_S)
    assert [m.type for m in client.poll() if m.id == identity and m.closes] == ["cancelled"]
    assert not client.alive
    assert_gone(client)


@POSIX
def test_close_kills_a_backend_that_ignores_shutdown_and_terminate(start: Start, tmp_path: Path) -> None:
    source = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + frame(READY) + "signal.pause()"
    client = start(*program(tmp_path, source), patience=Patience(shutdown_s=0.1, terminate_s=0.1))
    client.wait("1", PATIENCE_S)
    client.close(PATIENCE_S)
    assert_gone(client)


def test_close_without_a_time_does_not_wait(start: Start) -> None:
    client = start()
    running(client, generate(client, "deaf"))
    before_s = time.perf_counter()
    client.close()
    assert time.perf_counter() - before_s < 0.5  # the backend takes 1.5 s to give its job up


def assert_gone(client: BackendClient) -> None:
    child = client._child
    assert child is not None
    assert child.returncode is not None


def test_a_flood_on_stderr_blocks_nothing_and_fills_no_disk(start: Start) -> None:
    client = start()
    assert client.wait(generate(client, "flood"), PATIENCE_S).type == "result"
    client.close(PATIENCE_S)
    older = client.log_path.with_name(f"{client.log_path.name}.1")
    assert older.exists()
    assert client.log_path.stat().st_size + older.stat().st_size < 3 << 20


@POSIX
def test_submit_never_waits_for_a_backend_that_reads_nothing(start: Start, tmp_path: Path) -> None:
    client = start(*program(tmp_path, "import signal; signal.pause()"), patience=Patience(shutdown_s=0.1))
    sound = array("f", bytes(4 * 4_000_000))
    taken_s = []
    for _ in range(20):
        before_s = time.perf_counter()
        client.submit({"type": "generate", "sample_rate_hz": 8000}, {"audio": sound})
        taken_s.append(time.perf_counter() - before_s)
    assert statistics.median(taken_s) < 0.05


def test_start_and_poll_do_not_wait(tmp_path: Path) -> None:
    taken_s = []
    for number in range(5):
        client = BackendClient((sys.executable, "-I", str(SCRIPT)), log_path=tmp_path / f"log {number}")
        before_s = time.perf_counter()
        client.start()
        client.start()
        client.poll()
        taken_s.append(time.perf_counter() - before_s)
        client.close(PATIENCE_S)
    assert statistics.median(taken_s) < 0.05


def test_a_request_that_cannot_be_sent_is_refused_where_it_is_made(start: Start) -> None:
    client = start()
    with pytest.raises(ProtocolError, match="no request 'dance'"):
        client.submit({"type": "dance"})
    with pytest.raises(ProtocolError, match="at most 512 MiB"):
        client.submit({"type": "generate", "sample_rate_hz": 48000}, {"audio": bytes(MAX_BODY_BYTES + 1)})
    assert client.wait(generate(client), PATIENCE_S).type == "result"


def test_many_threads_may_submit(start: Start) -> None:
    client = start()
    identities: list[str] = []
    threads = [threading.Thread(target=lambda: identities.append(generate(client))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {client.wait(identity, PATIENCE_S).type for identity in identities} == {"result"}
    assert len(set(identities)) == 10


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to await the end of a grandchild")
def test_the_backend_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Even when that process is killed and can tell nobody."""
    source = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parents[2])!r})\n"
        "from pathlib import Path\n"
        "from blender_addon.core.client import BackendClient\n"
        f"client = BackendClient({[sys.executable, '-I', str(SCRIPT)]!r}, log_path=Path({str(tmp_path / 'log')!r}))\n"
        "client.start(); client.wait('1', 60)\n"
        "print(client.process_id, flush=True); sys.stdin.read()\n"
    )
    pipe = subprocess.PIPE
    parent = subprocess.Popen([sys.executable, "-I", "-c", source], stdin=pipe, stdout=pipe)
    assert parent.stdout is not None
    handle = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    ended, _, _ = select.select([handle], [], [], PATIENCE_S)
    os.close(handle)
    assert ended


def test_a_log_that_cannot_be_written_keeps_the_last_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    log = StderrLog(tmp_path / "file" / "log")
    log.add(b"first\nlast line\n\n")
    assert log.last_line == "last line"


def test_a_last_line_that_is_no_utf8_is_still_told(tmp_path: Path) -> None:
    log = StderrLog(tmp_path / "log")
    log.add(b"caf\xe9\r\n")
    assert log.last_line == "caf\N{REPLACEMENT CHARACTER}"
