"""What the add-on asks of the backend about a dance that there is: requests as headers and arrays. No bpy.

Spans and points are told in seconds from the dance's start, which is exact: borders lie on frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from .dance import DanceDocument, Section
from .key_poses import key_pose_arrays, key_pose_fields

Operation = dict[str, Any]
Request = tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]


def span_of(*sections: Section) -> str:
    """The span from the first section's start to the last one's end, as operations take it."""
    return f"{sections[0].start_s:.6f}:{sections[-1].end_s:.6f}"


def point(time_s: float) -> str:
    """A moment, as operations take it."""
    return f"{time_s:.6f}"


# Where material comes from


def from_here(section: Section) -> dict[str, Any]:
    """Material of another section of the same dance."""
    return {"kind": "here", "span": span_of(section)}


def from_other(span: str = "") -> dict[str, Any]:
    """Material of the other dance that goes with the request; all of it when no span is named."""
    return {"kind": "other", "span": span}


def from_library(identity: str) -> dict[str, Any]:
    """A phrase of the library."""
    return {"kind": "library", "id": identity}


def from_prompt(prompt: str, *, genre: str, seed: int, model: str) -> dict[str, Any]:
    """New movement by words; model: ``MOTION`` or ``CODE``."""
    return {"kind": "prompt", "prompt": prompt, "genre": genre, "seed": seed, "model": model.lower()}


# Operations


def regenerate(section: Section, *, seed: int, strength: float, model: str) -> Operation:
    """New movement in a section, by its own words; from 0, vary a little, to 1, new; model: ``MOTION`` or ``CODE``."""
    words = {"prompt": section.prompt, "genre": section.genre, "model": model.lower()}
    return {"op": "regenerate", "span": span_of(section), "seed": seed, "strength": strength, "pinned": True, **words}


def insert(at_s: float, source: Mapping[str, Any], *, counts: int = 0) -> Operation:
    """Open a gap and dance something else in it; 0 counts: as many as it has."""
    return {"op": "insert", "at": point(at_s), "source": dict(source), "counts": counts}


def delete(section: Section) -> Operation:
    """Take a section out and close the gap."""
    return {"op": "delete", "span": span_of(section)}


def duplicate(section: Section) -> Operation:
    """Dance a section once more, right after it."""
    return {"op": "duplicate", "span": span_of(section)}


def replace(section: Section, source: Mapping[str, Any]) -> Operation:
    """Other material in place of a section, over its counts."""
    return {"op": "replace", "span": span_of(section), "source": dict(source)}


def reorder(section: Section, to_s: float) -> Operation:
    """Move a section to another moment of the dance."""
    return {"op": "reorder", "span": span_of(section), "to": point(to_s)}


def split(at_s: float) -> Operation:
    """Two sections of one."""
    return {"op": "split", "at": point(at_s)}


def merge(first: Section, last: Section) -> Operation:
    """One section of both."""
    return {"op": "merge", "span": span_of(first, last)}


def mirror(section: Section) -> Operation:
    """Exchange left and right in a section."""
    return {"op": "mirror", "span": span_of(section)}


def retime(section: Section, *, counts: int) -> Operation:
    """Dance a section over another number of counts."""
    return {"op": "retime", "span": span_of(section), "counts": counts}


def transfer(section: Section, source: Mapping[str, Any], *, keep: str) -> Operation:
    """Keep the ``POSES`` and take the movement of the source, or keep the ``MOVEMENT`` and take its poses."""
    taken = "movement_from" if keep == "POSES" else "poses_from"
    return {"op": "transfer", "span": span_of(section), taken: dict(source)}


def snap(to: str) -> Operation:
    """Move the sections' borders to ``beats``, ``eights`` or the music's ``structure``."""
    return {"op": "snap", "to": to}


def encode_again() -> Operation:
    """Read the codes of the whole dance anew from its motion."""
    return {"op": "encode", "span": ""}


# Requests


def edit_request(
    document: DanceDocument, operation: Operation, *, user_folder: str, other: DanceDocument | None = None
) -> Request:
    """The request ``edit``: a dance, what is to be done with it, and the other dance that it takes from."""
    header = {"type": "edit", "operation": operation, "dance": dance_header(document), "user_folder": user_folder}
    arrays = dance_arrays(document)
    if other is not None:
        header["other"] = dance_header(other)
        arrays |= {f"other_{name}": values for name, values in dance_arrays(other).items()}
    return header, arrays


def encode_request(document: DanceDocument) -> Request:
    """The request ``encode``: motion that may come from anywhere, and its music where that is known."""
    known = dance_header(document)
    if not len(document.beats.beats_s):
        known = {name: value for name, value in known.items() if name not in ("tempo_bpm", "metre", "beat_clear")}
    if not document.sections:
        del known["sections"]
    header = {"type": "encode", "fps": document.fps, "dance": known}
    arrays = dance_arrays(document)
    wanted = ["poses", "pelvis"]
    wanted += ["beats_s", "downbeat"] if len(document.beats.beats_s) else []
    wanted += ["sound"] if len(document.sound) else []
    wanted += ["key_poses", "key_pelvis"] if document.key_poses else []
    return header, {name: arrays[name] for name in wanted}


def library_request(query: str, *, genre: str, limit: int, user_folder: str) -> Request:
    """The request ``library``: phrases that go with these words, the best first."""
    return {"type": "library", "query": query, "genre": genre, "limit": limit, "user_folder": user_folder}, {}


def library_get_request(identity: str, *, user_folder: str) -> Request:
    """The request ``library_get``: one phrase as a dance."""
    return {"type": "library_get", "entry": identity, "user_folder": user_folder}, {}


def library_add_request(
    document: DanceDocument, *, name: str, genre: str, description: str, user_folder: str
) -> Request:
    """The request ``library_add``: keep a dance as a phrase of the animator's own library."""
    words = {"name": name, "genre": genre, "description": description, "user_folder": user_folder}
    return {"type": "library_add", **words, "dance": dance_header(document)}, dance_arrays(document)


