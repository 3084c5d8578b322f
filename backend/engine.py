"""Between the wire and the models: requests become calls, dances become arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.dance_messages import (
    dance_message,
    dance_of,
    grid_arrays,
    grid_header,
    grid_of,
    key_poses_of,
    motion_of,
    plain,
    sections_from,
    settings_from,
    sound_of,
)
from backend.direction_checks import check_directions, fitted_directions
from backend.direction_fields import accents_from
from backend.direction_messages import directions_of, edited_beats_of
from backend.errors import PirouetteError
from backend.music.audio import Audio, audio_from_samples
from backend.protocol import Message

if TYPE_CHECKING:
    from backend.bodies.messages import Wardrobe
    from backend.choreographer import Choreographer
    from backend.dance import Dance
    from backend.editing.artist import Artist
    from backend.editing.operations import Operation
    from backend.library import Library

Progress = Callable[[str, int, int], None]


class ChoreographerEngine:
    """The server's engine: one Choreographer with its weights."""

    def __init__(self, choreographer: Choreographer) -> None:
        self._choreographer = choreographer
        self._wardrobe: Wardrobe | None = None

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
        """Do a job of the wire. Raises PirouetteError, Cancelled, ProtocolError."""
        jobs: dict[str, Callable[[], Message]] = {
            "analyse": lambda: self._analyse(message, progress),
            "generate": lambda: self._generate(message, progress, cancelled),
            "edit": lambda: self._edit(message, progress),
            "encode": lambda: self._encode(message, progress),
            "library": lambda: self._library(message),
            "library_get": lambda: self._library_get(message),
            "library_add": lambda: self._library_add(message),
            "body": lambda: self._body(message, progress),
        }
        if message.type not in jobs:
            raise PirouetteError("bad_request", f"There is no job {message.type!r}.")
        return jobs[message.type]()

    @property
    def _artist(self) -> Artist:
        return self._choreographer

    def _analyse(self, message: Message, progress: Progress) -> Message:
        audio = _audio_of(message)
        progress("listen", 0, 1)
        grid = self._choreographer.analyse(audio)
        return Message({**grid_header(grid), "duration_s": audio.duration_s}, grid_arrays(grid))

    def _generate(self, message: Message, progress: Progress, cancelled: Callable[[], bool]) -> Message:
        audio = _audio_of(message)
        directions = fitted_directions(directions_of(message), duration_s=audio.duration_s)
        check_directions(directions, duration_s=audio.duration_s)
        from backend.request import GenerateRequest

        header = message.header
        request = GenerateRequest(
            audio=audio,
            genre=header.get("genre", ""),
            text=header.get("text", ""),
            seed=header.get("seed", 0),
            model=header.get("model", ""),
            directions=directions,
            grid=edited_beats_of(message),
        )  # at the model's frame rate, which is the document's: the scene's is the add-on's affair
        return dance_message(self._choreographer.generate(request, progress=progress, cancelled=cancelled))

    def _edit(self, message: Message, progress: Progress) -> Message:
        from backend.editing.editor import apply
        from backend.editing.operations import operation_from

        header = message.header
        operation = operation_from(header["operation"])
        dance = dance_of(message, header["dance"])
        sources = self._sources(operation, message)
        progress("dance", 0, 1)
        return dance_message(apply(dance, operation, self._artist, sources=sources).dance)

    def _sources(self, operation: Operation, message: Message) -> dict[str, Dance]:
        """The dances that an operation takes material from: the other one of the message, phrases of the library."""
        from backend.editing.operations import sources_of

        found: dict[str, Dance] = {}
        for source in sources_of(operation):
            if source.kind == "other" and "other" in message.header:
                found["other"] = dance_of(message, message.header["other"], "other_")
            if source.kind == "library":
                found[source.id] = _open_library(message).dance(source.id, self._artist)
        return found

    def _encode(self, message: Message, progress: Progress) -> Message:
        from backend.editing.encoding import encode_motion

        known = message.header.get("dance", {})
        progress("listen", 0, 1)
        edit = encode_motion(
            motion_of(message, message.header["fps"]),
            self._artist,
            grid=grid_of(message, known) if "beats_s" in message.arrays else None,
            sound=sound_of(message),
            sections=sections_from(known.get("sections", [])),
            settings=settings_from(known.get("settings", {})),
            key_poses=key_poses_of(message, known),
            accents_s=accents_from(known.get("accents_s", [])),
        )
        return dance_message(edit.dance)

    def _library(self, message: Message) -> Message:
        header = message.header
        library = _open_library(message)
        entries = library.search(header["query"], header.get("genre", ""), header.get("limit", 20))
        told = [plain(entry.to_dict()) for entry in entries]
        return Message({"entries": told, "warnings": list(library.warnings)})

    def _library_get(self, message: Message) -> Message:
        return dance_message(_open_library(message).dance(message.header["entry"], self._artist))

    def _library_add(self, message: Message) -> Message:
        from backend.library import add

        header = message.header
        dance = dance_of(message, header["dance"])
        folder = Path(header["user_folder"])
        entry = add(folder, dance, header["name"], header.get("genre", ""), header.get("description", ""))
        return Message({"entry": entry})

    def _body(self, message: Message, progress: Progress) -> Message:
        from backend.bodies.messages import Wardrobe

        progress("body", 0, 1)
        self._wardrobe = self._wardrobe or Wardrobe()
        return self._wardrobe.answer(message)


def _open_library(message: Message) -> Library:
    from backend.library import load_library

    folder = message.header.get("user_folder", "")
    return load_library(user_folder=Path(folder) if folder else None)


def _audio_of(message: Message) -> Audio:
    samples = message.array("audio", dtype="<f4", dimensions=(1, 2)).numpy()
    if samples.shape[0] == 0:
        raise PirouetteError("no_sound", "There is no sound in the range.", "Choose a range with music in it.")
    if samples.ndim == 2 and not 1 <= samples.shape[1] <= 16:
        raise PirouetteError("bad_request", f"The sound has {samples.shape[1]} channels; 1 to 16 are possible.")
    return audio_from_samples(samples, message.header["sample_rate_hz"])
