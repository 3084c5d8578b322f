"""Editing with the models as they are shipped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.choreographer import Choreographer
from backend.dance import Dance
from backend.directions import KeyPose
from backend.editing.editor import apply
from backend.editing.encoding import decode_dance, encode_motion
from backend.editing.operations import Continue, Insert, Regenerate, Source, Transfer
from backend.motion.locking import lock_errors
from tests.backend.editing.conftest import read_dance
from tests.backend.editing.measures import check_in_step, check_seams, check_unchanged, cut


@pytest.fixture(scope="module")
def choreographer() -> Choreographer:
    return Choreographer(device="cpu", threads=1)


@pytest.fixture(scope="module")
def coded(choreographer: Choreographer) -> Dance:
    """The first half minute of the real dance, with the codec's codes."""
    plain = read_dance()
    motion = cut(plain.motion, 0, 807)
    sections = tuple(section for section in plain.sections if section.end_s < 27.0)
    edit = encode_motion(motion, choreographer, grid=plain.grid, sound=plain.sound, sections=sections)
    assert edit.dance.motion.frames == 807
    return edit.dance


def test_a_dance_goes_round_through_its_codes(choreographer: Choreographer, coded: Dance) -> None:
    back = decode_dance(coded, choreographer)
    apart = [m.joints() - m.pelvis[:, None] for m in (back, coded.motion)]
    far = [m.joints() - m.pelvis[:, None] for m in (cut(back, 0, 400), cut(coded.motion, 407, 807))]
    error_m = np.linalg.norm(apart[0] - apart[1], axis=-1).mean()
    assert error_m < 0.08
    assert error_m < 0.5 * np.linalg.norm(far[0] - far[1], axis=-1).mean()


def test_a_section_is_danced_anew_and_the_rest_stays(choreographer: Choreographer, coded: Dance) -> None:
    edits = [apply(coded, Regenerate("#4", seed=seed), choreographer) for seed in (5, 5, 6)]
    for edit in edits:
        check_unchanged(coded, edit)
        check_seams(coded, edit, fast_itself=True)
        check_in_step(coded, edit)
        assert edit.touched == ((362, 510),)
        assert edit.report["pulled_m"] < 0.1
    first, again, other = (edit.dance.motion.joints()[370:500] for edit in edits)
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert np.abs(first - other).mean() > 0.02


def test_a_little_strength_varies_a_little(choreographer: Choreographer, coded: Dance) -> None:
    own = coded.motion.joints()[370:500]
    little, new = (
        apply(coded, Regenerate("#4", seed=5, strength=strength), choreographer).dance.motion.joints()[370:500]
        for strength in (0.2, 1.0)
    )
    assert np.abs(little - own).mean() < np.abs(new - own).mean()


def test_words_become_an_inserted_section(choreographer: Choreographer, coded: Dance) -> None:
    edit = apply(coded, Insert("#4", Source("prompt", prompt="a slow turn", seed=2), counts=8), choreographer)
    check_unchanged(coded, edit)
    check_seams(coded, edit, fast_itself=True)
    check_in_step(coded, edit)


@pytest.mark.parametrize("taken", ["movement_from", "poses_from"])
def test_a_transfer_decodes_the_mixed_codes(choreographer: Choreographer, coded: Dance, taken: str) -> None:
    operation = Transfer("#4", **{taken: Source("here", span="#6")})
    edit = apply(coded, operation, choreographer)
    check_unchanged(coded, edit)
    check_seams(coded, edit, fast_itself=True)
    check_in_step(coded, edit)
    kept = 1 if taken == "movement_from" else 0
    np.testing.assert_array_equal(edit.dance.codes_of(3)[kept], coded.codes_of(3)[kept])
    assert (edit.dance.codes_of(3)[1 - kept] != coded.codes_of(3)[1 - kept]).any()


def test_a_section_danced_anew_passes_through_a_key_pose_and_leaves_the_rest(
    choreographer: Choreographer, coded: Dance
) -> None:
    key = KeyPose(15.0, coded.motion.poses[700], coded.motion.pelvis[700])
    keyed = replace(coded, key_poses=(key,), accents_s=(13.5,))
    edit = apply(keyed, Regenerate("#4", seed=5), choreographer)
    errors = lock_errors(edit.dance.motion, [key])
    assert errors.distance_m < 1e-3
    assert errors.largest_angle_deg < 0.1
    assert edit.report["missed_key_poses_s"] == []
    check_unchanged(keyed, edit)
    check_in_step(keyed, edit)


def test_a_dance_goes_on_where_its_music_does(choreographer: Choreographer, coded: Dance) -> None:
    edit = apply(coded, Continue(12, prompt="quick turns", genre="pop", seed=2), choreographer)
    assert edit.dance.motion.duration_s == pytest.approx(coded.motion.duration_s + 12 * 60.0 / 97.0, abs=0.3)
    check_unchanged(coded, edit)
    check_seams(coded, edit, fast_itself=True)
    check_in_step(coded, edit)
    fresh = edit.dance.motion.joints()[coded.motion.frames :]
    assert np.linalg.norm(np.diff(fresh, axis=0), axis=-1).mean() * 30.0 > 0.1
