"""What the animator directs, as it travels, and how a lock is met at any frame rate."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.dance import Beats
from blender_addon.core.directions import Directions, Part
from blender_addon.core.key_poses import ARMS, LEGS, WHOLE_BODY, KeyPose, shifts_to_locks, what_is_locked
from blender_addon.core.protocol import request
from blender_addon.core.resample import resample


def motion(frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    turns = np.cumsum(rng.normal(scale=0.05, size=(frames, 24, 3)), axis=0).astype(np.float32)
    return turns, np.cumsum(rng.normal(scale=0.02, size=(frames, 3)), axis=0).astype(np.float32)


def test_nothing_directed_is_nothing_but_defaults() -> None:
    directions = Directions()
    assert directions.arrays() == {}
    assert directions.fields() == {
        "directions": {
            "key_poses": [], "accents_s": [], "parts": [], "kept_frames": [], "novelty": 0.0, "strategy": "",
            "reuse": "none",
        }
    }  # fmt: skip


def test_all_directions_travel_together() -> None:
    poses, pelvis = motion(20)
    directions = Directions(
        key_poses=(KeyPose(0.5, poses[3], pelvis[3], joints=(0, 5), place=True),),
        accents_s=(1.0,),
        parts=(Part(0.0, 2.0, "salsa", "slow"),),
        before=(poses, pelvis),
        kept=(poses[:5], pelvis[:5]),
        kept_frames=((0, 5),),
        beats=Beats(np.array([0.0, 0.5]), np.array([True, False]), 120.0, 4, clear=True),
        novelty=0.5,
        strategy="bidirectional",
        reuse="mirror",
    )
    message = request("generate", "1", {"sample_rate_hz": 22050, **directions.fields()}, directions.arrays())
    sent = message.header["directions"]
    assert sent["key_poses"] == [{"time_s": 0.5, "joints": [0, 5], "place": True, "heading": False}]
    assert sent["parts"] == [{"start_s": 0.0, "end_s": 2.0, "genre": "salsa", "prompt": "slow"}]
    assert (sent["kept_frames"], sent["reuse"], message.header["tempo_bpm"]) == ([[0, 5]], "mirror", 120.0)
    shapes = {name: array.shape for name, array in message.arrays.items()}
    assert shapes["key_poses"] == (1, 24, 3)
    assert shapes["before_poses"] == (20, 24, 3)
    assert shapes["kept_pelvis"] == (5, 3)
    assert "after_poses" not in shapes
    assert np.array_equal(message.arrays["downbeat"].numpy(), [1, 0])


@pytest.mark.parametrize(
    ("joints", "place", "heading", "words"),
    [
        (WHOLE_BODY, False, False, "Whole body"),
        (WHOLE_BODY, True, True, "Whole body, place, facing"),
        (ARMS, False, False, "Arms, hands"),
        (LEGS, True, False, "Legs, place"),
        ((15,), False, False, "Head"),
        ((1, 2, 3), False, False, "3 bones"),
        ((), True, False, "Place"),
        ((), False, True, "Facing"),
    ],
)
def test_what_is_locked_is_said_in_words(joints: tuple[int, ...], place: bool, heading: bool, words: str) -> None:
    assert what_is_locked(joints, place=place, heading=heading) == words


@pytest.mark.parametrize("fps", [24.0, 24000 / 1001, 25.0, 60.0])
def test_a_locks_frame_shows_the_lock_at_any_rate_and_time_is_hardly_bent(fps: float) -> None:
    poses, pelvis = motion(300)
    frames = round(10.0 * fps)
    locks = [round(frame) / fps for frame in (0.07 * frames, 0.5 * frames, 0.5 * frames + 3, 0.93 * frames)]
    shifts = shifts_to_locks(locks, frames=frames, source_fps=30.0, target_fps=fps)
    times = np.arange(frames) * 30.0 / fps
    if shifts is not None:
        assert np.abs(shifts).max() <= 0.5 + 1e-9
        assert np.diff(times + shifts).min() > 0.0  # time never runs back
        assert np.count_nonzero(shifts) < 0.5 * frames
    shown, place = resample(poses, pelvis, source_fps=30.0, target_fps=fps, frames=frames, shifts=shifts)
    for time_s in locks:
        assert np.allclose(shown[round(time_s * fps)], poses[round(time_s * 30)], atol=1e-5)
        assert np.allclose(place[round(time_s * fps)], pelvis[round(time_s * 30)], atol=1e-6)


def test_no_time_is_bent_at_the_models_own_rate_or_without_locks() -> None:
    assert shifts_to_locks([1.0, 2.5], frames=100, source_fps=30.0, target_fps=30.0) is None
    assert shifts_to_locks([], frames=100, source_fps=30.0, target_fps=24.0) is None
