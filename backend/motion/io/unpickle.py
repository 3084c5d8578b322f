"""Read the arrays of a pickle without running anything that the pickle names.

A pickle is a program. This reader knows the few functions by which numpy 1 and numpy 2 write arrays, and answers them
with stand-ins of its own that only collect shape, type and bytes; every other name is refused before it is looked up.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from backend.errors import PirouetteError

_PLAIN_KINDS = "biuf"  # bool, signed, unsigned, float: no objects, no structures
_CONTAINERS: dict[str, Any] = {"set": set, "frozenset": frozenset, "list": list, "dict": dict, "tuple": tuple}
_BROKEN = (
    pickle.UnpicklingError,
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


class _Closed:
    """Something a pickle may name but not change: BUILD, which sets attributes on an object, ends here."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("a pickle may not change its reader")


class _Marker(_Closed):
    """Stands for numpy.ndarray, which pickles name as an argument only."""

    __slots__ = ()


class _Function(_Closed):
    """Stands for a function of numpy's."""

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
            raise pickle.UnpicklingError("structured arrays are not motion")
        self._order = str(state[1])

    def numpy(self) -> np.dtype[Any]:
        """The dtype, if it is a plain number."""
        if (
            self._code[:1] not in _PLAIN_KINDS
            or not self._code[1:].isdigit()
            or self._order not in ("<", ">", "|", "=")
        ):
            raise pickle.UnpicklingError(f"arrays of {self._code!r} are not motion")
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
        ("numpy", "ndarray"): _Marker(),
        ("numpy", "dtype"): _Function(lambda code, *_: _Dtype(code)),
        ("_codecs", "encode"): _Function(_encode),
    }
    for core in ("numpy.core", "numpy._core"):
        names[core + ".multiarray", "_reconstruct"] = _Function(lambda *_: _Array())
        names[core + ".multiarray", "scalar"] = _Function(_scalar)
        names[core + ".numeric", "_frombuffer"] = _Function(_array)
    for module in ("builtins", "__builtin__"):
        names |= {(module, name): kind for name, kind in _CONTAINERS.items()}
    return names


class _ArrayUnpickler(pickle.Unpickler):
    """Resolves the names above and no other."""

    _names = _known_names()

    def find_class(self, module: str, name: str, /) -> Any:
        """The stand-in for a name; raises PirouetteError("unsafe_file") for a name that plain arrays do not need."""
        if (module, name) not in self._names:
            raise PirouetteError(
                "unsafe_file",
                f"The pickle asks to run {module}.{name}; only plain arrays are read and nothing was run.",
                "Do not open this file elsewhere either, unless you trust whoever made it.",
            )
        return self._names[module, name]


def _opened(value: Any) -> Any:
    return value.value if isinstance(value, _Array) else value


def unpickle_arrays(content: bytes) -> dict[str, Any]:
    """The dictionary that a pickle holds, its arrays as numpy arrays.

    Raises PirouetteError("unsafe_file") for a pickle that names anything but plain arrays and containers,
    PirouetteError("damaged_file") for a truncated pickle or one that does not hold a dictionary.
    """
    try:
        value = _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
    except _BROKEN as error:
        raise PirouetteError("damaged_file", f"The pickle is damaged or not a motion: {error}.") from error
    if not isinstance(value, dict):
        raise PirouetteError("damaged_file", f"The pickle holds a {type(value).__name__}, not a motion.")
    return {str(key): _opened(item) for key, item in value.items()}
