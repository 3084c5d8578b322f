"""Inside the real application: direct a dance, from locked poses and a moved beat to a new take and its continuation.

blender --factory-startup --enable-event-simulate --python direct_dance.py -- --zip ZIP --song SONG --out FOLDER
    [--backend COMMAND] [--genre G] [--prompt TEXT] [--seconds S] [--again-prompt TEXT]

Locks two poses and a place, moves a beat and accents another, gives one section words of its own and regenerates it,
takes that back and does it again, generates a whole dance that follows everything, and goes on for eight counts.
Writes direct_locks.png, direct_beats.png, direct_regenerated.png, direct_generated.png, direct_continued.png and
direct.json, which says what happened and how far the dance is from the locks. Needs a display and ImageMagick's
``import``. Generate is clicked with the mouse; the other buttons are pressed as the window presses them, by
``INVOKE_DEFAULT``. The bones are turned by script, without keys, as an animator turns them in Pose Mode.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Quaternion, Vector

sys.path.insert(0, str(Path(__file__).resolve().parent))

from window import (
    changed_frames,
    click,
    dancer,
    generate_button,
    keys,
    look_at_dancer,
    part,
    perform,
    pictured,
    prepare,
    press,
    pressed,
    see_whole_dance,
    session,
    show_panels,
    until,
    view,
)

POSING = ("PIROUETTE_PT_dance", "PIROUETTE_PT_locks", "PIROUETTE_PT_beats")
EDITING = ("PIROUETTE_PT_dance", "PIROUETTE_PT_sections", "PIROUETTE_PT_result")
GOING_ON = ("PIROUETTE_PT_dance", "PIROUETTE_PT_sections", "PIROUETTE_PT_going_on")
# Turns of joints about SMPL's axes (x to the left, y up, z to the front), degrees.
REACH = {
    "L_Shoulder": (0, 0, 55), "R_Shoulder": (0, 0, -55), "L_Elbow": (0, -15, 10), "R_Elbow": (0, 15, -10),
    "L_Collar": (0, 0, 12), "R_Collar": (0, 0, -12), "Spine3": (-10, 0, 0), "Head": (-12, 0, 0),
}  # fmt: skip
SHIELD = {
    "L_Shoulder": (0, -70, -10), "R_Shoulder": (0, 70, 10), "L_Elbow": (0, -95, 0), "R_Elbow": (0, 95, 0),
    "L_Collar": (0, -10, 0), "R_Collar": (0, 10, 0),
}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--song", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backend", default="")
    parser.add_argument("--genre", default="")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--again-prompt", default="a wide turn, arms overhead")
    parser.add_argument("--seconds", type=float, default=12.0)
    return parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])


def play(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """The whole play; each value is a pause in seconds in which Blender draws."""
    prepare(asked)
    show_panels(*POSING)
    yield 1.0
    _, area, sidebar = view()
    sidebar.active_panel_category = "Dance"
    area.tag_redraw()
    yield 1.0
    yield from generated(told, "first")
    look_at_dancer()
    look_down_at_dancer()
    see_whole_dance()
    yield from lock(asked, told)
    yield from beats(asked, told)
    yield from section(asked, told)
    yield from everything(asked, told)
    yield from go_on(asked, told)


def look_down_at_dancer() -> None:
    """See the dancer from a little above, so that places on the floor are seen, left of the sidebar."""
    seen = view()[1].spaces.active.region_3d
    seen.view_rotation = Euler((math.radians(74), 0.0, math.radians(20))).to_quaternion()
    at = dancer().pose.bones["Pelvis"].head
    right = seen.view_rotation @ Vector((1.0, 0.0, 0.0))
    seen.view_location = Vector((at.x, at.y, 1.0)) + 0.42 * right
    seen.view_distance = 3.3


def generated(told: dict[str, Any], name: str) -> Iterator[float]:
    """Click on Generate and wait for the dance."""
    click(*generate_button())
    yield from until(lambda: session().busy, "the click on Generate")
    press_nothing()
    yield from until(lambda: not session().busy, "the end of the dance")
    if session().error is not None:
        raise RuntimeError(str(session().error))
    told[f"{name}_warning"] = session().warning
    session().warning = ""  # of this build of Blender, which may be unable to mix its sound


def press_nothing() -> None:
    """Take the mouse away from the buttons, so that no tooltip hides them."""
    window, area, _ = view()
    window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=area.x + 60, y=area.y + 60)


def beat_near(share: float) -> bpy.types.TimelineMarker:
    """The beat nearest to a share of the dance."""
    scene = bpy.context.scene
    frame = scene.frame_start + share * (scene.frame_end - scene.frame_start)
    return part("scene.markers").nearest_beat(scene, round(frame))


def turn(turns: dict[str, tuple[float, float, float]]) -> None:
    """Turn joints of the dancer, whatever they did, without keys."""
    names = part("core.skeleton").JOINT_NAMES
    rests = part("scene.armature").rest_rotations(dancer())
    for name, degrees in turns.items():
        joint = names.index(name)
        pose = np.radians(np.array(degrees, dtype=np.float64))[None, None]
        rotation = part("core.bone_frames").bone_rotations(pose, rests[joint : joint + 1], first_joint=joint)[0, 0]
        dancer().pose.bones[name].rotation_quaternion = Quaternion(rotation.tolist())
    bpy.context.view_layer.update()


def lock(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """Two poses, the first of the whole body and the second of the arms, and a place on the floor."""
    session().warning = ""
    scene, frames = bpy.context.scene, (beat_near(0.28).frame, beat_near(0.68).frame)
    for frame, turns, options in (
        (frames[0], REACH, {"part": "BODY", "title": "Reach", "place": True, "heading": True}),
        (frames[1], SHIELD, {"part": "ARMS", "title": "Shield"}),
    ):
        scene.frame_set(frame)
        turn(turns)
        yield 0.3
        yield from pressed(bpy.ops.pirouette.lock_pose, told, f"lock_{options['title'].lower()}", **options)
    scene.frame_set(beat_near(0.47).frame)
    at = dancer().pose.bones["Pelvis"].head
    scene.cursor.location = (at.x + 0.5, at.y - 0.3, 0.0)
    yield from pressed(bpy.ops.pirouette.lock_place, told, "lock_place", place="CURSOR", facing="FREE", title="Spot")
    scene.frame_set(frames[0])
    look_down_at_dancer()
    told["locks"] = [[item.name, item.frame] for item in dancer().pirouette.locks]
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.pirouette.lock_show("EXEC_DEFAULT", lock=1)
    press_nothing()
    yield from pictured(asked.out / "direct_locks.png")


def beats(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """One beat four frames later, another accented."""
    scene = bpy.context.scene
    moved, accented = beat_near(0.85), beat_near(0.55)
    told["beat_moved"] = [moved.frame, moved.frame + 4]
    scene.frame_set(accented.frame)
    yield from pressed(bpy.ops.pirouette.beat_accent, told, "beat_accent")
    scene.frame_set(told["beat_moved"][1])
    yield from pressed(bpy.ops.pirouette.beat_move, told, "beat_move")
    told["beats_changed"] = part("core.edited_beats").in_words(part("scene.markers").marked(scene))
    press_nothing()
    yield from pictured(asked.out / "direct_beats.png")


def section(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """Other words for the section that the second pose lies in, danced anew, undone and redone."""
    show_panels(*EDITING)
    scene, shown = bpy.context.scene, dancer().pirouette
    locked = next(item for item in shown.locks if item.name == "Shield")
    index = part("scene.section_list").section_at_frame(dancer(), locked.frame)
    shown.active = index
    shown.sections[index].prompt = asked.again_prompt
    bpy.ops.ed.undo_push(message="words of a section")
    before = keys()
    yield from pressed(bpy.ops.pirouette.section_regenerate, told, "regenerate", draw_seed=True)
    item = shown.sections[index]
    told["section_frames"] = [item.first_frame, item.last_frame]
    told["regenerated_frames"] = changed_frames(before, keys())
    scene.use_preview_range = False
    told["off_regenerated"] = off_locks(["Shield"])
    scene.frame_set(locked.frame)
    shown.active_lock = next(i for i, lock in enumerate(shown.locks) if lock.name == "Shield")
    press_nothing()
    yield from pictured(asked.out / "direct_regenerated.png")
    after = keys()
    press("Z", ctrl=True)
    yield 1.0
    told["undone_in_one_step"] = bool(np.array_equal(keys(), before))
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.redo()
    yield 0.5
    told["redone"] = bool(np.array_equal(keys(), after))


def everything(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """A whole dance that follows all of it."""
    show_panels(*POSING)
    yield 0.5
    scene = bpy.context.scene
    scene.use_preview_range = False
    scene.pirouette.seed = 8
    told["follows"] = part("operators.directing").directed_in_words(bpy.context)
    yield from generated(told, "everything")
    told["off_generated"] = off_locks(["Reach", "Shield", "Spot"])
    told["report"] = part("scene.storage").load(dancer()).report.get("directions", {})
    shown = dancer().pirouette
    shown.active_lock = next(i for i, item in enumerate(shown.locks) if item.name == "Reach")
    scene.frame_set(shown.locks[shown.active_lock].frame)
    yield from pictured(asked.out / "direct_generated.png")


def go_on(asked: argparse.Namespace, told: dict[str, Any]) -> Iterator[float]:
    """Eight counts more."""
    show_panels(*GOING_ON)
    frames = keys().shape[1]
    scene = bpy.context.scene
    scene.pirouette.continue_counts, scene.pirouette.novelty = 8, 0.5
    yield from pressed(bpy.ops.pirouette.continue_dance, told, "continue")
    told["continued_frames"] = keys().shape[1] - frames
    shown = dancer().pirouette
    scene.use_preview_range = False
    item = shown.sections[shown.active]
    scene.frame_set((item.first_frame + item.last_frame) // 2)
    look_down_at_dancer()
    see_whole_dance()
    press_nothing()
    yield from pictured(asked.out / "direct_continued.png")


def off_locks(names: list[str]) -> dict[str, dict[str, float]]:
    """How far the dance is from locks: degrees of the worst locked joint, centimetres on the floor."""
    scene, found = bpy.context.scene, {}
    quaternions = part("core.resample").axis_angle_to_quaternion
    for item in dancer().pirouette.locks:
        if item.name not in names:
            continue
        scene.frame_set(item.frame)
        pose, pelvis = part("scene.locks").capture(bpy.context, dancer())
        told: dict[str, float] = {}
        joints = [joint for joint, locked in enumerate(item.joints) if locked and joint > 0]
        if joints:
            dots = np.abs((quaternions(pose[joints]) * quaternions(np.array(item.pose)[joints])).sum(axis=-1))
            told["degrees"] = round(math.degrees(2 * float(np.arccos(np.minimum(dots, 1.0)).max())), 3)
        if item.place:
            told["place_cm"] = round(100 * float(np.linalg.norm(pelvis[:2] - np.array(item.pelvis)[:2])), 3)
        found[item.name] = told
    return found


if __name__ == "__main__":
    perform(play, arguments(), told_in="direct.json")
