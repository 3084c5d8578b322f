"""SMPL's own pickles without the libraries that wrote them: their objects are collected as data, never made.

The files hold arrays of numpy, sparse matrices of scipy and expressions of chumpy, which Python 3 can hardly install.
Of the latter two only the arrays inside are taken. Names of any other library are refused, see ``unpickle_arrays``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.motion.io.unpickle import Function, Marker, opened, unpickle_arrays

_MOST_NUMBERS = 64_000_000  # of a sparse matrix that is spread out: SMPL-X has 0.6 million
_DEEPEST = 8  # expressions inside expressions
_OBJECT = Marker()

Array = NDArray[Any]


class _Collected:
    """Any object of the two libraries: what the pickle says of it is kept and does nothing."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise TypeError("an object without named values")
        self.state = {str(name): value for name, value in state.items()}


class _Expression(_Collected):
    """Stands for chumpy's objects."""

    __slots__ = ()


class _ByColumn(_Collected):
    """Stands for scipy's sparse matrix that is kept column by column."""

    __slots__ = ()


class _ByRow(_Collected):
    """Stands for the one that is kept row by row."""

    __slots__ = ()


class _ByPlace(_Collected):
    """Stands for the one that is kept as rows, columns and values."""

    __slots__ = ()


_SPARSE = {"csc_matrix": _ByColumn, "csr_matrix": _ByRow, "coo_matrix": _ByPlace}
_SPARSE |= {name.replace("matrix", "array"): kind for name, kind in _SPARSE.items()}


def _reconstructed(kind: Any, base: Any = _OBJECT, state: Any = None) -> _Collected:
    """Old pickles make an object so, before they tell what is in it."""
    if not (isinstance(kind, type) and issubclass(kind, _Collected)) or base is not _OBJECT or state is not None:
        raise TypeError("an object that is no array")
    return kind()


def _stand_in(module: str, name: str) -> Any:
    if module.split(".")[0] == "chumpy":
        return _Expression
    if module.startswith("scipy.sparse"):
        return _SPARSE.get(name)
    if (module, name) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
        return Function(_reconstructed)
    if (module, name) in (("__builtin__", "object"), ("builtins", "object")):
        return _OBJECT
    return dict if (module, name) == ("collections", "OrderedDict") else None


def unpickle_body(content: bytes) -> dict[str, Any]:
    """What a body's pickle holds, by name; ``array_in`` gives the arrays. Raises PirouetteError as unpickle_arrays."""
    return unpickle_arrays(content, what="an SMPL body", also=_stand_in)


def array_in(value: Any, *, depth: int = 0) -> Array:
    """The array in a value of such a pickle, sparse matrices spread out.

    Raises ValueError, TypeError, KeyError or IndexError where there is none or it is not whole.
    """
    value = opened(value)
    if isinstance(value, np.ndarray):
        return value
    if depth > _DEEPEST:
        raise ValueError("an expression in an expression, without end")
    if isinstance(value, _Expression):
        return _evaluated(value.state, lambda name: array_in(value.state[name], depth=depth + 1))
    if isinstance(value, _Collected):
        return _spread_out(value)
    raise TypeError(f"a {type(value).__name__.lstrip('_').lower()} where an array was expected")


def _evaluated(state: dict[str, Any], term: Callable[[str], Array]) -> Array:
    """An expression: plain values, some of another's values, or another's values in a new shape."""
    if "x" in state:
        return term("x")
    values = term("a")
    if "idxs" in state:
        values = values.ravel()[array_in(state["idxs"])]
    shape = state.get("preferred_shape", state.get("newshape"))
    return values if shape is None else values.reshape(tuple(int(length) for length in opened(shape)))


def _spread_out(matrix: _Collected) -> Array:
    state = matrix.state
    rows, columns = (int(length) for length in opened(state.get("_shape", state.get("shape"))))
    if min(rows, columns) < 0 or math.prod((rows, columns)) > _MOST_NUMBERS:
        raise ValueError(f"a sparse matrix of {rows} by {columns}")
    dense = np.zeros((rows, columns))
    values = array_in(state["data"])
    if isinstance(matrix, _ByPlace):
        pair = state["coords"] if "coords" in state else (state["row"], state["col"])
        first, second = (array_in(places) for places in pair)
    else:
        counts = np.diff(array_in(state["indptr"]).astype(np.int64)).astype(np.int64)
        inner, outer = array_in(state["indices"]), np.repeat(np.arange(len(counts)), counts)
        first, second = (inner, outer) if isinstance(matrix, _ByColumn) else (outer, inner)
    if min(first.min(initial=0), second.min(initial=0)) < 0:
        raise IndexError("a place before the first row or column")
    np.add.at(dense, (first, second), values)
    return dense
