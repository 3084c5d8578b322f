"""Editing over the wire: dances travel with codes and sound, and come back edited."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.dance import Dance
from backend.dance_messages import dance_arrays, dance_message, dance_of, plain
from backend.editing.operations import operation_from
from backend.engine import ChoreographerEngine
from backend.errors import PirouetteError
from backend.protocol import Message, ProtocolError, check_request, frame_parts, read_message
from tests.backend.editing.fakes import FakeArtist

LIBRARY = Path(__file__).resolve().parents[3] / "backend" / "library" / "phrases.json"


def sent(message: Message) -> Message:
    """The message as it arrives on the other side."""
    typed = Message({"type": "result", **message.header}, message.arrays)
    arrived = read_message(io.BytesIO(b"".join(bytes(part) for part in frame_parts(typed))))
    assert arrived is not None
    return arrived


def edit_request(dance: Dance, operation: dict[str, Any], other: Dance | None = None) -> Message:
    header = {"type": "edit", "id": "1", "operation": operation, "dance": dance_message(dance).header}
    arrays = dance_arrays(dance)
    if other is not None:
        header["other"] = dance_message(other).header
        arrays |= {f"other_{name}": array for name, array in dance_arrays(other).items()}
    message = sent(Message(header, arrays))
    check_request(message)
    return message


def run(message: Message) -> Message:
    engine = ChoreographerEngine(FakeArtist())  # type: ignore[arg-type]
    return sent(engine.run(message, progress=lambda *_: None, cancelled=lambda: False))


def test_a_dance_survives_the_wire(dance: Dance) -> None:
    message = sent(dance_message(replace(dance, warnings=("Beware.",))))
    arrived = dance_of(message, message.header)
    np.testing.assert_array_equal(arrived.motion.poses, dance.motion.poses)
    np.testing.assert_array_equal(arrived.contacts, dance.contacts)
    np.testing.assert_array_equal(arrived.sound, dance.sound)
    np.testing.assert_array_equal(arrived.movement_codes, dance.movement_codes)
    np.testing.assert_array_equal(arrived.pose_codes, dance.pose_codes)
    np.testing.assert_array_equal(arrived.grid.beats_s, dance.grid.beats_s)
    assert arrived.sections == dance.sections
    assert arrived.settings == dance.settings
    assert arrived.warnings == ("Beware.",)


def test_an_edit_comes_back_as_a_dance_with_what_was_touched(dance: Dance) -> None:
    operation = {"op": "delete", "span": "#4"}
    answer = run(edit_request(dance, operation))
    assert answer.arrays["poses"].shape == (1624 - 148, 24, 3)
    report = answer.header["report"]
    assert report["operation"] == operation_from(operation).to_dict()
    assert report["moved"] == [[report["touched"][0][1] + 148, 1624, report["touched"][0][1]]]
    assert report["seconds"] > 0.0
    assert len(answer.header["sections"]) == 11


def test_an_edit_takes_from_the_other_dance(dance: Dance) -> None:
    other = replace(dance, motion=dance.motion.mirrored())
    operation = {"op": "replace", "span": "#4", "source": {"kind": "other", "span": "#9"}}
    answer = run(edit_request(dance, operation, other))
    right = dance.motion.mirrored().poses[1104 + 70, 1:]
    np.testing.assert_allclose(answer.arrays["poses"].numpy()[362 + 70, 1:], right, atol=1e-6)


def test_an_edit_without_the_other_dance_is_refused(dance: Dance) -> None:
    operation = {"op": "replace", "span": "#4", "source": {"kind": "other"}}
    with pytest.raises(PirouetteError, match="“other” was not given"):
        run(edit_request(dance, operation))


@pytest.mark.parametrize("name", ["poses", "beats_s", "contacts"])
def test_an_edit_without_an_array_is_refused(dance: Dance, name: str) -> None:
    message = edit_request(dance, {"op": "delete", "span": "#4"})
    del message.arrays[name]
    with pytest.raises(ProtocolError, match=name):
        run(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [("sections", [{"name": "1"}]), ("sections", 3), ("settings", []), ("tempo_bpm", "fast"), ("fps", "30")],
)
def test_a_damaged_dance_is_refused_in_a_sentence(dance: Dance, field: str, value: object) -> None:
    message = edit_request(dance, {"op": "delete", "span": "#4"})
    message.header["dance"][field] = value
    with pytest.raises(PirouetteError) as caught:
        run(message)
    assert caught.value.code in ("damaged_file", "bad_request")
    assert caught.value.message.endswith(".")


def test_a_motion_becomes_a_dance_with_codes(dance: Dance) -> None:
    arrays = {name: array for name, array in dance_arrays(dance).items() if name in ("poses", "pelvis")}
    message = sent(Message({"type": "encode", "id": "1", "fps": 30.0}, arrays))
    check_request(message)
    answer = run(message)
    assert answer.header["beat_clear"] is False
    assert len(answer.arrays["movement_codes"].numpy()) > 400
    beats = {name: dance_arrays(dance)[name] for name in ("beats_s", "downbeat", "sound")}
    known = {"sections": plain(dance_message(dance).header)["sections"], "tempo_bpm": 97.0, "metre": 4}
    message = sent(Message({"type": "encode", "id": "1", "fps": 30.0, "dance": known}, {**arrays, **beats}))
    answer = run(message)
    assert answer.header["sections"] == known["sections"]
    assert answer.arrays["sound"].shape == dance.sound.shape


def test_own_phrases_are_kept_found_and_given_back(dance: Dance, tmp_path: Path) -> None:
    header = {"name": "My lunge", "description": "a deep lunge", "genre": "pop", "user_folder": str(tmp_path)}
    request = Message(
        {"type": "library_add", "id": "1", "dance": dance_message(dance).header, **header}, dance_arrays(dance)
    )
    check_request(request)
    entry = run(sent(request)).header["entry"]
    assert [path.name for path in tmp_path.glob("*.npz")] == ["my-lunge.npz"]
    if not LIBRARY.is_file():
        pytest.skip("the library of movements is not built")
    found = run(Message({"type": "library", "id": "2", "query": "my lunge", "user_folder": str(tmp_path), "limit": 3}))
    assert entry in [told["id"] for told in found.header["entries"]]
    assert all(
        {"id", "name", "genre", "description", "seconds", "counts", "licence", "source", "own"} <= told.keys()
        for told in found.header["entries"]
    )
