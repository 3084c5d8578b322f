"""Key poses and waypoints: locked on the armature, listed, marked on the timeline, met by the dance."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Quaternion

from tests.addon.installed import part, stored

Dance = Callable[..., bpy.types.Object]


@pytest.fixture
def dancer(scene: bpy.types.Scene) -> bpy.types.Object:
    """A dancer in a T-pose, and no dance yet."""
    assert bpy.ops.pirouette.new_dancer() == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def turn(dancer: bpy.types.Object, bone: str, degrees: float, axis: str = "X") -> None:
    """Turn a bone, unkeyed."""
    vector = [float(letter == axis) for letter in "XYZ"]
    dancer.pose.bones[bone].rotation_quaternion = Quaternion(vector, math.radians(degrees))
    bpy.context.view_layer.update()


def lock(frame: int, **options: Any) -> Any:
    """Lock the pose at a frame and return the item of the list."""
    dancer = bpy.context.view_layer.objects.active
    matrices = {bone.name: bone.matrix_basis.copy() for bone in dancer.pose.bones}
    bpy.context.scene.frame_set(frame)
    for name, matrix in matrices.items():  # going to a frame takes what is not keyed away from an animated dancer
        dancer.pose.bones[name].matrix_basis = matrix
    bpy.context.view_layer.update()
    assert bpy.ops.pirouette.lock_pose(**options) == {"FINISHED"}
    return dancer.pirouette.locks[-1]


def posed(dancer: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    return part("scene.locks").capture(bpy.context, dancer)


def markers(scene: bpy.types.Scene) -> dict[str, int]:
    return {marker.name: marker.frame for marker in scene.timeline_markers if marker.name[0] in "◆◇"}


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees between two poses, the worst joint."""
    quaternions = part("core.resample").axis_angle_to_quaternion
    dots = np.abs((quaternions(a) * quaternions(b)).sum(axis=-1))
    return float(np.degrees(2 * np.arccos(np.minimum(dots, 1.0))).max())


