"""Open a user's SMPL, SMPL-H or SMPL-X file. Nothing in a file is ever run: what is no plain array is refused or left.

The files come from their makers' sites, each under its own licence; none is part of this project.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backend.bodies.body import BodyModel
from backend.bodies.joints import KINDS, OTHER_MODELS, Kind
from backend.bodies.pickled import Array, array_in, unpickle_body
from backend.errors import PirouetteError

MAX_FILE_BYTES = 1 << 30  # SMPL-X with all its poses' corrections is a pickle of half that
MAX_ARRAY_BYTES = 512 << 20
MAX_SHAPES = 300
_NAMES = ("v_template", "shapedirs", "J_regressor", "kintree_table", "weights", "f")
_ALL_SHAPES, _FEW_SHAPES = 400, 10  # SMPL-X: 300 shapes and 100 expressions; fewer: 10 shapes, then expressions
_WEIGHTS_TOLERANCE = 0.02
_PICKLE_START = b"\x80"  # of protocols 2 and up; the older ones start with any letter
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".p")
_KNOWN = "Choose an SMPL, SMPL-H or SMPL-X file (.npz or .pkl) as its makers offer it."
_AGAIN = "Download the file again, or choose another one."
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    MemoryError,
    RuntimeError,
    SyntaxError,  # these two: numpy reads an array's description as Python writes it
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)

Find = Callable[[str], Array]


def load_body_model(path: Path) -> BodyModel:
    """The body model of a file, known by its content.

    Raises PirouetteError: "missing_file", "damaged_file" (not such a file, not whole, impossible numbers, too large),
    "unsafe_file" (it holds anything that would have to be run).
    """
    try:
        kind = _opening(path)
        if kind.startswith(b"PK"):
            return _model(_npz_arrays(path), path.stem)
        if kind.startswith(_PICKLE_START) or path.suffix.lower() in _PICKLE_SUFFIXES:
            return _model(_pickled_arrays(path), path.stem)
    except PirouetteError as error:
        raise PirouetteError(error.code, f"{path.name}: {error.message}", error.hint) from error
    raise PirouetteError("damaged_file", f"{path.name} is not an SMPL body.", _KNOWN)


def _opening(path: Path) -> bytes:
    """The first bytes of a file that is there and not too large."""
    try:
        if path.is_dir():
            raise PirouetteError("missing_file", "This is a folder.", "Choose the .npz or .pkl file in it.")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PirouetteError("damaged_file", f"With {size >> 20} MiB it is too large for an SMPL body.", _KNOWN)
        with path.open("rb") as file:
            return file.read(4)
    except FileNotFoundError as error:
        raise PirouetteError("missing_file", "The file does not exist.", "Check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: no system has a path with such characters
        reason = getattr(error, "strerror", None) or error
        raise PirouetteError("missing_file", f"The file cannot be read: {reason}.") from error


def _npz_arrays(path: Path) -> Find:
    """The arrays of an npz that a body needs; the others are not touched."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.removesuffix(".npy") in _NAMES and entry.file_size > MAX_ARRAY_BYTES:
                    raise PirouetteError("damaged_file", f"{entry.filename} is too large for an SMPL body.", _KNOWN)
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in _NAMES if name in arrays.files}
    except _BROKEN as error:
        if "allow_pickle" in str(error):
            raise PirouetteError(
                "unsafe_file",
                "Its arrays are pickled objects, which could run anything; nothing was run.",
                "Use the file as its makers offer it.",
            ) from error
        raise PirouetteError("damaged_file", f"The npz is damaged or incomplete: {error}.", _AGAIN) from error
    return found.__getitem__


def _pickled_arrays(path: Path) -> Find:
    try:
        values = unpickle_body(path.read_bytes())
    except OSError as error:
        raise PirouetteError("missing_file", f"The file cannot be read: {error.strerror or error}.") from error
    except PirouetteError as error:
        raise PirouetteError(error.code, error.message, error.hint or _AGAIN) from error
    return lambda name: array_in(values[name])


