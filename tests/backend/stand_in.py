"""A Choreographer without models, and the command line with it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from backend import command_line
from backend.dance import Dance, Settings, sections_of
from backend.directions import Directions
from backend.motion.motion import Motion
from backend.music.audio import Audio
from backend.music.beats import BeatGrid

Run = Callable[..., int]


@dataclass(frozen=True)
class Asked:
    """The request as the command line makes it."""

    audio: Audio
    genre: str = ""
    text: str = ""
    seed: int = 0
    fps: float = 30.0
    model: str = ""
    directions: Directions = field(default_factory=Directions)
    grid: BeatGrid | None = None


class StandIn:
    """A Choreographer without models: an upright body for as long as the sound."""

    asked: Asked
    failure: BaseException | None = None

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def generate(self, request: Asked, *, progress: Callable[[str, int, int], None], cancelled: Any) -> Dance:
        StandIn.asked = request
        print("a library prints")
        for stage in ("listen", "dance", "refine", "plant"):
            progress(stage, 1, 1)
        if StandIn.failure is not None:
            raise StandIn.failure
        frames = round(request.audio.duration_s * 30)
        poses = np.zeros((frames, 24, 3), "f4")
        poses[:, 0, 0] = np.pi / 2
        pelvis = np.tile(np.array([0.0, 0.0, 0.9], "f4"), (frames, 1))
        beats = np.arange(0.0, request.audio.duration_s, 0.5)
        grid = BeatGrid(beats, np.arange(len(beats)) % 4 == 0, 120.0, 4, True)
        settings = Settings(request.genre, request.text, request.seed)
        return Dance(
            Motion(poses, pelvis, 30.0),
            np.ones((frames, 4), bool),
            grid,
            sections_of(grid, request.audio.duration_s, settings),
            settings,
            "stand-in",
            {"frames": frames, "jerk_m_s3": float(np.float32(1.5)), "beat_alignment": float("nan")},
            ("The beat is not clear.",),
        )


def command_line_with_stand_in(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, with the stand-in; returns the exit code."""
    module = ModuleType("backend.choreographer")
    module.Choreographer = StandIn  # type: ignore[attr-defined]
    module.GenerateRequest = Asked  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "backend.choreographer", module)
    monkeypatch.setattr(StandIn, "failure", None)

    def execute(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["backend", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            command_line.main()
        return int(caught.value.code or 0)

    return execute
