"""Dances to cut phrases from, a folder of them, and an artist that remembers what it has encoded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.dance import Dance, Section, Settings, movement_count
from backend.library.build import build_library
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid

FPS = 30.0
L_HIP, R_HIP, L_KNEE, R_KNEE, L_SHOULDER, R_SHOULDER = 1, 2, 4, 5, 16, 17
STANDING_M = 0.93


def stepping(
    seconds: float, *, bpm: float = 120.0, turns: float = 0.0, lift: float = 0.5, phase: float = 0.0
) -> Motion:
    """A body that lifts one knee after the other, still on each beat, and turns left evenly."""
    time = np.arange(round(seconds * FPS)) / FPS
    beat = time * bpm / 60.0 + phase
    left = np.maximum(np.sin(np.pi * beat), 0.0) ** 2
    right = np.maximum(-np.sin(np.pi * beat), 0.0) ** 2
    poses = np.zeros((len(time), 24, 3))
    for hip, knee, share in ((L_HIP, L_KNEE, left), (R_HIP, R_KNEE, right)):
        poses[:, hip, 0], poses[:, knee, 0] = -lift * share, 2 * lift * share
    poses[:, L_SHOULDER, 2], poses[:, R_SHOULDER, 2] = -1.1 + 1.6 * lift * left, 1.1 - 1.6 * lift * right
    yaw = 2.0 * np.pi * turns * np.clip(time / max(seconds, 1e-9), 0.0, 1.0)
    poses[:, 0] = _facing(yaw)
    pelvis = np.stack([0.0 * time, 0.0 * time, STANDING_M + 0.0 * time], axis=1)
    return Motion(poses, pelvis, FPS)


def _facing(yaw: np.ndarray) -> np.ndarray:
    """Root orientations (T, 3): upright in a Z-up world, turned about Z."""
    from scipy.spatial.transform import Rotation

    upright = Rotation.from_rotvec([np.pi / 2, 0.0, 0.0])
    return (Rotation.from_rotvec(np.stack([0 * yaw, 0 * yaw, yaw], axis=1)) * upright).as_rotvec()


class Remembering:
    """An artist whose codes are numbers of what it has encoded. codec: its version."""

    def __init__(self, codec: str = "1") -> None:
        self.codec = codec
        self.motions: list[Motion] = []

    def encode(self, motion: Motion, frames: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        assert sum(frames) == motion.frames
        self.motions.append(motion)
        count, number = sum(map(movement_count, frames)), len(self.motions) - 1
        return np.full((count, 3), number, np.int16), np.full((2 * count, 4), number, np.int16)

    def decode(self, movement: np.ndarray, pose: np.ndarray, frames: Sequence[int]) -> Motion:
        assert len(pose) == 2 * len(movement) == 2 * sum(map(movement_count, frames))
        assert (movement == movement[0, 0]).all()
        assert (pose == movement[0, 0]).all()
        return self.motions[int(movement[0, 0])]

    def describe(self) -> dict[str, Any]:
        return {"device": "cpu", "models": f"denoiser 9, refiner 9, codec {self.codec}"}


def a_dance(motion: Motion, *, sections: int = 1, model_version: str = "denoiser 9, codec 1") -> Dance:
    """A dance with codes of zeros, at 120 beats a minute."""
    beats = np.arange(0.0, motion.duration_s, 0.5)
    edges = np.round(np.linspace(0, motion.frames, sections + 1)) / FPS
    parts = [Section(f"{i}", float(edges[i]), float(edges[i + 1]), "", "", 0) for i in range(sections)]
    count = sum(movement_count(round((p.end_s - p.start_s) * FPS)) for p in parts)
    return Dance(
        motion=motion,
        contacts=np.ones((motion.frames, 4), dtype=bool),
        grid=BeatGrid(beats, np.arange(len(beats)) % 4 == 0, 120.0, 4, True),
        sections=tuple(parts),
        settings=Settings("", "", 0),
        model_version=model_version,
        movement_codes=np.zeros((count, 3), dtype=np.int16),
        pose_codes=np.zeros((2 * count, 4), dtype=np.int16),
    )


CLIPS: tuple[dict[str, Any], ...] = (
    {
        "id": "turner",
        "genre": "ballet",
        "caption": "Ballet with a pirouette.",
        "motion": {"seconds": 4.5, "turns": 2.0},
    },
    {
        "id": "salsero",
        "genre": "salsa",
        "caption": "Salsa figures, with side-to-side steps.",
        "motion": {"seconds": 20},
    },
    {"id": "tester", "split": "test", "genre": "tango", "caption": "A tango.", "motion": {"seconds": 9, "phase": 0.3}},
    {"id": "valid", "split": "valid", "genre": "tango", "caption": "A tango.", "motion": {"seconds": 9, "phase": 0.6}},
    {"id": "walker", "dance": False, "genre": "general: walk", "caption": "A walk.", "motion": {"seconds": 9}},
    {"id": "still", "genre": "modern", "caption": "Modern dance.", "motion": {"seconds": 9, "lift": 0.0}},
)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dance library of a few made-up clips in all splits."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for clip in CLIPS:
        motion = stepping(**clip["motion"])
        np.savez(folder / f"{clip['id']}.npz", poses=motion.poses, pelvis=motion.pelvis, fps=np.float32(FPS))
        row = {"split": "train", "dance": True, "source": "cmu", **clip, "file": f"{clip['id']}.npz"}
        rows.append({key: value for key, value in row.items() if key != "motion"})
    (folder / "motion.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="session")
def artist() -> Remembering:
    """The artist that built ``small``."""
    return Remembering()


@pytest.fixture(scope="session")
def small(data: Path, artist: Remembering, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library built from the made-up clips."""
    folder = tmp_path_factory.mktemp("library")
    build_library(data, folder, artist=artist)
    return folder
