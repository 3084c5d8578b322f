"""Editing in a window: driven by hand, since Blender sends no events without one."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.addon.installed import add_sound, clicks, keyed, part, stored, write_wav
from tests.addon.test_modal import ESCAPE, MOUSE, ByHand, stage

Dance = Callable[..., bpy.types.Object]


@pytest.fixture
def dancer(dance: Dance) -> bpy.types.Object:
    bpy.context.scene.render.fps = 30
    bpy.context.scene.frame_end = 300
    return dance(seed=3)


def regenerate(**properties: Any) -> ByHand:
    asked = {"section": 2, "seed": 9, "strength": 1.0, "prompt": "", "genre": "", "draw_seed": False}
    return ByHand("sections", "section_regenerate", **{**asked, "hand_edits": "ASK", **properties})


@pytest.fixture(autouse=True)
def _end(request: pytest.FixtureRequest) -> Any:
    yield
    part("core.session").SESSION.end()


def test_a_section_is_regenerated_beside_blender(dancer: bpy.types.Object, with_window: None) -> None:
    before = keyed(dancer)
    driven = regenerate()
    assert driven.start() == {"RUNNING_MODAL"}
    assert driven.run() == {"FINISHED"}
    assert driven.window.timers == []
    changed = np.flatnonzero(np.abs(keyed(dancer) - before).max(axis=1) > 1e-7)
    assert 60 <= changed.min() <= changed.max() < 120
    assert not part("core.session").SESSION.busy


def test_blender_is_usable_while_the_backend_works_and_cancel_leaves_the_dance(
    dancer: bpy.types.Object, with_window: None
) -> None:
    before, document = keyed(dancer), stored(dancer)
    driven = regenerate(prompt="wait")
    driven.start()
    driven.until(lambda: stage() == "dance")
    assert driven.send(MOUSE) == {"PASS_THROUGH"}
    started_s = time.monotonic()
    driven.send(ESCAPE)
    assert driven.run() == {"CANCELLED"}
    assert time.monotonic() - started_s < 1.0
    assert np.array_equal(keyed(dancer), before)
    assert stored(dancer).sections == document.sections
    assert driven.window.timers == []


def test_cancel_in_the_middle_of_writing_puts_every_key_back(
    dancer: bpy.types.Object, with_window: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part("operators.stepping"), "_WORK_BUDGET_S", 0.0)  # one step a tick
    before = keyed(dancer)
    driven = ByHand("sections", "section_delete", section=2, hand_edits="ASK")
    driven.start()
    driven.until(lambda: stage() == "write" and len(part("scene.takes").find_take(dancer).owner().fcurves) == 99)
    for _ in range(20):  # some channels are written by now
        driven.send(SimpleNamespace(type="TIMER", value="NOTHING"))
    lengths = {len(curve.keyframe_points) for curve in part("scene.takes").find_take(dancer).owner().fcurves}
    assert lengths == {240, 300}
    assert driven.send(MOUSE) == {"RUNNING_MODAL"}  # nobody else touches the scene
    driven.send(ESCAPE)
    assert driven.run() == {"CANCELLED"}
    assert np.array_equal(keyed(dancer), before)
    assert len(dancer.pirouette.sections) == 5


def test_keys_made_by_hand_are_asked_about_in_a_menu(dancer: bpy.types.Object, with_window: None) -> None:
    curve = part("scene.takes").find_take(dancer).owner().fcurves[10]
    for index in range(80, 90):
        curve.keyframe_points[index].co[1] += 0.3
    driven = regenerate()
    driven.start()
    assert driven.run() == {"CANCELLED"}
    ((title, icon, draw),) = driven.window.menus
    assert icon in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
    assert title == "You have changed keys by hand in section “2”."
    buttons: list[SimpleNamespace] = []

    def operator(idname: str, **words: Any) -> SimpleNamespace:
        buttons.append(SimpleNamespace(idname=idname, **words))
        return buttons[-1]

    draw(SimpleNamespace(layout=SimpleNamespace(operator=operator)), None)
    assert [button.hand_edits for button in buttons] == ["KEEP", "DISCARD"]
    assert {button.idname for button in buttons} == {"pirouette.section_regenerate"}
    assert buttons[0].section == 2


def test_a_key_that_is_changed_while_the_backend_works_stops_the_edit(
    dancer: bpy.types.Object, with_window: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = regenerate(prompt="wait")
    driven.start()
    driven.until(lambda: stage() == "dance")
    curve = part("scene.takes").find_take(dancer).owner().fcurves[10]
    for index in range(80, 90):
        curve.keyframe_points[index].co[1] += 0.3
    before = keyed(dancer)
    session = part("core.session").SESSION
    session._job.receive(answer_of(dancer, session._job.id))  # the backend is done after all
    assert driven.run() == {"CANCELLED"}
    assert "was changed while this was being made" in bpy.context.scene.pirouette.last_error
    assert np.array_equal(keyed(dancer), before)


def answer_of(dancer: bpy.types.Object, identity: str) -> Any:
    """An answer that leaves the dance as it is."""
    edits, protocol = part("core.edits"), part("core.protocol")
    document = stored(dancer)
    header = {**edits.dance_header(document), "type": "result", "id": identity, "report": {"touched": [[60, 120]]}}
    return protocol.Message(header, {n: protocol.Array.of(v) for n, v in edits.dance_arrays(document).items()})


def test_undo_while_the_backend_works_does_no_harm(dancer: bpy.types.Object, with_window: None) -> None:
    bpy.ops.ed.undo_push(message="a dance")
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="a cube")
    bpy.context.view_layer.objects.active = bpy.data.objects["Dancer"]
    driven = regenerate()
    driven.start()
    driven.until(lambda: stage() in ("start", "dance"))
    bpy.ops.ed.undo()
    assert driven.run() == {"FINISHED"}
    assert bpy.data.objects["Dancer"].pirouette.sections[1].seed == 9


def test_a_minute_of_dance_never_holds_blender_up_for_long(
    dance: Dance, scene: bpy.types.Scene, with_window: None, tmp_path: Any
) -> None:
    add_sound(write_wav(tmp_path / "minute.wav", clicks(60.0)))
    scene.render.fps, scene.frame_end = 30, 1800
    part("operators.stepping").bpy.app.background = True
    dance()
    part("operators.stepping").bpy.app.background = False
    for driven in (regenerate(), ByHand("sections", "section_delete", section=2, hand_edits="ASK")):
        driven.start()
        assert driven.run() == {"FINISHED"}
        assert sorted(driven.ticks_s)[-2] < 0.05
