"""Directions on the wire: what the add-on sends is what the Choreographer gets, and nonsense is told in a sentence."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.dance import Dance
from backend.dance_messages import dance_arrays, dance_message, dance_of
from backend.directions import Directions, KeyPose, Part
from backend.engine import ChoreographerEngine
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.protocol import Message, ProtocolError, check_request, frame_parts, read_message, request
from backend.request import GenerateRequest
from tests.backend.editing.conftest import read_dance
from tests.backend.editing.fakes import FakeArtist
from tests.backend.stand_in import StandIn

RATE_HZ = 8000
SECONDS = 4
RANDOM = np.random.default_rng(2)
KEYS = {
    "key_poses": RANDOM.normal(size=(2, 24, 3)).astype("f4"),
    "key_pelvis": RANDOM.normal(size=(2, 3)).astype("f4"),
}
FIELDS = [
    {"time_s": 3.0, "joints": [23, 22], "place": False, "heading": False},
    {"time_s": 1.0, "joints": [], "place": True, "heading": True},
]


def motion_arrays(name: str, frames: int) -> dict[str, np.ndarray]:
    return {
        f"{name}_poses": RANDOM.normal(size=(frames, 24, 3)).astype("f4"),
        f"{name}_pelvis": RANDOM.normal(size=(frames, 3)).astype("f4"),
    }


class Recorder(StandIn):
    """A Choreographer that keeps what it was asked."""

    def generate(self, request: Any, *, progress: Any, cancelled: Any) -> Dance:
        dance = super().generate(request, progress=progress, cancelled=cancelled)
        return replace(dance, key_poses=request.directions.key_poses, accents_s=request.directions.accents_s)


def sent(message: Message) -> Message:
    """The message as it arrives on the other side."""
    arrived = read_message(io.BytesIO(b"".join(bytes(part) for part in frame_parts(message))))
    assert arrived is not None
    return arrived


def run(
    directions: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None, **fields: Any
) -> tuple[GenerateRequest, Message]:
    """What the Choreographer was asked, and what it answered."""
    sound = np.sin(np.arange(SECONDS * RATE_HZ) * 0.3).astype("f4")
    header = {"sample_rate_hz": RATE_HZ, **({} if directions is None else {"directions": directions}), **fields}
    message = sent(request("generate", "1", header, {"audio": sound, **(arrays or {})}))
    check_request(message)
    engine = ChoreographerEngine(Recorder())  # type: ignore[arg-type]
    answer = engine.run(message, progress=lambda *_: None, cancelled=lambda: False)
    return StandIn.asked, sent(Message({"type": "result", **answer.header}, answer.arrays))  # type: ignore[return-value]


def test_a_request_without_directions_fixes_nothing() -> None:
    asked, _ = run()
    assert asked.directions == Directions()
    assert asked.grid is None


def test_key_poses_arrive_with_their_poses_in_the_order_of_time() -> None:
    asked, answer = run({"key_poses": FIELDS, "accents_s": [2.0, 0.5]}, KEYS)
    first, second = asked.directions.key_poses
    assert (first.time_s, first.joints, first.place, first.heading) == (1.0, (), True, True)
    assert (second.time_s, second.joints, second.place, second.heading) == (3.0, (22, 23), False, False)
    np.testing.assert_array_equal(second.pose, KEYS["key_poses"][0])
    np.testing.assert_array_equal(first.pelvis, KEYS["key_pelvis"][1])
    assert asked.directions.accents_s == (0.5, 2.0)
    assert [key["time_s"] for key in answer.header["key_poses"]] == [1.0, 3.0]
    assert answer.header["accents_s"] == [0.5, 2.0]
    np.testing.assert_array_equal(answer.arrays["key_poses"].numpy(), KEYS["key_poses"][::-1])


def test_the_motion_around_it_and_what_is_kept_arrive() -> None:
    arrays = motion_arrays("before", 20) | motion_arrays("after", 9) | motion_arrays("kept", SECONDS * 30)
    asked, _ = run({"kept_frames": [[0, 30], [60, 120]]}, arrays)
    directions = asked.directions
    for name, motion in (("before", directions.before), ("after", directions.after), ("kept", directions.kept)):
        assert isinstance(motion, Motion)
        assert motion.fps == 30.0
        np.testing.assert_array_equal(motion.poses, arrays[f"{name}_poses"])
        np.testing.assert_array_equal(motion.pelvis, arrays[f"{name}_pelvis"])
    assert directions.kept_frames == ((0, 30), (60, 120))


@pytest.mark.parametrize("frames", [SECONDS * 30 - 1, SECONDS * 30 + 1])
def test_a_range_that_is_a_frame_longer_or_shorter_than_its_sound_is_fitted(frames: int) -> None:
    arrays = motion_arrays("kept", frames) | {name: values[:1] for name, values in KEYS.items()}
    end_s = frames / 30
    fields = {
        "kept_frames": [[60, frames]],
        "key_poses": [{**FIELDS[0], "time_s": (frames - 1) / 30}],
        "accents_s": [(frames - 1) / 30],
        "parts": [{"start_s": 1.0, "end_s": end_s, "prompt": "low"}],
    }
    asked, _ = run(fields, arrays)
    directions = asked.directions
    assert directions.kept is not None
    assert directions.kept.frames == SECONDS * 30
    assert directions.kept_frames == ((60, SECONDS * 30),)
    assert round(directions.key_poses[0].time_s * 30) == min(frames, SECONDS * 30) - 1
    assert round(directions.accents_s[0] * 30) == min(frames, SECONDS * 30) - 1
    assert directions.parts[0].end_s == min(end_s, SECONDS)


def test_sections_to_come_and_how_it_is_made_arrive() -> None:
    parts = [{"start_s": 0.0, "end_s": 2.0, "genre": "House dance", "prompt": "low "}, {"start_s": 2.0, "end_s": 4.0}]
    asked, _ = run({"parts": parts, "novelty": 1, "strategy": "coarse_to_fine", "reuse": "repeat"})
    directions = asked.directions
    assert directions.parts == (Part(0.0, 2.0, "house", "low"), Part(2.0, 4.0))
    assert (directions.novelty, directions.strategy, directions.reuse) == (1.0, "coarse_to_fine", "repeat")


def test_edited_beats_replace_those_that_are_heard() -> None:
    beats = np.array([0.3, 0.9, 1.5])
    arrays = {"beats_s": beats, "downbeat": np.array([0, 1, 0], "u1")}
    asked, _ = run(arrays=arrays, tempo_bpm=100.0, metre=3, beat_clear=True)
    assert asked.grid is not None
    np.testing.assert_array_equal(asked.grid.beats_s, beats)
    assert asked.grid.downbeat.tolist() == [False, True, False]
    assert (asked.grid.tempo_bpm, asked.grid.metre, asked.grid.clear) == (100.0, 3, True)


@pytest.mark.parametrize(
    ("directions", "sentence"),
    [
        ({"key_poses": 3}, "no list"),
        ({"key_poses": FIELDS[:1]}, "1 key poses need poses"),
        ({"key_poses": [{"joints": [0]}, FIELDS[1]]}, "cannot be at None seconds"),
        ({"key_poses": [{**FIELDS[0], "time_s": 5.0}, FIELDS[1]]}, "at 5 s lies outside the dance"),
        ({"key_poses": [{**FIELDS[0], "joints": [24]}, FIELDS[1]]}, "a joint that there is not"),
        ({"key_poses": [{**FIELDS[0], "joints": ["L_Hand"]}, FIELDS[1]]}, "numbers from 0 to 23"),
        ({"key_poses": [{**FIELDS[0], "joints": []}, FIELDS[1]]}, "locks nothing"),
        ({"key_poses": [3, FIELDS[1]]}, "no object"),
        ({"key_poses": [{**FIELDS[0], "place": True}, {**FIELDS[1], "time_s": 3.01}]}, "at 3.01 s lock the same"),
        ({"accents_s": ["one"]}, "cannot be at 'one' seconds"),
        ({"accents_s": [9.0]}, "lies outside the dance"),
        ({"parts": [3]}, "no list of spans"),
        ({"parts": [{"start_s": 1.0}]}, "A section's end cannot be at None"),
        ({"parts": [{"start_s": 3.0, "end_s": 9.0}]}, "ends after the dance"),
        ({"parts": [{"start_s": 1.0, "end_s": 2.0, "genre": "zzyzx"}]}, "no genre"),
        ({"kept_frames": [[0, 1, 2]]}, "no span of frames"),
        ({"kept_frames": [[0, 30]]}, "their motion was not given"),
        ({"novelty": "much"}, "novelty cannot be 'much'"),
        ({"novelty": 2.0}, "not between 0 and 1"),
        ({"strategy": "best"}, "no strategy 'best'"),
        ({"strategy": ["sequential"]}, "no strategy"),
        ({"reuse": "all"}, "reused by 'all'"),
    ],
    ids=str,
)
def test_directions_that_make_no_sense_are_refused(directions: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PirouetteError, match=sentence) as caught:
        run(directions, KEYS)
    assert caught.value.code in ("bad_request", "bad_range", "unknown_genre")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"before_poses": np.zeros((3, 24, 3), "f4")}, "before_pelvis"),
        ({"after_poses": np.zeros((3, 24, 3), "f8"), "after_pelvis": np.zeros((3, 3), "f4")}, "after_poses"),
        ({"beats_s": np.array([0.5, 1.0])}, "downbeat"),
    ],
    ids=lambda value: str(list(value)) if isinstance(value, dict) else value,
)
def test_an_array_that_is_missing_or_of_another_kind_is_named(arrays: dict[str, np.ndarray], sentence: str) -> None:
    with pytest.raises(ProtocolError, match=sentence):
        run(arrays=arrays)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (motion_arrays("before", 1), "One frame is too short"),
        (motion_arrays("kept", 30), "has 30 frames, and the dance has 120"),
        ({"before_poses": np.full((3, 24, 3), np.nan, "f4"), "before_pelvis": np.zeros((3, 3), "f4")}, "not finite"),
        ({"beats_s": np.array([1.0, 0.5]), "downbeat": np.zeros(2, "u1")}, "beat at 0.5 s comes after"),
    ],
    ids=["before", "kept", "nan", "beats"],
)
def test_motion_and_beats_that_cannot_be_used_are_told(arrays: dict[str, np.ndarray], sentence: str) -> None:
    with pytest.raises(PirouetteError, match=sentence):
        run(arrays=arrays)


@pytest.mark.parametrize(("field", "value"), [("directions", []), ("directions", "fast"), ("metre", 0)])
def test_fields_of_another_kind_are_no_request(field: str, value: object) -> None:
    with pytest.raises(ProtocolError, match=field):
        request("generate", "1", {"sample_rate_hz": 8000, field: value}, {"audio": np.zeros(9, "f4")})


def test_a_dance_carries_its_key_poses_there_and_back() -> None:
    dance = read_dance()
    key = KeyPose(2.0, dance.motion.poses[5], dance.motion.pelvis[5], joints=(0, 3), heading=True)
    settings = replace(dance.settings, novelty=0.5, strategy="overlapping", reuse="repeat")
    dance = replace(dance, key_poses=(key,), accents_s=(1.5,), settings=settings)
    message = dance_message(dance)
    arrived = sent(Message({"type": "result", **message.header}, message.arrays))
    read = dance_of(arrived, arrived.header)
    np.testing.assert_array_equal(read.key_poses[0].pose, key.pose)
    assert (read.key_poses[0].time_s, read.key_poses[0].joints, read.key_poses[0].heading) == (2.0, (0, 3), True)
    assert read.accents_s == (1.5,)
    assert read.settings == settings


def test_an_edit_and_an_encoding_keep_the_key_poses() -> None:
    dance = read_dance()
    key = KeyPose(2.0, dance.motion.poses[60], dance.motion.pelvis[60])
    dance = replace(dance, key_poses=(key,), accents_s=(1.5,))
    engine = ChoreographerEngine(FakeArtist())  # type: ignore[arg-type]
    told = dance_message(dance).header
    edit = Message({"type": "edit", "id": "1", "operation": {"op": "lock", "span": "#2"}, "dance": told})
    known = {name: told[name] for name in ("key_poses", "accents_s")}
    encode = Message({"type": "encode", "id": "1", "fps": 30.0, "dance": known})
    for message in (edit, encode):
        arrived = sent(Message(message.header, dance_arrays(dance)))
        check_request(arrived)
        answer = engine.run(arrived, progress=lambda *_: None, cancelled=lambda: False)
        assert answer.header["key_poses"] == told["key_poses"]
        assert answer.header["accents_s"] == [1.5]
        np.testing.assert_array_equal(answer.arrays["key_poses"].numpy()[0], key.pose)
