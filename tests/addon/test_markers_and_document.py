"""Beats on the timeline, and the dance document in the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.installed import part

Dance = Callable[..., bpy.types.Object]


def markers() -> dict[str, int]:
    return {marker.name: marker.frame for marker in bpy.context.scene.timeline_markers}


def test_beats_are_markers_with_the_bars_number_on_the_one(dance: Dance, scene: bpy.types.Scene) -> None:
    dance()
    found = [(marker.frame, marker.name) for marker in scene.timeline_markers]
    assert sorted(found)[:6] == [(1, "♪1.1"), (13, "♪2"), (25, "♪3"), (37, "♪4"), (49, "♪2.1"), (61, "♪2")]
    assert len(found) == 20  # ten seconds at 120 beats a minute
    assert max(frame for frame, _ in found) <= scene.frame_end


def test_a_new_take_replaces_our_markers_and_no_others(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.timeline_markers.new("Chorus", frame=50)
    dance()
    scene.timeline_markers["♪2.1"].name = "Drop"  # renamed: the animator's from now on
    dance(seed=2)
    names = [marker.name for marker in scene.timeline_markers]
    assert names.count("Chorus") == 1
    assert names.count("Drop") == 1
    assert names.count("♪1.1") == 1
    assert len(names) == 22


def test_beats_lie_right_at_a_broken_frame_rate_and_a_late_start(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.render.fps, scene.render.fps_base = 24, 1.001
    scene.frame_start = 49
    dance()
    fps = 24 / 1.001
    frames = sorted(marker.frame for marker in scene.timeline_markers)
    assert frames == [49 + round(0.5 * beat * fps) for beat in range(len(frames))]


@pytest.mark.parametrize(
    ("downbeat", "names"),
    [
        ([1, 0, 0, 1, 0, 0], ["♪1.1", "♪2", "♪3", "♪2.1", "♪2", "♪3"]),
        ([0, 1, 0, 0, 0, 1], ["♪4", "♪1.1", "♪2", "♪3", "♪4", "♪2.1"]),
        ([0, 0, 0], ["♪1", "♪2", "♪3"]),
        ([], []),
    ],
)
def test_counts_follow_the_downbeats(scene: bpy.types.Scene, downbeat: list[int], names: list[str]) -> None:
    marks = np.array(downbeat, dtype=bool)
    assert part("core.edited_beats").names_of_beats(marks, np.zeros(len(marks), dtype=bool)) == names


def test_the_document_survives_saving_and_reopening(dance: Dance, tmp_path: Path) -> None:
    dancer = dance(seed=4, prompt="slow and low")
    before = part("scene.storage").load(dancer)
    path = tmp_path / "dance.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    after = part("scene.storage").load(bpy.data.objects["Dancer"])
    for name in ("poses", "pelvis", "contacts"):
        assert np.array_equal(getattr(after, name), getattr(before, name))
    assert np.array_equal(after.beats.beats_s, before.beats.beats_s)
    assert np.array_equal(after.beats.downbeat, before.beats.downbeat)
    assert (after.settings, after.placement, after.sections) == (before.settings, before.placement, before.sections)
    assert after.report == before.report
    assert after.settings.text == "slow and low"


def test_every_take_keeps_its_own_document(dance: Dance) -> None:
    dance(seed=4)
    dancer = dance(seed=5)
    storage = part("scene.storage")
    assert [storage.load(dancer, number).settings.seed for number in (1, 2)] == [4, 5]
    assert storage.load(dancer).settings.seed == 5
    assert storage.load(dancer, 3) is None


def test_a_damaged_document_is_refused_with_a_sentence(dance: Dance) -> None:
    dancer = dance()
    storage, errors = part("scene.storage"), part("core.errors")
    entry = dancer[storage.DANCES]["001"]
    entry["poses"] = [0.0, 1.0]
    with pytest.raises(errors.PirouetteError, match="damaged"):
        storage.load(dancer)
    del entry["document"]
    with pytest.raises(errors.PirouetteError, match="description is missing"):
        storage.load(dancer)
    assert storage.read_document(dancer) == {}


def test_a_newer_document_is_refused_but_its_keys_stay(dance: Dance) -> None:
    dancer = dance()
    storage, errors = part("scene.storage"), part("core.errors")
    entry = dancer[storage.DANCES]["001"]
    header = json.loads(entry["document"])
    header["version"] = 99
    entry["document"] = json.dumps(header)
    with pytest.raises(errors.PirouetteError, match="newer Pirouette"):
        storage.load(dancer)
    assert len(dancer.animation_data.nla_tracks) == 1


def test_a_copied_dancer_takes_its_document_along(dance: Dance, scene: bpy.types.Scene) -> None:
    copy = dance(seed=9).copy()
    scene.collection.objects.link(copy)
    assert part("scene.storage").load(copy).settings.seed == 9
