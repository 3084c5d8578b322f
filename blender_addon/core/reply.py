"""Turn the backend's result messages into dances, edits and lists of phrases; nothing that arrives is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .dance import Beats, DanceDocument, Placement, Section, Settings
from .dance_format import SOUND_CHANNELS
from .errors import PirouetteError
from .key_poses import KeyPose, key_poses_from
from .protocol import Message, ProtocolError
from .resample import resampled_frames

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class EditResult:
    """An edited dance. touched: spans of its frames that are new; moved: (old first, old last, new first) of others."""

    document: DanceDocument
    touched: tuple[Span, ...]
    moved: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Phrase:
    """An entry of the library."""

    id: str
    name: str
    genre: str
    description: str
    seconds: float
    counts: int
    licence: str
    source: str
    own: bool


def document_from_result(
    message: Message, *, settings: Settings, placement: Placement, addon_version: str
) -> DanceDocument:
    """The dance of a ``result`` message.

    Raises PirouetteError bad_request when the message is not a whole and valid dance.
    """
    with _trusting_nothing("a dance"):
        header = message.header
        return DanceDocument(
            poses=message.array("poses", dtype="<f4", dimensions=(3,)).numpy().copy(),
            pelvis=message.array("pelvis", dtype="<f4", dimensions=(2,)).numpy().copy(),
            contacts=message.array("contacts", dtype="|u1", dimensions=(2,)).numpy() > 0,
            fps=float(header["fps"]),
            beats=_beats(message),
            placement=placement,
            settings=settings,
            sections=tuple(_section(section) for section in header.get("sections", ())),
            model_version=str(header.get("model_version", "")),
            addon_version=addon_version,
            report=dict(header.get("report", {})),
            warnings=tuple(str(warning) for warning in header.get("warnings", ())),
            pose_codes=_shorts(message, "pose_codes", columns=1),
            movement_codes=_shorts(message, "movement_codes", columns=1),
            sound=_shorts(message, "sound", columns=SOUND_CHANNELS).view(np.float16),
            key_poses=_key_poses(message),
            accents_s=tuple(float(accent) for accent in header.get("accents_s", ())),
        )


def edit_from_result(message: Message, *, before: DanceDocument, addon_version: str) -> EditResult:
    """The edited dance of a ``result`` message, lying where the one before it lay.

    Raises PirouetteError bad_request when the message is not a whole and valid dance.
    """
    placement = before.placement
    with _trusting_nothing("an edited dance"):
        report = message.header["report"]
        touched = tuple((int(first), int(last)) for first, last in report.get("touched", ()))
        moved = tuple((int(a), int(b), int(to)) for a, b, to in report.get("moved", ()))
        frames = message.array("poses", dtype="<f4", dimensions=(3,)).shape[0]
        if frames != len(before.poses):
            lasting = resampled_frames(frames, source_fps=float(message.header["fps"]), target_fps=placement.fps)
            placement = replace(placement, frames=lasting)
    document = document_from_result(message, settings=before.settings, placement=placement, addon_version=addon_version)
    return EditResult(document, touched, moved)  # the measures of the dance before say nothing about this one


def phrases_from_result(message: Message) -> tuple[Phrase, ...]:
    """The entries of the answer to ``library``. Raises PirouetteError bad_request."""
    with _trusting_nothing("a list of phrases"):
        return tuple(_phrase(entry) for entry in message.header["entries"])


def added_id(message: Message) -> str:
    """The identity of the phrase that ``library_add`` has kept. Raises PirouetteError bad_request."""
    with _trusting_nothing("a phrase"):
        return str(message.header["entry"])


@contextmanager
def _trusting_nothing(what: str) -> Iterator[None]:
    try:
        yield
    except (ProtocolError, PirouetteError, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = error.message if isinstance(error, PirouetteError) else str(error)
        raise PirouetteError(
            "bad_request", f"The backend's answer is not {what}: {reason}", "Set up the backend again."
        ) from error


def _shorts(message: Message, name: str, *, columns: int) -> npt.NDArray[np.int16]:
    """A copy of an array of 16 bits that may be left out."""
    if name not in message.arrays:
        return np.zeros((0, columns), dtype=np.int16)
    return message.array(name, dtype="<i2", dimensions=(2,)).numpy().astype(np.int16)


def beats_from_result(message: Message) -> Beats:
    """The beats of the answer to ``analyse``. Raises PirouetteError bad_request."""
    with _trusting_nothing("a song's beats"):
        return _beats(message)


def _beats(message: Message) -> Beats:
    header = message.header
    beats = Beats(
        message.array("beats_s", dtype="<f8", dimensions=(1,)).numpy().copy(),
        message.array("downbeat", dtype="|u1", dimensions=(1,)).numpy() > 0,
        float(header["tempo_bpm"]),
        int(header["metre"]),
        bool(header["beat_clear"]),
    )
    if beats.beats_s.shape != beats.downbeat.shape:
        raise ValueError("its beats and downbeats do not go together")
    return beats


def _key_poses(message: Message) -> tuple[KeyPose, ...]:
    listed = message.header.get("key_poses", ())
    if not listed:
        return ()
    poses = message.array("key_poses", dtype="<f4", dimensions=(3,)).numpy()
    return key_poses_from(listed, poses, message.array("key_pelvis", dtype="<f4", dimensions=(2,)).numpy())


def _section(values: dict[str, Any]) -> Section:
    return Section(
        name=str(values.get("name", "")),
        start_s=float(values["start_s"]),
        end_s=float(values["end_s"]),
        genre=str(values.get("genre", "")),
        prompt=str(values.get("prompt", "")),
        seed=int(values.get("seed", 0)),
        locked=bool(values.get("locked", False)),
    )


def _phrase(values: dict[str, Any]) -> Phrase:
    return Phrase(
        id=str(values["id"]),
        name=str(values["name"]),
        genre=str(values.get("genre", "")),
        description=str(values.get("description", "")),
        seconds=float(values.get("seconds", 0.0)),
        counts=int(values.get("counts", 0)),
        licence=str(values.get("licence", "")),
        source=str(values.get("source", "")),
        own=bool(values.get("own", False)),
    )
