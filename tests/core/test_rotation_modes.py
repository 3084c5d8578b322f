"""What a bone of any rotation mode shows, turned back into rotations without Blender."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.quaternions import from_matrices, to_matrices
from blender_addon.core.resample import axis_angle_to_quaternion, continuous_quaternions
from blender_addon.core.rotation_modes import EULER_ORDERS, channel, in_mode
from blender_addon.core.skeleton import axis_angle_to_matrix


def tumbling(frames: int = 400) -> np.ndarray:
    """Quaternions (T, 4) of a rotation that turns over several times."""
    times = np.linspace(0.0, 1.0, frames)[:, None]
    vectors = np.concatenate([6.0 * np.sin(3.0 * times), 5.0 * times, 3.0 * np.cos(7.0 * times)], axis=1)
    return continuous_quaternions(axis_angle_to_quaternion(vectors))


def euler_matrices(angles: np.ndarray, order: str) -> np.ndarray:
    """The first letter's axis turns first, as Blender's do."""
    turned = np.tile(np.eye(3), (len(angles), 1, 1))
    for letter in order:
        number = "XYZ".index(letter)
        turned = axis_angle_to_matrix(np.eye(3)[number] * angles[:, number, None]) @ turned
    return turned


@pytest.mark.parametrize("order", EULER_ORDERS)
def test_euler_angles_are_the_same_rotations_and_never_jump(order: str) -> None:
    quaternions = tumbling()
    angles = in_mode(quaternions, order)
    np.testing.assert_allclose(euler_matrices(angles, order), to_matrices(quaternions), atol=1e-9)
    assert np.abs(np.diff(angles, axis=0)).max() < 1.0


@pytest.mark.parametrize("order", EULER_ORDERS)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_euler_angles_hold_where_two_axes_fall_together(order: str, side: float) -> None:
    angles = np.zeros((3, 3))
    angles[:, "XYZ".index(order[0])] = (0.2, 0.3, 0.4)
    angles[:, "XYZ".index(order[1])] = side * np.pi / 2
    matrices = euler_matrices(angles, order)
    found = in_mode(continuous_quaternions(from_matrices(matrices)), order)
    np.testing.assert_allclose(euler_matrices(found, order), matrices, atol=2e-6)


def test_angle_and_axis_are_the_same_rotations_and_the_axis_never_flips() -> None:
    quaternions = tumbling()
    values = in_mode(quaternions, "AXIS_ANGLE")
    np.testing.assert_allclose(axis_angle_to_matrix(values[:, 1:] * values[:, :1]), to_matrices(quaternions), atol=1e-9)
    assert np.einsum("ti,ti->t", values[1:, 1:], values[:-1, 1:]).min() > 0.0
    assert np.abs(np.diff(values[:, 0])).max() < 1.0


def test_no_turn_keeps_the_axis_of_its_neighbours() -> None:
    quaternions = np.array([[1.0, 0.0, 0.0, 0.0], [np.cos(0.1), 0.0, 0.0, np.sin(0.1)], [1.0, 0.0, 0.0, 0.0]])
    values = in_mode(quaternions, "AXIS_ANGLE")
    np.testing.assert_allclose(values, [[0.0, 0.0, 0.0, 1.0], [0.2, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]], atol=1e-12)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="'XXY' is no rotation mode"):
        channel("XXY")
    assert channel("ZYX") == ("rotation_euler", 3)
