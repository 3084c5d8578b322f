"""A wish for a dance, and who hears how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from backend.directions import Directions
from backend.errors import Cancelled
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GenerateRequest:
    """What an animator asks for. genre: a name or alias, "" for none; text: free words; fps: of the result; model:
    "motion", "code", or "" for the better one; grid: beats that were edited, None to track them.
    """

    audio: Audio
    genre: str = ""
    text: str = ""
    seed: int = 0
    fps: float = FPS
    model: str = ""
    directions: Directions = field(default_factory=Directions)
    grid: BeatGrid | None = None


class Stopwatch:
    """Seconds spent in each stage; the callbacks of a job."""

    def __init__(self, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self.progress, self.cancelled = progress, cancelled
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Any:
        """Time a stage; tells its begin and its end, and stops a cancelled job."""
        if self.cancelled():
            raise Cancelled
        self.progress(name, 0, total)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 4)
        self.progress(name, total, total)
