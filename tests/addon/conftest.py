"""The add-on as an animator has it: built, installed as an extension from its zip, enabled; a song; a stand-in
backend.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from build_addon import build_zip
from tests.addon.installed import MODULE, SCRIPTED_BACKEND, add_sound, clicks, part, write_wav
from tests.characters.armatures import character_of
from tests.characters.stage import has_rigify


@pytest.fixture(scope="session")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    archive = build_zip(tmp_path_factory.mktemp("dist"))
    bpy.context.preferences.system.use_online_access = True  # Blender asks for it even for a local file
    bpy.ops.extensions.package_install_files(filepath=str(archive), repo="user_default", enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons
    yield
    bpy.ops.preferences.addon_disable(module=MODULE)


@pytest.fixture(scope="module")
def rigify() -> Iterator[None]:
    """Rigify, which every Blender brings along."""
    if not has_rigify():
        pytest.skip("this Blender was built without Rigify")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="rigify")
    yield
    bpy.ops.preferences.addon_disable(module="rigify")


@pytest.fixture
def scene(_installed: None) -> Iterator[bpy.types.Scene]:
    """A new file with nothing in it, 24 frames a second, ten seconds long, and the stand-in backend."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if MODULE not in bpy.context.preferences.addons:  # another test has read the factory's preferences
        bpy.context.preferences.system.use_online_access = True
        bpy.ops.preferences.addon_enable(module=MODULE)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend_command = f'"{sys.executable}" "{SCRIPTED_BACKEND}"'
    part("operators.readiness").BACKEND_PROBLEM.forget()
    session = part("core.session").SESSION
    session.end()
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_start, scene.frame_end = 1, 240
    bpy.ops.ed.undo_push(message="before the test")
    yield scene
    session.end()
    preferences = bpy.context.preferences.addons[MODULE].preferences  # the test may have disabled the add-on between
    preferences.backend_command = ""
    preferences.log_folder = ""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Twelve seconds of clicks at 120 beats a minute, as a WAV file."""
    return write_wav(tmp_path / "song.wav", clicks(12.0))


@pytest.fixture
def dance(scene: bpy.types.Scene, song: Path) -> Callable[..., bpy.types.Object]:
    """Generate a dance to the song and return its dancer; keyword arguments are settings of ``scene.pirouette``."""

    def generate(**settings: Any) -> bpy.types.Object:
        current = bpy.context.scene
        if not part("scene.strips").sound_strips(current):
            add_sound(song)
        for name, value in settings.items():
            setattr(current.pirouette, name, value)
        assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
        return bpy.context.view_layer.objects.active

    return generate


@pytest.fixture
def character(dance: Callable[..., bpy.types.Object]) -> bpy.types.Object:
    """A dance of frames 1 to 240 in the scene, and a character chosen in the panel whose bones are not known yet."""
    dance()
    found = character_of("Hero")
    bpy.context.scene.pirouette.character = found
    return found


@pytest.fixture
def with_window(scene: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the operators believe that there is a window."""
    app = SimpleNamespace(background=False)
    for module in ("stepping", "section_base"):
        stand_in = SimpleNamespace(app=app, types=bpy.types, context=bpy.context)
        monkeypatch.setattr(part(f"operators.{module}"), "bpy", stand_in)


@pytest.fixture
def timed_steps() -> Callable[[Iterator[Any]], list[float]]:
    """Run steps to their end and return how long each took, in seconds of this thread's work: others may be busy."""

    def run(steps: Iterator[Any]) -> list[float]:
        took_s = []
        while True:
            started_s = time.thread_time()
            try:
                next(steps)
            except StopIteration:
                return [*took_s, time.thread_time() - started_s]
            took_s.append(time.thread_time() - started_s)

    return run
