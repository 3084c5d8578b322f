"""An animator's own phrases: a folder with one dance document each, so that no damaged file takes another along.

A document keeps the motion beside the codes: when the codec changes, the phrase is encoded anew and nothing is lost.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.errors import PirouetteError
from backend.library.entry import LICENCES, Entry, slug

if TYPE_CHECKING:
    from backend.dance import Dance

PREFIX = "own-"
LONGEST_NAME = 80
SHORTEST_S, LONGEST_S = 0.5, 120.0


def codec_in(models: str) -> str:
    """The codec's version in a list of models such as "denoiser 0.1-9, codec 0.2-7"; "" where it names none."""
    found = re.search(r"\bcodec ([^,\s]+)", models)
    return found[1] if found else ""


def add(user_folder: Path, dance: Dance, name: str, genre: str = "", description: str = "") -> str:
    """Keep a dance, or a part cut out of one, as a phrase of the animator's own; returns its id.

    The file is written whole or not at all. Raises PirouetteError: bad_request (no name, too short or too long),
    unknown_genre, disk_full, missing_file (a folder that cannot be written).
    """
    name, dance = " ".join(name.split()), dance.resampled(30.0)
    if not slug(name) or len(name) > LONGEST_NAME:
        raise PirouetteError("bad_request", f"A phrase needs a name of 1 to {LONGEST_NAME} letters.", "Give it a name.")
    if not SHORTEST_S <= dance.motion.duration_s <= LONGEST_S:
        raise PirouetteError(
            "bad_request",
            f"A phrase lasts {SHORTEST_S:g} to {LONGEST_S:g} seconds, not {dance.motion.duration_s:.1f}.",
            "Select another range.",
        )
    if genre.strip():
        from backend.text.vocabulary import resolve_genre

        genre = resolve_genre(genre).name
    try:
        user_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PirouetteError("missing_file", f"The folder {user_folder} cannot be made: {error.strerror}.") from error
    path = _free_path(user_folder, slug(name))
    _document(dance, name, genre.strip(), " ".join(description.split())).save(path)
    return PREFIX + path.stem


def remove(user_folder: Path, identity: str) -> None:
    """Delete one of the animator's own phrases. Raises PirouetteError bad_request for one that is not there."""
    path = own_paths(user_folder).get(identity)
    if path is None:
        raise PirouetteError(
            "bad_request", f"There is no phrase of your own “{identity}”.", "Only your own phrases can be removed."
        )
    try:
        path.unlink()
    except OSError as error:
        raise PirouetteError("missing_file", f"{path.name} cannot be removed: {error.strerror}.") from error


def own_paths(user_folder: Path) -> dict[str, Path]:
    """The file of each phrase in the folder, by id; a folder that is not there holds none."""
    if not user_folder.is_dir():
        return {}
    return {PREFIX + path.stem: path for path in sorted(user_folder.glob("*.npz")) if not path.name.startswith(".")}


def read_own(user_folder: Path) -> tuple[list[Entry], list[str]]:
    """Own phrases, and a sentence for each file that is none or is damaged."""
    entries, warnings = [], []
    for identity, path in own_paths(user_folder).items():
        try:
            entries.append(_entry(identity, path))
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            warnings.append(f"{path.name} in your library is damaged or no phrase, and was left out ({error}).")
    return entries, warnings


def _document(dance: Dance, name: str, genre: str, description: str) -> Dance:
    """The dance as a phrase: one section from the origin. Codes of several sections do not join into one: they go."""
    from dataclasses import replace

    from backend.dance import SOUND_CHANNELS, Section, Settings
    from backend.motion.motion import Motion

    motion = dance.motion
    start = motion.pelvis[0] * np.array([1.0, 1.0, 0.0], dtype=np.float32)
    whole = len(dance.sections) == 1 and len(dance.movement_codes) > 0
    codec = codec_in(dance.model_version) if whole else ""
    told = {"name": name, "genre": genre, "description": description, "codec": codec}
    return replace(
        dance,
        motion=Motion(motion.poses, motion.pelvis - start, motion.fps),
        sections=(Section(name, 0.0, motion.frames / motion.fps, genre, description or name, 0),),
        settings=Settings(genre, description or name, 0),
        report={"library": told, "frames": motion.frames, "beats_s": [round(float(b), 3) for b in dance.grid.beats_s]},
        warnings=(),
        sound=np.zeros((0, SOUND_CHANNELS), dtype=np.float16),
        movement_codes=dance.movement_codes if codec else dance.movement_codes[:0],
        pose_codes=dance.pose_codes if codec else dance.pose_codes[:0],
    )


def _entry(identity: str, path: Path) -> Entry:
    """A phrase's entry from its document alone: the motion stays unread."""
    with np.load(path, allow_pickle=False) as file:
        document: dict[str, Any] = json.loads(str(file["document"]))
    told, frames = document["report"]["library"], int(document["report"]["frames"])
    tempo_bpm = float(document["tempo_bpm"])
    beats = tuple(float(beat) for beat in document["report"]["beats_s"] if 0.0 <= beat < frames / 30.0)
    return Entry(
        id=identity,
        name=str(told["name"]),
        genre=str(told["genre"]),
        description=str(told["description"]),
        figures=(),
        frames=frames,
        counts=len(beats) or round(frames / 30.0 * tempo_bpm / 60.0),
        beats_s=beats,
        metre=int(document["metre"]),
        bpm=round(tempo_bpm, 1),
        source="own",
        licence=LICENCES["own"],
        clip=path.name,
        start_s=0.0,
        own=True,
        codec=str(told["codec"]),
    )


def _free_path(folder: Path, stem: str) -> Path:
    number, path = 1, folder / f"{stem}.npz"
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.npz"
    return path
