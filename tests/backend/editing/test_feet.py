"""In a blend a foot that has to get somewhere else steps there."""

from __future__ import annotations

import numpy as np
import pytest

from backend.dance import Dance
from backend.editing.feet import stepping
from backend.motion.motion import Motion
from tests.backend.editing.measures import speeds
from tests.backend.editing.test_every_operation import done

BALLS = [10, 11]


def standing(frames: int = 60) -> Motion:
    """A body on slightly bent knees, feet on the floor."""
    poses = np.zeros((frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, [1, 2], 0] = -0.4
    poses[:, [4, 5], 0] = 0.8
    poses[:, [7, 8], 0] = -0.4
    pelvis = np.zeros((frames, 3))
    motion = Motion(poses, pelvis, 30.0)
    pelvis[:, 2] = 0.02 - motion.joints()[0, BALLS, 2].min()
    return Motion(poses, pelvis, 30.0)


def test_a_foot_that_slides_in_a_blend_is_lifted_and_nothing_else_changes() -> None:
    still = standing()
    share = np.clip((np.arange(60) - 20) / 20, 0.0, 1.0)
    path = 0.5 * share**2 * (3 - 2 * share)
    sliding = Motion(still.poses, still.pelvis + path[:, None] * np.array([1.0, 0.0, 0.0]), 30.0)
    stepped = stepping(sliding, 20, 40)
    height = stepped.joints()[:, BALLS, 2]
    assert height[28:32].min() > 0.045
    np.testing.assert_array_equal(stepped.poses[:20], sliding.poses[:20])
    np.testing.assert_array_equal(stepped.poses[40:], sliding.poses[40:])
    np.testing.assert_array_equal(stepped.pelvis, sliding.pelvis)
    assert speeds(stepped).max() < 4.3


def test_a_body_that_stands_is_left_alone() -> None:
    still = standing()
    np.testing.assert_allclose(stepping(still, 20, 40).poses, still.poses, atol=1e-6)


def test_a_foot_under_the_floor_comes_up() -> None:
    still = standing()
    sunk = Motion(still.poses, still.pelvis - np.array([0.0, 0.0, 0.05]), 30.0)
    assert stepping(sunk, 10, 50).joints()[20:40, BALLS, 2].min() > 0.01


@pytest.mark.parametrize("op", ["delete", "mirror", "duplicate"])
def test_feet_slide_little_more_in_blends_than_in_the_dance(dance: Dance, op: str) -> None:
    """A real dance's low feet slide 8 cm/s; blends without steps 15 to 20."""
    slides = []
    for number in range(3, 10):
        edit = done(dance, op, {"span": f"#{number}"})
        joints = edit.dance.motion.joints()[:, BALLS]
        steps = np.linalg.norm(np.diff(joints[..., :2], axis=0), axis=-1) * 3000.0
        for seam in edit.report["seams"]:
            first, last = seam["blended"]
            low = joints[first:last, :, 2] < 0.05
            slides.append(steps[first - 1 : last - 1][low])
    assert np.concatenate(slides).mean() < 14.0
