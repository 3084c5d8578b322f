"""Continue from what the dancer does, fill between passages, and everything directed in one Generate."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.addon.installed import add_sound, keyed, part, stored

Dance = Callable[..., bpy.types.Object]


@pytest.fixture
def dancer(dance: Dance) -> bpy.types.Object:
    """Six seconds at 30 frames a second and 120 beats a minute, to a song of twelve seconds."""
    bpy.context.scene.render.fps = 30
    bpy.context.scene.frame_end = 180
    return dance(seed=3, prompt="small steps")


def seen(dancer: bpy.types.Object, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """What the dancer does, whatever moves it."""
    steps = part("scene.readback").read_animation(bpy.context.scene, dancer.name, first=first, last=last)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def walk(scene: bpy.types.Scene, *, holes: bool = False) -> bpy.types.Object:
    """A dancer whom somebody has animated by hand, with or without a gap in the middle."""
    bpy.ops.pirouette.new_dancer()
    dancer = bpy.context.view_layer.objects.active
    bone = dancer.pose.bones["Pelvis"]
    frames = [*range(1, 61, 4), *range(149, 181, 4)] if holes else range(1, 91, 4)
    for frame in frames:
        bone.location = (0.02 * frame, 0.0, 0.0)
        bone.keyframe_insert("location", frame=frame)
    return dancer


def test_a_take_goes_on_for_some_counts_as_a_new_take(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    before, sections = seen(dancer, 1, 180), [section.name for section in stored(dancer).sections]
    assert bpy.ops.pirouette.continue_dance(counts=8, novelty=0.5, seed=4) == {"FINISHED"}
    document = stored(dancer)
    assert document.placement.frames == 300  # eight counts of half a second more
    assert [section.name for section in document.sections] == [*sections, "4", "5"]
    assert document.report == {}
    after = seen(dancer, 1, 300)
    assert np.abs(after[1][:180] - before[1]).max() < 1e-4
    step = np.abs(np.diff(after[1][:, :2], axis=0)).max(axis=1)
    assert step[178:182].max() < 0.05  # it goes on where the dancer stands
    assert len(document.sound) == 300
    assert np.all(np.diff(document.beats.beats_s) > 0.4)
    assert [track.mute for track in dancer.animation_data.nla_tracks] == [True, False]
    assert len(document.movement_codes) > 0
    assert (scene.frame_end, dancer.pirouette.sections[dancer.pirouette.active].first_frame) == (300, 181)


def test_edited_beats_stay_when_the_dance_goes_on_and_new_ones_are_marked_behind_them(
    dancer: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    bpy.ops.pirouette.beat_move(frame=18)
    bpy.ops.pirouette.beat_accent(frame=181)
    assert bpy.ops.pirouette.continue_dance(counts=8) == {"FINISHED"}
    found = part("scene.markers").marked(scene)
    assert (found.moved, found.added, found.removed) == (1, 0, 0)
    frames = sorted(marker.frame for marker in scene.timeline_markers)
    assert frames == [1, 18, *range(31, 300, 15)]


def test_any_animation_can_be_continued_from_the_playhead(scene: bpy.types.Scene, song: Path) -> None:
    scene.render.fps = 30
    dancer = walk(scene)
    add_sound(song)
    scene.frame_set(60)
    before = seen(dancer, 1, 60)
    assert bpy.ops.pirouette.continue_dance(counts=4, begin="PLAYHEAD") == {"FINISHED"}
    document = stored(dancer)
    assert document.placement.first_frame == 1
    assert document.placement.frames == 120  # two seconds of walking, then four counts to the beat at four
    assert np.abs(seen(dancer, 1, 60)[1] - before[1]).max() < 1e-4
    names = [track.name for track in dancer.animation_data.nla_tracks]
    assert (names[-1], len(names)) == ("Dance 001 continued", 2)


def test_continuing_tells_the_backend_what_was_danced(
    dancer: bpy.types.Object, scene: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = reported(monkeypatch, "passages")
    scene.frame_set(100)
    bpy.ops.pirouette.lock_pose()
    dancer.pirouette.locks[0].frame = 200
    bpy.ops.pirouette.continue_dance(counts=4, novelty=0.25)
    (asked,) = reports
    assert (asked["before_frames"], asked["after_frames"], asked["novelty"]) == (180, 0, 0.25)
    assert [round(key.time_s * 30) for key in stored(dancer).key_poses] == [199]


def reported(monkeypatch: pytest.MonkeyPatch, module: str) -> list[dict[str, Any]]:
    """What the stand-in says that it was asked for."""
    found: list[dict[str, Any]] = []
    operators = part(f"operators.{module}")
    original = operators.ask_for_dance

    def listening(*arguments: Any, **options: Any) -> Any:
        made = yield from original(*arguments, **options)
        found.append(made.report.get("asked", {}))
        return made

    monkeypatch.setattr(operators, "ask_for_dance", listening)
    return found


def test_where_the_music_ends_there_is_no_going_on(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    tracks = len(dancer.animation_data.nla_tracks)
    with pytest.raises(RuntimeError, match="There are only 12 counts of music left"):
        bpy.ops.pirouette.continue_dance(counts=64)
    assert len(dancer.animation_data.nla_tracks) == tracks
    scene.frame_set(3)
    with pytest.raises(RuntimeError, match="cannot go on from frame 3"):
        bpy.ops.pirouette.continue_dance(begin="PLAYHEAD")


def test_there_is_nothing_to_continue_without_movement(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    bpy.ops.pirouette.new_dancer()
    with pytest.raises(RuntimeError, match="does not move yet"):
        bpy.ops.pirouette.continue_dance()


def test_a_gap_between_two_passages_is_filled_as_a_new_take(
    scene: bpy.types.Scene, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.render.fps = 30
    dancer = walk(scene, holes=True)
    add_sound(song)
    reports = reported(monkeypatch, "passages")
    scene.frame_set(100)
    before = seen(dancer, 1, 177)
    assert bpy.ops.pirouette.fill_between(frames="GAP", seed=2) == {"FINISHED"}
    after = seen(dancer, 1, 177)
    still = [*range(57), *range(148, 177)]
    assert np.abs(after[1][still] - before[1][still]).max() < 1e-4
    assert np.abs(after[0][57:148] - before[0][57:148]).max() > 0.1
    assert (reports[0]["before_frames"], reports[0]["after_frames"]) == (57, 29)
    assert [(s.start_s, s.end_s) for s in stored(dancer).sections][0] == (0.0, 57 / 30)
    scene.frame_set(20)
    with pytest.raises(RuntimeError, match="does not lie in a gap"):
        bpy.ops.pirouette.fill_between(frames="GAP")


@pytest.mark.parametrize("fps", [24, 25, 60])
def test_a_gap_is_filled_to_the_frame_at_any_rate(scene: bpy.types.Scene, song: Path, fps: int) -> None:
    scene.render.fps = fps
    dancer = walk(scene, holes=True)
    add_sound(song)
    scene.frame_set(100)
    before = seen(dancer, 1, 177)
    if fps == 60:
        with pytest.raises(RuntimeError, match=r"The gap lasts 1\.5 s"):
            bpy.ops.pirouette.fill_between(frames="GAP", seed=2)
        return
    assert bpy.ops.pirouette.fill_between(frames="GAP", seed=2) == {"FINISHED"}
    after = seen(dancer, 1, 177)
    still = [*range(55), *range(150, 177)]
    assert np.abs(after[1][still] - before[1][still]).max() < 0.005
    assert stored(dancer).placement.frames == 177


def test_a_stretch_of_a_take_is_filled_in_place(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    before = keyed(dancer)
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 61, 120
    assert bpy.ops.pirouette.fill_between(frames="PREVIEW", seed=5) == {"FINISHED"}
    changed = np.flatnonzero(np.abs(keyed(dancer) - before).max(axis=1) > 1e-6)
    assert 60 <= changed.min() <= changed.max() < 120
    assert len(dancer.animation_data.nla_tracks) == 1
    dancer.pirouette.sections[0].locked = True
    with pytest.raises(RuntimeError, match="is locked"):
        bpy.ops.pirouette.fill_between(frames="SECTION", section=1)
    assert bpy.ops.pirouette.fill_between(frames="SECTION", section=3, seed=1) == {"FINISHED"}
    scene.use_preview_range = False
    with pytest.raises(RuntimeError, match="no preview range"):
        bpy.ops.pirouette.fill_between(frames="PREVIEW")


def test_frames_that_lie_between_nothing_are_refused(scene: bpy.types.Scene, song: Path) -> None:
    scene.render.fps = 30
    walk(scene)
    add_sound(song)
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 60, 140
    with pytest.raises(RuntimeError, match="do not lie between two passages"):
        bpy.ops.pirouette.fill_between(frames="PREVIEW")


# Everything in one Generate


def test_locks_beats_accents_words_and_kept_sections_combine_in_one_dance(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = reported(monkeypatch, "making")
    first = stored(dancer)
    dancer.pirouette.sections[0].locked = True
    dancer.pirouette.sections[1].prompt = "a wide turn"
    scene.frame_set(150)
    bpy.ops.pirouette.lock_pose(part="ARMS")
    bpy.ops.pirouette.beat_move(frame=78)
    bpy.ops.pirouette.beat_accent(frame=121)
    shown = part("operators.directing").directed_in_words(bpy.context)
    assert shown == "1 key pose, your beats, 1 accent, words of 1 section, 1 locked section"
    dance(seed=9, prompt="fast", novelty=0.3, strategy="COARSE_TO_FINE", reuse="MIRROR")
    (asked,) = reports
    assert asked["parts"] == [{"start_s": 2.0, "end_s": 4.0, "genre": "", "prompt": "a wide turn"}]
    assert asked["kept_frames"] == [[0, 60]]
    assert (asked["novelty"], asked["strategy"], asked["reuse"]) == (pytest.approx(0.3), "coarse_to_fine", "mirror")
    made = stored(dancer)
    assert made.settings.seed == 9
    assert (made.settings.strategy, made.settings.reuse) == ("coarse_to_fine", "mirror")
    assert np.array_equal(made.poses[:60], first.poses[:60])
    assert [section.locked for section in made.sections] == [True, False, False]
    assert [section.prompt for section in made.sections] == ["fast", "a wide turn", "fast"]
    assert [round(key.time_s * 30) for key in made.key_poses] == [149]
    assert made.accents_s == pytest.approx((4.0,))
    assert 77 / 30 in made.beats.beats_s
    scene.pirouette.section_words = scene.pirouette.locked_sections = False
    dance(seed=10)
    assert (reports[1]["parts"], reports[1]["kept_frames"]) == ([], [])


def test_keys_made_by_hand_are_kept_with_a_locked_section(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    dancer.pirouette.sections[1].locked = True
    owner = part("scene.takes").find_take(dancer).owner()
    curve = owner.fcurves.find('pose.bones["Pelvis"].location', index=0)
    curve.keyframe_points[90].co[1] += 0.25
    curve.update()
    changed = seen(dancer, 91, 91)[1]
    dance(seed=2)
    assert np.abs(seen(dancer, 91, 91)[1] - changed).max() < 1e-3


def test_a_dance_is_one_undo_step_with_its_locks(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    for name in dir(bpy.types):
        if name.startswith("PIROUETTE_OT_") and any(word in name for word in ("lock", "beat", "continue", "fill")):
            assert "UNDO" in getattr(bpy.types, name).bl_options, name


def test_end_of_counts_counts_on_the_beat() -> None:
    end = part("core.passages").end_of_counts
    beats_s = np.arange(0.0, 10.0, 0.5)
    assert end(beats_s, 2.0, 4, limit_s=10.0) == 4.0
    assert end(beats_s, 2.1, 4, limit_s=10.0) == 4.0
    assert end(beats_s, 0.0, 20, limit_s=10.0) == 10.0
    errors = part("core.errors")
    with pytest.raises(errors.PirouetteError, match="only 4 counts"):
        end(beats_s, 8.0, 5, limit_s=10.0)
    assert math.isclose(end(beats_s[:3], 0.0, 8, limit_s=10.0), 4.0)
