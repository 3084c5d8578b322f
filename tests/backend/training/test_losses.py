"""What the denoiser learns from: terms that do not hold a dance still, and beats that it hears."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.diffusion.conditions import music_input
from backend.models.beat_distance import BeatDistanceConfig, BeatDistanceEstimator, beat_distance_error
from backend.models.weights import load_into, read_weights
from backend.motion.representation import encode, facing_joints, joint_velocities
from backend.music.beats import BeatGrid
from backend.training.kinematic_beats import arrival_strength, kinematic_beats, met
from backend.training.losses import LossWeights, denoising_loss
from backend.training.noising import noise_levels
from tests.fixtures.make_motion import long_sway


def loss_terms(predicted: torch.Tensor, clean: torch.Tensor, signal: float) -> dict[str, float]:
    mean, std = torch.zeros(151), torch.ones(151)
    _, terms = denoising_loss(
        predicted[None],
        clean[None],
        torch.tensor([signal]),
        mean,
        std,
        weights=LossWeights(),
        beat_error=lambda velocity: velocity.square().mean(dim=(2, 3)),
    )
    return {name: float(term) for name, term in terms.items()}


def test_the_true_dance_costs_nothing_but_its_own_feet() -> None:
    clean = encode(long_sway())
    terms = loss_terms(clean, clean, 1.0)
    assert terms.pop("contact") < 0.01
    assert terms.pop("beat") > 0.0
    assert all(value == pytest.approx(0.0, abs=1e-9) for value in terms.values())


def test_terms_after_kinematics_fade_with_the_signal_and_the_numbers_do_not() -> None:
    clean = encode(long_sway())
    wrong = clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    loud, quiet = loss_terms(wrong, clean, 1.0), loss_terms(wrong, clean, 0.01)
    for name in ("joint", "velocity", "acceleration", "contact", "path"):
        assert quiet[name] == pytest.approx(0.01 * loud[name], rel=1e-4)
    for name in ("simple", "change"):
        assert quiet[name] == pytest.approx(loud[name])


def test_steps_are_uniform_when_valid_and_gather_where_the_dance_is_decided_in_training() -> None:
    uniform = noise_levels(20000, np.random.default_rng(0), favour_noisy=False)
    favoured = noise_levels(20000, np.random.default_rng(0), favour_noisy=True)
    assert abs(uniform.mean() - 499.5) < 10
    assert ((favoured > 600) & (favoured < 900)).mean() > 1.5 * ((uniform > 600) & (uniform < 900)).mean()
    assert favoured.min() >= 0
    assert favoured.max() < 1000


def test_met_beats_lie_where_the_body_arrives_and_stay_in_order() -> None:
    joints = long_sway().joints()
    grid = kinematic_beats(joints, fps=30.0)
    late = grid.beats_s + 0.06
    moved = met(late, joints, fps=30.0)
    strength = arrival_strength(joints, fps=30.0)

    def gathered(beats_s: np.ndarray) -> float:
        return float(np.interp(beats_s * 30.0, np.arange(len(strength)), strength).mean())

    assert gathered(moved) > 1.3 * gathered(late)
    assert (np.diff(moved) > 0.4 * np.diff(late)).all()


def test_a_beat_before_the_motion_or_far_from_any_arrival_stays() -> None:
    joints = long_sway().joints()
    assert met(np.array([-0.4, 0.1]), joints, fps=30.0)[0] == -0.4
    still = np.repeat(joints[:1], 90, axis=0)
    assert met(np.array([0.5, 1.0, 1.5]), still, fps=30.0).tolist() == [0.5, 1.0, 1.5]


def test_the_bundled_estimator_prefers_true_beats_to_beats_half_a_beat_off() -> None:
    file = read_weights("beat_distance")
    estimator = BeatDistanceEstimator(BeatDistanceConfig(**file.config))
    load_into(estimator, file)
    motion = long_sway()
    numbers = encode(motion)[None]
    velocity = joint_velocities(numbers, facing_joints(numbers))
    grid = kinematic_beats(motion.joints(), fps=30.0)

    def error(shift_s: float) -> float:
        moved = BeatGrid(grid.beats_s + shift_s, grid.downbeat, grid.tempo_bpm, grid.metre, True)
        music = torch.from_numpy(music_input(moved, np.zeros((motion.frames, 37), np.float32), frames=motion.frames))
        return float(beat_distance_error(estimator(velocity), music[None, 1:]).mean())

    assert error(0.0) < 0.8 * error(30.0 / grid.tempo_bpm)


def test_no_beat_is_asked_for_without_music() -> None:
    silence = torch.zeros(1, 10, 45)
    assert beat_distance_error(torch.ones(1, 10), silence).sum() == 0
