"""Directors whose dances are known by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.directions import KeyPose, Strategy
from backend.evaluation.directed.director import Asked, LongMade, LongWish, Made
from backend.evaluation.directed.facing import set_down
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from tests.backend.evaluation.bodies import wild
from tests.fixtures.make_motion import library_arrays

SONG = Path(__file__).resolve().parents[2] / "fixtures" / "songs" / "mentalgroove.opus"


def library_of(folder: Path, durations_s: Sequence[float]) -> Path:
    """A library of test dances of these lengths and one test song."""
    rows = []
    for number, duration_s in enumerate(durations_s):
        np.savez(folder / f"dance_{number}.npz", **library_arrays(wild(duration_s, seed=number)))
        rows.append(
            {"id": f"dance_{number}", "file": f"dance_{number}.npz", "split": "test", "dance": True}
            | {"genre": "salsa", "caption": "Salsa."}
        )
    (folder / "motion.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    shutil.copy(SONG, folder / "song.opus")
    (folder / "music.jsonl").write_text(json.dumps({"id": "song", "file": "song.opus", "split": "test"}))
    return folder


def with_frames(motion: Motion, keys: Sequence[KeyPose]) -> Motion:
    """The motion with key poses put in for a frame each, turned to the dance's heading where theirs is free."""
    poses, pelvis = motion.poses.copy(), motion.pelvis.copy()
    for key in keys:
        frame = round(key.time_s * FPS)
        poses[frame], pelvis[frame, 2] = key.pose, key.pelvis[2]
        if key.place:
            pelvis[frame] = key.pelvis
    return Motion(poses, pelvis, motion.fps)


def on_beats(beats_s: np.ndarray, frames: int) -> Motion:
    """A body that swings from side to side and stops on every beat."""
    phase = np.interp(np.arange(frames) / FPS, beats_s, np.arange(len(beats_s)))
    poses = np.zeros((frames, 24, 3))
    poses[:, 0] = [np.pi / 2, 0.0, 0.0]
    poses[:, 16, 1] = 0.6 * np.cos(np.pi * phase)
    poses[:, 17, 1] = 0.6 * np.cos(np.pi * phase)
    return Motion(poses, np.tile([0.0, 0.0, 0.95], (frames, 1)), FPS)


@dataclass
class Wild:
    """Dances wildly; passes through key poses for a frame where obedient; goes on smoothly where told to."""

    version: str = "wild 1"
    obedient: bool = True
    walks_m_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)

    def dance(self, audio: Audio, asked: Asked) -> Made:
        """A wild dance of its own for each seed and novelty."""
        self.asked.append(asked)
        told = asked.directions
        motion = wild(audio.duration_s, seed=100 * asked.seed + round(10 * told.novelty))
        motion.pelvis[:, 1] += self.walks_m_s * np.arange(motion.frames) / FPS
        if told.kept is not None:
            motion = told.kept
        if told.before is not None:
            x, y, _ = told.before.pelvis[-1]
            motion = set_down(motion, 0, (float(x), float(y)), 0.0)
        keys = told.key_poses if self.obedient and asked.exact else ()
        return Made(with_frames(motion, keys))

    def long(self, strategy: Strategy, wishes: Sequence[LongWish]) -> Iterator[LongMade]:
        """Wild dances that take as many seconds as they have minutes."""
        for wish in wishes:
            took = wish.seconds / 60.0
            motion = wild(min(wish.seconds, 180.0), seed=wish.seed)
            beats = np.arange(0.0, wish.seconds, 0.5)
            yield LongMade(motion, beats, took, took, {"dance": took}, 500.0 + took)
