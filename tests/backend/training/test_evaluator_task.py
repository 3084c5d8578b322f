"""The evaluator's training: what is a contrast and what is not, what is disturbed, and that a tiny one learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.errors import PirouetteError
from backend.evaluation.reading import name_of
from backend.evaluation.trained_evaluator import TrainedEvaluator
from backend.models.evaluator import FEATURES, PACE, mirror_stick, stick_figure
from backend.motion.motion import Motion
from backend.motion.representation import encode, mirror
from backend.training.evaluator_task import EvaluatorTask, Noise, disturbed, matching_loss, same_meaning
from backend.training.prepare import prepare
from backend.training.trainer import read_recipe, train
from tests.backend.evaluation.bodies import wild
from tests.fixtures.make_motion import library_arrays

RECIPE = """kind = "evaluator"\nseed = 1\nlearning_rate = 3e-3\nwarm_up_steps = 2\ndecay_share = 0.3\nweight_decay = 0.0
ema = 0.9\nvalidate_every_s = 1\nwindows = [[90, 16]]\nwindow_odds = [1.0]\nfewest_minutes = 0.1\ngeneral_share = 0.1
rare_share = 0.1\nheard = 8\n[network]\nwidth = 32\nmusic_width = 16\n[noise]\n[loss]\ngenre = 1.0\nwords = 0.5
music = 0.3\n"""


def dance(genre: str, seed: int, duration_s: float = 12.0) -> Motion:
    """Salsa swings the left arm alone, tango the right leg alone."""
    motion = wild(duration_s, seed=seed)
    poses = np.zeros_like(motion.poses)
    moving = [16, 18] if genre == "salsa" else [2, 5]
    poses[:, 0], poses[:, moving] = motion.poses[:, 0], 2.0 * motion.poses[:, moving]
    return Motion(poses, motion.pelvis, motion.fps)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two genres and a walk to learn from, without music."""
    folder = tmp_path_factory.mktemp("library")
    rows = []
    for number in range(7):
        split, genre = "valid" if number in (4, 5) else "train", ("salsa", "tango")[number % 2]
        genre = "general: walk" if number == 6 else genre
        np.savez(folder / f"{number}.npz", **library_arrays(dance(genre, number)))
        row = {"id": str(number), "file": f"{number}.npz", "split": split, "genre": genre}
        rows.append(row | {"dance": number < 6, "caption": f"Steps of {genre}."})
    (folder / "motion.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    out = tmp_path_factory.mktemp("cache")
    prepare(folder, out)
    return out


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


def test_trained_evaluator_names_dances_that_it_has_not_seen(
    cache: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)  # no compiler: start at once
    train(str(recipe), data=cache, minutes=0.1, out=tmp_path, device="cpu")
    evaluator = TrainedEvaluator(folder=tmp_path)
    assert evaluator.genres == ("salsa", "tango")
    unseen = [(genre, seed) for genre in evaluator.genres for seed in range(20, 25)]
    right = sum(name_of(evaluator, dance(genre, seed)) == genre for genre, seed in unseen)
    assert right >= 9


def test_batches_repeat_with_their_seed_and_know_genres(cache: Path, recipe: Path) -> None:
    task = EvaluatorTask(read_recipe(str(recipe)), cache)
    one, other = (task.draw(12, 90, np.random.default_rng(4)) for _ in range(2))
    assert one["motion"].shape == (12, 90, FEATURES)
    assert one["music"].shape == (8, 90, 45)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert set(one["genre"].tolist()) <= {-1, 0, 1}
    assert {0, 1} <= set(one["genre"].tolist())
    valid = task.draw(12, 90, np.random.default_rng(4), valid=True)
    assert -1 not in valid["genre"]


def test_one_genre_is_nothing_to_tell_apart(cache: Path, recipe: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(recipe.read_text().replace("fewest_minutes = 0.1", "fewest_minutes = 9.0"))
    with pytest.raises(PirouetteError, match="two genres"):
        EvaluatorTask(read_recipe(str(strict)), cache)


def test_pairs_that_match_cost_nothing_and_those_that_do_not_cost_much() -> None:
    rows, nothing = torch.eye(4), torch.zeros(4, 4, dtype=torch.bool)
    scale = torch.tensor(20.0)
    assert float(matching_loss(rows, rows, nothing, scale)) < 1e-4
    assert float(matching_loss(rows, rows.roll(1, 0), nothing, scale)) == pytest.approx(20.0, abs=0.1)
    assert float(matching_loss(rows, rows.roll(1, 0), ~nothing, scale)) == 0.0
    assert float(matching_loss(torch.ones(4, 2), torch.ones(4, 2), nothing, scale)) == pytest.approx(
        np.log(4), abs=1e-4
    )


def test_sentences_of_one_meaning_are_no_contrast() -> None:
    batch = {
        "words": torch.eye(5)[[0, 0, 1, 2, 3]],
        "clip": torch.tensor([0, 1, 2, 3, 3]),
        "group": torch.tensor([7, -1, 7, 7, -1]),
        "generic": torch.tensor([True, False, False, False, False]),
    }
    same = same_meaning(batch)
    assert same.equal(same.T)
    assert same[0].tolist() == [True, True, True, True, False]  # like words; its genre alone
    assert same[2].tolist() == [True, False, True, False, False]  # two captions of one genre differ
    assert same[3].tolist() == [True, False, False, True, True]  # one clip


def test_mirrored_stick_figure_is_that_of_the_mirrored_dance() -> None:
    numbers = encode(wild(2.0, seed=3))
    assert torch.allclose(
        mirror_stick(stick_figure(numbers)), stick_figure(mirror(numbers)), atol=0.06
    )  # the body is not symmetric
    assert not torch.allclose(stick_figure(numbers), stick_figure(mirror(numbers)), atol=0.3)


def test_stick_figure_does_not_see_contacts_hands_or_feet() -> None:
    motion = wild(2.0, seed=3)
    numbers, changed = encode(motion), encode(motion)
    changed[:, :4] = 1.0 - changed[:, :4]
    for joint in (7, 8, 10, 11, 15, 20, 21, 22, 23):  # what hangs on ankles, head, wrists
        changed[:, 7 + 6 * joint : 13 + 6 * joint] = torch.tensor([0.0, 1.0, 0.0, -1.0, 0.0, 0.0])
    assert torch.equal(stick_figure(numbers), stick_figure(changed))


def test_disturbed_windows_keep_their_pace_and_none_is_disturbed_without_noise() -> None:
    motion = torch.randn(6, 120, FEATURES, generator=torch.Generator().manual_seed(0)).cumsum(1)
    spread = torch.ones(FEATURES)
    rng = np.random.default_rng(0)
    still = disturbed(motion.clone(), spread, Noise(0.0, 0.0, 0.0, 0.0, 0.0), rng)
    assert (still - motion).abs().mean() < 1.0  # at most smoothed
    shifted = disturbed(torch.zeros_like(motion), spread, Noise(1.0, 0.0, 0.0, 0.0, 0.0), rng)
    assert shifted.std(1).max() < 1e-4
    assert shifted[..., : PACE.start].abs().max() > 0.1
    assert not shifted[..., PACE].any()
    stiff = disturbed(motion.clone(), spread, Noise(0.0, 0.0, 0.0, 0.0, 1.0), rng)
    assert stiff[..., 6:9].std(1).max() < 1e-4  # a knee
    assert stiff[..., 18:21].std(1).min() > 0.1  # the neck
