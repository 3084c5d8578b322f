"""The directions of a ``generate`` request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from backend.dance_messages import grid_of, key_poses_of
from backend.direction_checks import REUSES
from backend.direction_fields import accents_from, seconds_from
from backend.directions import STRATEGIES, Directions, Part
from backend.editing.making import known_genre
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid
from backend.music.edited_beats import checked_beats
from backend.protocol import Message


def directions_of(message: Message) -> Directions:
    """All that a request fixes.

    Raises ProtocolError for wrong arrays, PirouetteError (bad_request, unknown_genre) for the rest.
    """
    header = message.header.get("directions", {})
    strategy, reuse = header.get("strategy", ""), header.get("reuse", "none")
    if strategy not in ("", *STRATEGIES):
        raise PirouetteError("bad_request", f"There is no strategy {strategy!r}.", f"Choose {', '.join(STRATEGIES)}.")
    if reuse not in REUSES:
        raise PirouetteError("bad_request", f"Nothing can be reused by {reuse!r}.", f"Choose {', '.join(REUSES)}.")
    return Directions(
        key_poses=key_poses_of(message, header),
        accents_s=accents_from(header.get("accents_s", [])),
        parts=_parts(header.get("parts", [])),
        before=_motion(message, "before"),
        after=_motion(message, "after"),
        kept=_motion(message, "kept"),
        kept_frames=_spans(header.get("kept_frames", [])),
        novelty=_share(header.get("novelty", 0.0)),
        strategy=strategy,
        reuse=cast(Any, reuse),
    )


def edited_beats_of(message: Message) -> BeatGrid | None:
    """The beats as the animator has edited them, None where the song's own are wanted.

    Raises ProtocolError for wrong arrays, PirouetteError (bad_request, damaged_file) for what is no row of beats.
    """
    if "beats_s" not in message.arrays:
        return None
    checked_beats(message.array("beats_s", dtype="<f8", dimensions=(1,)).numpy())
    return grid_of(message, message.header)


def _motion(message: Message, name: str) -> Motion | None:
    if f"{name}_poses" not in message.arrays:
        return None
    poses = message.array(f"{name}_poses", dtype="<f4", dimensions=(3,)).numpy()
    return Motion(poses, message.array(f"{name}_pelvis", dtype="<f4", dimensions=(2,)).numpy(), FPS)


def _parts(values: object) -> tuple[Part, ...]:
    if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
        raise PirouetteError("bad_request", "The sections to come are no list of spans.")
    return tuple(
        Part(
            seconds_from(value.get("start_s"), "A section's start"),
            seconds_from(value.get("end_s"), "A section's end"),
            known_genre(str(value.get("genre", ""))),
            str(value.get("prompt", "")).strip(),
        )
        for value in values
    )


def _spans(values: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(values, list):
        raise PirouetteError("bad_request", "The frames to keep are no list of spans.")
    spans = []
    for value in values:
        whole = isinstance(value, list) and len(value) == 2 and all(type(frame) is int for frame in value)
        if not whole:
            raise PirouetteError("bad_request", f"{value!r} is no span of frames: it is [first, last].")
        spans.append((value[0], value[1]))
    return tuple(spans)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PirouetteError("bad_request", f"The novelty cannot be {value!r}.", "It is a number from 0 to 1.")
    return float(value)
