"""Bodies on the wire."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.bodies.body import Body, BodyModel, shaped_body
from backend.bodies.load import describe, load_body_model
from backend.protocol import Array, Message


class Wardrobe:
    """The body that was asked for last is kept open: an animator tries one shape after the other."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[str, int, int], BodyModel] | None = None

    def model(self, path: Path) -> BodyModel:
        """The model of a file, read again when the file has changed. Raises PirouetteError as load_body_model."""
        if not path.is_file():
            return load_body_model(path)  # which tells what is wrong
        status = path.stat()
        mark = (str(path), status.st_mtime_ns, status.st_size)
        if self._kept is None or self._kept[0] != mark:
            self._kept = None  # two at a time would be much memory
            self._kept = (mark, load_body_model(path))
        return self._kept[1]

    def answer(self, message: Message) -> Message:
        """The answer to a request ``body``. Raises PirouetteError, ProtocolError."""
        betas: np.ndarray = np.zeros(0)
        if "betas" in message.arrays:
            betas = message.array("betas", dtype="<f4", dimensions=(1,)).numpy()
        return body_message(shaped_body(self.model(Path(message.header["path"])), betas.tolist()))


def body_message(body: Body) -> Message:
    """A body as the fields and arrays that the protocol names."""
    model = body.model
    header = {**describe(model), "joint_names": list(model.joint_names), "warnings": []}
    arrays = {
        "joints": body.joints,
        "parents": np.array(model.parents, dtype=np.int32),
        "vertices": body.vertices,
        "faces": model.faces,
        "weights": model.weights,
    }
    return Message(header, {name: Array.of(np.ascontiguousarray(array)) for name, array in arrays.items()})
