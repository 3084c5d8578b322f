"""Dances on the wire: a document as the header and arrays of a message, and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.dance import SOUND_CHANNELS, Dance, Section, Settings
from backend.direction_fields import accents_from, key_pose_arrays, key_pose_fields, key_poses_from
from backend.directions import KeyPose
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid
from backend.protocol import Array, Message


def dance_message(dance: Dance) -> Message:
    """A dance as the header and arrays of a ``result``, at the model's frame rate."""
    header = {
        "fps": dance.motion.fps,
        **grid_header(dance.grid),
        "sections": [dataclasses.asdict(section) for section in dance.sections],
        "settings": dataclasses.asdict(dance.settings),
        "model_version": dance.model_version,
        "report": dance.report,
        "warnings": list(dance.warnings),
        "key_poses": key_pose_fields(dance.key_poses),
        "accents_s": list(dance.accents_s),
    }
    return Message(plain(header), dance_arrays(dance))


def dance_arrays(dance: Dance) -> dict[str, Array]:
    """The arrays of a dance as they travel."""
    return {
        "poses": Array.of(np.ascontiguousarray(dance.motion.poses, dtype="<f4")),
        "pelvis": Array.of(np.ascontiguousarray(dance.motion.pelvis, dtype="<f4")),
        "contacts": Array.of(np.ascontiguousarray(dance.contacts, dtype=np.uint8)),
        **grid_arrays(dance.grid),
        "sound": Array.of(np.ascontiguousarray(dance.sound, dtype="<f2").view("<i2")),
        "movement_codes": Array.of(np.ascontiguousarray(dance.movement_codes, dtype="<i2")),
        "pose_codes": Array.of(np.ascontiguousarray(dance.pose_codes, dtype="<i2")),
        **{name: Array.of(values.astype("<f4")) for name, values in key_pose_arrays(dance.key_poses).items()},
    }


def dance_of(message: Message, header: Mapping[str, Any], prefix: str = "") -> Dance:
    """The dance of a request: fields from ``header``, arrays by their names after ``prefix``.

    Raises ProtocolError for arrays that are missing or of another kind, PirouetteError("damaged_file") for the rest.
    """
    motion = motion_of(message, header.get("fps"), prefix)
    contacts = message.array(f"{prefix}contacts", dtype="|u1", dimensions=(2,)).numpy() != 0
    return Dance(
        motion=motion,
        contacts=contacts,
        grid=grid_of(message, header, prefix),
        sections=sections_from(header.get("sections", [])),
        settings=settings_from(header.get("settings", {})),
        model_version=str(header.get("model_version", "")),
        report={},
        warnings=tuple(str(warning) for warning in header.get("warnings", [])),
        sound=sound_of(message, prefix),
        movement_codes=_codes(message, f"{prefix}movement_codes"),
        pose_codes=_codes(message, f"{prefix}pose_codes"),
        key_poses=key_poses_of(message, header, prefix),
        accents_s=accents_from(header.get("accents_s", [])),
    )


def motion_of(message: Message, fps: object, prefix: str = "") -> Motion:
    """The motion of a request, at its own rate."""
    if isinstance(fps, bool) or not isinstance(fps, int | float):
        raise PirouetteError("bad_request", "A motion needs its frame rate.")
    poses = message.array(f"{prefix}poses", dtype="<f4", dimensions=(3,)).numpy()
    return Motion(poses, message.array(f"{prefix}pelvis", dtype="<f4", dimensions=(2,)).numpy(), float(fps))


def key_poses_of(message: Message, header: Mapping[str, Any], prefix: str = "") -> tuple[KeyPose, ...]:
    """The key poses of a request, none where its header names none. Raises PirouetteError("bad_request")."""
    fields = header.get("key_poses", [])
    if not fields:
        return ()
    poses = message.array(f"{prefix}key_poses", dtype="<f4", dimensions=(3,)).numpy()
    return key_poses_from(fields, poses, message.array(f"{prefix}key_pelvis", dtype="<f4", dimensions=(2,)).numpy())


