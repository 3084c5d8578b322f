"""The wire between Blender and the backend: framed messages over two pipes. Standard library only.

This file is copied into the add-on (``blender_addon/core/protocol.py``); both sides speak through it alone.

A frame is ``magic (4) | u32 header length | u32 body length | header | body``, lengths little-endian. The header is a
JSON object in UTF-8; its key ``arrays`` lists name, dtype and shape of each array, and the body holds their raw
little-endian bytes one after another, in that order and nothing else. Sizes are capped and nothing is ever unpickled.

Requests: ``hello``, ``analyse``, ``generate``, ``edit``, ``encode``, ``library``, ``library_get``, ``library_add``,
``body`` and ``ping`` carry an ``id`` that the sender chooses and get exactly one closing message with it; ``cancel``
carries the id of the request to cancel; ``shutdown`` ends the backend. Replies: ``progress`` and ``warning`` on the
way; ``ready`` closes hello, ``pong`` closes ping, and ``result``, ``cancelled`` or ``error`` closes the others
(``error`` may close any). What is about no request has no id.

A dance travels as arrays ``poses (T, 24, 3) f4``, ``pelvis (T, 3) f4``, ``contacts (T, 4) u1``, ``beats_s (B,) f8``,
``downbeat (B,) u1``, ``sound (S, 37) i2`` (the bits of float16), ``movement_codes (K, rows) i2``,
``pose_codes (2K, rows) i2``, ``key_poses (N, 24, 3) f4``, ``key_pelvis (N, 3) f4`` and the fields ``fps, tempo_bpm,
metre, beat_clear, sections, settings, model_version, report, warnings, key_poses, accents_s``. In a result these fields
stand in the header itself, in a request under ``dance``. Times are seconds from the dance's first frame.

``generate``: ``audio``; what else is fixed stands under ``directions``: ``key_poses`` [{time_s, joints [0..23], place,
    heading}, ...] with the arrays ``key_poses`` and ``key_pelvis``; ``accents_s``; ``parts`` [{start_s, end_s, genre,
    prompt}, ...]; ``kept_frames`` [[first, last), ...] of ``kept_poses``, ``kept_pelvis``, a whole dance;
    ``novelty`` 0..1; ``strategy`` "", sequential, bidirectional, coarse_to_fine or overlapping; ``reuse`` none, repeat
    or mirror. ``before_poses``, ``before_pelvis``: the motion that it goes on from, ``after_poses``, ``after_pelvis``:
    the motion that it arrives at, ``(T, 24, 3) f4`` and ``(T, 3) f4`` at 30 frames a second. ``beats_s``, ``downbeat``
    with ``tempo_bpm, metre, beat_clear``: beats as the animator has edited them, in place of those that are heard.

``edit``: ``operation`` {"op": name, ...}, ``dance`` and its arrays; ``other`` and its arrays, names prefixed
    ``other_``, for material of another dance. Its result is a dance whose report also has ``touched`` [[first, last),
    ...] frames of the result that are new, ``moved`` [[old first, old last, new first], ...] runs that were moved
    rigidly, in time or place, ``operation`` and ``seconds``; all other frames are as they were.
``encode``: a motion (``poses``, ``pelvis``, ``fps``), and ``beats_s``, ``downbeat``, ``sound`` where they are known;
    the result is a dance with codes. ``dance`` may hold any of a dance's fields.
``library``: a ``query``; the result's ``entries`` are [{id, name, genre, description, seconds, counts, licence,
    source, own}, ...]. ``library_get``: the ``entry`` with this id as a dance. ``library_add``: a dance under a
    ``name``, into the ``user_folder``; the result's ``entry`` is its id. ``user_folder``: the user's own phrases.
``body``: a body of the SMPL family from the user's own file at ``path``, in the shape of the array ``betas (N,) f4``.
    The result's fields are ``kind`` SMPL, SMPL-H or SMPL-X, ``title, joint_names, shapes`` (how many shape numbers the
    file has), its arrays ``joints (J, 3) f4``, ``parents (J,) i4``, ``vertices (V, 3) f4``, ``faces (F, 3) i4``,
    ``weights (V, J) f4``: metres, Z up, facing -Y, standing on z = 0.

Changelog
1  first version: hello, analyse, generate, cancel, ping, shutdown; regenerate and edit are named, not offered yet.
2  edit, encode, library, library_get, library_add; dances carry sound and codes; regenerate is an operation of edit.
3  generate takes directions, edited beats and the motion around it; dances carry key poses and accents; edit does beats
   and continue.
4  body.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    import numpy as np

PROTOCOL_VERSION = 4
MAGIC = b"PIRO"
MAX_HEADER_BYTES = 4 << 20
MAX_BODY_BYTES = 512 << 20  # 23 minutes of stereo sound at 48 kHz
MAX_ARRAYS = 64
MAX_DIMENSIONS = 8
MAX_ID_LENGTH = 64

JOB_TYPES = ("analyse", "generate", "edit", "encode", "library", "library_get", "library_add", "body")
REQUEST_TYPES = ("hello", *JOB_TYPES, "cancel", "ping", "shutdown")
REPLY_TYPES = ("ready", "progress", "result", "warning", "cancelled", "error", "pong")
CLOSING_TYPES = frozenset({"ready", "pong", "result", "cancelled", "error"})

_PREFIX = struct.Struct("<4sII")
_ITEM_BYTES = {"|u1": 1, "<i2": 2, "<i4": 4, "<i8": 8, "<f4": 4, "<f8": 8}
_NATIVE_DTYPES = {("?", 1): "|u1", ("B", 1): "|u1", ("f", 4): "<f4", ("d", 8): "<f8"} | {
    (code, size): f"<i{size}" for code in "hilq" for size in (2, 4, 8)
}
_READ_BYTES = 1 << 20

# Fields beyond type, id and arrays: the kind of each value, "?" where it may be left out.
_FIELDS: dict[str, dict[str, str]] = {
    "hello": {"protocol": "integer"},
    "analyse": {"sample_rate_hz": "integer"},
    "generate": {
        "sample_rate_hz": "integer",
        "genre": "text?",
        "text": "text?",
        "seed": "seed?",
        "fps": "rate?",
        "model": "text?",
        "directions": "object?",
        "metre": "integer?",
    },
    "edit": {"operation": "object", "dance": "object", "other": "object?", "user_folder": "text?"},
    "encode": {"fps": "rate", "dance": "object?"},
    "library": {"query": "text", "genre": "text?", "limit": "count?", "user_folder": "text?"},
    "library_get": {"entry": "text", "user_folder": "text?"},
    "library_add": {"name": "text", "genre": "text?", "description": "text?", "user_folder": "text", "dance": "object"},
    "body": {"path": "text"},
    "ready": {"version": "text", "protocol": "integer", "device": "text", "models": "text"},
    "progress": {"stage": "text", "done": "count", "total": "count"},
    "warning": {"message": "text"},
    "error": {"code": "text", "message": "text", "hint": "text"},
}


class ProtocolError(ValueError):
    """What arrived, or was about to be sent, is not a message of this protocol; says what was wrong."""


class Source(Protocol):
    """Anything to read bytes from; an empty answer means the end."""

    def read(self, size: int, /) -> bytes: ...


class Sink(Protocol):
    """Anything that takes all the bytes it is given, such as a buffered file."""

    def write(self, data: bytes | memoryview, /) -> object: ...

    def flush(self) -> object: ...


@dataclass(frozen=True)
class Array:
    """An array as it travels.

    dtype: one of ``|u1 <i2 <i4 <i8 <f4 <f8``; shape: lengths; data: C-ordered little-endian bytes.
    Raises ProtocolError when the three do not fit together.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview = field(repr=False)

    def __post_init__(self) -> None:
        expected = byte_length(self.dtype, self.shape)
        found = self.data.nbytes if isinstance(self.data, memoryview) else len(self.data)
        if found != expected:
            raise ProtocolError(f"An array {self.dtype} of shape {self.shape} needs {expected} bytes, not {found}.")

    @classmethod
    def of(cls, values: Any) -> Array:
        """Wrap a numpy array or any other buffer; C-contiguous data is not copied, so leave it unchanged until sent."""
        if isinstance(values, cls):
            return values
        view = memoryview(values)
        native = "<" if sys.byteorder == "little" else ">"
        order, code = (view.format[:1], view.format[1:]) if view.format[:1] in "<>=@" else ("@", view.format)
        dtype = _NATIVE_DTYPES.get((code, view.itemsize))
        if dtype is None or (dtype != "|u1" and (native if order in "=@" else order) != "<"):
            raise ProtocolError(f"Arrays of type {view.format!r} do not travel; use one of {', '.join(_ITEM_BYTES)}.")
        empty = view.nbytes == 0  # memoryview cannot cast a shape that holds a zero
        data = b"" if empty else view.cast("B") if view.c_contiguous else view.tobytes()
        return cls(dtype, tuple(view.shape or ()), data)

    def numpy(self) -> np.ndarray[Any, Any]:
        """The array as a numpy array on the received bytes, without a copy."""
        import numpy as np

        return np.frombuffer(self.data, dtype=np.dtype(self.dtype)).reshape(self.shape)


