"""A real dance of about a minute, and what the tests of editing measure with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.dance import Dance, Settings, sections_of
from backend.motion.contacts import contact_labels
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid
from tests.backend.editing.fakes import FakeArtist

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "dances" / "one_minute_dance.npz"


def read_dance() -> Dance:
    """The fixture as a dance with sections and sound, without codes."""
    with np.load(FIXTURE) as file:
        parts = {name: file[name] for name in file.files}
    motion = Motion(parts["poses"], parts["pelvis"], 30.0)
    grid = BeatGrid(parts["beats_s"], parts["downbeat"], 97.0, 4, True)
    settings = Settings("pop", "lunges and turns", 1)
    return Dance(
        motion=motion,
        contacts=contact_labels(motion.joints(), fps=30.0),
        grid=grid,
        sections=sections_of(grid, motion.duration_s, settings),
        settings=settings,
        model_version="real",
        sound=parts["sound"],
    )


@pytest.fixture
def artist() -> FakeArtist:
    return FakeArtist()


@pytest.fixture(scope="session")
def dance() -> Dance:
    """The dance, encoded by the fake artist."""
    plain = read_dance()
    frames = [last - first for first, last in map(plain.frames_of, plain.sections)]
    movement, poses = FakeArtist().encode(plain.motion, frames)
    return replace(plain, movement_codes=movement, pose_codes=poses)
