"""The dance as a document: motion, codes, contacts, the music's beats and sound, sections, key poses, settings.

A section is a run of codes of its own: it may start at any frame, and its codes start with it. So a section can be
moved, and its codes with it. Key poses and accents belong to the timeline, as the music does: they stay at their times.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.direction_fields import accents_from, key_pose_arrays, key_pose_fields, key_poses_from
from backend.directions import KeyPose, Part
from backend.errors import PirouetteError
from backend.motion.io import replacing
from backend.motion.motion import Motion
from backend.motion.resample import resample, resampled_frames
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid, eight_counts

FORMAT = 3
SHORTEST_SECTION_S = 0.5
SOUND_CHANNELS = 37  # energy 2, timbre 35
MOVEMENT_FRAMES = 4  # frames a movement code: 7.5 Hz; pose codes come twice as often
GROUP_FRAMES = 8  # codes come in groups of two movement codes and four pose codes: cut and move them by whole groups


@dataclass(frozen=True)
class Settings:
    """What the animator asked for. novelty, strategy and reuse: as in ``Directions``."""

    genre: str
    text: str
    seed: int
    novelty: float = 0.0
    strategy: str = ""
    reuse: str = "none"


@dataclass(frozen=True)
class Section:
    """A span of the dance with its own prompt, seed and lock."""

    name: str
    start_s: float
    end_s: float
    genre: str
    prompt: str
    seed: int
    locked: bool = False


@dataclass(frozen=True)
class Dance:
    """motion: at 30 fps; contacts: (T, 4) bool of L_Ankle, R_Ankle, L_Foot, R_Foot; grid: the song's beats.

    sound: (S, 37) float16, what is heard of the song in each frame from the dance's first on, empty where there is no
    song; movement_codes: (K, rows) and pose_codes: (2K, rows) int16, those of all sections one behind the other,
    two movement codes for every eight frames of a section; empty where the dance was not encoded.
    key_poses: what the dance passes through; accents_s: beats at which a pose lands.
    """

    motion: Motion
    contacts: npt.NDArray[np.bool_]
    grid: BeatGrid
    sections: tuple[Section, ...]
    settings: Settings
    model_version: str
    report: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    sound: npt.NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, SOUND_CHANNELS), dtype=np.float16))
    movement_codes: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 1), dtype=np.int16))
    pose_codes: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 1), dtype=np.int16))
    key_poses: tuple[KeyPose, ...] = ()
    accents_s: tuple[float, ...] = ()

    def frames_of(self, section: Section) -> tuple[int, int]:
        """First frame of a section, and the frame after its last, at the model's rate."""
        return round(section.start_s * FPS), round(section.end_s * FPS)

    def codes_of(self, index: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        """Movement codes (K, rows) and pose codes (2K, rows) of the section with this number, from 0."""
        counts = [movement_count(frames) for frames in section_frames(self.sections)]
        first = sum(counts[:index])
        last = first + counts[index]
        return self.movement_codes[first:last], self.pose_codes[2 * first : 2 * last]

    def resampled(self, fps: float) -> Dance:
        """The same dance at another frame rate, by time."""
        if fps == self.motion.fps:
            return self
        motion = self.motion
        frames = resampled_frames(motion.frames, source_fps=motion.fps, target_fps=fps)
        poses, pelvis = resample(motion.poses, motion.pelvis, source_fps=motion.fps, target_fps=fps, frames=frames)
        nearest = np.minimum(np.round(np.arange(frames) * motion.fps / fps).astype(int), motion.frames - 1)
        return replace(self, motion=Motion(poses, pelvis, fps), contacts=self.contacts[nearest])

    def save(self, path: Path) -> None:
        """Write an npz: poses (T, 24, 3), pelvis (T, 3), fps, contacts (T, 4), beats_s, downbeat, sound,
        movement_codes, pose_codes, key_poses (K, 24, 3), key_pelvis (K, 3), document (JSON).

        The file is written whole or not at all. Raises PirouetteError for a full disk or a folder that cannot be
        written.
        """
        document = {
            "format": FORMAT,
            "tempo_bpm": self.grid.tempo_bpm,
            "metre": self.grid.metre,
            "beat_clear": self.grid.clear,
            "sections": [asdict(section) for section in self.sections],
            "settings": asdict(self.settings),
            "model_version": self.model_version,
            "report": self.report,
            "warnings": list(self.warnings),
            "key_poses": key_pose_fields(self.key_poses),
            "accents_s": list(self.accents_s),
        }
        locks = key_pose_arrays(self.key_poses)
        with replacing(path) as file:
            np.savez_compressed(
                file,
                poses=self.motion.poses,
                pelvis=self.motion.pelvis,
                fps=np.float64(self.motion.fps),
                contacts=self.contacts,
                beats_s=self.grid.beats_s,
                downbeat=self.grid.downbeat,
                sound=self.sound,
                movement_codes=self.movement_codes,
                pose_codes=self.pose_codes,
                key_poses=locks["key_poses"],
                key_pelvis=locks["key_pelvis"],
                document=np.array(json.dumps(document)),
            )


def movement_count(frames: int) -> int:
    """How many movement codes so many frames take: whole groups of two."""
    return 2 * -(-frames // GROUP_FRAMES)


def section_frames(sections: Sequence[Section]) -> list[int]:
    """How many frames each section has, at the model's rate."""
    return [round(section.end_s * FPS) - round(section.start_s * FPS) for section in sections]


def load_dance(path: Path) -> Dance:
    """A dance as written by ``Dance.save``. One of format 1 has neither codes nor sound, one of format 2 no key poses.

    Raises PirouetteError: missing_file, damaged_file (also for a dance of a newer format or not at the model's rate).
    """
    if not path.is_file():
        raise PirouetteError("missing_file", f"There is no dance {path}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        document = json.loads(str(parts["document"]))
        return _dance_of(path.name, document, parts)
    except PirouetteError as error:
        if error.code != "bad_request":
            raise
        raise PirouetteError(
            "damaged_file", f"{path.name}: {error.message}", "Make one: generate or encode."
        ) from error
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise PirouetteError(
            "damaged_file", f"{path.name} is no dance that could be read: {error}.", "Make one: generate or encode."
        ) from error


def _dance_of(name: str, document: dict[str, Any], parts: dict[str, npt.NDArray[Any]]) -> Dance:
    if document["format"] > FORMAT:
        raise PirouetteError("damaged_file", f"{name} was made by a newer Pirouette.", "Update this one.")
    fps = float(parts["fps"])
    if fps != FPS:
        raise PirouetteError(
            "damaged_file", f"{name} is at {fps:g} frames a second; a dance is edited at {FPS:g}.", "Use --fps 30."
        )
    beats, marks = parts["beats_s"].astype(np.float64), parts["downbeat"].astype(np.bool_)
    metre, clear = int(document["metre"]), bool(document["beat_clear"])
    optional: dict[str, Any] = {key: parts[key] for key in ("sound", "movement_codes", "pose_codes") if key in parts}
    if document["format"] >= 3:
        optional["key_poses"] = key_poses_from(document["key_poses"], parts["key_poses"], parts["key_pelvis"])
        optional["accents_s"] = accents_from(document["accents_s"])
    return Dance(
        motion=Motion(parts["poses"], parts["pelvis"], fps),
        contacts=parts["contacts"].astype(np.bool_),
        grid=BeatGrid(beats, marks, float(document["tempo_bpm"]), metre, clear),
        sections=tuple(Section(**section) for section in document["sections"]),
        settings=Settings(**document["settings"]),
        model_version=str(document["model_version"]),
        report=dict(document["report"]),
        warnings=tuple(document["warnings"]),
        **optional,
    )


def sections_of(grid: BeatGrid, duration_s: float, settings: Settings) -> tuple[Section, ...]:
    """One section for each 8-count (6-count in 3/4) from the first to the last moment of the dance."""
    borders = [float(t) for t in eight_counts(grid) if 0.5 < t < duration_s - 0.5]
    edges = [0.0, *borders, duration_s]
    return tuple(
        Section(f"{number}", start, end, settings.genre, settings.text, settings.seed)
        for number, (start, end) in enumerate(pairwise(edges), start=1)
    )


def sections_with(sections: Sequence[Section], parts: Sequence[Part]) -> tuple[Section, ...]:
    """Sections in which each part, with words of its own, is a section; what is left of the others stays, joined to
    its neighbour where it is shorter than half a second. The parts lie within the sections, and not over each other.
    """
    if not parts:
        return tuple(sections)
    pieces = [
        replace(sections[0], start_s=part.start_s, end_s=part.end_s, genre=part.genre, prompt=part.prompt)
        for part in parts
    ]
    for section in sections:
        start_s = section.start_s
        for part in sorted(parts, key=lambda each: each.start_s):
            if part.start_s < section.end_s and part.end_s > start_s:
                if part.start_s > start_s:
                    pieces.append(replace(section, start_s=start_s, end_s=part.start_s))
                start_s = part.end_s
        if start_s < section.end_s:
            pieces.append(replace(section, start_s=start_s))
    kept: list[Section] = []
    for piece in sorted(pieces, key=lambda each: each.start_s):
        if kept and piece.end_s - piece.start_s < SHORTEST_SECTION_S:
            kept[-1] = replace(kept[-1], end_s=piece.end_s)
        else:
            kept.append(piece)
    if len(kept) > 1 and kept[0].end_s - kept[0].start_s < SHORTEST_SECTION_S:
        kept[1:2] = [replace(kept[1], start_s=kept[0].start_s)]
        kept = kept[1:]
    return tuple(replace(piece, name=f"{number}") for number, piece in enumerate(kept, start=1))