@dataclass(frozen=True)
class Message:
    """One message: the JSON header without ``arrays``, and the arrays by name."""

    header: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """What kind of message this is."""
        return str(self.header.get("type", ""))

    @property
    def id(self) -> str:
        """The request this message belongs to; empty when it belongs to none."""
        value = self.header.get("id")
        return value if isinstance(value, str) else ""

    @property
    def closes(self) -> bool:
        """Whether this is the last message about its request."""
        return self.type in CLOSING_TYPES

    def array(self, name: str, *, dtype: str, dimensions: Iterable[int]) -> Array:
        """The named array, checked for dtype and number of dimensions. Raises ProtocolError."""
        found = self.arrays.get(name)
        allowed = tuple(dimensions)
        if found is None:
            raise ProtocolError(f"A message of type {self.type!r} needs the array {name!r}.")
        if found.dtype != dtype or len(found.shape) not in allowed:
            wanted = " or ".join(map(str, allowed))
            raise ProtocolError(
                f"The array {name!r} must be {dtype} with {wanted} dimensions, not {found.dtype} {found.shape}."
            )
        return found


def byte_length(dtype: object, shape: Iterable[object]) -> int:
    """Bytes of an array of this dtype and shape. Raises ProtocolError for what does not travel."""
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise ProtocolError(f"The array type {dtype!r} is not one of {', '.join(_ITEM_BYTES)}.")
    lengths = tuple(shape)
    if len(lengths) > MAX_DIMENSIONS:
        raise ProtocolError(f"An array has {len(lengths)} dimensions; at most {MAX_DIMENSIONS} are allowed.")
    total = _ITEM_BYTES[dtype]
    for length in lengths:
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length < 1 << 32:
            raise ProtocolError(f"{length!r} is not the length of an array's dimension.")
        total *= length
    return total


