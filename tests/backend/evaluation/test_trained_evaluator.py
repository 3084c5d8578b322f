"""The bundled evaluator of meaning: one answer for one movement, whatever the place, the rate or the shaking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.diffusion.conditions import MUSIC_CHANNELS
from backend.errors import PirouetteError
from backend.evaluation.reading import well_known
from backend.evaluation.trained_evaluator import TrainedEvaluator
from backend.models.weights import WEIGHTS_FOLDER
from backend.motion.motion import Motion
from backend.motion.resample import resample
from backend.text.captions import prompt_sentence
from tests.backend.evaluation.bodies import wild


@pytest.fixture(scope="module")
def evaluator() -> TrainedEvaluator:
    return TrainedEvaluator()


def test_weights_are_small_and_know_the_genres_of_the_report(evaluator: TrainedEvaluator) -> None:
    assert (WEIGHTS_FOLDER / "evaluator.safetensors").stat().st_size < 6e6
    assert {"salsa", "pop", "social", "indian classical", "rumba"} <= set(well_known(evaluator))


def test_embeddings_are_unit_vectors_and_the_same_every_time(evaluator: TrainedEvaluator) -> None:
    motion = wild(23.0, seed=1)
    for embed in (evaluator.embed_motion, evaluator.embed_rhythm):
        one, other = embed(motion), TrainedEvaluator().embed_motion(motion)
        assert one.shape == (128,)
        assert np.linalg.norm(one) == pytest.approx(1.0)
        np.testing.assert_array_equal(one, embed(motion))
    np.testing.assert_array_equal(evaluator.embed_motion(motion), other)
    assert np.linalg.norm(evaluator.embed_motion(motion) - evaluator.embed_motion(wild(23.0, seed=2))) > 0.05
    chances = evaluator.genre_chances(motion)
    assert chances.shape == (len(evaluator.genres),)
    assert chances.sum() == pytest.approx(1.0)


def test_place_heading_and_frame_rate_do_not_matter(evaluator: TrainedEvaluator) -> None:
    motion = wild(9.0, seed=1)
    own = evaluator.embed_motion(motion)
    np.testing.assert_allclose(
        evaluator.embed_motion(Motion(motion.poses, motion.pelvis + np.array([5.0, -3.0, 0.0]), motion.fps)),
        own,
        atol=1e-3,
    )
    turned = Motion(motion.poses.copy(), motion.pelvis @ np.diag([-1.0, -1.0, 1.0]), motion.fps)
    turned.poses[:, 0] = [0.0, np.pi / 2**0.5, np.pi / 2**0.5]  # the upright root, half a turn about the vertical
    np.testing.assert_allclose(evaluator.embed_motion(turned), own, atol=1e-3)
    fast = Motion(*resample(motion.poses, motion.pelvis, source_fps=30.0, target_fps=60.0), 60.0)
    assert np.linalg.norm(evaluator.embed_motion(fast) - own) < 0.05


def test_shaking_as_of_a_capture_hardly_moves_a_dance(evaluator: TrainedEvaluator) -> None:
    motion, rng = wild(9.0, seed=1), np.random.default_rng(0)
    shaken = Motion(motion.poses + rng.normal(0, 0.01, motion.poses.shape), motion.pelvis, motion.fps)
    moved = np.linalg.norm(evaluator.embed_motion(shaken) - evaluator.embed_motion(motion))
    other = np.linalg.norm(evaluator.embed_motion(wild(9.0, seed=2)) - evaluator.embed_motion(motion))
    assert moved < 0.25 * other


def test_sentence_of_a_genre_lies_in_the_direction_of_the_genre(evaluator: TrainedEvaluator) -> None:
    sentences = np.stack([evaluator.embed_text(prompt_sentence(genre, "")) for genre in evaluator.genres])
    with torch.inference_mode():
        names = evaluator.network.name(torch.from_numpy(sentences).float()).argmax(-1).tolist()
    right = sum(name == number for number, name in enumerate(names))
    assert right >= 0.7 * len(evaluator.genres)


def test_music_is_heard_by_its_beats_alone(evaluator: TrainedEvaluator) -> None:
    rng = np.random.default_rng(0)
    channels = rng.normal(size=(300, MUSIC_CHANNELS)).astype(np.float32)
    other = channels.copy()
    other[:, 8:] = 0.0
    np.testing.assert_array_equal(evaluator.embed_channels(channels), evaluator.embed_channels(other))
    other[:, :8] = 0.0
    assert np.linalg.norm(evaluator.embed_channels(channels) - evaluator.embed_channels(other)) > 0.1


def test_less_than_a_second_and_missing_weights_are_told(evaluator: TrainedEvaluator, tmp_path: Path) -> None:
    assert evaluator.embed_motion(wild(1.0, seed=0)).shape == (128,)
    with pytest.raises(ValueError, match="needs 1 s"):
        evaluator.embed_motion(wild(0.8, seed=0))
    with pytest.raises(PirouetteError, match="--no-read"):
        TrainedEvaluator(folder=tmp_path)