def dance_header(document: DanceDocument) -> dict[str, Any]:
    """What of a dance travels as JSON."""
    settings, beats = document.settings, document.beats
    return {
        "fps": document.fps,
        "tempo_bpm": beats.tempo_bpm,
        "metre": beats.metre,
        "beat_clear": beats.clear,
        "sections": [asdict(section) for section in document.sections],
        "settings": {
            "genre": settings.genre,
            "text": settings.text,
            "seed": settings.seed,
            "novelty": settings.novelty,
            "strategy": settings.strategy,
            "reuse": settings.reuse,
        },
        "key_poses": key_pose_fields(document.key_poses),
        "accents_s": list(document.accents_s),
        "model_version": document.model_version,
        "report": dict(document.report),
        "warnings": list(document.warnings),
    }


def dance_arrays(document: DanceDocument) -> dict[str, npt.NDArray[Any]]:
    """What of a dance travels as arrays; the sound's halves travel as the integers of the same bits."""
    return {
        "poses": np.ascontiguousarray(document.poses, dtype="<f4"),
        "pelvis": np.ascontiguousarray(document.pelvis, dtype="<f4"),
        "contacts": np.ascontiguousarray(document.contacts, dtype=np.uint8),
        "beats_s": np.ascontiguousarray(document.beats.beats_s, dtype="<f8"),
        "downbeat": np.ascontiguousarray(document.beats.downbeat, dtype=np.uint8),
        "sound": np.ascontiguousarray(document.sound, dtype="<f2").view("<i2"),
        "movement_codes": np.ascontiguousarray(document.movement_codes, dtype="<i2"),
        "pose_codes": np.ascontiguousarray(document.pose_codes, dtype="<i2"),
        **(key_pose_arrays(document.key_poses) if document.key_poses else {}),
    }
