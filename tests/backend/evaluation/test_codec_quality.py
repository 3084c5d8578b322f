"""How well codes hold dances: the measures on a real one, and on one that is not what it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.choreographer import Choreographer
from backend.evaluation import codec_quality
from backend.evaluation.codec_quality import CodecQuality, write_codec_quality
from backend.motion.io import read_motion
from backend.motion.motion import Motion
from tests.fixtures.make_motion import library_arrays

DANCE = Path(__file__).parents[2] / "fixtures" / "dances" / "one_minute_dance.npz"


@pytest.fixture(scope="module")
def choreographer() -> Choreographer:
    return Choreographer(threads=1)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two halves of a real dance."""
    folder = tmp_path_factory.mktemp("dances")
    motion = read_motion(DANCE)
    rows = []
    for name, first, last in (("a", 0, 700), ("b", 800, 1500)):
        half = Motion(motion.poses[first:last], motion.pelvis[first:last], motion.fps)
        np.savez(folder / f"{name}.npz", **library_arrays(half))
        rows.append({"id": name, "file": f"{name}.npz", "split": "test", "dance": True, "genre": "pop", "caption": ""})
    (folder / "motion.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


@pytest.fixture(scope="module")
def quality(choreographer: Choreographer, library: Path, tmp_path_factory: pytest.TempPathFactory) -> CodecQuality:
    picture = tmp_path_factory.mktemp("picture") / "exchange.svg"
    found = codec_quality.codec_quality(choreographer, library, "test", picture=picture)
    assert picture.read_text().count("<svg") >= 4
    return found


def test_a_dance_the_codec_has_learnt_from_comes_back(quality: CodecQuality) -> None:
    assert quality.dances == 2
    assert quality.seconds == pytest.approx(1400 / 30, abs=0.01)
    assert quality.mpjpe_mm < 35.0
    assert quality.mpjpe_mm <= quality.mpjpe_worst_mm
    assert 0.5 < quality.jerk_ratio < 1.4
    assert quality.foot_skate_cm_s <= quality.foot_skate_real_cm_s + 2.0


def test_pose_codes_mean_poses_and_movement_codes_movement(quality: CodecQuality) -> None:
    assert quality.pose_kept > 2.0
    assert quality.speed_kept > max(0.4, quality.speed_by_chance + 0.2)


def test_use_is_told_for_every_residual_codebook(choreographer: Choreographer, quality: CodecQuality) -> None:
    config = choreographer.coder.codec.config
    assert len(quality.movement_use) == config.movement_rows
    assert len(quality.pose_use) == 4 * config.pose_rows
    assert all(0.0 < share <= 1.0 for share in (*quality.movement_use, *quality.pose_use))


def test_a_codec_that_forgets_its_codes_is_found_out(library: Path) -> None:
    forgetful = Choreographer(threads=1)
    forgetful.coder.codec.pose.vectors.zero_()
    found = codec_quality.codec_quality(forgetful, library, "test")
    assert found.mpjpe_mm > 80.0
    assert max(found.pose_use) < 0.01


def test_the_figures_are_written_as_json(quality: CodecQuality, tmp_path: Path) -> None:
    write_codec_quality(quality, tmp_path / "codec.json")
    assert json.loads((tmp_path / "codec.json").read_text())["mpjpe_mm"] == quality.mpjpe_mm
