"""Read the arrays of a pickle without running anything that the pickle names.

A pickle is a program. This reader knows the few functions by which numpy 1 and numpy 2 write arrays, and answers them
with stand-ins of its own that only collect shape, type and bytes; every other name is refused before it is looked up.
Files of another kind may bring stand-ins for names of their own.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from backend.errors import PirouetteError

_PLAIN_KINDS = "biuf"  # bool, signed, unsigned, float: no objects, no structures
_CONTAINERS: dict[str, Any] = {"set": set, "frozenset": frozenset, "list": list, "dict": dict, "tuple": tuple}
StandIns = Callable[[str, str], Any]  # from module and name to a stand-in, None for a name that is not known
_BROKEN = (
    pickle.UnpicklingError,
    struct.error,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    ImportError,
)


class Closed:
    """Something a pickle may name but not change: BUILD, which sets attributes on an object, ends here."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("a pickle may not change its reader")


class Marker(Closed):
    """Stands for a class such as numpy.ndarray, which pickles name as an argument only."""

    __slots__ = ()


class Function(Closed):
    """Stands for a function that a pickle calls."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


class _Dtype:
    """A pickled dtype: its code such as "f8", then its byte order."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: str) -> None:
        self._code, self._order = str(code), "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if len(state) < 5 or state[2] is not None or state[3] is not None or state[4] is not None:
            raise pickle.UnpicklingError("structured arrays are not numbers")
        self._order = str(state[1])

    def numpy(self) -> np.dtype[Any]:
        """The dtype, if it is a plain number."""
        if (
            self._code[:1] not in _PLAIN_KINDS
            or not self._code[1:].isdigit()
            or self._order not in ("<", ">", "|", "=")
        ):
            raise pickle.UnpicklingError(f"arrays of {self._code!r} are not numbers")
        return np.dtype(("" if self._order == "|" else self._order) + self._code)


class _Array:
    """A pickled array: empty when made, its content follows as state."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, column_major, content = state
        self.value = _array(content, dtype, shape, "F" if column_major else "C")


def _array(content: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    """An array from its bytes; (older pickles keep them as latin-1 text)."""
    if isinstance(content, str):
        content = content.encode("latin-1")
    if not isinstance(content, bytes | bytearray) or not isinstance(dtype, _Dtype):
        raise pickle.UnpicklingError("an array without bytes or type")
    kind = dtype.numpy()
    lengths = tuple(int(length) for length in shape)
    if min(lengths, default=0) < 0 or math.prod(lengths) * kind.itemsize != len(content):
        raise pickle.UnpicklingError("an array whose size does not fit its shape")
    return np.frombuffer(content, dtype=kind).reshape(lengths, order="F" if order == "F" else "C").copy()


def _encode(text: Any, encoding: Any) -> bytes:
    """Protocol 2 writes bytes as text with this call."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("text where bytes were expected")
    return text.encode("latin-1")


def _scalar(dtype: Any, content: Any) -> float:
    return float(_array(content, dtype, (1,), "C")[0])


def _known_names() -> dict[tuple[str, str], Any]:
    names: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): Marker(),
        ("numpy", "dtype"): Function(lambda code, *_: _Dtype(code)),
        ("_codecs", "encode"): Function(_encode),
    }
    for core in ("numpy.core", "numpy._core"):
        names[core + ".multiarray", "_reconstruct"] = Function(lambda *_: _Array())
        names[core + ".multiarray", "scalar"] = Function(_scalar)
        names[core + ".numeric", "_frombuffer"] = Function(_array)
    for module in ("builtins", "__builtin__"):
        names[module, "bytes"] = Function(lambda: b"")  # how protocol 2 writes that there are none
        names |= {(module, name): kind for name, kind in _CONTAINERS.items()}
    return names


class _ArrayUnpickler(pickle._Unpickler):
    """Resolves the names above, those that ``also`` knows, and no other.

    It is the reader written in Python: the one in C reserves as much memory as a number in the file says.
    """

    _names = _known_names()

    def __init__(self, content: bytes, also: StandIns | None) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._also = also

    def find_class(self, module: str, name: str, /) -> Any:
        """The stand-in for a name; raises PirouetteError("unsafe_file") for a name that plain arrays do not need."""
        found = self._names.get((module, name))
        if found is None and self._also is not None:
            found = self._also(module, name)
        if found is None:
            raise PirouetteError(
                "unsafe_file",
                f"The pickle asks to run {module}.{name}; only plain arrays are read and nothing was run.",
                "Do not open this file elsewhere either, unless you trust whoever made it.",
            )
        return found


def opened(value: Any) -> Any:
    """The array that a stand-in for an array has collected; any other value as it is."""
    return value.value if isinstance(value, _Array) else value


def unpickle_arrays(content: bytes, *, what: str = "a motion", also: StandIns | None = None) -> dict[str, Any]:
    """The dictionary that a pickle holds, its arrays as numpy arrays.

    what: the file should be, for errors; also: stand-ins for further names, which must do nothing but collect.
    Raises PirouetteError("unsafe_file") for a pickle that names anything but plain arrays and containers,
    PirouetteError("damaged_file") for a truncated pickle or one that does not hold a dictionary.
    """
    try:
        value = _ArrayUnpickler(content, also).load()
    except _BROKEN as error:
        raise PirouetteError("damaged_file", f"The pickle is damaged or not {what}: {error}.") from error
    if not isinstance(value, dict):
        raise PirouetteError("damaged_file", f"The pickle holds a {type(value).__name__}, not {what}.")
    return {str(key): opened(item) for key, item in value.items()}
