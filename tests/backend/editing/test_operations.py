"""Operations come from JSON and go back to it, and what makes no sense is refused in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.editing.operations import Insert, Regenerate, Source, operation_from
from backend.errors import PirouetteError
from tests.backend.editing.test_every_operation import EDITS


@pytest.mark.parametrize(("op", "fields"), [(op, fields) for op, fields, _ in EDITS], ids=str)
def test_an_operation_survives_json(op: str, fields: dict[str, Any]) -> None:
    operation = operation_from({"op": op, **fields})
    assert operation_from(json.loads(json.dumps(operation.to_dict()))) == operation


def test_what_is_left_out_has_its_default() -> None:
    assert operation_from({"op": "regenerate", "span": "#3"}) == Regenerate("#3", strength=1.0, pinned=True)
    source = Source("library", id="spin")
    assert operation_from({"op": "insert", "at": "8c", "source": {"kind": "library", "id": "spin"}}) == Insert(
        "8c", source
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"op": "fly"}, "no operation 'fly'"),
        ({}, "no operation None"),
        ({"op": "delete"}, "delete needs span"),
        ({"op": "delete", "span": "#1", "seed": 3}, "delete knows no 'seed'"),
        ({"op": "delete", "span": 3}, "span cannot be 3"),
        ({"op": "regenerate", "span": "#1", "strength": 1.5}, "strength of 1.5"),
        ({"op": "regenerate", "span": "#1", "strength": float("nan")}, "strength cannot be nan"),
        ({"op": "regenerate", "span": "#1", "seed": -1}, "seed cannot be -1"),
        ({"op": "regenerate", "span": "#1", "seed": True}, "seed cannot be True"),
        ({"op": "regenerate", "span": "#1", "model": "best"}, "no model 'best'"),
        ({"op": "retime", "span": "#1", "counts": 0}, "0 counts"),
        ({"op": "snap", "to": "moon"}, "'moon'"),
        ({"op": "insert", "at": "8c"}, "insert needs source"),
        ({"op": "insert", "at": "8c", "source": {"kind": "sky"}}, "no source 'sky'"),
        ({"op": "insert", "at": "8c", "source": {"kind": "library"}}, "needs an id"),
        ({"op": "insert", "at": "8c", "source": {"kind": "here"}}, "needs a span"),
        ({"op": "insert", "at": "8c", "source": {}}, "needs kind"),
        ({"op": "transfer", "span": "#1"}, "either movement or poses"),
        ({"op": "transfer", "span": "#1", "poses_from": {"kind": "prompt"}}, "not from words"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PirouetteError, match=sentence) as caught:
        operation_from(values)
    assert caught.value.code == "bad_request"
