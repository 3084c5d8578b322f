"""The operations as data: what an animator asks for, as frozen dataclasses that become JSON and come from it.

Spans and points are texts; ``spans`` says how they are read. ``None`` leaves what the section has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from backend.errors import PirouetteError

SNAPS = ("beats", "eights", "structure")
SOURCE_KINDS = ("here", "other", "library", "prompt")
MODELS = ("", "motion", "code")
MOST_COUNTS = 512
SOURCE_FIELDS = ("source", "movement_from", "poses_from")


@dataclass(frozen=True)
class Source:
    """Where material comes from: a span of this dance ("here"), of the other dance given with the operation
    ("other"), a phrase of the library ("library", by its id), or new material ("prompt").

    span: "" is all of it.
    """

    kind: str
    id: str = ""
    span: str = ""
    prompt: str = ""
    genre: str = ""
    seed: int = 0
    model: str = ""


@dataclass(frozen=True)
class Operation:
    """The common part of all operations."""

    op: ClassVar[str] = ""

    def to_dict(self) -> dict[str, Any]:
        """The operation as JSON: ``op`` and its fields."""
        return {"op": self.op, **asdict(self)}


@dataclass(frozen=True)
class Regenerate(Operation):
    """New movement in place. strength: from 0, vary a little, to 1, new; pinned: what follows stays where it is."""

    op: ClassVar[str] = "regenerate"
    span: str
    seed: int | None = None
    prompt: str | None = None
    genre: str | None = None
    strength: float = 1.0
    pinned: bool = True
    model: str = ""


@dataclass(frozen=True)
class Insert(Operation):
    """Open a gap at a point and dance something else in it. counts: how many it takes, 0 for as many as it has."""

    op: ClassVar[str] = "insert"
    at: str
    source: Source
    counts: int = 0


@dataclass(frozen=True)
class Delete(Operation):
    """Take frames out and close the gap."""

    op: ClassVar[str] = "delete"
    span: str


@dataclass(frozen=True)
class Duplicate(Operation):
    """Dance a span once more, right after it or at another point."""

    op: ClassVar[str] = "duplicate"
    span: str
    to: str = ""


@dataclass(frozen=True)
class Replace(Operation):
    """Other material in place of a span, over the span's counts."""

    op: ClassVar[str] = "replace"
    span: str
    source: Source


@dataclass(frozen=True)
class Reorder(Operation):
    """Move a span to another point of the dance."""

    op: ClassVar[str] = "reorder"
    span: str
    to: str


@dataclass(frozen=True)
class Split(Operation):
    """Two sections of one, at a point."""

    op: ClassVar[str] = "split"
    at: str


@dataclass(frozen=True)
class Merge(Operation):
    """One section of all that the span touches; it keeps the first one's name and words."""

    op: ClassVar[str] = "merge"
    span: str


@dataclass(frozen=True)
class Mirror(Operation):
    """Exchange left and right."""

    op: ClassVar[str] = "mirror"
    span: str


@dataclass(frozen=True)
class Retime(Operation):
    """Dance a span over another number of counts."""

    op: ClassVar[str] = "retime"
    span: str
    counts: int


@dataclass(frozen=True)
class Transfer(Operation):
    """Keep the span's poses and take the movement of another, or keep the movement and take the poses."""

    op: ClassVar[str] = "transfer"
    span: str
    movement_from: Source | None = None
    poses_from: Source | None = None


@dataclass(frozen=True)
class Lock(Operation):
    """Nothing may change the sections that the span touches."""

    op: ClassVar[str] = "lock"
    span: str


@dataclass(frozen=True)
class Unlock(Operation):
    """The sections that the span touches may be changed again."""

    op: ClassVar[str] = "unlock"
    span: str


@dataclass(frozen=True)
class Describe(Operation):
    """Other words for the sections that the span touches, without dancing them anew."""

    op: ClassVar[str] = "describe"
    span: str
    name: str | None = None
    prompt: str | None = None
    genre: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Snap(Operation):
    """Move the sections' borders to the nearest beats, eight-counts ("eights") or parts of the music ("structure")."""

    op: ClassVar[str] = "snap"
    to: str


@dataclass(frozen=True)
class Encode(Operation):
    """Read the codes of a span, or of all, anew from its motion, as after edits by hand."""

    op: ClassVar[str] = "encode"
    span: str = ""


@dataclass(frozen=True)
class Beats(Operation):
    """Other beats in place of the dance's, seconds; the movement stays, what is danced anew follows them.

    downbeat: true where a bar starts; without it bars start near where they started.
    """

    op: ClassVar[str] = "beats"
    beats_s: tuple[float, ...]
    downbeat: tuple[bool, ...] | None = None


@dataclass(frozen=True)
class Continue(Operation):
    """Dance on after the end, so many counts, as far as the music goes; the words of the last section by default.

    novelty: from 0 to 1, how far it gets away from what was danced before.
    """

    op: ClassVar[str] = "continue"
    counts: int
    genre: str | None = None
    prompt: str | None = None
    seed: int | None = None
    novelty: float = 0.0
    model: str = ""


OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind
    for kind in (
        *(Regenerate, Insert, Delete, Duplicate, Replace, Reorder, Split, Merge, Mirror, Retime, Transfer),
        *(Lock, Unlock, Describe, Snap, Encode, Beats, Continue),
    )
}


def operation_from(values: Mapping[str, Any]) -> Operation:
    """The operation of a JSON object with ``op`` and its fields. Raises PirouetteError("bad_request")."""
    name = values.get("op")
    kind = OPERATIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise PirouetteError("bad_request", f"There is no operation {name!r}.", f"Choose {', '.join(OPERATIONS)}.")
    operation = kind(**_checked(kind, {key: value for key, value in values.items() if key != "op"}, kind.op))
    _check_sense(operation)
    return operation


def sources_of(operation: Operation) -> list[Source]:
    """Where an operation takes material from."""
    found = [getattr(operation, name, None) for name in SOURCE_FIELDS]
    return [source for source in found if isinstance(source, Source)]


def _checked(kind: type[Any], values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The values of a dataclass's fields, each of its type. Raises PirouetteError."""
    known = {field.name: field for field in fields(kind)}
    for key in values.keys() - known.keys():
        raise PirouetteError("bad_request", f"{name} knows no {key!r}.", f"It knows {', '.join(known)}.")
    checked: dict[str, Any] = {}
    for key, value in values.items():
        types = [part.strip() for part in str(known[key].type).split("|")]
        checked[key] = _value(value, types, f"{name}: {key}")
    missing = [
        key for key in ("kind", "span", "at", "to", "source", "counts", "beats_s") if _needed(known, key, checked)
    ]
    if missing:
        raise PirouetteError("bad_request", f"{name} needs {' and '.join(missing)}.")
    return checked


def _needed(known: Mapping[str, Any], key: str, given: Mapping[str, Any]) -> bool:
    from dataclasses import MISSING

    return key in known and key not in given and known[key].default is MISSING


def _value(value: Any, types: list[str], name: str) -> Any:
    if value is None and "None" in types:
        return None
    if "Source" in types and isinstance(value, Mapping):
        return Source(**_checked(Source, value, name))
    if isinstance(value, list | tuple):
        for kind in ("float", "bool"):
            if f"tuple[{kind}, ...]" in types:
                return tuple(_value(each, [kind], name) for each in value)
    if "bool" in types and isinstance(value, bool):
        return value
    if "str" in types and isinstance(value, str):
        return value
    if not isinstance(value, bool):
        if "int" in types and isinstance(value, int) and 0 <= value < 1 << 63:
            return value
        if "float" in types and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    raise PirouetteError("bad_request", f"{name} cannot be {value!r}.", f"It is {' or '.join(types)}.")


def _check_sense(operation: Operation) -> None:
    """What types alone do not say."""
    if isinstance(operation, Regenerate) and not 0.0 <= operation.strength <= 1.0:
        raise PirouetteError("bad_request", f"A strength of {operation.strength:g} is not between 0 and 1.")
    if isinstance(operation, Continue) and not 0.0 <= operation.novelty <= 1.0:
        raise PirouetteError("bad_request", f"A novelty of {operation.novelty:g} is not between 0 and 1.")
    if isinstance(operation, Regenerate | Continue) and operation.model not in MODELS:
        raise PirouetteError("bad_request", f"There is no model {operation.model!r}.", "Choose motion or code.")
    if isinstance(operation, Snap) and operation.to not in SNAPS:
        raise PirouetteError("bad_request", f"Sections do not snap to {operation.to!r}.", f"Choose {', '.join(SNAPS)}.")
    if isinstance(operation, Retime | Continue) and not 1 <= operation.counts <= MOST_COUNTS:
        raise PirouetteError("bad_request", f"{operation.counts} counts are not possible.", f"1 to {MOST_COUNTS} are.")
    if isinstance(operation, Insert) and operation.counts > MOST_COUNTS:
        raise PirouetteError("bad_request", f"{operation.counts} counts are not possible.", f"1 to {MOST_COUNTS} are.")
    if isinstance(operation, Transfer) and (operation.movement_from is None) == (operation.poses_from is None):
        raise PirouetteError("bad_request", "A transfer takes either movement or poses from somewhere else.")
    for source in sources_of(operation):
        _check_source(source, of_codes=isinstance(operation, Transfer))


def _check_source(source: Source, *, of_codes: bool) -> None:
    if source.kind not in SOURCE_KINDS:
        raise PirouetteError(
            "bad_request", f"There is no source {source.kind!r}.", f"Choose {', '.join(SOURCE_KINDS)}."
        )
    if source.kind == "prompt" and of_codes:
        raise PirouetteError("bad_request", "A transfer takes from a dance, not from words.", "Regenerate instead.")
    if source.kind == "library" and not source.id:
        raise PirouetteError("bad_request", "The library needs an id.", "Search it: python -m backend library.")
    if source.kind == "here" and not source.span:
        raise PirouetteError("bad_request", "Material of the same dance needs a span.")
