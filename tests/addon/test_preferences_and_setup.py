"""Preferences, the backend's environment, the first song, and coming and going of the add-on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.addon.installed import MODULE, RATE_HZ, add_sound, clicks, part, write_wav


@pytest.fixture
def preferences(scene: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The add-on's preferences as a new user has them, with no backend named anywhere."""
    monkeypatch.delenv("PIROUETTE_BACKEND_PYTHON", raising=False)
    found = bpy.context.preferences.addons[MODULE].preferences
    found.backend_command = ""
    part("operators.readiness").BACKEND_PROBLEM.forget()
    return found


def reason_not_to_generate() -> str:
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.pirouette.generate_dance()
    return str(caught.value)


def test_without_a_backend_the_button_says_what_to_do_and_offers_it(preferences: Any, song: Path) -> None:
    add_sound(song)
    assert "The dance backend is not installed yet." in reason_not_to_generate()
    readiness = part("operators.readiness")
    problem = readiness.problem_before_dance(bpy.context)
    assert readiness.fix_for(problem).operator == "pirouette.set_up_backend"


def test_without_sound_the_offer_is_to_add_a_song(scene: bpy.types.Scene) -> None:
    readiness = part("operators.readiness")
    problem = readiness.problem_before_dance(bpy.context)
    assert problem.code == "no_sound"
    assert readiness.fix_for(problem).operator == "pirouette.add_song"


def test_a_backend_command_that_does_not_exist_is_told(preferences: Any, song: Path) -> None:
    add_sound(song)
    preferences.backend_command = "no-such-program serve"
    part("operators.readiness").BACKEND_PROBLEM.forget()
    assert "no-such-program" in reason_not_to_generate()


