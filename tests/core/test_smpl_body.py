"""What the backend tells of a body is checked before anything is built from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.core.errors import PirouetteError
from blender_addon.core.protocol import Array, Message, request
from blender_addon.core.smpl_body import body_from_result, body_request, bone_tails, rolls_towards

NAMES = ["Pelvis", "L_Hip", "R_Hip", "Spine1", "Neck", "Head", "L_Foot"]
PARENTS = [-1, 0, 0, 0, 3, 4, 1]
JOINTS = [[0, 0, 1], [0.1, 0, 0.9], [-0.1, 0, 0.9], [0, 0, 1.2], [0, 0, 1.5], [0, 0, 1.6], [0.1, -0.1, 0.05]]


def told(**changes: Any) -> Message:
    arrays = {
        "joints": np.array(JOINTS, dtype=np.float32),
        "parents": np.array(PARENTS, dtype=np.int32),
        "vertices": np.eye(3, dtype=np.float32),
        "faces": np.array([[0, 1, 2]], dtype=np.int32),
        "weights": np.full((3, 7), 1 / 7, dtype=np.float32),
    }
    arrays |= {name: value for name, value in changes.items() if name in arrays}
    header = {"type": "result", "kind": "SMPL", "title": "Anna", "joint_names": NAMES, "shapes": 10}
    header |= {name: value for name, value in changes.items() if name in header}
    return Message(header, {name: Array.of(array) for name, array in arrays.items()})


def test_a_whole_body_is_taken() -> None:
    body = body_from_result(told())
    assert (body.title, body.kind, body.shapes, body.parents) == ("Anna", "SMPL", 10, tuple(PARENTS))
    assert body.joint_names == tuple(NAMES)


@pytest.mark.parametrize(
    "changes",
    [
        {"joints": np.zeros((6, 3), dtype=np.float32)},
        {"joints": np.zeros((7, 3))},
        {"vertices": np.zeros((3, 2), dtype=np.float32)},
        {"weights": np.zeros((3, 6), dtype=np.float32)},
        {"faces": np.array([[0, 1, 3]], dtype=np.int32)},
        {"faces": np.array([[0, 1, -1]], dtype=np.int32)},
        {"parents": np.array([-1, 0, 0, 0, 3, 4, 6], dtype=np.int32)},
        {"joint_names": ["Pelvis"] * 7},
        {"joint_names": None},
        {"shapes": "many"},
    ],
)
def test_a_body_that_cannot_be_built_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PirouetteError) as refused:
        body_from_result(told(**changes))
    assert refused.value.code == "internal"


def test_bones_end_at_the_next_joint_and_the_last_go_on() -> None:
    body = body_from_result(told())
    tails = bone_tails(body)
    np.testing.assert_allclose(tails[:5], body.joints[[3, 6, 2, 4, 5]] + _last(body, 2), atol=1e-6)
    np.testing.assert_allclose(tails[5] - body.joints[5], [0, 0, 0.18], atol=1e-6)
    np.testing.assert_allclose(tails[6] - body.joints[6], [0, -0.08, 0], atol=1e-6)


def _last(body: Any, joint: int) -> np.ndarray:
    """What the hip without a knee goes on by."""
    added = np.zeros((5, 3))
    added[joint] = 0.7 * (body.joints[joint] - body.joints[0])
    return added


def test_z_points_to_the_front_unless_the_bone_does() -> None:
    heads, tails = np.zeros((3, 3)), np.array([[0, 0, 1.0], [0, -1.0, 0.1], [1.0, 0, 0]])
    assert rolls_towards(heads, tails).tolist() == [[0, -1, 0], [0, 0, 1], [0, -1, 0]]


def test_a_request_is_one_of_the_protocol() -> None:
    header, arrays = body_request(Path("Anna.npz"), [1.0, 0.5])
    message = request(header["type"], "1", header, arrays)
    assert message.header["path"] == "Anna.npz"
    assert message.arrays["betas"].numpy().tolist() == [1.0, 0.5]
