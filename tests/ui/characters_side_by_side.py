"""Inside the real application: one dance on several characters, seen, written, taken back and written again.

blender --factory-startup --enable-event-simulate --python characters_side_by_side.py -- --zip ZIP --out FOLDER
    [--dance NPZ] [--frames N] [--moments SHARE...] [--rigify] [--characters CHARACTER.glb ...]

Characters are .glb, .gltf, .fbx or .blend files, and with --rigify Rigify's basic one. Without any, made-up ones stand
in; what has no mesh is drawn as its bones. Writes characters.png, the dancer and the characters side by side at some
moments; character_preview.png and character_panel.png, the window; and characters.json, which says what happened. Needs
a display and ImageMagick's ``import``. The buttons are pressed as the window presses them, by ``INVOKE_DEFAULT``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from mathutils import Euler, Vector

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import lineup
from window import MODULE, part, perform, pictured, press, pressed, show_panels, view

from tests.characters import stage

HERE = Path(__file__).resolve().parent
PANELS = ("PIROUETTE_PT_character", "PIROUETTE_PT_character_bones", "PIROUETTE_PT_contacts")
_SEEN = 4  # of the row, beside the panel
STAND_INS = ("A-pose 45", "spine 6")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--characters", type=Path, nargs="*", default=[])
    parser.add_argument("--rigify", action="store_true")
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dance", type=Path, default=HERE.parent / "fixtures" / "dances" / "one_minute_dance.npz")
    parser.add_argument("--song", help="not used: the dance is there")
    parser.add_argument("--backend", help="not used, either")
    parser.add_argument("--frames", type=int, default=1600)
    parser.add_argument("--moments", type=float, nargs="*", default=[0.3, 0.55, 0.9])
    return parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])


def play(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """The whole play; each value is a pause in seconds in which Blender draws."""
    dancer = prepare(asked)
    characters = cast(asked)
    yield 0.5
    everyone = [dancer, *characters]
    lineup.stand_in_row(everyone)
    show_panels(*PANELS)
    yield 0.5
    view()[1].spaces.active.show_region_ui = True
    yield 1.0
    view()[2].active_panel_category = "Dance"
    scene = bpy.context.scene
    scene.pirouette.character = characters[0]
    bpy.ops.pirouette.map_bones()
    frames = [round(share * (scene.frame_end - 1)) + 1 for share in asked.moments]
    yield from preview(asked, told, characters[0], frames[0])
    everyone_named = [thing.name for thing in everyone]  # an undo makes all of Blender's data anew
    yield from put_on(told, everyone)
    everyone = [bpy.data.objects[name] for name in everyone_named]
    dancer = everyone[0]
    names = [name_of(thing, dancer) for thing in everyone]
    told["characters"] = names
    for thing in bpy.context.view_layer.objects:
        thing.select_set(False)
    bpy.context.scene.frame_set(frames[1])
    look_at_row(everyone[:_SEEN])
    yield from pictured(asked.out / "character_panel.png")
    lineup.dress()
    written = lineup.write_names(names)
    lineup.picture_of(frames, dancer, written, asked.out / "characters.png")
    yield 0.2


def prepare(asked: argparse.Namespace) -> bpy.types.Object:
    """The add-on from its zip, an otherwise empty scene, a dancer with a real dance and its mannequin."""
    bpy.context.preferences.system.use_online_access = True
    bpy.ops.extensions.package_install_files(filepath=str(asked.zip), repo="user_default", enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    dance, scene = stage.read_dance(asked.dance, frames=asked.frames), bpy.context.scene
    scene.render.fps, scene.render.fps_base = stage.FPS, 1.0
    scene.frame_start, scene.frame_end = 1, len(dance.poses)
    dancer = stage.dancer_of(dance)
    part("scene.mannequin").add_mannequin(bpy.context, dancer)
    return dancer


def cast(asked: argparse.Namespace) -> list[bpy.types.Object]:
    """The characters of the files, or those that stand in."""
    found = []
    for path in asked.characters:
        for character in stage.import_file(path):
            character.name = path.stem
            found.append(character)
    if asked.rigify and stage.has_rigify():
        found.append(stage.rigify("rigify basic"))
    if not found:
        found = [stage.made_up(name, seed=seed).character for seed, name in enumerate(STAND_INS)]
    for character in found:
        if not lineup.meshes_of(character):
            lineup.bone_body(character, [bone.name for bone in character.data.bones if bone.use_deform])
        character.hide_set(False)
    bpy.ops.ed.undo_push(message="characters")
    return found


def preview(
    asked: argparse.Namespace, told: dict[str, Any], character: bpy.types.Object, frame: int
) -> Iterator[float]:
    """See it first: nothing is written."""
    actions = len(bpy.data.actions)
    pose = [tuple(bone.rotation_quaternion) for bone in character.pose.bones]
    yield from pressed(bpy.ops.pirouette.preview_retarget, told, "preview")
    bpy.context.scene.frame_set(frame)
    look_at_row([character])
    yield from pictured(asked.out / "character_preview.png")
    told["preview_moves"] = pose != [tuple(bone.rotation_quaternion) for bone in character.pose.bones]
    told["preview_actions"] = len(bpy.data.actions) - actions
    bpy.ops.pirouette.stop_preview_retarget()
    told["pose_is_back"] = pose == [tuple(bone.rotation_quaternion) for bone in character.pose.bones]


def put_on(told: dict[str, Any], everyone: list[bpy.types.Object]) -> Iterator[float]:
    """On all at once, taken back by one Ctrl-Z, and once more."""
    for thing in bpy.context.view_layer.objects:
        thing.select_set(thing in everyone[1:])
    bpy.context.view_layer.objects.active = everyone[0]
    bpy.ops.ed.undo_push(message="selected")
    actions = len(bpy.data.actions)
    yield from pressed(bpy.ops.pirouette.retarget, told, "retarget", on="SELECTED")
    told["actions_made"] = len(bpy.data.actions) - actions
    told["report"] = json.loads(bpy.context.scene.pirouette.retarget_report)
    press("Z", ctrl=True)
    yield 1.0
    told["undone_in_one_step"] = len(bpy.data.actions) == actions
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.redo()
    yield 0.5
    told["redone"] = len(bpy.data.actions) - actions == told["actions_made"]


def name_of(thing: bpy.types.Object, dancer: bpy.types.Object) -> str:
    """What stands at a character's feet: how its bones were found."""
    if thing == dancer:
        return "Dancer"
    source = thing.pirouette_character.source
    return {"structure": f"{thing.name}, no names", "names": thing.name}.get(source, source)


def look_at_row(characters: list[bpy.types.Object]) -> None:
    """See them from a little above, left of the sidebar."""
    _, area, _ = view()
    space = area.spaces.active
    space.overlay.show_bones = False  # the stick figure is to be seen
    space.shading.type, space.shading.color_type = "SOLID", "OBJECT"
    seen = space.region_3d
    seen.view_perspective = "ORTHO"
    seen.view_rotation = Euler((math.radians(80), 0.0, 0.0)).to_quaternion()
    bones = [character.pirouette_character.rows[0].bone if character.pirouette_character.rows else "Pelvis"
             for character in characters]  # fmt: skip
    places = [
        character.matrix_world @ character.pose.bones[name].head
        for character, name in zip(characters, bones, strict=True)
    ]
    middle = sum(places, Vector()) / len(places)
    right = seen.view_rotation @ Vector((1.0, 0.0, 0.0))
    width = max((a - b).length for a in places for b in places)
    seen.view_location = Vector((middle.x, middle.y, 0.9)) + (0.3 + 0.12 * width) * right
    seen.view_distance = 3.0 + 0.85 * width


if __name__ == "__main__":
    perform(play, arguments(), told_in="characters.json")