def frame_parts(message: Message) -> list[bytes | memoryview]:
    """The pieces of a message's frame, in order, arrays uncopied. Raises ProtocolError when it may not be sent."""
    listing = [{"name": n, "dtype": a.dtype, "shape": list(a.shape)} for n, a in message.arrays.items()]
    try:
        text = json.dumps({**message.header, "arrays": listing}, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"The header of the message {message.type!r} is not JSON: {error}.") from error
    header = text.encode()
    body_bytes = sum(byte_length(a.dtype, a.shape) for a in message.arrays.values())
    _check_sizes(len(header), body_bytes)
    if len(listing) > MAX_ARRAYS:
        raise ProtocolError(f"A message holds {len(listing)} arrays; at most {MAX_ARRAYS} are allowed.")
    return [_PREFIX.pack(MAGIC, len(header), body_bytes) + header, *(a.data for a in message.arrays.values())]


def write_message(sink: Sink, message: Message) -> None:
    """Write one frame and flush it. Raises ProtocolError before the first byte when the message may not be sent."""
    for part in frame_parts(message):
        sink.write(part)
    sink.flush()


def read_message(source: Source) -> Message | None:
    """Read one frame; None when the other side has ended between two frames.

    Raises ProtocolError for anything that is not a whole, valid frame; the stream is of no use afterwards.
    """
    prefix = _read_up_to(source, _PREFIX.size)
    if not prefix:
        return None
    if not MAGIC.startswith(prefix[:4]):
        raise ProtocolError(f"These bytes are not a message of Pirouette: {bytes(prefix)!r}.")
    if len(prefix) < _PREFIX.size:
        raise ProtocolError("The stream ended in the middle of a message.")
    _, header_bytes, body_bytes = _PREFIX.unpack(prefix)
    _check_sizes(header_bytes, body_bytes)
    header = _parse_header(_read_exactly(source, header_bytes))
    listing = _parse_listing(header.pop("arrays", []), body_bytes)
    body = memoryview(_read_exactly(source, body_bytes)).toreadonly()
    arrays: dict[str, Array] = {}
    start = 0
    for name, dtype, shape, size in listing:
        arrays[name] = Array(dtype, shape, body[start : start + size])
        start += size
    return Message(header, arrays)