def test_the_device_goes_to_the_backend_that_is_set_up_here_only(
    preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_BACKEND_PYTHON", sys.executable)
    module = part("preferences")
    assert "--device" not in module.backend_command(bpy.context).arguments
    preferences.device = "cpu"
    assert module.backend_command(bpy.context).arguments[-2:] == ("--device", "cpu")
    preferences.backend_command = sys.executable
    assert "--device" not in module.backend_command(bpy.context).arguments[:-2]
    preferences.device = "auto"


def test_the_extensions_own_backend_is_the_one_that_is_started(
    preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_BACKEND_PYTHON", sys.executable)
    arguments = part("preferences").backend_command(bpy.context).arguments
    script = next(Path(word) for word in arguments if word.endswith("__main__.py"))
    assert script.is_file()
    assert "extensions" in script.parts


def test_the_log_lies_in_the_users_folder_or_where_it_is_wanted(preferences: Any, tmp_path: Path) -> None:
    module = part("preferences")
    assert module.log_path(bpy.context) == module.user_folder() / "logs" / "backend.log"
    preferences.log_folder = str(tmp_path)
    assert module.log_path(bpy.context) == tmp_path / "backend.log"


def test_the_preferences_say_on_what_the_weights_were_trained(preferences: Any) -> None:
    assert "non-commercial" in " ".join(part("preferences").LICENCE_NOTE)


# Setting up


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is asked of the installer, which installs nothing."""
    asked: list[tuple[Any, ...]] = []

    def create(target: Path, requirements: Any, python: Any, *, report: Callable[..., None], **_: Any) -> Path:
        asked.append((target, requirements, python, threading.current_thread().name))
        if (target / "fail").exists():
            raise part("core.installation_steps").SetupError("disk_full", "The disk is full.", "Free some space.")
        folder = target / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "python").touch()
        return folder / "python"

    job = part("core.setup_job").SetupJob
    monkeypatch.setattr(part("operators.environment"), "SetupJob", lambda *arguments: job(*arguments, create=create))
    return asked


def test_set_up_installs_beside_blender_from_the_pinned_list(
    preferences: Any, installation: list[tuple[Any, ...]]
) -> None:
    assert bpy.ops.pirouette.set_up_backend() == {"FINISHED"}
    [(target, requirements, python, thread)] = installation
    assert target == part("preferences").environment_folder()
    assert requirements[0].name == "backend.txt"
    assert requirements[0].is_file()
    assert python == part("operators.environment").building_python()
    assert thread == "pirouette-setup"
    assert bpy.ops.pirouette.remove_backend() == {"FINISHED"}
    assert not target.exists()


def test_a_failed_set_up_is_one_sentence(preferences: Any, installation: list[tuple[Any, ...]]) -> None:
    folder = part("preferences").environment_folder()
    folder.mkdir(parents=True)
    (folder / "fail").touch()
    with pytest.raises(RuntimeError, match=r"The disk is full\. Free some space\."):
        bpy.ops.pirouette.set_up_backend()
    assert not part("core.session").SESSION.busy
    bpy.ops.pirouette.remove_backend()


def test_set_up_waits_for_leave_to_go_online(preferences: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    with pytest.raises(RuntimeError, match="may not go online"):
        bpy.ops.pirouette.set_up_backend()
    bpy.context.preferences.system.use_online_access = True


def test_the_report_names_versions_and_the_last_error_but_not_the_user(preferences: Any) -> None:
    session, errors = part("core.session").SESSION, part("core.errors")
    session.end(error=errors.PirouetteError("internal", f"It broke in {Path.home()}/song.wav."))
    report = part("operators.environment").diagnostic_report(bpy.context)
    assert "Pirouette 0.1.0" in report
    assert bpy.app.version_string in report
    assert "It broke in ~/song.wav." in report
    assert str(Path.home()) not in report
    assert bpy.ops.pirouette.copy_report() == {"FINISHED"}


# The first song


def test_a_song_is_added_at_the_scenes_start_and_the_scene_ends_with_it(scene: bpy.types.Scene, song: Path) -> None:
    scene.frame_start, scene.frame_end = 11, 100
    assert bpy.ops.pirouette.add_song(filepath=str(song)) == {"FINISHED"}
    strips = part("scene.strips")
    [strip] = strips.sound_strips(scene)
    assert (strips.strip_range(strip).first, scene.frame_end) == (11, 298)
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}


def test_a_second_song_lies_above_the_first_and_may_leave_the_range(
    scene: bpy.types.Scene, song: Path, tmp_path: Path
) -> None:
    bpy.ops.pirouette.add_song(filepath=str(song))
    second = write_wav(tmp_path / "b.wav", clicks(3.0))
    bpy.ops.pirouette.add_song(filepath=str(second), fit_range=False)
    assert sorted(strip.channel for strip in part("scene.strips").sound_strips(scene)) == [1, 2]
    assert scene.frame_end == 288


@pytest.mark.parametrize("content", [None, b"la la la " * 300])
def test_a_song_that_is_none_is_told_and_leaves_no_strip(
    scene: bpy.types.Scene, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "lyrics.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"lyrics\.wav"):
        bpy.ops.pirouette.add_song(filepath=str(path))
    assert part("scene.strips").sound_strips(scene) == []


# Settings


def test_the_genre_menu_begins_with_any_and_keeps_a_saved_choice(scene: bpy.types.Scene, tmp_path: Path) -> None:
    items = part("properties").genre_items(None, None)
    assert items[0][0] == "ANY"
    assert len({item[3] for item in items}) == len(items)
    scene.pirouette.genre = "salsa"
    path = tmp_path / "settings.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    part("properties")._genre_items.clear()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert bpy.context.scene.pirouette.genre == "salsa"


def test_a_damaged_vocabulary_leaves_the_menu_with_any_alone(
    scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = part("properties")
    monkeypatch.setattr(module, "vocabulary_file", lambda: tmp_path / "none.json")
    module._genre_items.clear()
    assert [item[0] for item in module.genre_items(None, None)] == ["ANY"]
    assert "list of dance genres" in scene.pirouette.last_error
    module._genre_items.clear()


def test_the_status_is_not_saved_and_cannot_be_written(scene: bpy.types.Scene) -> None:
    with pytest.raises(AttributeError):
        scene.pirouette.progress = 0.5
    assert scene.pirouette.time_left == -1.0


def test_the_menu_of_strips_offers_sound_alone(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song, name="Groove")
    strips = getattr(scene.sequence_editor, "strips", None) or scene.sequence_editor.sequences
    add_text(strips)
    context = SimpleNamespace(scene=scene, workspace=bpy.context.workspace)
    assert list(part("properties")._strip_names(None, context, "")) == ["Groove"]


def add_text(strips: Any) -> None:
    """A strip without sound; the argument for its end has changed its name."""
    length = {"length": 10} if bpy.app.version >= (5, 0, 0) else {"frame_end": 11}
    strips.new_effect(name="Title", type="TEXT", channel=3, frame_start=1, **length)


# Coming and going


def test_disabling_ends_the_backend_and_takes_everything_away(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    bpy.ops.pirouette.generate_dance()
    process = part("core.session").SESSION.client.process_id
    bpy.ops.preferences.addon_disable(module=MODULE)
    assert not hasattr(scene, "pirouette")
    assert not hasattr(bpy.types, "PIROUETTE_PT_dance")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    bpy.ops.preferences.addon_enable(module=MODULE)
    assert scene.pirouette.genre == "ANY"


def test_a_sound_of_two_seconds_is_enough(scene: bpy.types.Scene, tmp_path: Path) -> None:
    add_sound(write_wav(tmp_path / "short.wav", clicks(2.0)[: 2 * RATE_HZ]))
    scene.frame_end = 48
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
