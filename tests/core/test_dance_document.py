"""The dance document: whole after a round trip, refused with a sentence when it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blender_addon.core import dance, dance_format
from blender_addon.core.dance import Beats, DanceDocument, Placement, Section, Settings, from_parts, to_parts
from blender_addon.core.errors import PirouetteError
from blender_addon.core.key_poses import KeyPose
from blender_addon.core.protocol import Array, Message
from blender_addon.core.reply import document_from_result


def document(frames: int = 40) -> DanceDocument:
    rng = np.random.default_rng(2)
    return DanceDocument(
        poses=rng.normal(size=(frames, 24, 3)).astype(np.float32),
        pelvis=rng.normal(size=(frames, 3)).astype(np.float32),
        contacts=rng.random((frames, 4)) > 0.5,
        fps=30.0,
        beats=Beats(np.array([0.0, 0.5, 1.0]), np.array([True, False, False]), 120.0, 3, clear=False),
        placement=Placement(-12, 32, 24000 / 1001),
        settings=Settings("salsa", "a slow turn, “ça va”", 7, "STRIP", "Song"),
        sections=(Section("Intro", 0.0, 0.5, "salsa", "slow", 3, locked=True), Section("Drop", 0.5, 4 / 3)),
        model_version="1",
        addon_version="0.1.0",
        report={"foot_skate_cm_s": 2.5},
        warnings=("No clear beat.",),
        movement_codes=np.arange(24, dtype=np.int16).reshape(12, 2),  # 15 frames take 4 codes, 25 take 8
        pose_codes=np.arange(24, dtype=np.int16).reshape(24, 1),
        sound=rng.normal(size=(41, 37)).astype(np.float16),
        kept_keys=np.arange(32, dtype=np.int32),
        key_poses=(
            KeyPose(0.25, rng.normal(size=(24, 3)).astype(np.float32), np.array([1, 2, 0.9], dtype=np.float32)),
            KeyPose(1.0, np.zeros((24, 3), "f4"), np.zeros(3, "f4"), joints=(), place=True, heading=True),
        ),
        accents_s=(0.5,),
    )


def equal(a: DanceDocument, b: DanceDocument) -> bool:
    arrays = ("poses", "pelvis", "contacts", "pose_codes", "movement_codes", "sound", "kept_keys")
    plain = ("fps", "placement", "settings", "sections", "model_version", "addon_version", "report", "warnings")
    beats = ("tempo_bpm", "metre", "clear")
    return (
        all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and all(getattr(a, name) == getattr(b, name) for name in plain)
        and all(getattr(a.beats, name) == getattr(b.beats, name) for name in beats)
        and np.array_equal(a.beats.beats_s, b.beats.beats_s)
        and np.array_equal(a.beats.downbeat, b.beats.downbeat)
        and a.accents_s == b.accents_s
        and [(k.time_s, k.joints, k.place, k.heading) for k in a.key_poses]
        == [(k.time_s, k.joints, k.place, k.heading) for k in b.key_poses]
        and all(np.array_equal(k.pose, o.pose) for k, o in zip(a.key_poses, b.key_poses, strict=True))
        and all(np.array_equal(k.pelvis, o.pelvis) for k, o in zip(a.key_poses, b.key_poses, strict=True))
    )


def test_a_round_trip_loses_nothing() -> None:
    text, arrays = to_parts(document())
    assert equal(from_parts(text, arrays), document())
    assert {array.dtype for array in arrays.values()} <= {np.dtype("f4"), np.dtype("f8"), np.dtype("i4")}
    assert all(array.ndim == 1 for array in arrays.values())


def test_what_a_later_version_adds_to_a_section_does_no_harm() -> None:
    text, arrays = to_parts(document())
    header = json.loads(text)
    header["sections"][0]["colour"] = "red"
    assert equal(from_parts(json.dumps(header), arrays), document())


@pytest.mark.parametrize(
    "damage",
    [
        lambda header, arrays: arrays.pop("poses"),
        lambda header, arrays: arrays.update(poses=arrays["poses"][:-1]),
        lambda header, arrays: arrays.update(pelvis=arrays["pelvis"] * np.nan),
        lambda header, arrays: arrays.update(downbeat=arrays["downbeat"][:-1]),
        lambda header, arrays: arrays.update(contacts=arrays["contacts"][:-1]),
        lambda header, arrays: arrays.update(sound=arrays["sound"][:-1]),
        lambda header, arrays: arrays.update(sound=np.full_like(arrays["sound"], 0x7C007C00)),
        lambda header, arrays: arrays.update(pose_codes=arrays["pose_codes"][:-1]),
        lambda header, arrays: arrays.update(movement_codes=arrays["movement_codes"][:-1]),
        lambda header, arrays: arrays.update(kept_keys=arrays["kept_keys"][:-1]),
        lambda header, arrays: header.update(pose_rows=0),
        lambda header, arrays: arrays.update(key_pelvis=arrays["key_pelvis"][:-1]),
        lambda header, arrays: arrays.update(key_poses=arrays["key_poses"] * np.nan),
        lambda header, arrays: header["key_poses"][0].update(joints=[24]),
        lambda header, arrays: header["key_poses"][0].pop("time_s"),
        lambda header, arrays: header.update(accents_s=["late"]),
        lambda header, arrays: header.update(sections=header["sections"][:1]),
        lambda header, arrays: header.update(sections=[{"name": "no times"}]),
        lambda header, arrays: header.pop("placement"),
        lambda header, arrays: header.update(fps="fast"),
        lambda header, arrays: header.update(fps=0),
        lambda header, arrays: header.update(frames=0),
        lambda header, arrays: header.update(joints=["Hips"]),
        lambda header, arrays: header.update(version=0),
        lambda header, arrays: header.update(version="1"),
        lambda header, arrays: header.update(format="song"),
    ],
)
def test_a_damaged_document_is_refused_and_never_misread(damage: Any) -> None:
    text, arrays = to_parts(document())
    header = json.loads(text)
    damage(header, arrays)
    with pytest.raises(PirouetteError, match="This dance is damaged") as caught:
        from_parts(json.dumps(header), arrays)
    assert caught.value.code == "damaged_file"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"dance"'])
def test_a_description_that_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(PirouetteError, match="damaged"):
        from_parts(text, {})


def test_a_newer_format_is_refused_by_name() -> None:
    text, arrays = to_parts(document())
    header = json.loads(text) | {"version": dance_format.FORMAT_VERSION + 1}
    with pytest.raises(PirouetteError, match="newer Pirouette"):
        from_parts(json.dumps(header), arrays)


def test_an_older_format_goes_through_its_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    none, empty = no_codes(), document().sound[:0]
    kept = np.zeros(0, dtype=np.int32)
    old = replace(
        document(), movement_codes=none, pose_codes=none, sound=empty, kept_keys=kept, key_poses=(), accents_s=()
    )
    text, arrays = to_parts(old)
    header = json.loads(text) | {"version": 0}
    tempo = header["beats"].pop("tempo_bpm")

    def from_0_to_1(header: dict[str, Any], arrays: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return header | {"beats": header["beats"] | {"tempo_bpm": tempo}}, arrays

    monkeypatch.setitem(dance_format.MIGRATIONS, 0, from_0_to_1)
    assert equal(from_parts(json.dumps(header), arrays), old)


def test_a_dance_of_the_first_format_is_read_without_codes_and_sound() -> None:
    text, arrays = to_parts(replace(document(), pose_codes=no_codes(), movement_codes=no_codes()))
    header = json.loads(text) | {"version": 1}
    for name in ("movement_rows", "pose_rows", "sound_frames", "key_poses", "accents_s"):
        del header[name]
    for name in ("sound", "kept_keys", "key_poses", "key_pelvis"):
        del arrays[name]
    found = from_parts(json.dumps(header), arrays)
    assert np.array_equal(found.poses, document().poses)
    assert found.sections == document().sections
    assert (found.sound.shape, found.movement_codes.shape, found.pose_codes.shape) == ((0, 37), (0, 1), (0, 1))
    assert equal(from_parts(*to_parts(found)), found)
    whole = from_parts(json.dumps(header | {"sections": []}), arrays).sections
    assert [(section.start_s, section.end_s, section.genre) for section in whole] == [(0.0, 40 / 30, "salsa")]


def test_a_dance_of_the_second_format_is_read_without_key_poses_and_accents() -> None:
    text, arrays = to_parts(document())
    header = json.loads(text) | {"version": 2}
    for name in ("key_poses", "accents_s"):
        del header[name]
    for name in ("novelty", "strategy", "reuse"):
        del header["settings"][name]
    for name in ("key_poses", "key_pelvis"):
        del arrays[name]
    assert equal(from_parts(json.dumps(header), arrays), replace(document(), key_poses=(), accents_s=()))


def test_a_damaged_dance_of_the_first_format_is_refused() -> None:
    text, arrays = to_parts(document())
    header = json.loads(text) | {"version": 1, "sections": [], "fps": 0}
    with pytest.raises(PirouetteError, match="damaged"):
        from_parts(json.dumps(header), arrays)


def no_codes() -> Any:
    return np.zeros((0, 1), dtype=np.int16)


def test_an_odd_number_of_halves_is_packed_and_unpacked() -> None:
    odd = replace(document(), sound=np.full((3, 37), 1.5, dtype=np.float16))
    text, arrays = to_parts(odd)
    assert len(arrays["sound"]) == 56
    assert np.array_equal(from_parts(text, arrays).sound, odd.sound)


def test_a_sections_codes_are_its_own() -> None:
    movement, pose = document().codes_of(1)
    assert np.array_equal(movement, document().movement_codes[4:])
    assert np.array_equal(pose, document().pose_codes[8:])


def test_words_of_sections_are_written_without_the_rest_and_their_spans_stay() -> None:
    text, arrays = to_parts(document())
    first, second = document().sections
    changed = dance.sections_text(text, (replace(first, prompt="other"), replace(second, locked=True)))
    found = from_parts(changed, arrays)
    assert equal(replace(found, sections=document().sections), document())
    assert (found.sections[0].prompt, found.sections[1].locked) == ("other", True)
    assert dance.sections_of_text(changed) == found.sections
    with pytest.raises(PirouetteError, match="not those that are shown"):
        dance.sections_text(text, (first,))


def test_shapes_are_checked_where_a_document_is_made() -> None:
    with pytest.raises(PirouetteError, match="shapes"):
        replace(document(), pelvis=np.zeros((3, 3), dtype=np.float32))


# The backend's answer


def answer(**changes: Any) -> Message:
    header = {
        "type": "result", "id": "1", "fps": 30.0, "tempo_bpm": 120.0, "metre": 4, "beat_clear": True,
        "sections": [{"name": "Whole", "start_s": 0.0, "end_s": 2.0}], "report": {"jerk_m_s3": 1.0}, "warnings": ["w"],
        "model_version": "1",
    }  # fmt: skip
    arrays: dict[str, Any] = {
        "poses": np.zeros((60, 24, 3), dtype="<f4"),
        "pelvis": np.zeros((60, 3), dtype="<f4"),
        "contacts": np.ones((60, 4), dtype="u1"),
        "beats_s": np.array([0.0, 0.5]),
        "downbeat": np.array([1, 0], dtype="u1"),
        "sound": np.zeros((0, 37), dtype="<i2"),
        "movement_codes": np.zeros((0, 1), dtype="<i2"),
        "pose_codes": np.zeros((0, 1), dtype="<i2"),
    }
    for name, value in changes.items():
        target = arrays if name in arrays else header
        if value is None:
            del target[name]
        else:
            target[name] = value
    return Message(header, {name: Array.of(values) for name, values in arrays.items()})


def read(message: Message) -> DanceDocument:
    return document_from_result(
        message, settings=Settings(seed=3), placement=Placement(1, 48, 24.0), addon_version="0.1.0"
    )


def test_an_answers_codes_and_sound_are_read() -> None:
    sound = np.linspace(0, 1, 60 * 37).astype(np.float16).reshape(60, 37)
    codes = {"movement_codes": np.ones((16, 1), dtype="<i2"), "pose_codes": np.ones((32, 4), dtype="<i2")}
    found = read(answer(sound=sound.view("<i2"), **codes))
    assert np.array_equal(found.sound, sound)
    assert (found.movement_codes.shape, found.pose_codes.shape) == ((16, 1), (32, 4))


def test_an_answers_key_poses_and_accents_are_read() -> None:
    message = answer(key_poses=[{"time_s": 1.5, "joints": [0, 4], "place": False, "heading": True}], accents_s=[0.5])
    poses = {"key_poses": np.full((1, 24, 3), 0.5, dtype="<f4"), "key_pelvis": np.ones((1, 3), dtype="<f4")}
    found = read(Message(message.header, {**message.arrays, **{n: Array.of(v) for n, v in poses.items()}}))
    assert [(key.time_s, key.joints, key.place, key.heading) for key in found.key_poses] == [(1.5, (0, 4), False, True)]
    assert (float(found.key_poses[0].pose[3, 1]), found.accents_s) == (0.5, (0.5,))
    with pytest.raises(PirouetteError, match="not a dance"):
        read(message)  # without the poses


def test_an_answer_becomes_a_document_that_owns_its_arrays() -> None:
    found = read(answer())
    assert found.duration_s == 2.0
    assert found.contacts.all()
    assert found.sections[0].name == "Whole"
    assert found.beats.downbeat.tolist() == [True, False]
    found.poses[0] = 1.0  # writable: no view of the received bytes


@pytest.mark.parametrize(
    "changes",
    [
        {"poses": None},
        {"poses": np.zeros((60, 24, 3))},
        {"poses": np.zeros((0, 24, 3), dtype="<f4")},
        {"pelvis": np.zeros((59, 3), dtype="<f4")},
        {"pelvis": np.full((60, 3), np.inf, dtype="<f4")},
        {"downbeat": np.array([1], dtype="u1")},
        {"fps": None},
        {"fps": "thirty"},
        {"metre": [4]},
        {"sections": [{"name": "no times"}]},
        {"sections": 5},
        {"report": 5},
        {"movement_codes": np.zeros((3, 1), dtype="<i2")},
        {"sound": np.zeros((60, 36), dtype="<i2")},
    ],
)
def test_an_answer_that_is_no_dance_is_refused_with_one_kind_of_error(changes: dict[str, Any]) -> None:
    with pytest.raises(PirouetteError, match="The backend's answer is not a dance") as caught:
        read(answer(**changes))
    assert caught.value.code == "bad_request"
