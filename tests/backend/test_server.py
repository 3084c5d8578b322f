"""The backend as a process, with an engine that plays a script (tests/fixtures/scripted_backend.py)."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.protocol import (
    PROTOCOL_VERSION,
    Message,
    check_reply,
    frame_parts,
    read_message,
    request,
    write_message,
)

SCRIPT = Path(__file__).resolve().parents[1] / "fixtures" / "scripted_backend.py"
PATIENCE_S = 60.0
SOUND = np.zeros(8000, "f4")

Start = Callable[..., "Backend"]


class Backend:
    """A backend process and the parent's two ends of its pipes."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-I", str(SCRIPT), *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        self.watchdog.start()

    def send(self, type_: str, id_: str, **fields: Any) -> None:
        arrays = {"audio": SOUND} if type_ in ("generate", "analyse") else {}
        rate = {"sample_rate_hz": 8000} if arrays else {}
        write_message(self.stdin, request(type_, id_, {**rate, **fields}, arrays))

    def receive(self) -> Message:
        message = read_message(self.stdout)
        assert message is not None, "the backend has ended"
        check_reply(message)
        return message

    def closing(self, id_: str) -> Message:
        while True:
            message = self.receive()
            if message.id == id_ and message.closes:
                return message

    def started(self, id_: str) -> None:
        """Wait until a request is running."""
        while (message := self.receive()).id != id_ or message.header.get("stage") != "plant":
            pass

    def rest(self) -> list[Message]:
        """Everything until the backend ends."""
        return list(iter(lambda: read_message(self.stdout), None))

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE_S)

    def end(self) -> None:
        self.watchdog.cancel()
        self.process.kill()
        self.process.wait()
        self.stdout.close()
        with contextlib.suppress(OSError):
            self.stdin.close()


@pytest.fixture
def start() -> Iterator[Start]:
    backends: list[Backend] = []

    def begin(*options: str) -> Backend:
        backends.append(Backend(*options))
        return backends[-1]

    yield begin
    for backend in backends:
        backend.end()


def closing_messages(messages: list[Message]) -> list[tuple[str, str]]:
    return [(message.id, message.type) for message in messages if message.closes]


def test_hello_is_answered_with_what_the_backend_is(start: Start) -> None:
    backend = start()
    backend.send("hello", "1", protocol=PROTOCOL_VERSION)
    ready = backend.closing("1")
    assert ready.type == "ready"
    assert ready.header["protocol"] == PROTOCOL_VERSION
    assert ready.header["device"] == "script"
    assert ready.header["models"] == "scripted"
    assert ready.header["version"]


def test_another_version_of_the_wire_is_refused_with_what_to_do(start: Start) -> None:
    backend = start()
    backend.send("hello", "1", protocol=PROTOCOL_VERSION + 1)
    answer = backend.closing("1")
    assert (answer.type, answer.header["code"]) == ("error", "bad_request")
    assert "same release" in answer.header["hint"]


def test_a_dance_comes_back_with_its_arrays_after_its_stages(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", genre="house", text="slow", seed=3)
    stages: list[str] = []
    while not (message := backend.receive()).closes:
        stages.append(message.header["stage"])
    assert list(dict.fromkeys(stages)) == ["listen", "dance", "refine", "plant"]
    assert message.type == "result"
    assert message.header["settings"] == {"genre": "house", "text": "slow", "seed": 3}
    shapes = {name: (array.dtype, array.shape) for name, array in message.arrays.items()}
    assert shapes == {
        "poses": ("<f4", (30, 24, 3)),
        "pelvis": ("<f4", (30, 3)),
        "contacts": ("|u1", (30, 4)),
        "beats_s": ("<f8", (3,)),
        "downbeat": ("|u1", (3,)),
        "sound": ("<i2", (30, 37)),
        "movement_codes": ("<i2", (8, 1)),
        "pose_codes": ("<i2", (16, 2)),
    }


def test_analyse_gives_the_beats(start: Start) -> None:
    backend = start()
    backend.send("analyse", "1")
    answer = backend.closing("1")
    assert answer.header["tempo_bpm"] == 120.0
    assert answer.arrays["beats_s"].numpy().tolist() == [0.0, 0.5, 1.0]


def test_a_library_that_prints_does_not_disturb_the_wire(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="print")
    backend.send("generate", "2", text="print")
    assert backend.closing("1").type == "result"
    assert backend.closing("2").type == "result"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("refuse", "unknown_genre", "polka"),
        ("raise", "internal", "wrong shape"),
        ("exit", "internal", "SystemExit"),
        ("nan", "internal", "not JSON"),
    ],
)
def test_a_failure_closes_the_request_and_the_next_one_works(start: Start, text: str, code: str, words: str) -> None:
    backend = start()
    backend.send("generate", "1", text=text)
    backend.send("generate", "2")
    answer = backend.closing("1")
    assert (answer.type, answer.header["code"]) == ("error", code)
    assert words in answer.header["message"]
    assert backend.closing("2").type == "result"


