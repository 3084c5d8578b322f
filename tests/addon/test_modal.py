"""Generate as a modal operator, driven by hand: without a window Blender sends no events."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.addon.installed import add_sound, clicks, part, write_wav

TIMER = SimpleNamespace(type="TIMER", value="NOTHING")
MOUSE = SimpleNamespace(type="LEFTMOUSE", value="PRESS")
ESCAPE = SimpleNamespace(type="ESC", value="PRESS")
DEADLINE_S = 20.0


class Window:
    """Stands in for the window manager: counts timers and handlers."""

    def __init__(self) -> None:
        self.timers: list[object] = []
        self.windows: tuple[object, ...] = ()
        self.handlers: list[object] = []
        self.menus: list[tuple[str, str, Callable[[Any, Any], None]]] = []

    def event_timer_add(self, step_s: float, *, window: object) -> object:
        self.timers.append(object())
        return self.timers[-1]

    def event_timer_remove(self, timer: object) -> None:
        self.timers.remove(timer)

    def modal_handler_add(self, operator: object) -> None:
        self.handlers.append(operator)

    def popup_menu(self, draw: Callable[[Any, Any], None], *, title: str, icon: str) -> None:
        self.menus.append((title, icon, draw))


class ByHand:
    """The operator's own methods on an object that Blender does not know, and what it returned at each event."""

    def __init__(self, module: str = "generate", name: str = "generate_dance", **properties: Any) -> None:
        cls = getattr(part(f"operators.{module}"), f"PIROUETTE_OT_{name}")
        self.reports: list[str] = []
        self.window = Window()
        own: dict[str, Any] = {}
        for base in reversed([base for base in cls.__mro__ if base.__module__.startswith("bl_ext")]):
            own |= {name: value for name, value in vars(base).items() if not name.startswith("__") and name != "bl_rna"}
        own |= properties
        own["report"] = lambda operator, kind, text: self.reports.append(text)
        own["as_keywords"] = lambda operator, ignore=(): {k: v for k, v in properties.items() if k not in ignore}
        self.operator: Any = type("Operator", (), own)()
        self.ticks_s: list[float] = []  # this thread's work at each event: other programs may be busy, too

    @property
    def context(self) -> Any:
        now = bpy.context
        return SimpleNamespace(
            scene=now.scene, window=object(), window_manager=self.window, workspace=now.workspace,
            preferences=now.preferences, view_layer=now.view_layer,
        )  # fmt: skip

    def start(self) -> set[str]:
        return self.operator.execute(self.context)

    def send(self, event: Any) -> set[str]:
        started_s = time.thread_time()
        result = self.operator.modal(self.context, event)
        self.ticks_s.append(time.thread_time() - started_s)
        return result

    def until(self, done: Callable[[], bool]) -> set[str]:
        """Timer events until something holds or the operator ends; returns what it answered last."""
        deadline_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline_s:
            result = self.send(TIMER)
            if done() or result & {"FINISHED", "CANCELLED"}:
                return result
            time.sleep(0.001)  # the tick of the timer
        raise AssertionError("the operator did not come to it in time")

    def run(self) -> set[str]:
        return self.until(lambda: False)


@pytest.fixture
def by_hand(with_window: None, scene: bpy.types.Scene, song: Path) -> Iterator[ByHand]:
    add_sound(song)
    driven = ByHand()
    yield driven
    driven.operator.cancel(driven.context)


def stage() -> str:
    return part("core.session").SESSION.progress.stage


