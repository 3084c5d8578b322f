"""Kinetic and geometric features on motion whose answer is known by hand, with the field's faults shown."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.geometric_features import BAILANDO_SIZES, MEAN_BODY, geometric_features
from backend.evaluation.kinetic_features import kinetic_features
from backend.motion.skeleton import MIRROR
from tests.backend.evaluation.bodies import FPS, carried, seconds, standing, wild

HAND_FORWARD_R, HAND_FORWARD_L, HAND_ABOVE_R, HAND_UP_R, HAND_UP_L = 0, 1, 2, 4, 5
HAND_LEAVES_R, FOOT_BEHIND_R, FOOT_BEHIND_L, FOOT_RAISED_R, HAND_LOWERED_R = 8, 12, 13, 14, 24
ARM_OUT_R, ARM_OUT_L = 20, 21
HANDS_APART, APPROACH, FEET_APART, LYING, ROOT_FAST = 26, 27, 28, 30, 31
R_WRIST, L_WRIST, R_ANKLE, L_ANKLE, NECK = 21, 20, 8, 7, 12


def swapped(features: np.ndarray) -> np.ndarray:
    """The features of right and left exchanged."""
    pairs = features[:26].reshape(13, 2)[:, ::-1].ravel()
    return np.concatenate([pairs, features[26:]])


def moving(joint: int, velocity_m_s: tuple[float, float, float], *, frames: int = 7, start: int = 0) -> np.ndarray:
    """A standing body of which one joint flies off."""
    joints = standing(frames)
    joints[:, joint] += (seconds(frames)[:, None] - start) * np.array(velocity_m_s)
    return joints


def test_still_dancer_has_no_kinetic_energy() -> None:
    np.testing.assert_array_equal(kinetic_features(standing(30), fps=FPS), np.zeros(72))


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_body_carried_at_two_metres_a_second_has_four_of_horizontal_energy(fps: float) -> None:
    features = kinetic_features(carried(2.0 * seconds(40, fps), 1), fps=fps).reshape(24, 3)
    np.testing.assert_allclose(features, np.tile([4.0, 0.0, 0.0], (24, 1)), atol=1e-8)


def test_falling_body_has_vertical_energy_and_the_acceleration_of_gravity() -> None:
    features = kinetic_features(carried(-4.905 * seconds(40) ** 2, 2), fps=FPS).reshape(24, 3)
    np.testing.assert_allclose(features[:, 2], 9.81, rtol=1e-9)
    assert (features[:, 0] < 1e-12).all()
    assert (features[:, 1] > 1.0).all()


def test_public_acceleration_measures_where_the_dancer_stands_and_ours_does_not() -> None:
    dance = wild(5.0, seed=1).joints()
    far = dance + np.array([0.0, 0.0, 3.0])
    np.testing.assert_allclose(kinetic_features(far, fps=FPS), kinetic_features(dance, fps=FPS), atol=1e-8)
    still = kinetic_features(standing(30), fps=FPS, mode="compat").reshape(24, 3)
    assert still[15, 2] > 1000.0 * 0.5  # a still head half a metre above the pelvis "accelerates"
    np.testing.assert_array_equal(still[0], 0.0)  # the pelvis is at the origin


def test_public_kinetic_energy_takes_every_motion_for_sixty_frames_a_second() -> None:
    features = kinetic_features(carried(2.0 * seconds(40), 1), fps=FPS, mode="compat").reshape(24, 3)
    np.testing.assert_allclose(features[:, 0], 16.0)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6"):
        kinetic_features(standing(5), fps=FPS)
    with pytest.raises(ValueError, match="at least 2"):
        geometric_features(standing(1), fps=FPS)


def test_standing_body_with_arms_out_shows_its_arms_and_its_heels_behind_its_toes() -> None:
    features = geometric_features(standing(10), fps=FPS)
    assert features.shape == (32,)
    assert set(np.flatnonzero(features)) == {FOOT_BEHIND_R, FOOT_BEHIND_L, ARM_OUT_R, ARM_OUT_L, HANDS_APART}


@pytest.mark.parametrize(
    ("joint", "velocity", "index"),
    [
        (R_WRIST, (0.0, -1.0, 0.0), HAND_FORWARD_R),  # the body faces -Y
        (L_WRIST, (0.0, -1.0, 0.0), HAND_FORWARD_L),
        (R_WRIST, (0.0, 0.0, 1.0), HAND_UP_R),
        (L_WRIST, (0.0, 0.0, 1.0), HAND_UP_L),
        (R_WRIST, (-1.0, 0.0, 0.0), HAND_LEAVES_R),
        (R_WRIST, (1.0, 0.0, 0.0), APPROACH),
    ],
)
def test_hand_that_flies_is_seen_where_it_flies(joint: int, velocity: tuple[float, float, float], index: int) -> None:
    assert geometric_features(moving(joint, velocity), fps=FPS)[index] == 1.0
    against = tuple(-v for v in velocity)
    assert geometric_features(moving(joint, against), fps=FPS)[index] == 0.0  # type: ignore[arg-type]


def test_places_of_hands_and_feet_are_told() -> None:
    placed = standing(5)
    placed[:, R_WRIST] = placed[:, NECK] + np.array([-0.2, 0.0, 0.3])
    placed[:, R_ANKLE] += np.array([0.0, 0.3, 0.5])
    features = geometric_features(placed, fps=FPS)
    assert features[HAND_ABOVE_R] == features[FOOT_BEHIND_R] == features[FOOT_RAISED_R] == 1.0
    assert features[HAND_LOWERED_R] == 0.0
    placed[:, R_WRIST, 2] = 0.2
    placed[:, R_ANKLE, 1] -= 0.6
    features = geometric_features(placed, fps=FPS)
    assert features[HAND_LOWERED_R] == 1.0
    assert features[FOOT_BEHIND_R] == 0.0


def test_whole_body_relations_are_told() -> None:
    wide = standing(5)
    wide[:, R_ANKLE, 0] -= 0.3
    assert geometric_features(wide, fps=FPS)[FEET_APART] == 1.0
    assert geometric_features(wide, fps=FPS, mode="compat")[FEET_APART] == 0.0  # Bailando's hips are a thigh wide
    lying = standing(5)[..., [0, 2, 1]] * np.array([1.0, -1.0, 1.0])
    assert geometric_features(lying, fps=FPS)[LYING] == 1.0
    running = carried(1.0 * seconds(6), 1)
    assert geometric_features(running, fps=FPS)[ROOT_FAST] == 1.0
    assert geometric_features(carried(0.4 * seconds(6), 1), fps=FPS)[ROOT_FAST] == 0.0


def test_dance_in_the_mirror_has_left_and_right_exchanged() -> None:
    dance = wild(6.0, seed=3).joints()
    mirrored = dance[:, list(MIRROR)] * np.array([-1.0, 1.0, 1.0])
    ours = geometric_features(dance, fps=FPS)
    np.testing.assert_allclose(geometric_features(mirrored, fps=FPS), swapped(ours), atol=1e-12)
    assert ours[:2].min() > 0.0
    public = geometric_features(dance, fps=FPS, mode="compat")
    public_mirrored = geometric_features(mirrored, fps=FPS, mode="compat")
    assert np.abs(public_mirrored - swapped(public)).max() > 0.05


def test_public_code_wants_the_right_hand_backward_and_the_left_forward() -> None:
    forward, backward = moving(R_WRIST, (0.0, -1.0, 0.0)), moving(R_WRIST, (0.0, 1.0, 0.0))
    assert geometric_features(forward, fps=FPS, mode="compat")[HAND_FORWARD_R] == 0.0
    assert geometric_features(backward, fps=FPS, mode="compat")[HAND_FORWARD_R] == 1.0


def test_public_code_does_not_see_a_hand_go_up() -> None:
    assert geometric_features(moving(R_WRIST, (0.0, 0.0, 1.0)), fps=FPS, mode="compat")[HAND_UP_R] == 0.0


def test_sizes_of_the_two_public_variants_differ() -> None:
    assert MEAN_BODY.hips == pytest.approx(0.11925, abs=1e-4)
    assert BAILANDO_SIZES.hips > 3 * MEAN_BODY.hips
    apart = standing(5)
    apart[:, [R_WRIST, L_WRIST], 0] = [-0.55, 0.55]
    assert geometric_features(apart, fps=FPS, sizes=MEAN_BODY)[HANDS_APART] == 1.0
    assert geometric_features(apart, fps=FPS, sizes=BAILANDO_SIZES)[HANDS_APART] == 0.0