def test_a_request_without_its_sound_is_refused(start: Start) -> None:
    backend = start()
    write_message(backend.stdin, request("generate", "1", {"sample_rate_hz": 8000}))
    answer = backend.closing("1")
    assert answer.header["code"] == "bad_request"
    assert "'audio'" in answer.header["message"]


@pytest.mark.parametrize(("type_", "word"), [("regenerate", "no request"), ("edit", "'operation'")])
def test_a_request_that_does_not_exist_or_lacks_a_field_is_refused(start: Start, type_: str, word: str) -> None:
    backend = start()
    write_message(backend.stdin, Message({"type": type_, "id": "1"}))
    answer = backend.closing("1")
    assert (answer.type, answer.header["code"]) == ("error", "bad_request")
    assert word in answer.header["message"]


def test_a_faulty_request_is_refused_and_the_next_one_works(start: Start) -> None:
    backend = start()
    for header in ({"type": "dance", "id": "1"}, {"type": "generate", "id": "2"}, {"type": "ping"}):
        write_message(backend.stdin, Message(header))
    backend.send("ping", "3")
    answers = [backend.receive() for _ in range(4)]
    assert [(a.type, a.id) for a in answers] == [("error", "1"), ("error", "2"), ("error", ""), ("pong", "3")]


def test_a_second_request_with_an_open_id_does_not_close_the_first(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="wait")
    backend.started("1")
    backend.send("generate", "1")
    while not (answer := backend.receive()).closes:
        pass
    assert (answer.type, answer.id) == ("error", "")
    backend.send("cancel", "1")
    assert backend.closing("1").type == "cancelled"


def test_too_many_requests_are_refused(start: Start) -> None:
    backend = start()
    for number in range(40):
        backend.send("generate", str(number), text="wait")
    assert backend.closing("39").header["code"] == "bad_request"


def test_ping_is_answered_while_a_job_runs(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="deaf")
    backend.started("1")
    backend.send("ping", "2")
    assert backend.closing("2").type == "pong"


def test_cancel_ends_a_running_job(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="wait")
    backend.started("1")
    backend.send("cancel", "1")
    assert backend.closing("1").type == "cancelled"
    backend.send("generate", "2")
    assert backend.closing("2").type == "result"


def test_cancel_takes_a_waiting_job_out_of_the_queue_at_once(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="deaf")
    backend.started("1")
    backend.send("generate", "2")
    backend.send("cancel", "2")
    assert backend.closing("2").type == "cancelled"


def test_cancel_closes_a_request_with_exactly_one_message(start: Start) -> None:
    backend = start()
    for number in range(20):
        backend.send("generate", str(number), text="wait" if number % 3 == 0 else "")
        backend.send("cancel", str(number))
        backend.send("cancel", str(number))
    backend.send("generate", "last")
    messages = [backend.receive()]
    while messages[-1].id != "last" or not messages[-1].closes:
        messages.append(backend.receive())
    backend.send("shutdown", "")
    messages += backend.rest()
    closed = closing_messages(messages)
    assert sorted(id_ for id_, _ in closed) == sorted([*map(str, range(20)), "last"])
    assert all(type_ == "cancelled" for id_, type_ in closed if id_ != "last" and int(id_) % 3 == 0)


