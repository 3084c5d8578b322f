"""The dance as a document: motion, contacts, beats, sections, settings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.motion.io import replacing
from backend.motion.motion import Motion
from backend.motion.resample import resample, resampled_frames
from backend.music.beats import BeatGrid, eight_counts

FORMAT = 1


@dataclass(frozen=True)
class Settings:
    """What the animator asked for."""

    genre: str
    text: str
    seed: int


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
    """motion: at 30 fps; contacts: (T, 4) bool of L_Ankle, R_Ankle, L_Foot, R_Foot; grid: the song's beats."""

    motion: Motion
    contacts: npt.NDArray[np.bool_]
    grid: BeatGrid
    sections: tuple[Section, ...]
    settings: Settings
    model_version: str
    report: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

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
        """Write an npz: poses (T, 24, 3), pelvis (T, 3), fps, contacts (T, 4), beats_s, downbeat, document (JSON).

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
        }
        with replacing(path) as file:
            np.savez_compressed(
                file,
                poses=self.motion.poses,
                pelvis=self.motion.pelvis,
                fps=np.float64(self.motion.fps),
                contacts=self.contacts,
                beats_s=self.grid.beats_s,
                downbeat=self.grid.downbeat,
                document=np.array(json.dumps(document)),
            )


def sections_of(grid: BeatGrid, duration_s: float, settings: Settings) -> tuple[Section, ...]:
    """One section for each 8-count (6-count in 3/4) from the first to the last moment of the dance."""
    borders = [float(t) for t in eight_counts(grid) if 0.5 < t < duration_s - 0.5]
    edges = [0.0, *borders, duration_s]
    return tuple(
        Section(f"{number}", start, end, settings.genre, settings.text, settings.seed)
        for number, (start, end) in enumerate(pairwise(edges), start=1)
    )
