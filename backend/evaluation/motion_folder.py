"""Motion files of any system, read as dances to be judged."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from backend.errors import PirouetteError
from backend.evaluation.windows import NO_BEATS, Danced, FloatArray, at_model_rate
from backend.motion.io import grounded, read_motion
from backend.motion.sources import AUDIO_SUFFIXES
from backend.music.features import MusicFeatures

MOTION_SUFFIXES = (".npz", ".pkl")


def folder_dances(folder: Path, *, songs: Path | None = None) -> list[Danced]:
    """Every motion file below a folder. Beats: those in the file, else of the song whose name the file's name holds.

    Files made for another body (AIST++, AMASS) are put on the floor. Raises PirouetteError for a file that is no
    motion and PirouetteError("missing_file") for a folder without any.
    """
    if not folder.is_dir():
        raise PirouetteError("missing_file", f"There is no folder {folder}.")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in MOTION_SUFFIXES)
    if not paths:
        kinds = ", ".join(MOTION_SUFFIXES)
        raise PirouetteError("missing_file", f"No motion was found in {folder}.", f"Give a folder with {kinds} files.")
    heard = SongBeats(songs)
    return [_dance(path, folder, heard) for path in paths]


def folder_songs(songs: Path, stems: Collection[str]) -> dict[str, MusicFeatures]:
    """What is heard of the songs of these names, by name."""
    from backend.music.audio import load_audio
    from backend.music.features import music_features

    return {path.stem: music_features(load_audio(path)) for path in SongBeats(songs).named(stems)}


def _dance(path: Path, folder: Path, heard: SongBeats) -> Danced:
    own, beats = _own_fields(path)
    motion = read_motion(path)
    motion = at_model_rate(motion if own else grounded(motion))
    song = heard.song_of(path.stem)
    if beats is None:
        beats = heard.beats(song) if song is not None else NO_BEATS
    name = path.relative_to(folder).with_suffix("").as_posix()
    return Danced(name, motion, beats, song=song.stem if song else "")


def _own_fields(path: Path) -> tuple[bool, FloatArray | None]:
    """Whether the file stands on our floor (it gives its pelvis), and the beats it brings."""
    if not zipfile.is_zipfile(path):
        return False, None
    with np.load(path, allow_pickle=False) as arrays:
        beats = arrays["beats_s"].astype(np.float64) if "beats_s" in arrays.files else None
        return "pelvis" in arrays.files, beats


class SongBeats:
    """The songs of a folder and their beats, tracked when they are first asked for."""

    def __init__(self, folder: Path | None) -> None:
        found = sorted(folder.rglob("*")) if folder is not None else []
        self._songs = [path for path in found if path.suffix.lower() in AUDIO_SUFFIXES]
        self._beats: dict[Path, FloatArray] = {}

    def song_of(self, stem: str) -> Path | None:
        """The song with the longest name that is part of a motion's name."""
        return max((song for song in self._songs if song.stem in stem), key=lambda song: len(song.stem), default=None)

    def named(self, stems: Collection[str]) -> list[Path]:
        """The songs of these names."""
        return [song for song in self._songs if song.stem in stems]

    def beats(self, song: Path) -> FloatArray:
        """(B,) seconds."""
        if song not in self._beats:
            from backend.music.audio import load_audio
            from backend.music.beats import track_beats

            self._beats[song] = track_beats(load_audio(song)).beats_s
        return self._beats[song]
