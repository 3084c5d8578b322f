"""What the add-on asks about a dance that there is, and how it reads the answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from blender_addon.core import edits
from blender_addon.core.dance import Beats, DanceDocument, Placement, Section
from blender_addon.core.errors import PirouetteError
from blender_addon.core.protocol import Array, Message, request
from blender_addon.core.reply import added_id, edit_from_result, phrases_from_result
from blender_addon.core.section_bars import bars, fitted, flags
from blender_addon.core.sections import (
    alone,
    changed_frames,
    counts_in_words,
    heard_from,
    runs,
    scene_mask,
    scene_span,
    section_at,
)


def document(frames: int = 120, *, fps: float = 24.0) -> DanceDocument:
    rng = np.random.default_rng(5)
    half, codes = frames / 2 / 30.0, 4 * -(-frames // 16)
    return DanceDocument(
        poses=rng.normal(size=(frames, 24, 3)).astype(np.float32),
        pelvis=rng.normal(size=(frames, 3)).astype(np.float32),
        contacts=np.ones((frames, 4), dtype=bool),
        fps=30.0,
        beats=Beats(np.arange(8) * 0.5, np.arange(8) % 4 == 0, 120.0, 4, clear=True),
        placement=Placement(1, round(frames * fps / 30.0), fps),
        sections=(Section("A", 0.0, half, "salsa", "slow", 1), Section("B", half, 2 * half, locked=True)),
        movement_codes=np.arange(codes, dtype=np.int16)[:, None],
        pose_codes=np.arange(4 * codes, dtype=np.int16).reshape(2 * codes, 2),
        sound=rng.normal(size=(frames, 37)).astype(np.float16),
    )


def sent(header: dict[str, Any], arrays: dict[str, Any]) -> Message:
    """The request as it travels: checked by the protocol."""
    return request(header["type"], "1", header, arrays)


def test_an_edit_carries_the_dance_and_the_other_one() -> None:
    a, b = document(), document(60)
    operation = edits.transfer(a.sections[0], edits.from_other("0.0:1.0"), keep="POSES")
    message = sent(*edits.edit_request(a, operation, user_folder="/own", other=b))
    assert message.header["operation"] == {
        "op": "transfer", "span": "0.000000:2.000000", "movement_from": {"kind": "other", "span": "0.0:1.0"},
    }  # fmt: skip
    assert message.header["dance"]["sections"][1] == {
        "name": "B", "start_s": 2.0, "end_s": 4.0, "genre": "", "prompt": "", "seed": 0, "locked": True,
    }  # fmt: skip
    assert message.header["other"]["tempo_bpm"] == 120.0
    assert message.arrays["poses"].shape == (120, 24, 3)
    assert message.arrays["other_poses"].shape == (60, 24, 3)
    assert np.array_equal(message.arrays["sound"].numpy().view(np.float16), a.sound)
    assert message.arrays["pose_codes"].dtype == "<i2"


def test_motion_without_music_says_nothing_about_beats() -> None:
    silent = Beats(np.zeros(0), np.zeros(0, dtype=bool), 0.0, 4, clear=False)
    bare = DanceDocument(np.zeros((9, 24, 3), "f4"), np.zeros((9, 3), "f4"), np.zeros((9, 4), bool), 30.0, silent,
                         Placement(1, 9, 30.0))  # fmt: skip
    message = sent(*edits.encode_request(bare))
    assert set(message.arrays) == {"poses", "pelvis"}
    assert not {"tempo_bpm", "metre", "beat_clear", "sections"} & set(message.header["dance"])
    assert set(sent(*edits.encode_request(document())).arrays) == {"poses", "pelvis", "beats_s", "downbeat", "sound"}


def test_the_librarys_requests_pass_the_protocol() -> None:
    sent(*edits.library_request("turn", genre="", limit=5, user_folder="/own"))
    sent(*edits.library_get_request("x", user_folder="/own"))
    words = {"name": "Mine", "genre": "salsa", "description": "d"}
    assert sent(*edits.library_add_request(document(), **words, user_folder="/own")).header["dance"]["fps"] == 30.0


def edited(frames: int = 120, **changes: Any) -> Message:
    dance = document(frames)
    header = {
        "type": "result", "id": "1", **edits.dance_header(dance),
        "report": {"touched": [[10, 20]], "moved": [[60, 120, 30]], "off_beat_ms": 12.0},
    }  # fmt: skip
    arrays = edits.dance_arrays(dance)
    return Message(header | changes, {name: Array.of(values) for name, values in arrays.items()})


def test_an_edited_dance_lies_where_the_one_before_lay() -> None:
    found = edit_from_result(edited(), before=document(), addon_version="1")
    assert found.document.placement == document().placement
    assert (found.touched, found.moved) == (((10, 20),), ((60, 120, 30),))
    shorter = edit_from_result(edited(90), before=document(), addon_version="1")
    assert shorter.document.placement == Placement(1, 72, 24.0)


@pytest.mark.parametrize("changes", [{"report": 5}, {"report": {"touched": [[1]]}}, {"fps": 0}, {"sections": None}])
def test_an_answer_that_is_no_edit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PirouetteError, match="The backend's answer is not"):
        edit_from_result(edited(**changes), before=document(), addon_version="1")


def test_phrases_are_read_and_nonsense_is_refused() -> None:
    entry = {"id": "a", "name": "Turn", "genre": "ballet", "seconds": 2.0, "counts": 4, "own": True}
    assert phrases_from_result(Message({"entries": [entry]}))[0].name == "Turn"
    for entries in (5, [{}], ["x"]):
        with pytest.raises(PirouetteError, match="not a list of phrases"):
            phrases_from_result(Message({"entries": entries}))
    assert added_id(Message({"entry": "own-1"})) == "own-1"


# Where sections lie


def test_frames_of_the_scene_belong_to_one_section_each() -> None:
    placement = Placement(1, 96, 24000 / 1001)
    borders = [0.0, 0.7, 1.4, 2.5, 4.01]
    spans = [scene_span(placement, a, b) for a, b in pairwise(borders)]
    assert spans[0][0] == 0
    assert spans[-1][1] == 96
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_counts_are_told_as_dancers_count() -> None:
    dance = document()
    assert [counts_in_words(dance.beats, section) for section in dance.sections] == ["1–4", "5–8"]
    assert counts_in_words(Beats(np.zeros(0), np.zeros(0, bool), 0.0, 4, False), dance.sections[0]) == "2.0 s"
    assert [section_at(dance.sections, t) for t in (0.0, 1.99, 2.0, 4.0)] == [0, 0, 1, None]


def test_what_has_changed_is_found_frame_by_frame() -> None:
    before = document()
    poses = before.poses.copy()
    poses[40:50, 3] += 0.1
    after = replace(before, poses=poses)
    changed = changed_frames(before, after)
    assert runs(changed) == [(40, 50)]
    mask = scene_mask(after.placement, changed, fps=30.0)
    ((first, last),) = runs(mask)
    assert 29 <= first <= 32
    assert 40 <= last <= 43
    assert runs(scene_mask(Placement(1, 120, 30.0), changed, fps=30.0)) == [(40, 50)]


def test_a_section_alone_has_its_own_codes_beats_and_sound() -> None:
    dance = document()
    found = alone(dance, 1)
    assert np.array_equal(found.poses, dance.poses[60:])
    assert np.array_equal(found.movement_codes, dance.movement_codes[16:])
    assert found.beats.beats_s.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert np.array_equal(found.sound, dance.sound[60:])
    assert (found.sections[0].start_s, found.sections[0].end_s, found.sections[0].locked) == (0.0, 2.0, False)


def test_music_beyond_the_dance_is_not_made_up() -> None:
    beats, sound = heard_from(document(), 3.0, 4.0)
    assert beats.beats_s.tolist() == [0.0, 0.5]
    assert len(sound) == 0


# Strips over the timeline


def test_strips_are_cut_at_the_edges_and_names_fit() -> None:
    spans = [(1.0, 61.0), (61.0, 121.0), (121.0, 125.0), (500.0, 600.0)]
    found = bars(spans, ["Intro", "A long name for a short part", "x", "far"], [False, True, False, False],
                 selected=1, width=400.0, pixel_of=lambda frame: 2.0 * (frame - 31.0))  # fmt: skip
    assert [bar.index for bar in found] == [0, 1, 2]
    assert found[0].left == 0.0
    assert found[0].text == "Intro"
    assert found[1].selected
    assert found[1].locked
    assert found[1].text.endswith("…")
    assert found[2].text == ""
    assert fitted("word", 1000.0) == "word"
    assert fitted("word", 0.0) == ""


def test_new_movement_names_the_model_that_makes_it() -> None:
    section = document().sections[0]
    assert edits.regenerate(section, seed=3, strength=1.0, model="CODE")["model"] == "code"
    assert edits.from_prompt("a turn", genre="", seed=3, model="MOTION")["model"] == "motion"


@pytest.mark.parametrize(("start_s", "duration_s"), [(0.0, 0.4), (1.2, 0.2), (3.4, 0.5), (3.7, 0.25)])
def test_a_stretch_shorter_than_two_beats_still_tells_its_tempo(start_s: float, duration_s: float) -> None:
    beats, _ = heard_from(document(), start_s, duration_s)
    assert len(beats.beats_s) == len(beats.downbeat) == 2
    assert np.diff(beats.beats_s) == pytest.approx(0.5)
    assert np.abs(beats.beats_s).max() <= 1.0


def test_flags_stand_at_their_frames_and_a_name_ends_before_the_next() -> None:
    found = flags(
        [50, 10, 500], ["A long name of a pose", "B", "C"], [True, False, True], selected=1, width=300.0,
        pixel_of=lambda frame: 2.0 * frame,
    )  # fmt: skip
    assert [(flag.index, flag.x, flag.selected, flag.enabled) for flag in found] == [
        (1, 20.0, True, False), (0, 100.0, False, True),
    ]  # fmt: skip
    assert found[0].text == "B"
    assert flags([], [], [], selected=0, width=300.0, pixel_of=float) == []
    near = flags(
        [0, 30], ["A long name", "B"], [True, True], selected=0, width=300.0, pixel_of=lambda frame: 2.0 * frame
    )
    assert near[0].text == "A lon…"
