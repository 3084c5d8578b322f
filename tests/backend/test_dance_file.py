"""A dance on disk: what is written is read, older files are read as what they were, damaged ones are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.dance import FORMAT, Dance, Settings, load_dance, sections_of
from backend.directions import KeyPose
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.music.beats import BeatGrid


@pytest.fixture
def dance() -> Dance:
    random = np.random.default_rng(0)
    poses = random.normal(size=(60, 24, 3)).astype("f4")
    pelvis = random.normal(size=(60, 3)).astype("f4")
    grid = BeatGrid(np.arange(0.0, 2.0, 0.5), np.arange(4) == 0, 120.0, 4, True)
    settings = Settings("house", "low", 4, novelty=0.25, strategy="bidirectional", reuse="mirror")
    keys = (
        KeyPose(0.5, poses[3], pelvis[3], joints=(22, 23), place=True),
        KeyPose(1.5, poses[9], pelvis[9], joints=(), place=True, heading=True),
    )
    return Dance(
        Motion(poses, pelvis, 30.0),
        np.ones((60, 4), bool),
        grid,
        sections_of(grid, 2.0, settings),
        settings,
        "test",
        key_poses=keys,
        accents_s=(0.5, 1.0),
    )


def as_format_2(path: Path) -> None:
    """The file as the version before wrote it."""
    with np.load(path) as file:
        parts: dict[str, Any] = {name: file[name] for name in file.files if not name.startswith("key_")}
    document = json.loads(str(parts["document"]))
    for name in ("key_poses", "accents_s"):
        del document[name]
    for name in ("novelty", "strategy", "reuse"):
        del document["settings"][name]
    np.savez(path, **(parts | {"document": np.array(json.dumps(document | {"format": 2}))}))


def changed(path: Path, **changes: Any) -> None:
    with np.load(path) as file:
        parts: dict[str, Any] = {name: file[name] for name in file.files}
    document = json.loads(str(parts["document"])) | changes
    np.savez(path, **(parts | {"document": np.array(json.dumps(document))}))


def test_key_poses_accents_and_settings_are_read_as_they_were_written(dance: Dance, tmp_path: Path) -> None:
    dance.save(tmp_path / "dance.npz")
    read = load_dance(tmp_path / "dance.npz")
    assert read.settings == dance.settings
    assert read.accents_s == (0.5, 1.0)
    for key, written in zip(read.key_poses, dance.key_poses, strict=True):
        np.testing.assert_array_equal(key.pose, written.pose)
        np.testing.assert_array_equal(key.pelvis, written.pelvis)
        assert (key.time_s, key.joints, key.place, key.heading) == (
            written.time_s,
            written.joints,
            written.place,
            written.heading,
        )


def test_a_dance_of_format_2_has_no_key_poses(dance: Dance, tmp_path: Path) -> None:
    dance.save(tmp_path / "dance.npz")
    as_format_2(tmp_path / "dance.npz")
    read = load_dance(tmp_path / "dance.npz")
    assert (read.key_poses, read.accents_s) == ((), ())
    assert read.settings == Settings("house", "low", 4)
    np.testing.assert_array_equal(read.motion.poses, dance.motion.poses)


def test_another_frame_rate_leaves_key_poses_at_their_times(dance: Dance) -> None:
    assert [key.time_s for key in dance.resampled(24.0).key_poses] == [0.5, 1.5]


@pytest.mark.parametrize(
    "changes",
    [
        {"key_poses": []},
        {"key_poses": [3, 4]},
        {"key_poses": [{"time_s": -1.0, "joints": [0]}, {"time_s": 1.0, "joints": [0]}]},
        {"key_poses": [{"time_s": 1.0, "joints": [24]}, {"time_s": 1.0, "joints": [0]}]},
        {"key_poses": [{"time_s": 1.0, "joints": []}, {"time_s": 1.0, "joints": [0]}]},
        {"accents_s": ["now"]},
        {"accents_s": None},
        {"format": FORMAT + 1},
    ],
    ids=str,
)
def test_a_damaged_or_newer_dance_is_told_by_name(dance: Dance, tmp_path: Path, changes: dict[str, Any]) -> None:
    dance.save(tmp_path / "dance.npz")
    changed(tmp_path / "dance.npz", **changes)
    with pytest.raises(PirouetteError, match=r"dance\.npz") as caught:
        load_dance(tmp_path / "dance.npz")
    assert caught.value.code == "damaged_file"
