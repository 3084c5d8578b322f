"""The BVH text, read back by the rules of the format: positions, rates, smooth curves, whole files."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.motion.io import replacing, write_bvh
from backend.motion.io.bvh import continuous_zxy_angles, zxy_angles
from backend.motion.motion import Motion
from backend.motion.skeleton import JOINT_NAMES, REST_TO_WORLD, axis_angle_to_matrix


def matrix_of(angles: np.ndarray) -> np.ndarray:
    """Rz Rx Ry of angles (..., 3)."""
    z, x, y = (axis_angle_to_matrix(angles[..., [i]] * axis) for i, axis in enumerate(np.eye(3)[[2, 0, 1]]))
    product: np.ndarray = z @ x @ y
    return product


def turning(frames: int = 50) -> Motion:
    rng = np.random.default_rng(11)
    seconds = np.arange(frames)[:, None, None] / 30.0
    poses = rng.normal(size=(24, 3)) * np.sin(rng.uniform(1, 4, (24, 1)) * seconds)
    return Motion(poses, np.array([0.0, 0.0, 1.0]) + 0.3 * seconds[:, :, 0] * np.ones(3), 25.0)


def bvh_joints(text: str) -> np.ndarray:
    """Joint positions (T, 24, 3) in the BVH's own frame, in the order of our joints."""
    hierarchy, table = text.split("MOTION\n")
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    stack: list[int] = []
    in_end_site = False
    for words in (line.split() for line in hierarchy.splitlines()):
        if words[0] in ("ROOT", "JOINT"):
            names.append(words[1])
            parents.append(stack[-1] if stack else -1)
            stack.append(len(names) - 1)
        elif words[0] == "End":
            in_end_site = True
        elif words[0] == "OFFSET" and not in_end_site:
            offsets.append([float(word) for word in words[1:]])
        elif words[0] == "}":
            if in_end_site:
                in_end_site = False
            else:
                stack.pop()
    rows = np.array([[float(word) for word in line.split()] for line in table.splitlines()[2:]])
    local = matrix_of(np.radians(rows[:, 3:]).reshape(len(rows), -1, 3))
    world = local.copy()
    joints = np.zeros((len(rows), len(names), 3))
    joints[:, 0] = rows[:, :3] + offsets[0]
    for joint in range(1, len(names)):
        world[:, joint] = world[:, parents[joint]] @ local[:, joint]
        joints[:, joint] = joints[:, parents[joint]] + world[:, parents[joint]] @ np.array(offsets[joint])
    return joints[:, [names.index(name) for name in JOINT_NAMES]]


def test_bvh_holds_the_same_joint_positions(tmp_path: Path) -> None:
    motion = turning()
    write_bvh(tmp_path / "turning.bvh", motion)
    joints = bvh_joints((tmp_path / "turning.bvh").read_text())
    np.testing.assert_allclose(joints @ REST_TO_WORLD.T, motion.joints(), atol=1e-4)


def test_bvh_says_its_frames_and_rate(tmp_path: Path) -> None:
    write_bvh(tmp_path / "turning.bvh", turning())
    lines = (tmp_path / "turning.bvh").read_text().splitlines()
    assert "Frames: 50" in lines
    assert "Frame Time: 0.040000000" in lines


def test_angles_of_smooth_turns_never_jump() -> None:
    seconds = np.arange(300) / 30.0
    vectors = np.zeros((300, 3, 3))
    vectors[:, 0, 2] = 4.0 * seconds  # six turns about Z
    vectors[:, 1, 1] = -3.0 * seconds
    vectors[:, 2] = np.array([0.3, 0.9, 0.2]) * np.sin(seconds)[:, None]
    rotations = axis_angle_to_matrix(vectors)
    angles = continuous_zxy_angles(rotations)
    assert np.abs(np.diff(angles, axis=0)).max() < 0.2
    np.testing.assert_allclose(matrix_of(angles), rotations, atol=1e-9)


def test_somersault_through_the_gimbal_lock_keeps_its_rotation_and_its_curve() -> None:
    quarter = np.arange(121)[:, None, None] * np.array([np.pi / 60.0, 0.0, 0.0])  # hits 90 and 270 degrees exactly
    rotations = axis_angle_to_matrix(quarter)
    angles = continuous_zxy_angles(rotations)
    np.testing.assert_allclose(matrix_of(angles), rotations, atol=1e-6)
    assert np.abs(np.diff(angles, axis=0)).max() < 0.1


def test_angles_at_gimbal_lock_give_back_a_tilted_rotation() -> None:
    for pitch in (np.pi / 2, -np.pi / 2):
        wanted = matrix_of(np.array([[[0.7, pitch, 0.4]]]))
        np.testing.assert_allclose(matrix_of(zxy_angles(wanted)), wanted, atol=1e-6)
        np.testing.assert_allclose(matrix_of(continuous_zxy_angles(wanted)), wanted, atol=1e-6)


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "dance.bvh"
    path.write_text("before")

    def write_until_full() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(PirouetteError) as caught:
        write_until_full()
    assert caught.value.code == "disk_full"
    assert [entry.name for entry in tmp_path.iterdir()] == ["dance.bvh"]
    assert path.read_text() == "before"


def test_writing_into_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(PirouetteError, match="cannot be written") as caught:
        write_bvh(tmp_path / "nowhere" / "dance.bvh", turning())
    assert caught.value.code == "missing_file"
