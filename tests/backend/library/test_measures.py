"""What a phrase shows, and whether it is sound."""

from __future__ import annotations

import numpy as np
import pytest

from backend.library.measures import heading, shown_by, signature, soundness
from backend.motion.motion import Motion
from tests.backend.library.conftest import FPS, stepping


def changed(motion: Motion, *, pelvis: np.ndarray | float = 0.0) -> Motion:
    return Motion(motion.poses, motion.pelvis + pelvis, motion.fps)


@pytest.mark.parametrize("turns", [1.0, -2.0, 0.0])
def test_turns_are_counted_with_their_side(turns: float) -> None:
    shown = shown_by(stepping(3.0, turns=turns).joints(), fps=FPS)
    assert shown.turns == pytest.approx(turns, abs=0.12)


def test_a_turn_over_a_long_time_is_no_figure() -> None:
    assert abs(shown_by(stepping(12.0, turns=1.0).joints(), fps=FPS).turns) < 0.35


def test_the_hips_face_down_the_y_axis_at_rest() -> None:
    assert heading(stepping(1.0).joints())[0] == pytest.approx(-np.pi / 2, abs=0.05)


def test_a_jump_is_time_in_the_air() -> None:
    motion = stepping(3.0)
    up = np.zeros((motion.frames, 3))
    up[40:50, 2] = 0.25
    assert shown_by(motion.joints(), fps=FPS).airborne_s == 0.0
    assert shown_by(changed(motion, pelvis=up).joints(), fps=FPS).airborne_s == pytest.approx(10 / FPS, abs=0.04)


def test_steps_are_told_by_their_direction() -> None:
    sway = np.sin(np.arange(90) / 6.0)
    forward = np.stack([0 * sway, 0.4 * sway, 0 * sway], axis=1)  # the body faces -Y
    aside = np.stack([0.4 * sway, 0 * sway, 0 * sway], axis=1)
    assert shown_by(changed(stepping(3.0), pelvis=forward).joints(), fps=FPS).forward_share > 0.8
    assert shown_by(changed(stepping(3.0), pelvis=aside).joints(), fps=FPS).forward_share < 0.1


def test_a_sitting_body_is_low_and_does_not_turn() -> None:
    shown = shown_by(changed(stepping(3.0, turns=2.0), pelvis=np.array([0.0, 0.0, -0.6])).joints(), fps=FPS)
    assert shown.lowest_m < 0.4
    assert shown.turns == 0.0


def test_sound_motion_has_no_glitch() -> None:
    assert soundness(stepping(4.0).joints(), fps=FPS).glitch == ""


def test_a_glitch_is_named() -> None:
    leap = np.zeros((120, 3))
    leap[60:, 0] = 1.0
    slide = np.stack([np.arange(120) / FPS * 0.6, np.zeros(120), np.zeros(120)], axis=1)
    still = Motion(
        np.repeat(stepping(1.0).poses[:1], 120, axis=0), np.repeat(stepping(1.0).pelvis[:1], 120, axis=0), FPS
    )
    glitches = [
        soundness(changed(stepping(4.0), pelvis=leap).joints(), fps=FPS).glitch,
        soundness(changed(stepping(4.0), pelvis=slide).joints(), fps=FPS).glitch,
        soundness(changed(stepping(4.0), pelvis=np.array([0.0, 0.0, -0.3])).joints(), fps=FPS).glitch,
        soundness(still.joints(), fps=FPS).glitch,
    ]
    assert glitches == ["a joint too fast", "sliding feet", "under the floor", "frozen"]


def test_a_phrase_looks_the_same_wherever_it_is_danced() -> None:
    turned = stepping(3.0)
    there = changed(turned, pelvis=np.array([3.0, -2.0, 0.0]))
    np.testing.assert_allclose(signature(there.joints()), signature(turned.joints()), atol=1e-4)
    assert np.abs(signature(stepping(3.0, turns=1.0).joints()) - signature(turned.joints())).max() > 0.2