def test_a_modal_run_ends_with_a_take_and_no_timer_left(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    assert by_hand.start() == {"RUNNING_MODAL"}
    assert by_hand.run() == {"FINISHED"}
    assert by_hand.window.timers == []
    assert bpy.context.view_layer.objects.active.animation_data.nla_tracks[0].name == "Dance 001 seed 1"
    assert not part("core.session").SESSION.busy


def test_blender_stays_usable_while_the_backend_works(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    scene.pirouette.prompt = "wait"
    by_hand.start()
    by_hand.until(lambda: stage() in ("listen", "dance", "plant"))
    assert by_hand.send(MOUSE) == {"PASS_THROUGH"}
    assert scene.pirouette.stage == "Planting the feet" or scene.pirouette.progress > 0
    bpy.ops.mesh.primitive_cube_add()  # the animator goes on working
    assert by_hand.send(TIMER) == {"PASS_THROUGH"}


def test_nobody_else_touches_the_scene_while_it_is_written(by_hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part("operators.stepping"), "_WORK_BUDGET_S", 0.0)  # one step a tick
    by_hand.start()
    by_hand.until(lambda: stage() == "write")
    assert by_hand.send(MOUSE) == {"RUNNING_MODAL"}


@pytest.mark.parametrize("way", ["escape", "button"])
@pytest.mark.parametrize("prompt", ["wait", "deaf"])
def test_cancel_ends_within_a_second_and_leaves_nothing(
    by_hand: ByHand, scene: bpy.types.Scene, way: str, prompt: str
) -> None:
    scene.pirouette.prompt = prompt
    by_hand.start()
    by_hand.until(lambda: stage() == "plant")
    started_s = time.monotonic()
    if way == "escape":
        assert by_hand.send(ESCAPE) == {"RUNNING_MODAL"}
    else:
        assert bpy.ops.pirouette.cancel() == {"FINISHED"}
    assert by_hand.run() == {"CANCELLED"}
    assert time.monotonic() - started_s < 1.0
    assert by_hand.window.timers == []
    assert len(bpy.data.armatures) == len(bpy.data.actions) == 0
    assert scene.pirouette.last_warning == "Cancelled."
    assert scene.pirouette.last_error == ""


def test_after_a_backend_that_would_not_listen_the_next_dance_works(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    scene.pirouette.prompt = "deaf"
    by_hand.start()
    by_hand.until(lambda: stage() == "plant")
    by_hand.send(ESCAPE)
    by_hand.run()
    scene.pirouette.prompt = ""
    assert by_hand.start() == {"RUNNING_MODAL"}
    assert by_hand.run() == {"FINISHED"}


@pytest.mark.parametrize("when", ["mix", "write"])
def test_cancel_while_mixing_or_writing_leaves_nothing(
    by_hand: ByHand, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(part("operators.stepping"), "_WORK_BUDGET_S", 0.0)  # one step a tick
    by_hand.start()
    by_hand.until(lambda: stage() == when)
    by_hand.send(ESCAPE)
    assert by_hand.run() == {"CANCELLED"}
    for kind in (bpy.data.armatures, bpy.data.actions, bpy.data.meshes, bpy.data.objects):
        assert len(kind) == 0
    assert len(bpy.context.scene.timeline_markers) == 0


@pytest.mark.parametrize(
    ("prompt", "words"),
    [("crash", "stopped (exit code 7)"), ("raise", "wrong shape"), ("refuse", "no genre 'polka'"), ("exit", "")],
)
def test_a_failure_of_the_backend_is_one_sentence_and_leaves_nothing(
    by_hand: ByHand, scene: bpy.types.Scene, prompt: str, words: str
) -> None:
    scene.pirouette.prompt = prompt
    by_hand.start()
    assert by_hand.run() == {"CANCELLED"}
    assert words in scene.pirouette.last_error
    assert by_hand.reports == [scene.pirouette.last_error]
    assert len(bpy.data.armatures) == len(bpy.data.actions) == 0


def test_a_killed_backend_is_told_and_the_next_dance_starts_a_new_one(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    scene.pirouette.prompt = "wait"
    by_hand.start()
    by_hand.until(lambda: stage() == "plant")
    process = part("core.session").SESSION.client.process_id
    os.kill(process, signal.SIGKILL)
    assert by_hand.run() == {"CANCELLED"}
    assert "The dance backend has stopped (signal 9)." in scene.pirouette.last_error
    scene.pirouette.prompt = ""
    by_hand.start()
    assert by_hand.run() == {"FINISHED"}
    assert part("core.session").SESSION.client.process_id != process


def test_another_file_opened_in_the_middle_ends_the_job(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    scene.pirouette.prompt = "wait"
    by_hand.start()
    by_hand.until(lambda: stage() == "plant")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    by_hand.operator.cancel(by_hand.context)
    assert by_hand.window.timers == []
    assert not part("core.session").SESSION.busy


def test_undo_while_the_backend_works_does_no_harm(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    bpy.ops.ed.undo_push(message="the song")
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="a cube")
    by_hand.start()
    by_hand.until(lambda: stage() in ("start", "listen", "dance", "refine", "plant"))
    bpy.ops.ed.undo()
    assert by_hand.run() == {"FINISHED"}
    assert "Dancer" in bpy.data.objects


def test_only_one_dance_at_a_time(by_hand: ByHand, scene: bpy.types.Scene) -> None:
    by_hand.start()
    with pytest.raises(RuntimeError, match="Something is being made"):
        bpy.ops.pirouette.generate_dance()


def test_nothing_to_cancel_is_told(scene: bpy.types.Scene) -> None:
    with pytest.raises(RuntimeError, match="Nothing is being made"):
        bpy.ops.pirouette.cancel()


def test_a_minute_of_dance_never_holds_blender_up_for_long(
    by_hand: ByHand, scene: bpy.types.Scene, tmp_path: Path
) -> None:
    add_sound(write_wav(tmp_path / "minute.wav", clicks(60.0)), channel=2)
    scene.frame_end = 1440
    by_hand.start()
    assert by_hand.run() == {"FINISHED"}
    assert sorted(by_hand.ticks_s)[-2] < 0.05  # the first piece of sound finds the file, which may take longer