def test_cancel_of_an_unknown_request_is_no_error(start: Start) -> None:
    backend = start()
    backend.send("cancel", "9")
    backend.send("ping", "1")
    assert backend.receive().type == "pong"


def test_progress_is_told_of_at_a_bounded_rate(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="many")
    count = 0
    while not backend.receive().closes:
        count += 1
    assert 0 < count < 2000


def test_a_parent_that_reads_slowly_holds_no_job_up_and_loses_nothing(start: Start) -> None:
    backend = start()
    for number in range(30):  # far more than a pipe holds
        sound = np.zeros(8000 * 20, "f4")
        arrays = {"audio": sound}
        write_message(backend.stdin, request("generate", str(number), {"sample_rate_hz": 8000}, arrays))
    for number in range(2000):
        backend.send("ping", f"ping-{number}")
    backend.send("shutdown", "")
    assert len(closing_messages(backend.rest())) == 2030
    assert backend.exit_code() == 0


def test_the_process_ends_when_its_input_closes(start: Start) -> None:
    backend = start()
    backend.send("ping", "1")
    assert backend.receive().type == "pong"
    backend.stdin.close()
    assert backend.exit_code() == 0


def test_the_process_ends_when_its_input_closes_in_the_middle_of_a_job(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="deaf")
    backend.started("1")
    backend.stdin.close()
    assert backend.exit_code() == 0


def test_the_process_ends_when_nobody_reads_its_output(start: Start) -> None:
    backend = start()
    backend.send("ping", "1")
    assert backend.receive().type == "pong"
    backend.stdout.close()
    backend.send("ping", "2")
    assert backend.exit_code() == 1


def test_shutdown_closes_what_is_open_and_ends(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="wait")
    backend.started("1")
    backend.send("generate", "2")
    backend.send("shutdown", "")
    assert sorted(closing_messages(backend.rest())) == [("1", "cancelled"), ("2", "cancelled")]
    assert backend.exit_code() == 0


def test_shutdown_does_not_wait_for_a_job_that_does_not_listen(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="deaf")
    backend.started("1")
    backend.send("shutdown", "")
    assert closing_messages(backend.rest()) == [("1", "cancelled")]
    assert backend.exit_code() == 0


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", b"PIRO\xff\xff\xff\xff\xff\xff\xff\xff", b"PIRO\x02\x00\x00\x00\x00\x00\x00\x00[]"],
    ids=["another protocol", "absurd sizes", "header is no object"],
)
def test_a_malformed_frame_is_answered_and_ends_the_process(start: Start, data: bytes) -> None:
    backend = start()
    backend.send("generate", "1", text="wait")
    backend.started("1")
    backend.stdin.write(data)
    backend.stdin.flush()
    messages = backend.rest()
    assert next((m.type, m.id, m.header.get("code")) for m in messages if m.closes) == ("error", "", "bad_request")
    assert closing_messages(messages)[1:] == [("1", "cancelled")]
    assert backend.exit_code() == 2


def test_a_truncated_frame_is_answered_and_ends_the_process(start: Start) -> None:
    backend = start()
    parts = frame_parts(request("generate", "1", {"sample_rate_hz": 8000}, {"audio": SOUND}))
    backend.stdin.write(parts[0])
    backend.stdin.close()
    answer = backend.receive()
    assert "ended in the middle" in answer.header["message"]
    assert backend.exit_code() == 2


def test_missing_weights_are_told_to_every_request(start: Start) -> None:
    backend = start("--weights-missing")
    backend.send("hello", "1", protocol=PROTOCOL_VERSION)
    backend.send("generate", "2")
    assert backend.closing("1").header["code"] == "weights_missing"
    assert backend.closing("2").header["code"] == "weights_missing"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_terminate_ends_the_process_in_the_middle_of_a_job(start: Start) -> None:
    backend = start()
    backend.send("generate", "1", text="deaf")
    backend.started("1")
    backend.process.send_signal(signal.SIGTERM)
    assert backend.exit_code() == -signal.SIGTERM
