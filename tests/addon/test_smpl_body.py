"""A body from an SMPL file becomes a character: its bones, its skin, its shape, and a dance on it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from backend.bodies.joints import KINDS
from blender_addon.core.locations import backend_folder
from blender_addon.core.skeleton import JOINT_NAMES
from tests.addon.drawing import drawn
from tests.addon.installed import MODULE, part
from tests.fixtures.hostile import Hostile
from tests.fixtures.made_up_bodies import body_fields, joint_places, write_npz, write_pickle

LIMBS = ((1, 4), (2, 5), (4, 7), (5, 8), (16, 18), (17, 19), (18, 20), (19, 21))
JOINTS = {"SMPL": 24, "SMPL-H": 52, "SMPL-X": 55}


def standing(joints: int) -> np.ndarray:
    """The joints (J, 3) of our own body as it stands in Blender."""
    places = joint_places(joints)[0][:, [0, 2, 1]] * [1, -1, 1]
    places[:, 2] += 0.02 - places[:, 2].min()
    return places


def seen_vertices(skin: bpy.types.Object) -> np.ndarray:
    """The vertices (V, 3) as Blender shows them now, in the world."""
    seen = skin.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = seen.to_mesh()
    found = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", found)
    seen.to_mesh_clear()
    return found.reshape(-1, 3)


def added(path: Path, **settings: object) -> bpy.types.Object:
    assert bpy.ops.pirouette.add_smpl_body(filepath=str(path), **settings) == {"FINISHED"}
    return bpy.context.view_layer.objects.active


@pytest.fixture
def body(scene: bpy.types.Scene, tmp_path: Path) -> bpy.types.Object:
    return added(write_npz(tmp_path / "Anna.npz", 24))


@pytest.mark.parametrize("kind", JOINTS)
@pytest.mark.parametrize("write", [write_npz, write_pickle])
def test_a_file_becomes_a_skinned_character(
    scene: bpy.types.Scene, tmp_path: Path, kind: str, write: Callable[..., Path]
) -> None:
    count = JOINTS[kind]
    armature = added(write(tmp_path / f"Anna.{'npz' if write is write_npz else 'pkl'}", count))
    assert scene.pirouette.character == armature
    assert (armature.name, armature.pirouette_body.kind) == ("Anna", kind)
    names = [bone.name for bone in armature.data.bones]
    assert len(names) == count
    heads = np.array([bone.head_local for bone in armature.data.bones])
    order = [names.index(name) for name in _names(count)]
    np.testing.assert_allclose(heads[order], standing(count), atol=1e-5)
    for name, parent in zip(_names(count), joint_places(count)[1], strict=True):
        above = armature.data.bones[name].parent
        assert (above.name if above else None) == (_names(count)[parent] if parent >= 0 else None)
    [skin] = armature.children
    np.testing.assert_allclose(seen_vertices(skin), _upright(body_fields(count)["v_template"]), atol=1e-5)
    hand = armature.pose.bones[_names(count)[18]]  # the left elbow
    hand.rotation_quaternion = (np.cos(0.5), 0.0, 0.0, np.sin(0.5))
    moved = np.abs(seen_vertices(skin) - _upright(body_fields(count)["v_template"])).max(axis=1)
    below = [18, 20, *(joint for joint in range(22, count) if _names(count)[joint].lower().startswith("l"))]
    arm = np.isin(np.arange(len(moved)) // 8, [joint for joint in below if "eye" not in _names(count)[joint]])
    assert moved[arm].max() > 0.1
    assert moved[~arm].max() < 1e-5
    assert len(bpy.data.objects) == 2


def _names(count: int) -> tuple[str, ...]:
    return KINDS[count].joint_names


def _upright(template: np.ndarray) -> np.ndarray:
    turned = template[:, [0, 2, 1]] * [1, -1, 1]
    return turned - [0, 0, turned[:, 2].min()]


@pytest.mark.parametrize("kind", JOINTS)
def test_all_22_joints_are_mapped_by_name(scene: bpy.types.Scene, tmp_path: Path, kind: str) -> None:
    armature = added(write_npz(tmp_path / "Anna.npz", JOINTS[kind]))
    kept = armature.pirouette_character
    assert kept.source == ("SMPL" if kind == "SMPL" else "SMPL-X")
    for row, name in zip(kept.rows[:22], _names(JOINTS[kind])[:22], strict=True):
        assert row.bone == name
        assert row.more == ""
        assert row.confidence == 1.0


def test_bones_have_a_length_and_both_sides_mirror_each_other(scene: bpy.types.Scene, tmp_path: Path) -> None:
    bones = added(write_npz(tmp_path / "Anna.npz", 55)).data.bones
    assert min(bone.length for bone in bones) > 0.005
    assert (bones["left_knee"].tail_local - bones["left_ankle"].head_local).length < 1e-5
    assert (bones["spine3"].tail_local - bones["neck"].head_local).length < 1e-5
    assert (bones["left_wrist"].tail_local - bones["left_middle1"].head_local).length < 1e-5
    assert (bones["head"].tail_local - bones["head"].head_local).normalized().z > 0.99
    assert (bones["left_foot"].tail_local - bones["left_foot"].head_local).normalized().y < -0.99
    for name in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist", "index1"):
        left, right = (np.array(bones[f"{side}_{name}"].matrix_local.to_3x3()) for side in ("left", "right"))
        mirrored = np.diag([-1, 1, 1]) @ left @ np.diag([-1, 1, 1])
        assert np.degrees(np.arccos(np.clip((np.trace(mirrored.T @ right) - 1) / 2, -1, 1))) < 15


@pytest.mark.parametrize("kind", JOINTS)
def test_a_dance_goes_on_the_body(
    dance: Callable[..., bpy.types.Object], scene: bpy.types.Scene, tmp_path: Path, kind: str
) -> None:
    dancer = dance()
    armature = added(write_npz(tmp_path / "Anna.npz", JOINTS[kind]), betas=(1.0, 0.5, *[0.0] * 8))
    armature.pirouette_character.feet = "OFF"
    bpy.context.view_layer.objects.active = dancer
    assert bpy.ops.pirouette.retarget() == {"FINISHED"}
    names, worst = _names(JOINTS[kind]), 0.0
    for frame in (30, 100, 170):
        scene.frame_set(frame)
        for joint, child in LIMBS:
            wanted = dancer.pose.bones[JOINT_NAMES[child]].head - dancer.pose.bones[JOINT_NAMES[joint]].head
            found = armature.pose.bones[names[child]].head - armature.pose.bones[names[joint]].head
            worst = max(worst, np.degrees(wanted.angle(found)))
    assert worst < 0.5


def test_another_shape_moves_bones_and_skin_in_place(body: bpy.types.Object, scene: bpy.types.Scene) -> None:
    [skin] = body.children
    elbow = body.pose.bones["L_Elbow"]
    elbow.rotation_quaternion = (np.cos(0.4), 0.0, np.sin(0.4), 0.0)
    elbow.keyframe_insert("rotation_quaternion", frame=1)
    elbow.constraints.new("LIMIT_SCALE")
    action = body.animation_data.action
    before = {bone.name: np.array(bone.matrix_local.to_3x3()) for bone in body.data.bones}
    hat = bpy.data.objects.new("Hat", None)
    scene.collection.objects.link(hat)
    hat.parent, hat.parent_type, hat.parent_bone = body, "BONE", "Head"
    assert bpy.ops.pirouette.shape_smpl_body(betas=(2.0, *[0.0] * 9)) == {"FINISHED"}
    assert body.pirouette_body.betas[0] == 2.0
    heads = np.array([body.data.bones[name].head_local for name in _names(24)])
    assert np.ptp(heads[:, 2]) == pytest.approx(1.2 * np.ptp(standing(24)[:, 2]), rel=1e-4)
    assert max(vertex.co.z for vertex in skin.data.vertices) == pytest.approx(
        1.2 * np.ptp(body_fields()["v_template"][:, 1]), rel=1e-4
    )
    for bone in body.data.bones:  # so that a keyed rotation means the same as before
        np.testing.assert_allclose(np.array(bone.matrix_local.to_3x3()), before[bone.name], atol=1e-4)
    assert body.animation_data.action == action
    assert len(body.pose.bones["L_Elbow"].constraints) == 1
    assert hat.parent_bone == "Head"
    assert bpy.ops.pirouette.shape_smpl_body(betas=(0.0,) * 10) == {"FINISHED"}
    heads = np.array([body.data.bones[name].head_local for name in _names(24)])
    np.testing.assert_allclose(heads, standing(24), atol=1e-5)


def test_the_shape_is_taken_from_the_sliders(body: bpy.types.Object) -> None:
    body.pirouette_body.betas[0] = 1.0
    assert bpy.ops.pirouette.shape_smpl_body() == {"FINISHED"}
    assert body.data.bones["Head"].head_local.z > standing(24)[15, 2] + 0.05


def test_shaping_keeps_what_the_animator_has_added(body: bpy.types.Object) -> None:
    [skin] = body.children
    bpy.ops.object.mode_set(mode="EDIT")
    prop = body.data.edit_bones.new("Fan")
    prop.parent = body.data.edit_bones["L_Hand"]
    prop.head = body.data.edit_bones["L_Hand"].tail
    prop.tail = prop.head + type(prop.head)((0.2, 0, 0))
    bpy.ops.object.mode_set(mode="OBJECT")
    offset = body.data.bones["Fan"].head_local - body.data.bones["L_Hand"].head_local
    skin.shape_key_add(name="Basis")
    smile = skin.shape_key_add(name="Smile")
    smile.data[3].co.x += 0.5
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.pirouette.shape_smpl_body(betas=(1.0, *[0.0] * 9)) == {"FINISHED"}
    assert bpy.context.mode == "POSE"
    found = body.data.bones["Fan"].head_local - body.data.bones["L_Hand"].head_local
    assert (found - offset).length < 1e-5
    keys = skin.data.shape_keys.key_blocks
    assert keys["Smile"].data[3].co.x - keys["Basis"].data[3].co.x == pytest.approx(0.5, abs=1e-5)
    tall = 1.1 * np.ptp(body_fields()["v_template"][:, 1])
    assert max(point.co.z for point in keys["Basis"].data) == pytest.approx(tall, rel=1e-4)


def test_a_body_that_no_longer_fits_its_file_is_told_and_left_alone(body: bpy.types.Object) -> None:
    [skin] = body.children
    skin.data.vertices.add(1)
    before = [tuple(bone.head_local) for bone in body.data.bones]
    with pytest.raises(RuntimeError, match="no longer that of its file"):
        bpy.ops.pirouette.shape_smpl_body(betas=(1.0, *[0.0] * 9))
    assert [tuple(bone.head_local) for bone in body.data.bones] == before
    bpy.data.objects.remove(skin)
    with pytest.raises(RuntimeError, match="no longer that of its file"):
        bpy.ops.pirouette.shape_smpl_body(betas=(1.0, *[0.0] * 9))


def test_wrong_files_are_told_and_leave_the_scene_as_it_was(scene: bpy.types.Scene, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hostile, motion, short = tmp_path / "hostile.pkl", tmp_path / "motion.npz", tmp_path / "short.npz"
    hostile.write_bytes(pickle.dumps({**body_fields(), "weights": Hostile(open, str(marker), "w")}))
    np.savez(motion, poses=np.zeros((10, 72)))
    short.write_bytes(write_npz(tmp_path / "whole.npz").read_bytes()[:5000])
    for path, words in (
        (hostile, "nothing was run"),
        (motion, "has no"),
        (short, "damaged or incomplete"),
        (tmp_path / "none.npz", "is no file"),
        (tmp_path, "is no file"),
    ):
        with pytest.raises(RuntimeError, match=words):
            bpy.ops.pirouette.add_smpl_body(filepath=str(path))
        assert not bpy.data.objects
        assert not bpy.data.armatures
        assert not bpy.data.meshes
        assert scene.pirouette.character is None
    assert not marker.exists()
    with pytest.raises(RuntimeError, match="No body file is chosen"):
        bpy.ops.pirouette.add_smpl_body()


def test_the_file_is_remembered_and_undo_takes_the_body_away(scene: bpy.types.Scene, tmp_path: Path) -> None:
    path = write_npz(tmp_path / "Anna.npz", 24)
    added(path)
    assert scene.pirouette_body_file == str(path)
    bpy.ops.ed.undo_push(message="after the body")
    bpy.ops.ed.undo()
    assert not bpy.data.armatures
    assert not bpy.data.meshes


def test_without_a_body_there_is_nothing_to_shape(scene: bpy.types.Scene) -> None:
    assert not bpy.ops.pirouette.shape_smpl_body.poll()
    assert bpy.ops.pirouette.add_smpl_body.poll()


def test_the_panel_offers_a_file_a_body_and_then_its_shape(scene: bpy.types.Scene, tmp_path: Path) -> None:
    shown = drawn("body_panel", "PIROUETTE_PT_smpl_body")
    assert "operator pirouette.add_smpl_body" in shown
    assert "Shape" not in shown
    (tmp_path / "notes.npz").write_bytes(b"PK nothing")
    with pytest.raises(RuntimeError):
        bpy.ops.pirouette.add_smpl_body(filepath=str(tmp_path / "notes.npz"))
    assert "damaged" in drawn("body_panel", "PIROUETTE_PT_smpl_body", width=2000)
    added(write_npz(tmp_path / "Anna.npz", 52))
    shown = drawn("body_panel", "PIROUETTE_PT_smpl_body", width=2000)
    assert "damaged" not in shown
    assert "Shape of Anna (SMPL-H)" in shown
    assert shown.count("Shape 1\n") == 1
    assert "operator pirouette.shape_smpl_body" in shown
    session = part("core.session").SESSION
    session.begin("body")
    assert "operator pirouette.cancel" in drawn("body_panel", "PIROUETTE_PT_smpl_body")


@pytest.mark.slow
@pytest.mark.skipif("PIROUETTE_BACKEND_PYTHON" not in os.environ, reason="no Python for the backend is named")
@pytest.mark.skipif(not list((backend_folder() / "weights").glob("*.safetensors")), reason="there are no weights")
def test_the_real_backend_shapes_a_body(scene: bpy.types.Scene, tmp_path: Path) -> None:
    bpy.context.preferences.addons[MODULE].preferences.backend_command = ""
    part("operators.readiness").BACKEND_PROBLEM.forget()
    armature = added(write_pickle(tmp_path / "Anna.pkl", 55), betas=(1.0, *[0.0] * 9))
    heads = np.array([armature.data.bones[name].head_local for name in _names(55)])
    assert np.ptp(heads[:, 2]) == pytest.approx(1.1 * np.ptp(standing(55)[:, 2]), rel=1e-4)