def test_lock_pose_keeps_what_the_armature_does_unkeyed(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    turn(dancer, "L_Shoulder", 60)
    item = lock(25, part="BODY", place=True)
    assert (item.name, item.frame, item.enabled, item.place, item.heading) == ("Pose 1", 25, True, True, False)
    assert list(item.joints) == [True] * 24
    pose, pelvis = posed(dancer)
    assert angle_between(np.array(item.pose), pose) < 0.01
    assert np.allclose(item.pelvis, pelvis, atol=1e-6)
    assert np.degrees(np.linalg.norm(np.array(item.pose)[16])) == pytest.approx(60, abs=0.01)
    assert markers(scene) == {"◆ Pose 1": 25}


def test_a_lock_follows_its_marker_and_the_marker_its_lock(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    item = lock(25)
    scene.timeline_markers["◆ Pose 1"].frame = 40
    assert item.frame == 40
    item.frame = 60
    item.name = "Reach"
    assert markers(scene) == {"◆ Reach": 60}
    item.enabled = False
    assert markers(scene) == {"◇ Reach": 60}
    scene.timeline_markers.remove(scene.timeline_markers["◇ Reach"])
    assert item.frame == 60
    item.enabled = True  # the marker comes back
    assert markers(scene) == {"◆ Reach": 60}


@pytest.mark.parametrize(("chosen", "count"), [("ARMS", 10), ("LEGS", 8), ("BODY", 24)])
def test_a_part_of_the_body_can_be_locked_alone(dancer: bpy.types.Object, chosen: str, count: int) -> None:
    assert sum(lock(5, part=chosen).joints) == count


def test_selected_bones_alone_are_locked(dancer: bpy.types.Object) -> None:
    with pytest.raises(RuntimeError, match="No bone of the dancer is selected"):
        bpy.ops.pirouette.lock_pose(part="SELECTED")
    select(dancer, "Head", "L_Wrist")
    item = lock(5, part="SELECTED")
    assert [index for index, locked in enumerate(item.joints) if locked] == [15, 20]


def select(dancer: bpy.types.Object, *names: str) -> None:
    for name in names:
        bone = dancer.pose.bones[name]
        (bone if hasattr(bone, "select") else bone.bone).select = True


def test_nothing_to_lock_is_refused_with_a_sentence(dancer: bpy.types.Object) -> None:
    with pytest.raises(RuntimeError, match="This would lock nothing"):
        bpy.ops.pirouette.lock_pose(part="NONE")
    assert len(dancer.pirouette.locks) == 0


def test_two_locks_of_one_name_keep_markers_of_their_own(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    a, b = lock(5, title="Hit"), lock(9, title="Hit")
    a, b = dancer.pirouette.locks
    assert (a.frame, b.frame) == (5, 9)
    assert sorted(markers(scene).values()) == [5, 9]
    b.frame = 30
    assert (a.frame, b.frame) == (5, 30)


def test_go_to_pose_update_and_delete(dancer: bpy.types.Object, scene: bpy.types.Scene) -> None:
    turn(dancer, "R_Knee", 40)
    lock(10)
    turn(dancer, "R_Knee", 0)
    lock(30)
    scene.frame_set(1)
    assert bpy.ops.pirouette.lock_go_to(lock=2) == {"FINISHED"}
    assert (scene.frame_current, dancer.pirouette.active_lock) == (30, 1)
    assert bpy.ops.pirouette.lock_show(lock=1) == {"FINISHED"}
    assert scene.frame_current == 10
    assert angle_between(posed(dancer)[0], np.array(dancer.pirouette.locks[0].pose)) < 0.01
    turn(dancer, "Head", 20)
    assert bpy.ops.pirouette.lock_update(lock=1, part="ARMS") == {"FINISHED"}
    item = dancer.pirouette.locks[0]
    assert np.degrees(np.linalg.norm(np.array(item.pose)[15])) == pytest.approx(20, abs=0.01)
    assert (sum(item.joints), item.frame) == (10, 10)
    assert bpy.ops.pirouette.lock_delete(lock=1) == {"FINISHED"}
    assert markers(scene) == {"◆ Pose 2": 30}
    bpy.ops.pirouette.lock_delete(every=True)
    assert (len(dancer.pirouette.locks), markers(scene)) == (0, {})
    with pytest.raises(RuntimeError, match="No pose is locked yet"):
        bpy.ops.pirouette.lock_go_to()


def test_a_pose_is_put_back_whatever_the_bones_turn_by(dancer: bpy.types.Object) -> None:
    turn(dancer, "L_Elbow", 70, "Z")
    item = lock(10)
    turn(dancer, "L_Elbow", 0)
    dancer.pose.bones["L_Elbow"].rotation_mode = "XZY"
    bpy.ops.pirouette.lock_show()
    assert angle_between(posed(dancer)[0], np.array(item.pose)) < 0.05


def action(dancer: bpy.types.Object, keys: dict[int, float], *, euler: bool = False) -> bpy.types.Action:
    """An Action that lifts the left arm at some frames; the dancer itself is left as it was."""
    figure = dancer.copy()
    bpy.context.scene.collection.objects.link(figure)
    bone = figure.pose.bones["L_Shoulder"]
    bone.rotation_mode = "XYZ" if euler else "QUATERNION"
    for frame, degrees in keys.items():
        if euler:
            bone.rotation_euler = (math.radians(degrees), 0, 0)
        else:
            bone.rotation_quaternion = Quaternion((1, 0, 0), math.radians(degrees))
        bone.keyframe_insert("rotation_euler" if euler else "rotation_quaternion", frame=frame)
    made = figure.animation_data.action
    made.use_fake_user = True
    made.name = "Moves"
    bpy.data.objects.remove(figure)
    return made


@pytest.mark.parametrize("euler", [False, True])
def test_poses_of_an_action_are_locked_at_its_keyed_frames(
    dancer: bpy.types.Object, scene: bpy.types.Scene, euler: bool
) -> None:
    action(dancer, {10: 20.0, 34: 50.0}, euler=euler)
    scene.frame_set(3)
    count = len(bpy.data.objects)
    assert bpy.ops.pirouette.locks_from_action(action="Moves") == {"FINISHED"}
    assert len(bpy.data.objects) == count
    assert dancer.animation_data is None or dancer.animation_data.action is None
    assert scene.frame_current == 3
    found = [(item.name, item.frame, round(np.degrees(np.linalg.norm(np.array(item.pose)[16])))) for item in
             dancer.pirouette.locks]  # fmt: skip
    assert found == [("Moves 1", 10, 20), ("Moves 2", 34, 50)]
    scene.frame_set(100)
    bpy.ops.pirouette.locks_from_action(action="Moves", at="PLAYHEAD", part="ARMS")
    assert [item.frame for item in dancer.pirouette.locks][2:] == [100, 124]


def test_an_action_that_cannot_give_poses_is_refused(dance: Dance) -> None:
    dancer = dance()
    with pytest.raises(RuntimeError, match="keys on 240 frames"):
        bpy.ops.pirouette.locks_from_action(action=dancer.animation_data.nla_tracks[0].strips[0].action.name)
    bpy.data.actions.new("Empty")
    with pytest.raises(RuntimeError, match="no keys on the dancer's bones"):
        bpy.ops.pirouette.locks_from_action(action="Empty")
    with pytest.raises(RuntimeError, match="There is no Action"):
        bpy.ops.pirouette.locks_from_action(action="Nobody")


def test_what_a_lock_asks_for_is_shown_on_the_dancer_as_it_stands(dancer: bpy.types.Object) -> None:
    turn(dancer, "L_Shoulder", 60)
    item = lock(10, part="ARMS", place=True, heading=True)
    turn(dancer, "L_Shoulder", 0)
    turn(dancer, "Head", 25)
    turn(dancer, "Pelvis", 40, "Y")
    dancer.pose.bones["Pelvis"].location = (0.3, 0.0, 0.2)
    now = posed(dancer)
    pose, pelvis = part("scene.locks").asked_of(item, now)
    facing_of = part("scene.locks").facing_of
    assert np.allclose(pose[16], np.array(item.pose)[16], atol=1e-5)
    assert np.allclose(pose[15], now[0][15], atol=1e-5)
    assert facing_of(pose) == pytest.approx(facing_of(np.array(item.pose)), abs=1e-4)
    assert np.allclose(pelvis, [*item.pelvis[:2], now[1][2]], atol=1e-5)


# Places and facings


def test_a_place_is_taken_from_the_cursor_in_the_dancers_space(
    dancer: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    dancer.location = (1.0, 0.0, 0.0)
    dancer.rotation_euler = (0, 0, math.pi / 2)
    bpy.context.view_layer.update()
    scene.cursor.location = (1.0, 2.0, 5.0)
    bpy.ops.pirouette.lock_place(place="CURSOR", facing="FREE")
    item = dancer.pirouette.locks[0]
    assert np.allclose(item.pelvis[:2], (2.0, 0.0), atol=1e-5)
    assert (item.place, item.heading, any(item.joints), item.name) == (True, False, False, "Place 1")


def test_a_facing_is_taken_from_an_empty_the_pelvis_or_towards_the_cursor(
    dancer: bpy.types.Object, scene: bpy.types.Scene
) -> None:
    facing_of = part("scene.locks").facing_of
    with pytest.raises(RuntimeError, match="No other object is selected"):
        bpy.ops.pirouette.lock_place(place="OBJECT", facing="OBJECT")
    empty = bpy.data.objects.new("Look", None)
    scene.collection.objects.link(empty)
    empty.location, empty.rotation_euler = (3.0, 1.0, 2.0), (0.0, 0.0, math.radians(50))
    empty.select_set(True)
    bpy.context.view_layer.update()
    bpy.ops.pirouette.lock_place(place="OBJECT", facing="OBJECT")
    scene.cursor.location = (4.0, 0.0, 0.0)
    bpy.ops.pirouette.lock_place(place="FREE", facing="CURSOR")
    turn(dancer, "Pelvis", 30, "Y")
    bpy.ops.pirouette.lock_place(place="DANCER", facing="DANCER")
    angles = [math.degrees(facing_of(np.array(item.pose))) for item in dancer.pirouette.locks]
    assert angles[:2] == pytest.approx([50.0, 90.0], abs=0.01)
    assert angles[2] == pytest.approx(30.0, abs=2.0)  # the pelvis bone does not stand quite upright
    assert np.allclose(dancer.pirouette.locks[0].pelvis[:2], (3.0, 1.0), atol=1e-5)
    assert [(item.place, item.heading) for item in dancer.pirouette.locks] == [
        (True, True), (False, True), (True, True),
    ]  # fmt: skip
    scene.cursor.location = dancer.pirouette.locks[2].pelvis
    with pytest.raises(RuntimeError, match="cursor is at the place itself"):
        bpy.ops.pirouette.lock_place(place="FREE", facing="CURSOR")
    with pytest.raises(RuntimeError, match="This would lock nothing"):
        bpy.ops.pirouette.lock_place(place="FREE", facing="FREE")


# The dance


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_a_dance_passes_through_the_locks_at_any_rate(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene, fps: int
) -> None:
    scene.render.fps, scene.frame_end = fps, 6 * fps
    for frame, degrees in ((round(1.05 * fps), 40.0), (round(3.38 * fps), -30.0)):
        turn(dancer, "L_Shoulder", degrees, "Z")
        turn(dancer, "R_Hip", degrees, "X")
        lock(frame, part="BODY", place=True, heading=True)
    assert dance() == dancer
    assert len(stored(dancer).key_poses) == 2
    for item in dancer.pirouette.locks:
        scene.frame_set(item.frame)
        pose, pelvis = posed(dancer)
        assert angle_between(pose, np.array(item.pose)) < 0.1
        assert np.abs(pelvis - np.array(item.pelvis)).max() < 1e-3


def test_locks_that_are_off_or_out_of_the_range_are_not_asked_for(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    for frame in (10, 20, 300):
        lock(frame)
    dancer.pirouette.locks[0].enabled = False
    dance()
    assert [round(key.time_s * 24) for key in stored(dancer).key_poses] == [19]


def test_two_locks_of_a_moment_are_joined_or_refused(
    dancer: bpy.types.Object, dance: Dance, scene: bpy.types.Scene
) -> None:
    turn(dancer, "L_Elbow", 80)
    lock(20, part="ARMS")
    turn(dancer, "L_Knee", 45)
    lock(20, part="LEGS", place=True)
    dance()
    (key,) = stored(dancer).key_poses
    assert (len(key.joints), key.place) == (18, True)
    assert np.degrees(np.linalg.norm(key.pose[18])) == pytest.approx(80, abs=0.1)
    assert np.degrees(np.linalg.norm(key.pose[4])) == pytest.approx(45, abs=0.1)
    lock(20, part="ARMS")
    with pytest.raises(RuntimeError, match="are at the same frame and lock the same"):
        dance(seed=2)


def test_a_section_that_is_regenerated_passes_through_todays_locks(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.render.fps, scene.frame_end = 30, 300
    dancer = dance()
    scene.frame_set(90)
    turn(dancer, "R_Shoulder", 55)
    bpy.ops.pirouette.lock_pose()
    scene.frame_set(250)
    bpy.ops.pirouette.lock_pose()
    assert bpy.ops.pirouette.section_regenerate(section=2) == {"FINISHED"}
    document = stored(dancer)
    assert [round(key.time_s * 30) for key in document.key_poses] == [89]  # the other lies in a section that stays
    scene.frame_set(90)
    assert angle_between(posed(dancer)[0], np.array(dancer.pirouette.locks[0].pose)) < 0.1


def test_locks_survive_saving_and_undo_takes_one_back(
    dancer: bpy.types.Object, scene: bpy.types.Scene, tmp_path: Path
) -> None:
    turn(dancer, "L_Shoulder", 60)
    lock(25, place=True)
    pose = np.array(dancer.pirouette.locks[0].pose)
    path = tmp_path / "locks.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    dancer = bpy.data.objects["Dancer"]
    (item,) = dancer.pirouette.locks
    assert (item.frame, item.place) == (25, True)
    assert np.array_equal(np.array(item.pose), pose)
