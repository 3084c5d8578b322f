"""Gaps in a dance: what is around them is shown, and what follows them stays or floats."""

import numpy as np
import pytest

from backend.directions import KeyPose
from backend.gap import CONTEXT_FRAMES, Gap
from backend.motion.motion import Motion
from tests.fixtures.make_motion import wander


@pytest.mark.parametrize("multiple", [2, 8])
@pytest.mark.parametrize("span", [(0, 40), (61, 120), (200, 240)])
def test_the_window_shows_what_is_around_the_gap(span: tuple[int, int], multiple: int) -> None:
    motion = wander(240)
    gap = Gap.around(motion, span, (), multiple=multiple, pinned=True)
    assert gap.first % multiple == 0
    assert gap.first <= CONTEXT_FRAMES
    assert (gap.begin + gap.first, gap.begin + gap.last) == span
    kept = gap.directions.kept
    assert kept is not None
    assert np.array_equal(kept.poses, motion.poses[gap.begin : gap.begin + gap.frames])
    assert [frame for first, last in gap.directions.kept_frames for frame in range(first, last)] == [
        frame for frame in range(gap.frames) if not gap.first <= frame < gap.last
    ]


@pytest.mark.parametrize(("first", "pinned", "floating"), [(61, True, False), (61, False, True), (0, False, False)])
def test_what_follows_floats_only_behind_a_gap_that_is_not_pinned_and_has_a_past(
    first: int, pinned: bool, floating: bool
) -> None:
    assert Gap.around(wander(240), (first, 120), (), multiple=2, pinned=pinned).floating == floating


def test_key_poses_of_the_gap_come_with_its_own_times() -> None:
    motion = wander(240)
    keys = [KeyPose(time_s, motion.poses[0], motion.pelvis[0]) for time_s in (1.0, 3.0, 6.0)]
    gap = Gap.around(motion, (61, 120), keys, multiple=2, pinned=True)
    assert [key.time_s for key in gap.directions.key_poses] == pytest.approx([3.0 - gap.begin / 30.0])


def test_the_filling_is_the_gaps_own_frames() -> None:
    motion = wander(240)
    gap = Gap.around(motion, (61, 120), (), multiple=2, pinned=True)
    window = Motion(motion.poses[gap.begin :][: gap.frames], motion.pelvis[gap.begin :][: gap.frames], 30.0)
    assert np.array_equal(gap.filling(window).pelvis, motion.pelvis[61:120])
