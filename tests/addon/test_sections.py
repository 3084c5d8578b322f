"""Editing a dance section by section, against a stand-in for the backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.addon.installed import keyed, part, stored

Dance = Callable[..., bpy.types.Object]


@pytest.fixture
def dancer(dance: Dance) -> bpy.types.Object:
    """A dance of ten seconds at 30 frames a second: five sections of two seconds, four counts each."""
    bpy.context.scene.render.fps = 30
    bpy.context.scene.frame_end = 300
    return dance(seed=3, genre="salsa", prompt="small steps")


def names(dancer: bpy.types.Object) -> list[str]:
    return [section.name for section in stored(dancer).sections]


def test_a_dance_is_listed_section_by_section(dancer: bpy.types.Object) -> None:
    shown = dancer.pirouette
    assert [(item.name, item.counts, item.genre, item.prompt, item.seed, item.locked) for item in shown.sections][
        :2
    ] == [
        ("1", "1–4", "salsa", "small steps", 3, False),
        ("2", "5–8", "salsa", "small steps", 3, False),
    ]
    assert [(item.first_frame, item.last_frame) for item in shown.sections] == [
        (1, 60), (61, 120), (121, 180), (181, 240), (241, 300),
    ]  # fmt: skip


def test_what_is_written_in_the_list_goes_into_the_document(dancer: bpy.types.Object) -> None:
    item = dancer.pirouette.sections[1]
    item.name, item.prompt, item.seed, item.genre, item.locked = "Turn", "a wide turn", 9, "ANY", True
    section = stored(dancer).sections[1]
    assert (section.name, section.prompt, section.seed, section.genre, section.locked) == (
        "Turn", "a wide turn", 9, "", True,
    )  # fmt: skip
    assert stored(dancer).sections[0].prompt == "small steps"


def test_regenerate_changes_its_section_and_not_a_key_elsewhere(dancer: bpy.types.Object) -> None:
    before, action = keyed(dancer), dancer.animation_data.nla_tracks[0].strips[0].action
    dancer.pirouette.active = 2
    dancer.pirouette.sections[2].prompt = "a high kick"
    assert bpy.ops.pirouette.section_regenerate(seed=8) == {"FINISHED"}
    after = keyed(dancer)
    changed = np.abs(after - before).max(axis=1) > 1e-7
    assert set(np.flatnonzero(changed)) <= set(range(120, 180))
    assert changed[125:175].all()
    section = stored(dancer).sections[2]
    assert (section.seed, section.prompt) == (8, "a high kick")
    assert dancer.pirouette.sections[2].seed == 8
    assert dancer.animation_data.nla_tracks[0].strips[0].action == action
    assert len(bpy.data.actions) == 1


def test_keys_and_document_agree_after_every_operation(dancer: bpy.types.Object) -> None:
    bpy.ops.pirouette.section_copy(section=4)
    for operation in (
        lambda: bpy.ops.pirouette.section_mirror(section=2),
        lambda: bpy.ops.pirouette.section_duplicate(section=1),
        lambda: bpy.ops.pirouette.section_retime(section=3, counts=6),
        lambda: bpy.ops.pirouette.section_move(section=2, direction="DOWN"),
        lambda: bpy.ops.pirouette.section_split(section=1),
        lambda: bpy.ops.pirouette.section_merge(section=1),
        lambda: bpy.ops.pirouette.section_insert(section=1, source="LIBRARY", library_id="basic"),
        lambda: bpy.ops.pirouette.section_insert(section=3, source="PROMPT", prompt="a wave", counts=3, seed=5),
        lambda: bpy.ops.pirouette.section_replace(section=2, source="SECTION", from_section=5),
        lambda: bpy.ops.pirouette.section_transfer(section=2, keep="MOVEMENT", source="LIBRARY", library_id="turn"),
        lambda: bpy.ops.pirouette.section_transfer(section=2, keep="POSES", source="SECTION", from_section=1),
        lambda: bpy.ops.pirouette.section_paste(section=2),
        lambda: bpy.ops.pirouette.section_snap(to="BEATS"),
        lambda: bpy.ops.pirouette.section_delete(section=2),
    ):
        assert operation() == {"FINISHED"}
        document = stored(dancer)
        assert len(keyed(dancer)) == document.placement.frames == len(document.poses)
        assert not edited_by_hand(dancer).any()
        assert [item.name for item in dancer.pirouette.sections] == names(dancer)
        strip = dancer.animation_data.nla_tracks[0].strips[0]
        assert strip.action_frame_end == document.placement.frames


def edited_by_hand(dancer: bpy.types.Object) -> np.ndarray:
    return run(part("scene.hand_edits").edited_frames(dancer, part("scene.takes").find_take(dancer), stored(dancer)))


def run(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_neighbouring_quaternions_never_turn_over(dancer: bpy.types.Object) -> None:
    bpy.ops.pirouette.section_mirror(section=2)
    bpy.ops.pirouette.section_delete(section=4)
    rotations = keyed(dancer)[:, 3:].reshape(-1, 24, 4)
    assert (np.einsum("tjc,tjc->tj", rotations[1:], rotations[:-1]) > 0.0).all()


def test_delete_takes_counts_out_and_moves_the_rest_earlier(dancer: bpy.types.Object) -> None:
    before = stored(dancer)
    assert bpy.ops.pirouette.section_delete(section=2) == {"FINISHED"}
    after = stored(dancer)
    assert names(dancer) == ["1", "3", "4", "5"]
    assert (len(after.poses), after.placement.frames) == (240, 240)
    assert np.array_equal(after.poses[60:], before.poses[120:])
    assert np.array_equal(after.beats.beats_s, before.beats.beats_s)
    assert np.array_equal(after.sound, before.sound)
    curve = part("scene.takes").find_take(dancer).owner().fcurves[0]
    assert max(point.co[0] for point in curve.keyframe_points) == 240.0


def test_insert_makes_room_and_selects_what_is_new(dancer: bpy.types.Object) -> None:
    dancer.pirouette.active = 1
    assert bpy.ops.pirouette.section_insert(source="LIBRARY", library_id="turn") == {"FINISHED"}
    assert names(dancer) == ["1", "2", "Pirouette", "3", "4", "5"]
    assert dancer.pirouette.active == 2
    assert stored(dancer).placement.frames == 360
    assert bpy.ops.pirouette.section_insert(section=1, source="PROMPT", before="BEFORE", counts=2) == {"FINISHED"}
    assert stored(dancer).placement.frames == 390
    assert dancer.pirouette.active == 0


def test_sections_move_up_and_down_and_the_selection_goes_along(dancer: bpy.types.Object) -> None:
    dancer.pirouette.active = 1
    bpy.ops.pirouette.section_move(direction="DOWN")
    assert (names(dancer), dancer.pirouette.active) == (["1", "3", "2", "4", "5"], 2)
    bpy.ops.pirouette.section_move(direction="UP")
    bpy.ops.pirouette.section_move(direction="UP")
    assert (names(dancer), dancer.pirouette.active) == (["2", "1", "3", "4", "5"], 0)
    with pytest.raises(RuntimeError, match="no section on that side"):
        bpy.ops.pirouette.section_move(direction="UP")


def test_split_at_the_playhead_and_merge_again(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    before = keyed(dancer)
    scene.frame_set(91)
    bpy.ops.pirouette.section_split(section=2)
    assert [(item.first_frame, item.last_frame) for item in dancer.pirouette.sections][1:3] == [(61, 90), (91, 120)]
    bpy.ops.pirouette.section_split(section=1)  # the playhead lies elsewhere: the beat in the middle
    assert dancer.pirouette.sections[0].last_frame == 30
    bpy.ops.pirouette.section_merge(section=1)
    bpy.ops.pirouette.section_merge(section=2)
    assert len(dancer.pirouette.sections) == 5
    assert np.array_equal(keyed(dancer), before)


def test_a_section_of_another_take_replaces_one_of_this(dance: Dance, dancer: bpy.types.Object) -> None:
    bpy.ops.pirouette.section_regenerate(section=2, seed=11)
    wild = stored(dancer)
    dance(seed=4)
    assert bpy.ops.pirouette.section_replace(section=4, source="TAKE", from_take=1, from_section=2) == {"FINISHED"}
    assert np.array_equal(stored(dancer).poses[180:240], wild.poses[60:120])
    assert np.array_equal(stored(dancer, 1).poses, wild.poses)
    with pytest.raises(RuntimeError, match="no take 7"):
        bpy.ops.pirouette.section_replace(section=4, source="TAKE", from_take=7)


def test_the_clipboard_goes_from_file_to_file(dance: Dance, dancer: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.pirouette.section_regenerate(section=2, seed=11)
    copied = stored(dancer).poses[60:120]
    bpy.ops.pirouette.section_copy(section=2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    bpy.ops.pirouette.section_regenerate(section=2, seed=1)
    assert bpy.ops.pirouette.section_paste(section=5) == {"FINISHED"}
    assert np.array_equal(stored(bpy.data.objects["Dancer"]).poses[300:360], copied)


def test_a_locked_section_is_named_and_left_alone(dancer: bpy.types.Object) -> None:
    assert bpy.ops.pirouette.section_lock(section=3) == {"FINISHED"}
    before = keyed(dancer)
    for operation in (
        lambda: bpy.ops.pirouette.section_regenerate(section=3),
        lambda: bpy.ops.pirouette.section_delete(section=3),
        lambda: bpy.ops.pirouette.section_delete(section=1),
        lambda: bpy.ops.pirouette.section_mirror(section=3),
        lambda: bpy.ops.pirouette.section_retime(section=3, counts=2),
        lambda: bpy.ops.pirouette.section_move(section=2, direction="DOWN"),
    ):
        with pytest.raises(RuntimeError, match="“3” is locked"):
            operation()
    assert np.array_equal(keyed(dancer), before)
    bpy.ops.pirouette.section_lock(section=3, state="UNLOCK")
    assert bpy.ops.pirouette.section_regenerate(section=3) == {"FINISHED"}


def test_an_edit_is_one_undo_step(dancer: bpy.types.Object) -> None:
    bpy.ops.ed.undo_push(message="a dance")
    before, document = keyed(dancer), stored(dancer)
    bpy.ops.pirouette.section_insert(section=2, source="LIBRARY", library_id="basic")
    bpy.ops.ed.undo_push(message="Insert")  # Blender's window does this
    bpy.ops.ed.undo()
    dancer = bpy.data.objects["Dancer"]
    assert np.array_equal(keyed(dancer), before)
    assert names(dancer) == ["1", "2", "3", "4", "5"] == [item.name for item in dancer.pirouette.sections]
    assert np.array_equal(stored(dancer).poses, document.poses)
    bpy.ops.ed.redo()
    dancer = bpy.data.objects["Dancer"]
    assert len(dancer.pirouette.sections) == 6
    assert len(keyed(dancer)) == 420


def test_saved_reopened_and_regenerated(dancer: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.pirouette.section_regenerate(section=2, seed=5)
    before, keys = stored(dancer), keyed(dancer)
    path = tmp_path / "dance.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    part("core.session").SESSION.close()  # another day, another backend
    bpy.ops.wm.open_mainfile(filepath=str(path))
    dancer = bpy.data.objects["Dancer"]
    after = stored(dancer)
    for name in ("poses", "pelvis", "sound", "movement_codes", "pose_codes"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name
    assert (after.sections, [item.seed for item in dancer.pirouette.sections]) == (before.sections, [3, 5, 3, 3, 3])
    bpy.context.view_layer.objects.active = dancer
    assert bpy.ops.pirouette.section_regenerate(section=4, seed=6) == {"FINISHED"}
    again = keyed(dancer)
    assert np.array_equal(again[:180], keys[:180])
    assert not np.array_equal(again[180:240], keys[180:240])
    assert np.array_equal(again[240:], keys[240:])


def test_at_another_rate_only_frames_near_the_section_are_written(dance: Dance, scene: bpy.types.Scene) -> None:
    dancer = dance(seed=3)  # 24 frames a second
    before = keyed(dancer)
    bpy.ops.pirouette.section_regenerate(section=3, seed=9)
    changed = np.flatnonzero(np.abs(keyed(dancer) - before).max(axis=1) > 1e-7)
    assert 94 <= changed.min() < 100
    assert 138 < changed.max() <= 146
    assert not edited_by_hand(dancer).any()
    bpy.ops.pirouette.section_delete(section=1)
    assert stored(dancer).placement.frames == 192 == len(keyed(dancer))
    assert not edited_by_hand(dancer).any()


def test_selecting_a_section_sets_the_preview_range(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    dancer.pirouette.active = 3
    assert (scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end) == (True, 181, 240)
    scene.pirouette.section_range, scene.pirouette.section_jump = False, True
    dancer.pirouette.active = 1
    assert (scene.frame_preview_start, scene.frame_current) == (181, 61)
    scene.frame_set(250)
    bpy.ops.pirouette.section_select()
    assert dancer.pirouette.active == 4


def test_markers_are_set_where_sections_start_and_taken_away(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    scene.timeline_markers.new("Chorus", frame=50)
    scene.pirouette.section_markers = True
    ours = {marker.name: marker.frame for marker in scene.timeline_markers if marker.name.startswith("§")}
    assert ours == {"§ 1": 1, "§ 2": 61, "§ 3": 121, "§ 4": 181, "§ 5": 241}
    bpy.ops.pirouette.section_delete(section=2)
    ours = {marker.name: marker.frame for marker in scene.timeline_markers if marker.name.startswith("§")}
    assert ours == {"§ 1": 1, "§ 3": 61, "§ 4": 121, "§ 5": 181}
    scene.pirouette.section_markers = False
    assert "Chorus" in scene.timeline_markers
    assert not [marker for marker in scene.timeline_markers if marker.name.startswith("§")]


def test_another_take_is_shown_with_its_own_sections(dance: Dance, dancer: bpy.types.Object) -> None:
    bpy.ops.pirouette.section_delete(section=2)
    dance(seed=8)
    assert len(dancer.pirouette.sections) == 5
    assert bpy.ops.pirouette.show_take(take=1) == {"FINISHED"}
    assert [track.mute for track in dancer.animation_data.nla_tracks] == [False, True]
    assert len(dancer.pirouette.sections) == 4
    bpy.ops.pirouette.section_mirror(section=1)
    assert len(stored(dancer, 1).sections) == 4
    assert len(stored(dancer, 2).sections) == 5


@pytest.mark.parametrize(("prompt", "words"), [("raise", "wrong shape"), ("crash", "stopped"), ("refuse", "polka")])
def test_a_failure_leaves_the_dance_as_it_was(dancer: bpy.types.Object, prompt: str, words: str) -> None:
    before = keyed(dancer)
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.pirouette.section_regenerate(section=2, prompt=prompt)
    assert np.array_equal(keyed(dancer), before)
    assert bpy.ops.pirouette.section_regenerate(section=2, seed=7) == {"FINISHED"}


def test_an_error_while_writing_puts_every_key_back(dancer: bpy.types.Object, monkeypatch: pytest.MonkeyPatch) -> None:
    before, document = keyed(dancer), stored(dancer)
    rewriting = part("scene.rewriting")
    real, calls = rewriting.write_keys, []

    def fail_late(curve: Any, keys: Any) -> None:
        calls.append(curve)
        if len(calls) == 40:
            raise MemoryError
        real(curve, keys)

    monkeypatch.setattr(rewriting, "write_keys", fail_late)
    with pytest.raises(RuntimeError):
        bpy.ops.pirouette.section_delete(section=2)
    assert np.array_equal(keyed(dancer), before)
    assert stored(dancer).sections == document.sections


def test_a_damaged_document_says_so_and_its_keys_stay(dancer: bpy.types.Object) -> None:
    before, storage = keyed(dancer), part("scene.storage")
    dancer[storage.DANCES]["001"]["poses"] = [0.0, 1.0]
    with pytest.raises(RuntimeError, match="This dance is damaged"):
        bpy.ops.pirouette.section_regenerate(section=2)
    dancer[storage.DANCES]["001"]["document"] = "{"
    part("scene.section_list").show_sections(dancer)
    assert "damaged" in dancer.pirouette.problem
    assert len(dancer.pirouette.sections) == 0
    with pytest.raises(RuntimeError, match="damaged"):
        bpy.ops.pirouette.section_regenerate(section=1)
    assert np.array_equal(keyed(dancer), before)


def test_there_is_nothing_to_edit_without_a_dance(scene: bpy.types.Scene) -> None:
    with pytest.raises(RuntimeError, match="There is no dance to edit"):
        bpy.ops.pirouette.section_delete()
