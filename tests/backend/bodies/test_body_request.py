"""A body over the wire and on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.bodies.messages import Wardrobe
from backend.command_line import app
from backend.engine import ChoreographerEngine
from backend.errors import PirouetteError
from backend.protocol import Message, ProtocolError, check_request, request
from tests.backend.editing.test_wire import sent
from tests.fixtures.made_up_bodies import body_fields, write_npz, write_pickle


def asked(path: Path, betas: list[float] | None = None) -> Message:
    arrays = {} if betas is None else {"betas": np.array(betas, dtype=np.float32)}
    return request("body", "1", {"path": str(path)}, arrays)


def test_a_request_brings_a_body_that_can_be_built(tmp_path: Path) -> None:
    engine = ChoreographerEngine(None)  # type: ignore[arg-type]
    message = asked(write_pickle(tmp_path / "My Body.pkl", 55), [1.0])
    told: list[str] = []
    answer = sent(engine.run(message, progress=lambda stage, *_: told.append(stage), cancelled=lambda: False))
    assert told == ["body"]
    assert (answer.header["kind"], answer.header["title"], answer.header["shapes"]) == ("SMPL-X", "My Body", 10)
    arrays = {name: array.numpy() for name, array in answer.arrays.items()}
    assert {name: array.shape for name, array in arrays.items()} == {
        "joints": (55, 3),
        "parents": (55,),
        "vertices": (440, 3),
        "faces": (440, 3),
        "weights": (440, 55),
    }
    assert len(answer.header["joint_names"]) == 55
    assert arrays["parents"][0] == -1
    assert np.argmax(arrays["joints"][:, 2]) in (15, 22, 23, 24)  # upright: the head is on top
    mean = Wardrobe().answer(asked(tmp_path / "My Body.pkl")).arrays["joints"].numpy()
    assert np.ptp(arrays["joints"][:, 2]) == pytest.approx(1.1 * np.ptp(mean[:, 2]), rel=1e-4)


def test_a_request_needs_a_path_and_numbers() -> None:
    with pytest.raises(ProtocolError):
        check_request(Message({"type": "body", "id": "1"}))
    with pytest.raises(PirouetteError, match="does not exist"):
        Wardrobe().answer(asked(Path("nowhere.npz")))
    with pytest.raises(PirouetteError, match="folder"):
        Wardrobe().answer(asked(Path.cwd()))


def test_the_body_asked_for_last_stays_open_until_its_file_changes(tmp_path: Path) -> None:
    wardrobe, path = Wardrobe(), write_npz(tmp_path / "body.npz")
    model = wardrobe.model(path)
    assert wardrobe.model(path) is model
    write_npz(path, v_template=body_fields()["v_template"] * 1.01)
    assert wardrobe.model(path) is not model


def test_the_command_line_tells_what_a_file_holds(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "body.npz", 52)
    told = CliRunner().invoke(app, ["body", str(path), "--betas", "1,0"])
    assert told.exit_code == 0
    assert "kind: SMPL-H" in told.stdout
    assert "shapes: 16" in told.stdout
    wrong = CliRunner().invoke(app, ["body", str(path), "--betas", "tall"])
    assert isinstance(wrong.exception, PirouetteError)
