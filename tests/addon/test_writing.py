"""Writing a dance into the scene: all of it or nothing."""

from __future__ import annotations

from typing import Any

import bpy
import pytest

from tests.addon.installed import document_of, part, wild_motion


def writing() -> Any:
    """The steps that write a second of dance into the current scene."""
    making, dance, audio = part("operators.making"), part("core.dance"), part("scene.strips")
    poses, pelvis = wild_motion(30, fps=30.0)
    document = document_of(poses, pelvis, fps=30.0, placement=dance.Placement(1, 24, 24.0))
    request = making.DanceRequest("Scene", "Scene", audio.FrameRange(1, 24), 24.0, dance.Settings(seed=1))
    return making.write_dance(request, document)


def everything() -> dict[str, int]:
    """How many of each kind of data there are, and markers."""
    kinds = ("armatures", "actions", "meshes", "objects", "collections")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds} | {"tracks": tracks()}


def tracks() -> int:
    return sum(len(o.animation_data.nla_tracks) for o in bpy.data.objects if o.animation_data is not None)


def steps_until_used() -> int:
    """How many steps there are before the Action is put on its track."""
    count, steps = 0, writing()
    for _ in steps:
        if tracks():
            break
        count += 1
    return count


def test_stopping_after_any_step_of_a_first_take_leaves_nothing(scene: bpy.types.Scene) -> None:
    bpy.ops.ed.undo_push(message="empty")
    before, total = everything(), steps_until_used()
    assert total > 8
    for taken in range(1, total + 1):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        steps = writing()
        for _ in range(taken):
            next(steps)
        steps.close()
        assert everything() == before, f"after {taken} steps"


def test_an_error_in_the_middle_leaves_nothing(scene: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(part("scene.take"), "_write_curve", fail)
    with pytest.raises(MemoryError):
        list(writing())
    assert everything() == before


def test_stopping_a_later_take_keeps_the_first(scene: bpy.types.Scene) -> None:
    list(writing())
    before = everything()
    steps = writing()
    for _ in range(4):
        next(steps)
    steps.close()
    assert everything() == before
    assert not bpy.data.objects["Dancer"].animation_data.nla_tracks[0].mute


def test_a_scene_that_was_left_gets_no_dance_and_a_sentence(scene: bpy.types.Scene) -> None:
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    with pytest.raises(part("core.errors").PirouetteError, match="The dance is for the scene “Scene”"):
        list(writing())
    assert tracks() == 0