def check_request(message: Message) -> None:
    """Check that a message is a request with the fields its type needs. Raises ProtocolError naming the first fault."""
    if message.type not in REQUEST_TYPES:
        raise ProtocolError(f"There is no request {message.header.get('type')!r}.")
    if message.type != "shutdown" and not 0 < len(message.id) <= MAX_ID_LENGTH:
        raise ProtocolError(f"A request {message.type!r} needs an id: a text of 1 to {MAX_ID_LENGTH} characters.")
    _check_fields(message)


def check_reply(message: Message) -> None:
    """Check that a message is one a backend may send, with the fields its type needs. Raises ProtocolError."""
    if message.type not in REPLY_TYPES:
        raise ProtocolError(f"The backend sent a message of unknown type {message.header.get('type')!r}.")
    _check_fields(message)


def request(
    type_: str, id_: str, fields: Mapping[str, Any] | None = None, arrays: Mapping[str, Any] | None = None
) -> Message:
    """A checked request. arrays: numpy arrays or other buffers by name. Raises ProtocolError."""
    wrapped = {name: Array.of(values) for name, values in (arrays or {}).items()}
    message = Message({**(fields or {}), "type": type_, "id": id_}, wrapped)
    check_request(message)
    return message


def _check_fields(message: Message) -> None:
    for name, kind in _FIELDS.get(message.type, {}).items():
        if name not in message.header:
            if not kind.endswith("?"):
                raise ProtocolError(f"A message {message.type!r} needs the field {name!r}.")
        elif not _is_of_kind(message.header[name], kind.rstrip("?")):
            raise ProtocolError(f"The field {name!r} of {message.type!r} is not a valid {kind.rstrip('?')}.")


def _is_of_kind(value: object, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "object":
        return isinstance(value, dict)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind == "rate":
        return math.isfinite(value) and 0 < value <= 1000
    if kind == "seed":
        return isinstance(value, int) and 0 <= value < 1 << 63
    return isinstance(value, int) and (0 if kind == "count" else 1) <= value < 1 << 31


def _check_sizes(header_bytes: int, body_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES:
        raise ProtocolError(f"A message's header has {header_bytes} bytes; at most {MAX_HEADER_BYTES} are allowed.")
    if body_bytes > MAX_BODY_BYTES:
        mebibytes = MAX_BODY_BYTES >> 20
        raise ProtocolError(f"A message's arrays have {body_bytes} bytes; at most {mebibytes} MiB are allowed.")


def _parse_header(data: bytearray) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise ProtocolError(f"A message's header holds {constant}, which is not JSON.")

    try:
        header = json.loads(data.decode(), parse_constant=refuse)
    except ProtocolError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ProtocolError(f"A message's header is not JSON: {error}.") from error
    if not isinstance(header, dict) or not isinstance(header.get("type"), str):
        raise ProtocolError("A message's header must be a JSON object with a type.")
    return header


def _parse_listing(listing: object, body_bytes: int) -> list[tuple[str, str, tuple[int, ...], int]]:
    if not isinstance(listing, list) or len(listing) > MAX_ARRAYS:
        raise ProtocolError(f"A message's arrays must be a list of at most {MAX_ARRAYS}.")
    parsed: dict[str, tuple[str, str, tuple[int, ...], int]] = {}
    for entry in listing:
        if not isinstance(entry, dict) or not isinstance(entry.get("shape"), list):
            raise ProtocolError("Each array of a message needs a name, a dtype and a shape.")
        name, dtype, shape = entry.get("name"), entry.get("dtype"), tuple(entry["shape"])
        size = byte_length(dtype, shape)
        if not isinstance(name, str) or not 0 < len(name) <= MAX_ID_LENGTH or name in parsed:
            raise ProtocolError(f"{name!r} is not a usable name for an array, or is given twice.")
        parsed[name] = (name, str(dtype), shape, size)
    total = sum(size for *_, size in parsed.values())
    if total != body_bytes:
        raise ProtocolError(f"A message's arrays need {total} bytes, but it announces {body_bytes}.")
    return list(parsed.values())


def _read_exactly(source: Source, size: int) -> bytearray:
    data = _read_up_to(source, size)
    if len(data) < size:
        raise ProtocolError("The stream ended in the middle of a message.")
    return data


def _read_up_to(source: Source, size: int) -> bytearray:
    """Bytes as they come, so that a false length costs no memory."""
    data = bytearray()
    while len(data) < size:
        chunk = source.read(min(size - len(data), _READ_BYTES))
        if not chunk:
            break
        data += chunk
    return data
