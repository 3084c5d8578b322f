"""The trained models on a real song: a dance on the beat, on its feet, the same for the same seed, within its budget.

The bounds are loose: they catch a broken model or a broken pass, not a bad day. Quality is measured by `evaluate`.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from backend.choreographer import Choreographer
from backend.dance import Dance
from backend.errors import Cancelled, PirouetteError
from backend.motion.io import read_motion
from backend.music.audio import Audio, audio_from_samples, load_audio
from backend.request import GenerateRequest

SONG = Path(__file__).resolve().parents[1] / "fixtures" / "songs" / "mentalgroove.opus"


@pytest.fixture(scope="module")
def choreographer() -> Choreographer:
    choreographer = Choreographer(device="cpu", threads=2)
    choreographer.warm_up()
    return choreographer


@pytest.fixture(scope="module")
def song() -> Audio:
    return load_audio(SONG)


def dance_of(choreographer: Choreographer, audio: Audio, **wishes: object) -> Dance:
    request = GenerateRequest(audio, **wishes)
    return choreographer.generate(request, progress=lambda *_: None, cancelled=lambda: False)


@pytest.fixture(scope="module")
def dances(choreographer: Choreographer, song: Audio) -> list[Dance]:
    return [dance_of(choreographer, song, genre=genre, seed=7) for genre in ("salsa", "pop", "indian classical")]


def median(dances: list[Dance], name: str) -> float:
    return float(np.median([dance.report[name] for dance in dances]))


def test_the_dance_is_as_long_as_the_song(dances: list[Dance], song: Audio) -> None:
    for dance in dances:
        assert dance.motion.frames == round(song.duration_s * 30)
        assert dance.contacts.shape == (dance.motion.frames, 4)
        assert dance.sections[0].start_s == 0.0
        assert dance.sections[-1].end_s == pytest.approx(dance.motion.duration_s)


def test_feet_stand_and_nothing_sinks(dances: list[Dance]) -> None:
    assert median(dances, "foot_skate_cm_s") < 10.0
    assert median(dances, "foot_contact_pct") > 25.0
    assert max(dance.report["below_floor_3cm_pct"] for dance in dances) < 1.0


def test_the_dance_neither_jitters_nor_freezes(dances: list[Dance]) -> None:
    assert 20.0 < median(dances, "jerk_m_s3") < 160.0
    assert median(dances, "freezing_pct") < 5.0
    assert 0.2 < median(dances, "mean_joint_speed_m_s") < 1.5


def test_the_dance_is_on_the_beat(dances: list[Dance]) -> None:
    assert median(dances, "beat_alignment_lift") > 0.0
    assert median(dances, "beat_alignment") > median(dances, "beat_alignment_half_beat")


def test_the_dancer_stays_near_and_upright(dances: list[Dance]) -> None:
    for dance in dances:
        joints = dance.motion.joints()
        assert np.abs(joints[:, 0, :2] - joints[:1, 0, :2]).max() < 8.0
        assert np.median(joints[:, 15, 2] - joints[:, 0, 2]) > 0.4


def test_genres_dance_differently(dances: list[Dance]) -> None:
    mean_poses = [dance.motion.joints() - dance.motion.joints()[:, :1] for dance in dances]
    assert np.abs(mean_poses[0] - mean_poses[1]).mean() > 0.03


def test_the_same_seed_is_the_same_dance(choreographer: Choreographer, song: Audio) -> None:
    short = dataclasses.replace(song, samples=song.samples[: 6 * song.sample_rate_hz])
    one, again, other = (dance_of(choreographer, short, genre="salsa", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.motion.poses, again.motion.poses)
    assert np.abs(one.motion.poses - other.motion.poses).max() > 0.1


def test_ten_seconds_of_dance_take_about_a_second(choreographer: Choreographer, song: Audio) -> None:
    """The budget is 1 s on two quiet cores. Processor time is counted, which a busy machine changes little."""
    ten = dataclasses.replace(song, samples=song.samples[: 10 * song.sample_rate_hz])
    seconds = []
    for _ in range(3):
        began = time.process_time()
        dance_of(choreographer, ten, genre="pop", text="quick turns")
        seconds.append(time.process_time() - began)
    assert min(seconds) < 4.0


def test_progress_names_the_stages_in_order(choreographer: Choreographer, song: Audio) -> None:
    told: list[str] = []
    short = dataclasses.replace(song, samples=song.samples[: 4 * song.sample_rate_hz])
    choreographer.generate(
        GenerateRequest(short), progress=lambda stage, *_: told.append(stage), cancelled=lambda: False
    )
    assert list(dict.fromkeys(told)) == ["listen", "dance", "refine", "plant"]


def test_a_cancelled_job_ends_at_once(choreographer: Choreographer, song: Audio) -> None:
    with pytest.raises(Cancelled):
        choreographer.generate(GenerateRequest(song), progress=lambda *_: None, cancelled=lambda: True)


def test_unknown_genres_and_devices_are_refused(choreographer: Choreographer, song: Audio) -> None:
    with pytest.raises(PirouetteError) as caught:
        dance_of(choreographer, song, genre="xyzzy")
    assert caught.value.code == "unknown_genre"
    with pytest.raises(PirouetteError) as caught:
        Choreographer(device="banana")
    assert caught.value.code == "bad_request"


def test_an_untrained_genre_is_danced_with_a_warning(choreographer: Choreographer, song: Audio) -> None:
    short = dataclasses.replace(song, samples=song.samples[: 4 * song.sample_rate_hz])
    dance = dance_of(choreographer, short, genre="krump")
    assert any("not seen" in warning for warning in dance.warnings)


def test_music_without_a_beat_is_danced_with_a_warning(choreographer: Choreographer) -> None:
    noise = np.random.default_rng(0).standard_normal(8 * 22050).astype(np.float32) * 0.1
    dance = dance_of(choreographer, audio_from_samples(noise, 22050), genre="modern")
    assert any("no clear beat" in warning for warning in dance.warnings)
    assert dance.motion.frames == 240


def test_a_saved_dance_reads_back(dances: list[Dance], tmp_path: Path) -> None:
    path = tmp_path / "dance.npz"
    dances[0].resampled(24.0).save(path)
    motion = read_motion(path)
    assert motion.fps == 24.0
    assert motion.duration_s == pytest.approx(dances[0].motion.duration_s, abs=1 / 24)
    with np.load(path) as arrays:
        assert arrays["contacts"].shape == (motion.frames, 4)
        assert len(arrays["beats_s"]) == len(dances[0].grid.beats_s)


@pytest.mark.parametrize("model", ["motion", "code"])
def test_either_model_makes_a_dance_with_codes_and_the_same_seed_makes_it_again(
    choreographer: Choreographer, song: Audio, model: str
) -> None:
    part = dataclasses.replace(song, samples=song.samples[: 5 * song.sample_rate_hz])
    first, again = (dance_of(choreographer, part, genre="salsa", seed=2, model=model) for _ in range(2))
    assert np.array_equal(first.motion.poses, again.motion.poses)
    assert first.motion.frames == 150
    assert len(first.pose_codes) == 2 * len(first.movement_codes) > 0


def test_a_section_of_a_long_dance_is_danced_anew_within_its_budget(choreographer: Choreographer, song: Audio) -> None:
    dance = dance_of(choreographer, song, seed=3)
    span = dance.frames_of(dance.sections[3])
    options = {
        "grid": dance.grid,
        "sound": dance.sound,
        "genre": "salsa",
        "prompt": "",
        "strength": 1.0,
        "pinned": True,
    }
    choreographer.fill(dance.motion, span, seed=1, **options)
    began = time.process_time()
    filling = choreographer.fill(dance.motion, span, seed=2, **options)
    assert time.process_time() - began < 3.0  # 0.4 s by the wall on two quiet cores
    assert filling.frames == span[1] - span[0]


def test_a_model_that_is_not_there_is_told(choreographer: Choreographer) -> None:
    with pytest.raises(PirouetteError, match="There is no model “gpt”"):
        choreographer.space("gpt")
