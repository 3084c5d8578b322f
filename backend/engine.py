"""Between the wire and the Choreographer: requests become calls, dances become arrays."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.errors import PirouetteError
from backend.music.audio import Audio, audio_from_samples
from backend.music.beats import BeatGrid
from backend.protocol import Array, Message

if TYPE_CHECKING:
    from backend.choreographer import Choreographer
    from backend.dance import Dance

Progress = Callable[[str, int, int], None]


class ChoreographerEngine:
    """The server's engine: one Choreographer with its weights."""

    def __init__(self, choreographer: Choreographer) -> None:
        self._choreographer = choreographer

    @classmethod
    def make(cls, *, device: str, threads: int | None, weights: Path | None = None) -> ChoreographerEngine:
        """Load the models. Raises PirouetteError (weights_missing, weights_version)."""
        from backend.choreographer import Choreographer

        return cls(Choreographer(device=device, threads=threads, weights=weights))

    def describe(self) -> dict[str, Any]:
        """Device and models, as JSON."""
        return plain(self._choreographer.describe())

    def warm_up(self) -> None:
        """Run everything once, so that nothing is loaded or compiled in the first job."""
        self._choreographer.warm_up()

    def run(self, message: Message, *, progress: Progress, cancelled: Callable[[], bool]) -> Message:
        """Do an ``analyse`` or ``generate``. Raises PirouetteError, Cancelled, ProtocolError."""
        audio = _audio_of(message)
        if message.type == "analyse":
            progress("listen", 0, 1)
            grid = self._choreographer.analyse(audio)
            return Message({**_grid_header(grid), "duration_s": audio.duration_s}, _grid_arrays(grid))
        if message.type != "generate":
            raise PirouetteError("bad_request", f"There is no job {message.type!r}.")
        from backend.choreographer import GenerateRequest

        header = message.header
        request = GenerateRequest(
            audio=audio,
            genre=header.get("genre", ""),
            text=header.get("text", ""),
            seed=header.get("seed", 0),
        )  # at the model's frame rate, which is the document's: the scene's is the add-on's affair
        return dance_message(self._choreographer.generate(request, progress=progress, cancelled=cancelled))


def dance_message(dance: Dance) -> Message:
    """A dance as the header and arrays of a ``result``, at the model's frame rate."""
    motion = dance.motion
    header = {
        "fps": motion.fps,
        **_grid_header(dance.grid),
        "sections": [dataclasses.asdict(section) for section in dance.sections],
        "settings": dataclasses.asdict(dance.settings),
        "model_version": dance.model_version,
        "report": dance.report,
        "warnings": list(dance.warnings),
    }
    arrays = {
        "poses": Array.of(np.ascontiguousarray(motion.poses, dtype="<f4")),
        "pelvis": Array.of(np.ascontiguousarray(motion.pelvis, dtype="<f4")),
        "contacts": Array.of(np.ascontiguousarray(dance.contacts, dtype=np.uint8)),
    }
    return Message(plain(header), {**arrays, **_grid_arrays(dance.grid)})


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values as JSON knows them: numpy's numbers become Python's, what is not finite becomes null."""
    return {str(name): _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _audio_of(message: Message) -> Audio:
    samples = message.array("audio", dtype="<f4", dimensions=(1, 2)).numpy()
    if samples.shape[0] == 0:
        raise PirouetteError("no_sound", "There is no sound in the range.", "Choose a range with music in it.")
    if samples.ndim == 2 and not 1 <= samples.shape[1] <= 16:
        raise PirouetteError("bad_request", f"The sound has {samples.shape[1]} channels; 1 to 16 are possible.")
    return audio_from_samples(samples, message.header["sample_rate_hz"])


def _grid_header(grid: BeatGrid) -> dict[str, Any]:
    return plain({"tempo_bpm": grid.tempo_bpm, "metre": grid.metre, "beat_clear": grid.clear})


def _grid_arrays(grid: BeatGrid) -> dict[str, Array]:
    return {
        "beats_s": Array.of(np.ascontiguousarray(grid.beats_s, dtype="<f8")),
        "downbeat": Array.of(np.ascontiguousarray(grid.downbeat, dtype=np.uint8)),
    }