def _model(find: Find, title: str) -> BodyModel:
    arrays = {name: _numbers(find, name) for name in _NAMES}
    joints = arrays["kintree_table"].shape[-1]
    if joints not in KINDS:
        other = OTHER_MODELS.get(joints, f"something with {joints} joints")
        raise PirouetteError("damaged_file", f"It holds {other}, not a body of SMPL's family.", _KNOWN)
    _check_shapes(arrays, joints)
    kind, vertices = KINDS[joints], len(arrays["v_template"])
    faces = arrays["f"].astype(np.int64)
    weights = arrays["weights"].astype(np.float32)
    if faces.min() < 0 or faces.max() >= vertices:
        raise _damaged("its faces name vertices that there are not")
    if weights.min() < -1e-4 or np.abs(weights.sum(axis=1) - 1.0).max() > _WEIGHTS_TOLERANCE:
        raise _damaged("its skin weights do not add up to 1")
    return BodyModel(
        kind=kind.name,
        title=title,
        joint_names=kind.joint_names,
        parents=_parents(arrays["kintree_table"]),
        template=arrays["v_template"].astype(np.float32),
        shapes=arrays["shapedirs"][..., : _shape_count(arrays["shapedirs"], kind)].astype(np.float32),
        regressor=arrays["J_regressor"].astype(np.float32),
        weights=np.clip(weights, 0.0, None),
        faces=faces.astype(np.int32),
    )


def _numbers(find: Find, name: str) -> Array:
    """The named array, all of it finite. Raises PirouetteError("damaged_file")."""
    try:
        array = np.asarray(find(name))
    except KeyError as error:
        raise _damaged(f"it has no {name}") from error
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError, MemoryError) as error:
        raise _damaged(f"its {name} cannot be read ({error})") from error
    if array.dtype.kind not in "iuf" or array.size == 0 or not np.isfinite(array).all():
        raise _damaged(f"its {name} is not a table of numbers")
    return array


def _check_shapes(arrays: Mapping[str, Array], joints: int) -> None:
    vertices = arrays["v_template"].shape[0]
    wanted: dict[str, tuple[int | None, ...]] = {
        "v_template": (vertices, 3),
        "shapedirs": (vertices, 3, None),
        "J_regressor": (joints, vertices),
        "kintree_table": (2, joints),
        "weights": (vertices, joints),
        "f": (None, 3),
    }
    for name, shape in wanted.items():
        found = arrays[name].shape
        if len(found) != len(shape) or any(want not in (None, got) for want, got in zip(shape, found, strict=True)):
            asked = " x ".join("any" if length is None else str(length) for length in shape)
            raise _damaged(f"its {name} is {' x '.join(map(str, found))}, not {asked}")


def _parents(table: Array) -> tuple[int, ...]:
    """The parent of each joint, -1 for the first, whose own is written as the largest number there is."""
    parents = [int(parent) for parent in table[0]]
    if any(not 0 <= parent < joint for joint, parent in enumerate(parents) if joint > 0):
        raise _damaged("its joints do not hang from one another")
    return (-1, *parents[1:])


def _shape_count(shapes: Array, kind: Kind) -> int:
    count = int(shapes.shape[-1])
    if kind.expressions and count < _ALL_SHAPES:
        return min(count, _FEW_SHAPES)
    return min(count, MAX_SHAPES)


def _damaged(what: str) -> PirouetteError:
    return PirouetteError("damaged_file", f"It is not a whole SMPL body: {what}.", _AGAIN)


def describe(model: BodyModel) -> dict[str, Any]:
    """What there is to tell of a file, as JSON."""
    return {
        "kind": model.kind,
        "title": model.title,
        "joints": len(model.parents),
        "vertices": len(model.template),
        "faces": len(model.faces),
        "shapes": model.shapes.shape[-1],
    }