def grid_of(message: Message, header: Mapping[str, Any], prefix: str = "") -> BeatGrid:
    """The beats of a request. Raises PirouetteError("damaged_file") when they are none."""
    beats = message.array(f"{prefix}beats_s", dtype="<f8", dimensions=(1,)).numpy().astype(np.float64)
    marks = message.array(f"{prefix}downbeat", dtype="|u1", dimensions=(1,)).numpy() != 0
    if len(beats) < 2 or len(marks) != len(beats) or not np.isfinite(beats).all() or (np.diff(beats) <= 0.0).any():
        raise PirouetteError("damaged_file", "The beats of the dance cannot be read.", "Generate it anew.")
    tempo_bpm = _number(header, "tempo_bpm", 60.0 / float(np.median(np.diff(beats))))
    metre = 3 if _number(header, "metre", 4) == 3 else 4
    return BeatGrid(beats, marks, tempo_bpm, metre, bool(header.get("beat_clear", True)))


def sound_of(message: Message, prefix: str = "") -> np.ndarray:
    """(S, 37) float16 of a request, without frames where none came. Raises PirouetteError("damaged_file")."""
    if f"{prefix}sound" not in message.arrays:
        return np.zeros((0, SOUND_CHANNELS), dtype=np.float16)
    sound = message.array(f"{prefix}sound", dtype="<i2", dimensions=(2,)).numpy().view("<f2").astype(np.float16)
    if sound.shape[1] != SOUND_CHANNELS or not np.isfinite(sound).all():
        raise PirouetteError("damaged_file", "The sound of the dance cannot be read.", "Generate it anew.")
    return sound


def sections_from(values: object) -> tuple[Section, ...]:
    """Sections of a header. Raises PirouetteError("damaged_file")."""
    known = [field.name for field in dataclasses.fields(Section)]
    defaults: dict[str, Any] = {"genre": "", "prompt": "", "seed": 0, "locked": False}
    try:
        found = [{**defaults, **{key: value[key] for key in known if key in value}} for value in _list(values)]
        return tuple(
            Section(
                str(value["name"]),
                _finite(value["start_s"]),
                _finite(value["end_s"]),
                str(value["genre"]),
                str(value["prompt"]),
                int(value["seed"]),
                bool(value["locked"]),
            )
            for value in found
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PirouetteError("damaged_file", f"The sections of the dance cannot be read: {error}.") from error


def settings_from(values: object) -> Settings:
    """Settings of a header. Raises PirouetteError("damaged_file")."""
    if not isinstance(values, Mapping):
        raise PirouetteError("damaged_file", "The settings of the dance cannot be read.")
    seed = values.get("seed", 0)
    return Settings(
        str(values.get("genre", "")),
        str(values.get("text", "")),
        seed if isinstance(seed, int) else 0,
        _number(values, "novelty", 0.0),
        str(values.get("strategy", "")),
        str(values.get("reuse", "none")),
    )


def grid_header(grid: BeatGrid) -> dict[str, Any]:
    """Tempo and metre as fields."""
    return plain({"tempo_bpm": grid.tempo_bpm, "metre": grid.metre, "beat_clear": grid.clear})


def grid_arrays(grid: BeatGrid) -> dict[str, Array]:
    """The beats as arrays."""
    return {
        "beats_s": Array.of(np.ascontiguousarray(grid.beats_s, dtype="<f8")),
        "downbeat": Array.of(np.ascontiguousarray(grid.downbeat, dtype=np.uint8)),
    }


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


def _codes(message: Message, name: str) -> np.ndarray:
    if name not in message.arrays:
        return np.zeros((0, 1), dtype=np.int16)
    return message.array(name, dtype="<i2", dimensions=(2,)).numpy().astype(np.int16)


def _list(values: object) -> list[dict[str, Any]]:
    if not isinstance(values, list):
        raise ValueError("they are no list")
    return values


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no moment")
    return number


def _number(header: Mapping[str, Any], name: str, default: float) -> float:
    value = header.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PirouetteError("damaged_file", f"The dance's {name} is not a number.")
    return float(value)
