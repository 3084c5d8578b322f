"""Distances between sets: nothing from a set to itself, the floor of small sets, Gaussians known by formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from backend.evaluation.diversity import diversity
from backend.evaluation.feature_scale import GEOMETRIC_FLOOR, FeatureScale
from backend.evaluation.frechet import frechet_distance
from backend.evaluation.retrieval import multimodal_distance, r_precision


def gaussian(count: int, dimensions: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dimensions))


@pytest.mark.parametrize("count", [20, 200])
def test_a_set_is_no_distance_from_itself(count: int) -> None:
    features = gaussian(count, 72, seed=0)
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-6)


def test_forty_clips_in_72_dimensions_are_48_from_their_own_distribution_and_64_from_each_other() -> None:
    against_all = [frechet_distance(gaussian(40, 72, seed=s), gaussian(2000, 72, seed=100 + s)) for s in range(5)]
    halves = [frechet_distance(gaussian(40, 72, seed=s), gaussian(40, 72, seed=100 + s)) for s in range(5)]
    assert np.mean(against_all) == pytest.approx(48.0, abs=1.0)
    assert np.mean(halves) == pytest.approx(64.0, abs=2.0)


def test_distance_of_shifted_and_stretched_sets_follows_the_formula() -> None:
    a = gaussian(300, 6, seed=1)
    assert frechet_distance(a, a + np.array([3.0, 0, 0, 0, 0, 0])) == pytest.approx(9.0)
    spread = np.square(a - a.mean(0)).sum() / (len(a) - 1)
    assert frechet_distance(a, 2.0 * (a - a.mean(0)) + a.mean(0)) == pytest.approx(spread)


def test_distance_agrees_with_the_square_root_of_the_covariances() -> None:
    a, b = gaussian(90, 20, seed=2), 2.0 * gaussian(70, 20, seed=3) + 1.0
    first, second = np.cov(a.T), np.cov(b.T)
    trace = np.trace(first + second - 2.0 * sqrtm(first @ second)).real
    assert frechet_distance(a, b) == pytest.approx(np.square(a.mean(0) - b.mean(0)).sum() + trace, rel=1e-6)


def test_scale_is_the_real_sets_and_a_constant_feature_is_not_blown_up() -> None:
    real = np.array([[0.0, 5.0], [2.0, 5.0]])
    scale = FeatureScale.of(real, floor=0.01)
    np.testing.assert_allclose(scale.apply(np.array([[3.0, 5.1]])), [[2.0, 10.0]])
    with pytest.raises(ValueError, match="at least 2"):
        FeatureScale.of(real[:1])


def test_diversity_is_the_mean_distance_of_all_pairs() -> None:
    assert diversity(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5.0)
    assert diversity(np.array([[0.0], [0.0], [3.0]])) == pytest.approx(2.0)
    assert diversity(np.ones((10, 4))) == 0.0
    with pytest.raises(ValueError, match="at least 2"):
        diversity(np.ones((1, 4)))


def test_sets_of_one_have_no_distance() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        frechet_distance(np.ones((1, 3)), np.ones((5, 3)))


def test_matching_embeddings_are_retrieved_and_random_ones_by_chance() -> None:
    motions = gaussian(64, 16, seed=5)
    rng = np.random.default_rng(0)
    assert r_precision(motions, motions + 0.01, generator=rng, top=1) == 1.0
    chance = [r_precision(motions, gaussian(64, 16, seed=50 + s), generator=rng, top=3) for s in range(20)]
    assert np.mean(chance) == pytest.approx(3 / 32, abs=0.04)
    assert multimodal_distance(motions, motions + np.eye(16)[0]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="its condition"):
        multimodal_distance(motions, motions[:5])


def test_public_scale_explodes_where_real_dances_never_show_a_relation_and_ours_does_not() -> None:
    real, made = np.zeros((20, 1)), np.full((20, 1), 0.02)
    public, ours = FeatureScale.of(real, floor=1e-10), FeatureScale.of(real, floor=GEOMETRIC_FLOOR)
    assert frechet_distance(public.apply(real), public.apply(made)) > 1e15
    assert frechet_distance(ours.apply(real), ours.apply(made)) == pytest.approx(4.0)
