"""The demo's part inside Blender: install the zip, put the song on the timeline, click Generate, show the result.

Run by ``build_addon.py demo`` with the Python of the Blender environment and a fresh BLENDER_USER_RESOURCES folder.
Lines that begin with SAY are for the person who waits; everything else that Blender prints goes to the log.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import bpy
import stage

SAY = "SAY "
MODULE = "bl_ext.user_default.pirouette"
FPS = 30
GENRE, PROMPT = "indian classical", "turns with raised arms"


def say(text: str) -> None:
    print(f"{SAY}{text}", flush=True)


def install_extension(archive: Path) -> None:
    """Installs and enables the add-on as an animator would, from the zip, in the user's folder."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.system.use_online_access = True  # Blender asks for it even for a local file
    bpy.ops.extensions.package_install_files(filepath=str(archive), repo="user_default", enable_on_install=True)
    if MODULE not in bpy.context.preferences.addons:
        raise RuntimeError(f"Blender did not enable {MODULE} from {archive}.")


def put_song_on_timeline(song: Path) -> float:
    """Adds the song at the first frame and fits the scene's range to it; returns its length in seconds."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_sound("Song", str(song), 1, 1)
    length = strip.duration if hasattr(strip, "left_handle") else strip.frame_final_duration
    scene.frame_start, scene.frame_end = 1, int(length)
    scene.sync_mode = "AUDIO_SYNC"
    return float(length) / FPS


def generate() -> tuple[bpy.types.Object, float]:
    """Runs the Generate operator; returns the armature and the seconds it took, backend start included."""
    bpy.context.scene.pirouette.genre = GENRE
    bpy.context.scene.pirouette.prompt = PROMPT
    started = time.perf_counter()
    outcome = bpy.ops.pirouette.generate_dance()
    seconds = time.perf_counter() - started
    armature = bpy.context.view_layer.objects.active
    if outcome != {"FINISHED"} or armature is None or armature.type != "ARMATURE":
        raise RuntimeError(
            f"Generate Dance ended with {outcome} and no armature: {bpy.context.scene.pirouette.last_error}"
        )
    return armature, seconds


def demo_report(armature: bpy.types.Object, operator_s: float) -> dict[str, Any]:
    """The backend's report, as the dance document on the armature keeps it, and how long the click took."""
    document = importlib.import_module(f"{MODULE}.scene.storage").load(armature)
    if document is None:
        raise RuntimeError(f"{armature.name} carries no dance document.")
    return {**document.report, "generate_operator_s": round(operator_s, 3)}


def write_pictures(armature: bpy.types.Object, out: Path) -> None:
    """Writes dance.blend, dance.png and dance.mp4."""
    scene = bpy.context.scene
    stage.dress(armature)
    stage.prepare_video(out / "dance.mp4")
    scene.render.filepath = "//dance.mp4"
    scene.frame_set(scene.frame_start)
    for sound in bpy.data.sounds:
        sound.pack()  # the file can be opened anywhere
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "dance.blend"), relative_remap=True, compress=True)
    say(f"dance.blend: {armature.name}, frames {scene.frame_start} to {scene.frame_end}")
    stage.render_contact_sheet(out / "dance.png")
    say("dance.png: contact sheet")
    stage.prepare_video(out / "dance.mp4")
    bpy.app.handlers.render_write.append(_film_progress)
    bpy.ops.render.render(animation=True)
    say("dance.mp4: film with sound")


def _film_progress(scene: bpy.types.Scene, *_: object) -> None:
    done = scene.frame_current - scene.frame_start + 1
    total = scene.frame_end - scene.frame_start + 1
    if done % 120 == 0:
        say(f"film: {done} of {total} frames")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--song", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if bpy.app.version >= (5, 2, 0):
        import gpu

        gpu.init()
    install_extension(arguments.zip.resolve())
    say(f"Blender {bpy.app.version_string}: {arguments.zip.name} is installed")
    song_s = put_song_on_timeline(arguments.song.resolve())
    say(f"{arguments.song.name} is on the timeline ({song_s:.1f} s); generating the dance")
    armature, seconds = generate()
    say(f"the dance is on the armature {armature.name} after {seconds:.1f} s, the start of the backend included")
    report = {**demo_report(armature, seconds), "song_s": round(song_s, 3)}
    (arguments.out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    write_pictures(armature, arguments.out.resolve())


if __name__ == "__main__":
    code = 0
    try:
        main()
    except Exception:  # noqa: BLE001  Blender's module would lose the exit code
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # some Blender modules crash while they are taken down
