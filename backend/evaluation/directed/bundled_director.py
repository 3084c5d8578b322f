"""The bundled models as the makers of directed dances."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from backend.choreographer import Choreographer
from backend.dance import Dance
from backend.directions import Directions, Strategy
from backend.errors import PirouetteError
from backend.evaluation.directed.director import Asked, LongMade, LongWish, Made
from backend.evaluation.generated_set import heard_song
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.request import GenerateRequest

WARM_S = 12.0  # of a first dance, so that no later one pays for what is loaded once; longer than a window


@dataclass(frozen=True)
class Stopped:
    """The PirouetteError that ended the fresh process: exceptions do not travel whole."""

    code: str
    message: str
    hint: str


class BundledDirector:
    """The models of the package, or of a folder of weights."""

    def __init__(self, *, device: str = "auto", weights: Path | None = None) -> None:
        self.device, self.weights = device, weights
        self.exact = Choreographer(device=device, weights=weights)
        self.near = Choreographer(device=device, weights=weights, lock_exactly=False)
        self.version = self.exact.version

    def dance(self, audio: Audio, asked: Asked) -> Made:
        """A dance as long as the audio."""
        request = GenerateRequest(
            audio, genre=asked.genre, seed=asked.seed, fps=FPS, directions=asked.directions, grid=asked.grid
        )
        made = _generated(self.exact if asked.exact else self.near, request)
        return Made(made.motion, made.report)

    def long(self, strategy: Strategy, wishes: Sequence[LongWish]) -> Iterator[LongMade]:
        """Dances by one strategy, made in a fresh process one after the other."""
        if any(one.seconds > other.seconds for one, other in pairwise(wishes)):
            raise ValueError("shorter dances come first, since memory is known by its highest mark alone")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_make_long, args=(theirs, self.device, self.weights, strategy, list(wishes)), daemon=True
        )
        process.start()
        theirs.close()
        try:
            for _ in wishes:
                yield _received(ours)
        finally:
            ours.close()
            process.join(timeout=10)
            if process.is_alive():
                process.terminate()


def _received(connection: Connection) -> LongMade:
    try:
        made = connection.recv()
    except EOFError:
        raise PirouetteError("internal", "The process that made long dances stopped.") from None
    if isinstance(made, Stopped):
        raise PirouetteError(made.code, made.message, made.hint)
    assert isinstance(made, LongMade)
    return made


def _generated(choreographer: Choreographer, request: GenerateRequest) -> Dance:
    return choreographer.generate(request, progress=lambda *_: None, cancelled=lambda: False)


def _make_long(
    connection: Connection, device: str, weights: Path | None, strategy: Strategy, wishes: list[LongWish]
) -> None:
    """What the fresh process does: sends a LongMade for each wish, or the PirouetteError that stopped it."""
    try:
        choreographer = Choreographer(device=device, weights=weights)
        directions = Directions(strategy=strategy)
        warm = replace(wishes[0], seconds=WARM_S)
        _generated(choreographer, _request(warm, directions))
        for wish in wishes:
            request = _request(wish, directions)
            clock, processor = time.perf_counter(), time.process_time()
            dance = _generated(choreographer, request)
            connection.send(
                LongMade(
                    motion=dance.motion,
                    beats_s=dance.grid.beats_s,
                    clock_s=time.perf_counter() - clock,
                    processor_s=time.process_time() - processor,
                    stages_s=dict(dance.report["stage_seconds"]),
                    peak_mib=_peak_mib(),
                )
            )
    except PirouetteError as error:
        connection.send(Stopped(error.code, error.message, error.hint))
    finally:
        connection.close()


def _request(wish: LongWish, directions: Directions) -> GenerateRequest:
    """The beats are heard again: listening is part of what a dance takes."""
    song = heard_song(wish.song, wish.seconds)
    return GenerateRequest(song.audio, genre=wish.genre, seed=wish.seed, fps=FPS, directions=directions)


def _peak_mib() -> float | None:
    """The most memory this process has ever held, where the system tells."""
    if sys.platform == "win32":
        return None
    import resource

    held: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(held) / (2**20 if sys.platform == "darwin" else 2**10)
