"""Find the motion and the music to learn from in a folder, whatever layout it has.

Three layouts of motion: a library (``motion.jsonl``), AIST++ (``motions/*.pkl``) and AMASS (``**/*.npz``);
two of music: a library (``music.jsonl``) and any folder of audio files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import PirouetteError
from backend.motion.io import grounded, read_motion
from backend.motion.motion import Motion

AUDIO_SUFFIXES = (".wav", ".mp3", ".ogg", ".flac", ".opus")
# AIST's ten genres; its music is named mBR0..mBR5 and steps through the tempi (Tsuchida et al. 2019).
AIST_GENRES: Mapping[str, str] = {
    "BR": "break",
    "PO": "pop",
    "LO": "lock",
    "WA": "waack",
    "MH": "middle hip-hop",
    "LH": "la hip-hop",
    "HO": "house",
    "KR": "krump",
    "JS": "street jazz",
    "JB": "ballet jazz",
}
_AIST_FOLDERS = ("", "aist_plusplus_final", "annotations")
_AIST_NAME = re.compile(
    r"g(?P<genre>[A-Z]{2})_s(?P<kind>[A-Z]{2})_c\w+_d(?P<dancer>\d+)_m(?P<music>[A-Z]{2}\d)_ch(?P<ch>\d+)"
)
_AIST_SPLITS = {"crossmodal_train": "train", "crossmodal_val": "valid", "crossmodal_test": "test"}
_AIST_KINDS = {"BM": "basic", "FM": "advanced"}
_DANCE_WORDS = ("dance", "dancing", "ballet", "salsa", "breakdance", "hiphop", "hip_hop", "capoeira", "charleston")


@dataclass(frozen=True)
class Clip:
    """One motion file; path, id, split (train, valid, test), dance or general motion, genre ("" where unknown).

    beats_s: (B,) annotated beats in seconds; metre: 3 or 4; both None where unknown. mirror_ok: left and right may be
    exchanged. on_mean_body: the file was made for the mean body, so its feet stand on z = 0. row: the manifest's row.
    """

    path: Path
    id: str
    split: str
    dance: bool
    genre: str
    caption: str
    beats_s: np.ndarray | None = None
    metre: int | None = None
    mirror_ok: bool = True
    on_mean_body: bool = True
    row: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Motion:
        """The motion with its feet on the floor; raises PirouetteError as read_motion does."""
        motion = read_motion(self.path)
        return motion if self.on_mean_body else grounded(motion)


@dataclass(frozen=True)
class SongFile:
    """One song; metre: 3 or 4, None where unknown or another; bpm: beats a minute, None where unknown."""

    path: Path
    id: str
    split: str
    metre: int | None = None
    bpm: float | None = None
    row: Mapping[str, Any] = field(default_factory=dict)


def find_clips(data: Path) -> Iterator[Clip]:
    """Every motion clip of a library, AIST++ or AMASS folder, in a stable order.

    Raises PirouetteError("missing_file") where the folder, a file of its manifest or any motion is missing,
    PirouetteError("damaged_file") for an unreadable manifest.
    """
    data = _existing_folder(data)
    if (data / "motion.jsonl").is_file():
        yield from _library_clips(data)
        return
    for name in _AIST_FOLDERS:
        if any((data / name / "motions").glob("*.pkl")):
            yield from _aist_clips(data / name)
            return
    found = False
    for clip in _amass_clips(data):
        found = True
        yield clip
    if not found:
        raise PirouetteError(
            "missing_file",
            f"No motion was found in {data}.",
            "Give a folder with motion.jsonl, an AIST++ folder (motions/*.pkl) or an AMASS folder (**/*.npz).",
        )


def find_songs(data: Path) -> Iterator[SongFile]:
    """Every song of a library folder (music.jsonl) or of a plain folder of audio files, in a stable order.

    Raises PirouetteError("missing_file") where the folder, a file of its manifest or any song is missing,
    PirouetteError("damaged_file") for an unreadable manifest.
    """
    data = _existing_folder(data)
    if (data / "music.jsonl").is_file():
        for row in _manifest(data / "music.jsonl"):
            bpm = row.get("bpm")
            yield SongFile(
                path=_listed_file(data, row),
                id=str(row["id"]),
                split=str(row["split"]),
                metre=_metre(row.get("meter")),
                bpm=float(bpm) if bpm else None,
                row=row,
            )
        return
    paths = sorted(path for path in data.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        raise PirouetteError(
            "missing_file",
            f"No music was found in {data}.",
            f"Give a folder with music.jsonl or with audio files ({', '.join(AUDIO_SUFFIXES)}).",
        )
    for path in paths:
        aist = re.search(r"m([A-Z]{2}\d)", path.stem)
        bpm = _aist_bpm(aist[1]) if aist else None
        metre = 4 if bpm else None
        yield SongFile(path=path, id=path.stem, split=_drawn_split(path.stem), metre=metre, bpm=bpm)


def _existing_folder(data: Path) -> Path:
    data = Path(data)
    if not data.is_dir():
        raise PirouetteError("missing_file", f"The folder {data} does not exist.", "Check the path of the data.")
    return data


def _manifest(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a .jsonl manifest."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PirouetteError("damaged_file", f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise PirouetteError("damaged_file", f"Line {number} of {path} is not JSON: {error}.") from error
        if not isinstance(row, dict) or not {"id", "file", "split"} <= row.keys():
            raise PirouetteError("damaged_file", f"Line {number} of {path} needs the fields id, file and split.")
        yield row


def _listed_file(data: Path, row: Mapping[str, Any]) -> Path:
    path = data / str(row["file"])
    if not path.is_file():
        raise PirouetteError("missing_file", f"{path} is listed in the manifest but is not there.")
    return path


def _metre(value: object) -> int | None:
    """3 or 4 from 3, "3/4", "2/4" (counted in fours); None for what cannot be counted so."""
    return {"3": 3, "4": 4, "3/4": 3, "6/8": 3, "4/4": 4, "2/4": 4}.get(str(value))


def _drawn_split(key: str) -> str:
    """A split for data that brings none: 5 % valid, 5 % test, the same for a key on every machine."""
    draw = hashlib.sha256(key.encode()).digest()[0]
    return "valid" if draw < 13 else "test" if draw < 26 else "train"


def _library_clips(data: Path) -> Iterator[Clip]:
    for row in _manifest(data / "motion.jsonl"):
        beats = row.get("beats")
        yield Clip(
            path=_listed_file(data, row),
            id=str(row["id"]),
            split=str(row["split"]),
            dance=bool(row.get("dance", False)),
            genre=str(row.get("genre") or ""),
            caption=str(row.get("caption") or ""),
            beats_s=np.asarray(beats, dtype=np.float64) if beats else None,
            metre=_metre(row.get("meter")),
            mirror_ok=bool(row.get("mirror_ok", True)),
            row=row,
        )


def _aist_bpm(music: str) -> float | None:
    """Tempo of an AIST song by its name: 80 to 130 in tens, house 110 to 135 in fives."""
    number = int(music[2])
    if music[:2] not in AIST_GENRES or number > 5:
        return None
    return 110.0 + 5 * number if music[:2] == "HO" else 80.0 + 10 * number


def _names(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()


def _aist_clips(data: Path) -> Iterator[Clip]:
    """AIST++ clips; where its cross-modal splits are there, clips that they leave out are left out."""
    ignored = _names(data / "ignore_list.txt") | _names(data / "splits" / "ignore_list.txt")
    listed = {name: split for file, split in _AIST_SPLITS.items() for name in _names(data / "splits" / f"{file}.txt")}
    for path in sorted((data / "motions").glob("*.pkl")):
        parts = _AIST_NAME.fullmatch(path.stem)
        if path.stem in ignored or (listed and path.stem not in listed):
            continue
        if parts is None:
            raise PirouetteError(
                "damaged_file",
                f"{path.name} is not named as AIST++ names its motions.",
                "Expected a name such as gBR_sBM_cAll_d04_mBR0_ch01.pkl.",
            )
        genre = AIST_GENRES.get(parts["genre"], "")
        kind = _AIST_KINDS.get(parts["kind"], "free")
        yield Clip(
            path=path,
            id=path.stem,
            # A choreography is danced many times: all of its takes go into one split.
            split=listed.get(path.stem) or _drawn_split(f"{parts['genre']}{parts['ch']}"),
            dance=True,
            genre=genre,
            caption=f"{genre} dance, {kind} choreography".strip().capitalize() + ".",
            metre=4,
            on_mean_body=False,
            row={"subject": f"d{parts['dancer']}", "music": f"m{parts['music']}", "bpm": _aist_bpm(parts["music"])},
        )


def _holds_amass_motion(path: Path) -> bool:
    """AMASS folders hold body shapes (shape.npz, *_stagei.npz) beside motions: only the keys tell."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {"poses", "trans"} <= set(arrays.files)
    except (OSError, ValueError, EOFError) as error:
        raise PirouetteError("damaged_file", f"{path} is not a complete npz file: {error}.") from error


def _amass_clips(data: Path) -> Iterator[Clip]:
    for path in sorted(data.rglob("*.npz")):
        if not _holds_amass_motion(path):
            continue
        name = path.relative_to(data).with_suffix("").as_posix()
        words = re.sub(r"_(poses|stageii)$", "", path.stem).replace("_", " ").strip()
        yield Clip(
            path=path,
            id=name.replace("/", "_"),
            split=_drawn_split(Path(name).parent.as_posix() or name),  # a folder is a subject: one split
            dance=any(word in name.lower() for word in _DANCE_WORDS),
            genre="",
            caption=words,
            on_mean_body=False,
            row={"subject": Path(name).parent.as_posix()},
        )
