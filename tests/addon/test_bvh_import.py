"""The BVH that we write plays in Blender, with the importer's default settings, as the motion it came from."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from backend.motion.io import write_bvh
from backend.motion.motion import Motion
from backend.motion.skeleton import JOINT_NAMES


def tumbling(frames: int, *, fps: float) -> Motion:
    """Every joint turning its own way, the root somersaulting through the gimbal lock, the pelvis travelling."""
    rng = np.random.default_rng(3)
    seconds = np.arange(frames)[:, None, None] / fps
    axes = rng.normal(size=(24, 3))
    poses = axes * np.sin(rng.uniform(1.0, 4.0, (24, 1)) * seconds)
    poses[:, 0] = np.array([1.0, 0.0, 0.0]) * (np.pi / 2 + 3.0 * seconds[:, :, 0])
    pelvis = np.array([0.3, -0.5, 1.0]) + seconds[:, :, 0] * np.array([0.4, -0.2, 0.1])
    return Motion(poses, pelvis, fps)


@pytest.fixture
def empty_scene() -> bpy.types.Scene:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def test_imported_bvh_moves_every_joint_within_a_millimetre(tmp_path: Path, empty_scene: bpy.types.Scene) -> None:
    motion = tumbling(40, fps=30.0)
    path = tmp_path / "tumbling.bvh"
    write_bvh(path, motion)
    assert bpy.ops.import_anim.bvh(filepath=str(path)) == {"FINISHED"}
    armature = bpy.context.object
    assert [bone.name for bone in armature.data.bones if bone.name not in JOINT_NAMES] == []
    joints = motion.joints()
    for frame in range(motion.frames):
        empty_scene.frame_set(frame + 1)
        heads = [tuple(armature.matrix_world @ armature.pose.bones[name].head) for name in JOINT_NAMES]
        np.testing.assert_allclose(heads, joints[frame], atol=1e-3, err_msg=f"frame {frame}")


def test_character_at_rest_stands_upright_and_faces_minus_y(tmp_path: Path, empty_scene: bpy.types.Scene) -> None:
    poses = np.zeros((2, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    path = tmp_path / "rest.bvh"
    write_bvh(path, Motion(poses, np.tile([0.0, 0.0, 0.95], (2, 1)), 24.0))
    bpy.ops.import_anim.bvh(filepath=str(path))
    empty_scene.frame_set(1)
    armature = bpy.context.object
    place = {name: armature.matrix_world @ armature.pose.bones[name].head for name in JOINT_NAMES}
    assert place["Head"].z - place["L_Ankle"].z > 1.3
    assert place["L_Foot"].y < place["L_Ankle"].y - 0.1
    assert place["L_Wrist"].x > place["R_Wrist"].x + 1.0
