"""The wire: what goes in comes out, and what is not a message is refused with a reason."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.protocol import (
    MAGIC,
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    Array,
    Message,
    ProtocolError,
    check_reply,
    check_request,
    frame_parts,
    read_message,
    request,
    write_message,
)

ROOT = Path(__file__).resolve().parents[2]


def frame(header: object, body: bytes = b"", *, magic: bytes = MAGIC, body_bytes: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<4sII", magic, len(text), len(body) if body_bytes is None else body_bytes) + text + body


def sent(message: Message) -> io.BytesIO:
    stream = io.BytesIO()
    write_message(stream, message)
    stream.seek(0)
    return stream


class Trickle:
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 3))


@pytest.mark.parametrize("dtype", ["|u1", "<i2", "<i4", "<i8", "<f4", "<f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (0, 24, 3), (2, 1, 4)])
def test_an_array_arrives_as_it_was_sent(dtype: str, shape: tuple[int, ...]) -> None:
    values = np.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)
    message = read_message(sent(Message({"type": "result"}, {"values": Array.of(values)})))
    assert message is not None
    received = message.arrays["values"].numpy()
    assert received.dtype == values.dtype
    assert received.shape == shape
    np.testing.assert_array_equal(received, values)


def test_several_arrays_keep_their_names_and_order() -> None:
    arrays = {"b": Array.of(np.ones(3, "f4")), "a": Array.of(np.zeros((2, 2), "f8"))}
    message = read_message(sent(Message({"type": "result", "id": "7", "words": "é"}, arrays)))
    assert message is not None
    assert message.header == {"type": "result", "id": "7", "words": "é"}
    assert list(message.arrays) == ["b", "a"]
    assert message.arrays["a"].numpy().shape == (2, 2)


def test_an_array_that_is_not_contiguous_is_copied_in_order() -> None:
    values = np.arange(12, dtype="f4").reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(Array.of(values).numpy(), values)


def test_booleans_travel_as_bytes() -> None:
    assert Array.of(np.array([True, False])).dtype == "|u1"


@pytest.mark.parametrize("values", [np.zeros(3, ">f4"), np.zeros(3, object), np.zeros(3, "c8"), np.zeros(3, "u4")])
def test_an_array_of_a_type_that_does_not_travel_is_refused(values: Any) -> None:
    with pytest.raises(ProtocolError, match="do not travel"):
        Array.of(values)


def test_a_frame_in_many_small_pieces_is_read_whole() -> None:
    data = sent(request("generate", "1", {"sample_rate_hz": 8000}, {"audio": np.ones(50, "f4")})).getvalue()
    message = read_message(Trickle(data))
    assert message is not None
    assert message.arrays["audio"].shape == (50,)


def test_an_end_between_two_messages_is_an_end() -> None:
    assert read_message(io.BytesIO(b"")) is None


def test_a_stream_that_ends_anywhere_inside_a_message_is_an_error() -> None:
    data = sent(Message({"type": "result"}, {"a": Array.of(np.ones(4, "f4"))})).getvalue()
    for length in range(1, len(data)):
        with pytest.raises(ProtocolError, match="ended in the middle"):
            read_message(io.BytesIO(data[:length]))


ARRAY = {"name": "a", "dtype": "<f4", "shape": [2]}
HOSTILE = {
    "another magic": frame({"type": "ping"}, magic=b"HTTP"),
    "text": b"Welcome to Ubuntu\n",
    "header too long": struct.pack("<4sII", MAGIC, MAX_HEADER_BYTES + 1, 0),
    "body too long": struct.pack("<4sII", MAGIC, 2, MAX_BODY_BYTES + 1) + b"{}",
    "not JSON": frame(b"{type: ping}"),
    "not UTF-8": frame(b'{"type": "\xff"}'),
    "not an object": frame([1]),
    "no type": frame({"id": "1"}),
    "type is no text": frame({"type": 3}),
    "NaN": frame(b'{"type": "ping", "x": NaN}'),
    "deep": frame(b'{"type": "ping", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "long number": frame(b'{"type": "ping", "x": ' + b"9" * 10_000 + b"}"),
    "arrays are no list": frame({"type": "a", "arrays": {"a": 1}}),
    "array is no object": frame({"type": "a", "arrays": [1]}),
    "too many arrays": frame({"type": "a", "arrays": [{**ARRAY, "name": f"{i}", "shape": [0]} for i in range(65)]}),
    "no shape": frame({"type": "a", "arrays": [{"name": "a", "dtype": "<f4"}]}),
    "pickled dtype": frame({"type": "a", "arrays": [{**ARRAY, "dtype": "|O"}]}, bytes(8)),
    "big-endian": frame({"type": "a", "arrays": [{**ARRAY, "dtype": ">f4"}]}, bytes(8)),
    "dtype is a list": frame({"type": "a", "arrays": [{**ARRAY, "dtype": ["<f4"]}]}, bytes(8)),
    "negative length": frame({"type": "a", "arrays": [{**ARRAY, "shape": [-1, -2]}]}, bytes(8)),
    "fractional length": frame({"type": "a", "arrays": [{**ARRAY, "shape": [2.0]}]}, bytes(8)),
    "true as a length": frame({"type": "a", "arrays": [{**ARRAY, "shape": [True, 2]}]}, bytes(8)),
    "nine dimensions": frame({"type": "a", "arrays": [{**ARRAY, "shape": [1] * 9}]}, bytes(4)),
    "huge product": frame({"type": "a", "arrays": [{**ARRAY, "shape": [1 << 20] * 8}]}, bytes(8)),
    "name twice": frame({"type": "a", "arrays": [ARRAY, ARRAY]}, bytes(16)),
    "empty name": frame({"type": "a", "arrays": [{**ARRAY, "name": ""}]}, bytes(8)),
    "body shorter than its arrays": frame({"type": "a", "arrays": [ARRAY]}, bytes(4)),
    "body longer than its arrays": frame({"type": "a", "arrays": [ARRAY]}, bytes(12)),
    "body without arrays": frame({"type": "a"}, bytes(12)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_frame_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_message(io.BytesIO(HOSTILE[name]))
    assert str(caught.value).endswith(".")


def test_a_false_length_costs_no_memory() -> None:
    class Counted(io.BytesIO):
        asked = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.asked = max(self.asked, size or 0)
            return super().read(size)

    header = {"type": "a", "arrays": [{**ARRAY, "shape": [MAX_BODY_BYTES // 4]}]}
    stream = Counted(frame(header, b"abc", body_bytes=MAX_BODY_BYTES))
    with pytest.raises(ProtocolError):
        read_message(stream)
    assert stream.asked <= 1 << 20


def test_nothing_is_written_of_a_message_that_may_not_be_sent() -> None:
    stream = io.BytesIO()
    for header in ({"type": "a", "x": float("nan")}, {"type": "a", "x": {1, 2}}):
        with pytest.raises(ProtocolError):
            write_message(stream, Message(header))
    assert stream.getvalue() == b""


def test_an_array_whose_bytes_do_not_fit_its_shape_cannot_be_made() -> None:
    with pytest.raises(ProtocolError, match="needs 8 bytes"):
        Array("<f4", (2,), b"abc")


GENERATE = {"type": "generate", "id": "1", "sample_rate_hz": 44100}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"type": "dance", "id": "1"}, "no request 'dance'"),
        ({"type": "result", "id": "1"}, "no request 'result'"),
        ({"type": "ping"}, "needs an id"),
        ({"type": "ping", "id": 3}, "needs an id"),
        ({"type": "ping", "id": "x" * 65}, "needs an id"),
        ({"type": "hello", "id": "1"}, "'protocol'"),
        ({"type": "hello", "id": "1", "protocol": True}, "'protocol'"),
        ({"type": "generate", "id": "1"}, "'sample_rate_hz'"),
        ({**GENERATE, "sample_rate_hz": 0}, "'sample_rate_hz'"),
        ({**GENERATE, "sample_rate_hz": 44100.0}, "'sample_rate_hz'"),
        ({**GENERATE, "genre": None}, "'genre'"),
        ({**GENERATE, "text": ["a"]}, "'text'"),
        ({**GENERATE, "seed": -1}, "'seed'"),
        ({**GENERATE, "seed": 1 << 63}, "'seed'"),
        ({**GENERATE, "fps": 0}, "'fps'"),
    ],
)
def test_a_request_with_a_fault_is_refused_by_name(header: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        check_request(Message(header))


def test_whole_requests_pass() -> None:
    check_request(Message(GENERATE))
    check_request(Message({**GENERATE, "genre": "house", "text": "", "seed": 0, "fps": 23.976}))
    check_request(Message({"type": "shutdown"}))


@pytest.mark.parametrize(
    "header",
    [{"type": "boo"}, {"type": "error", "code": "x"}, {"type": "progress", "stage": "dance", "done": -1, "total": 2}],
)
def test_a_reply_with_a_fault_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        check_reply(Message(header))


def test_an_array_of_another_kind_than_asked_for_is_refused() -> None:
    message = Message({"type": "generate"}, {"audio": Array.of(np.zeros((4, 2), "f8"))})
    with pytest.raises(ProtocolError, match="must be <f4 with 1 or 2 dimensions"):
        message.array("audio", dtype="<f4", dimensions=(1, 2))
    with pytest.raises(ProtocolError, match="needs the array 'video'"):
        message.array("video", dtype="<f4", dimensions=(1,))


def test_the_arrays_of_a_frame_are_not_copied() -> None:
    values = np.zeros((1000, 2), "f4")
    parts = frame_parts(request("analyse", "1", {"sample_rate_hz": 8000}, {"audio": values}))
    assert np.shares_memory(np.frombuffer(parts[1], "f4"), values)


def test_messages_are_framed_without_numpy() -> None:
    program = (
        "import sys; sys.modules['numpy'] = None; import runpy, io, array; "
        f"p = runpy.run_path({str(ROOT / 'backend' / 'protocol.py')!r}, run_name='wire'); s = io.BytesIO(); "
        "p['write_message'](s, p['request']('analyse', '1', {'sample_rate_hz': 9}, {'audio': array.array('f', [1])})); "
        "s.seek(0); assert p['read_message'](s).arrays['audio'].shape == (1,)"
    )
    loader = "import types; sys.modules['wire'] = types.ModuleType('wire'); "
    program = program.replace("import runpy", loader + "import runpy", 1)
    subprocess.run([sys.executable, "-I", "-c", program], check=True)


def test_the_add_on_speaks_the_same_wire() -> None:
    assert (ROOT / "backend/protocol.py").read_bytes() == (ROOT / "blender_addon/core/protocol.py").read_bytes()
