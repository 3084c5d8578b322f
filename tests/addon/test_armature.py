"""The dancer in Blender stands and moves exactly as the SMPL skeleton says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.core.skeleton import JOINT_NAMES, PARENTS, forward_kinematics
from tests.addon.installed import document_of, part, wild_motion

SCENE_RATES = {
    "23.976": (24, 1.001),
    "24": (24, 1.0),
    "25": (25, 1.0),
    "29.97": (30, 1.001),
    "30": (30, 1.0),
    "60": (60, 1.0),
}


def write(dancer: bpy.types.Object, document: Any) -> None:
    for _ in part("scene.take").write_take(dancer, document, number=1, name="Dance 001"):
        pass


def heads(dancer: bpy.types.Object, frames: range) -> np.ndarray:
    """Where every joint is in the world (frames, 24, 3), after Blender has evaluated the animation."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        evaluated = dancer.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([evaluated.matrix_world @ evaluated.pose.bones[name].head for name in JOINT_NAMES])
    return np.array(found)


@pytest.fixture
def dancer(scene: bpy.types.Scene) -> bpy.types.Object:
    return part("scene.armature").create_dancer(bpy.context)


def test_the_dancer_has_the_smpl_bones_and_stands_on_the_floor_facing_minus_y(dancer: bpy.types.Object) -> None:
    assert [bone.name for bone in dancer.data.bones if bone.parent is None] == ["Pelvis"]
    for joint, name in enumerate(JOINT_NAMES[1:], start=1):
        assert dancer.data.bones[name].parent.name == JOINT_NAMES[PARENTS[joint]]
    bones = dancer.data.bones
    assert min(bone.head_local.z for bone in bones) == pytest.approx(0.02, abs=1e-5)
    assert bones["L_Foot"].head_local.y < bones["L_Ankle"].head_local.y - 0.1
    assert bones["L_Wrist"].head_local.x > 0.6
    assert bones["Head"].head_local.z > 1.5


def test_left_and_right_bones_mirror_each_other(dancer: bpy.types.Object) -> None:
    for name in ("Hip", "Knee", "Ankle", "Foot", "Shoulder", "Elbow", "Wrist", "Hand"):
        left, right = (np.array(dancer.data.bones[f"{side}_{name}"].matrix_local.to_3x3()) for side in "LR")
        mirrored = np.diag([-1.0, 1.0, 1.0]) @ right @ np.diag([-1.0, 1.0, 1.0])
        angle = np.degrees(np.arccos(np.clip((np.trace(left.T @ mirrored) - 1) / 2, -1, 1)))
        assert angle < 12.0, name  # the mean body is not quite symmetric


@pytest.mark.parametrize("rate", SCENE_RATES)
def test_bones_are_where_forward_kinematics_says_at_any_scene_rate(dancer: bpy.types.Object, rate: str) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = SCENE_RATES[rate]
    fps = part("scene.timing").scene_fps(scene)
    poses, pelvis = wild_motion(90, fps=30.0)
    frames = round(3.0 * fps)
    placement = part("core.dance").Placement(5, frames, fps)
    write(dancer, document_of(poses, pelvis, fps=30.0, placement=placement))
    at_rate = part("core.resample").resample(poses, pelvis, source_fps=30.0, target_fps=fps, frames=frames)
    expected = forward_kinematics(*at_rate)
    chosen = list(range(0, frames, 7))
    found = heads(dancer, range(5, 5 + frames, 7))
    assert np.abs(found - expected[chosen]).max() < 1e-4


def test_a_moved_and_turned_armature_carries_its_dance_along(dancer: bpy.types.Object) -> None:
    poses, pelvis = wild_motion(30, fps=30.0)
    write(dancer, document_of(poses, pelvis, fps=30.0, placement=part("core.dance").Placement(1, 30, 30.0)))
    dancer.location, dancer.rotation_euler = (1.0, 2.0, 0.0), (0.0, 0.0, np.pi / 2)
    turned = forward_kinematics(poses, pelvis) @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert np.abs(heads(dancer, range(1, 31)) - (turned + np.array([1.0, 2.0, 0.0]))).max() < 1e-4


def test_rotation_curves_never_jump_to_the_opposite_quaternion(dancer: bpy.types.Object) -> None:
    poses, pelvis = wild_motion(300, fps=30.0)
    placement = part("core.dance").Placement(1, 300, 30.0)
    groups = part("scene.take").take_curves(document_of(poses, pelvis, fps=30.0, placement=placement), dancer)
    turns = np.array([curve.values for curves in groups for curve in curves][3:]).reshape(24, 4, 300)
    assert ((turns[..., 1:] * turns[..., :-1]).sum(axis=1) > 0.9).all()
    assert np.allclose(np.linalg.norm(turns, axis=1), 1.0)


def test_three_minutes_are_written_in_steps_shorter_than_fifty_milliseconds(
    dancer: bpy.types.Object, timed_steps: Callable[..., list[float]]
) -> None:
    poses, pelvis = wild_motion(5400, fps=30.0)
    document = document_of(poses, pelvis, fps=30.0, placement=part("core.dance").Placement(1, 4320, 24.0))
    steps_s = timed_steps(part("scene.take").write_take(dancer, document, number=1, name="Long"))
    assert np.median(steps_s) < 0.05
    assert sum(steps_s) < 2.0


def test_a_take_that_is_not_finished_leaves_nothing(dancer: bpy.types.Object) -> None:
    poses, pelvis = wild_motion(60, fps=30.0)
    document = document_of(poses, pelvis, fps=30.0, placement=part("core.dance").Placement(1, 60, 30.0))
    steps = part("scene.take").write_take(dancer, document, number=1, name="Half")
    next(steps)
    next(steps)
    next(steps)
    assert len(bpy.data.actions) == 1
    steps.close()
    assert len(bpy.data.actions) == 0
    assert dancer.animation_data is None


def test_the_mannequin_wraps_the_skeleton_and_every_vertex_is_bound(dancer: bpy.types.Object) -> None:
    figure = part("scene.mannequin").add_mannequin(bpy.context, dancer)
    points = np.empty(len(figure.data.vertices) * 3)
    figure.data.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)
    assert abs(points[:, 2].min()) < 0.004  # the soles are on the floor
    assert 1.6 < points[:, 2].max() < 1.9
    assert {group.name for group in figure.vertex_groups} <= set(JOINT_NAMES)
    for vertex in figure.data.vertices:
        assert sum(group.weight for group in vertex.groups) == pytest.approx(1.0, abs=1e-3)
    assert figure.parent == dancer
    assert figure.modifiers[0].object == dancer


def test_the_mannequin_is_closed_and_its_faces_look_outwards(dancer: bpy.types.Object) -> None:
    import bmesh

    figure = part("scene.mannequin").add_mannequin(bpy.context, dancer)
    mesh = bmesh.new()
    mesh.from_mesh(figure.data)
    assert all(edge.is_manifold and edge.is_contiguous for edge in mesh.edges)
    assert mesh.calc_volume(signed=True) > 0.03
    mesh.free()
