"""A body of the SMPL family as the backend tells it, and how its joints become bones. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .edits import Request
from .errors import PirouetteError
from .protocol import Message, ProtocolError

FloatArray = npt.NDArray[np.floating[Any]]

_GOES_ON = ("spine1", "neck", "middle1")  # where several bones begin, the one in line
_FRONT, _UP = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
_FRONT_LENGTHS_M = {"foot": 0.08, "jaw": 0.05, "eye": 0.03}
_HEAD_M, _LAST_SHARE, _SHORTEST_M = 0.18, 0.7, 0.01
_ALONG = 0.8  # cosine from which on a bone points to the front


@dataclass(frozen=True, eq=False)
class SmplBody:
    """A body at rest in Blender's world: metres, Z up, facing -Y, standing on z = 0.

    joints: (J, 3); vertices: (V, 3); faces: (F, 3); weights: (V, J); parents: -1 for the first joint;
    kind: SMPL, SMPL-H or SMPL-X; shapes: how many shape numbers its file has.
    """

    kind: str
    title: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    joints: FloatArray
    vertices: FloatArray
    faces: npt.NDArray[np.int32]
    weights: FloatArray
    shapes: int


def body_request(path: Path, betas: Sequence[float]) -> Request:
    """The body in this file, in this shape."""
    return {"type": "body", "path": str(path)}, {"betas": np.array(betas, dtype=np.float32)}


def body_from_result(message: Message) -> SmplBody:
    """The body of a ``result`` message. Raises PirouetteError internal for one that cannot be built."""
    try:
        return _body(message)
    except (ProtocolError, KeyError, TypeError, ValueError) as error:
        raise PirouetteError("internal", f"The backend sent a body that cannot be built: {error}.") from error


def _body(message: Message) -> SmplBody:
    header = message.header
    joints, vertices, weights = (
        message.array(name, dtype="<f4", dimensions=(2,)).numpy() for name in ("joints", "vertices", "weights")
    )
    parents = message.array("parents", dtype="<i4", dimensions=(1,)).numpy()
    faces = message.array("faces", dtype="<i4", dimensions=(2,)).numpy()
    names = tuple(str(name) for name in header["joint_names"])
    count = len(names)
    shapes = (joints.shape, parents.shape, vertices.shape[1:], weights.shape, faces.shape[1:])
    if len(set(names)) != count or shapes != ((count, 3), (count,), (3,), (len(vertices), count), (3,)):
        raise ValueError("its arrays do not fit together")
    if not count or faces.min(initial=0) < 0 or faces.max(initial=-1) >= len(vertices):
        raise ValueError("its faces name vertices that there are not")
    if any(not -1 <= parent < joint for joint, parent in enumerate(parents.tolist())):
        raise ValueError("its joints do not hang from one another")
    return SmplBody(
        kind=str(header["kind"]),
        title=str(header["title"]) or str(header["kind"]),
        joint_names=names,
        parents=tuple(parents.tolist()),
        joints=joints,
        vertices=vertices,
        faces=faces,
        weights=weights,
        shapes=int(header["shapes"]),
    )


def bone_tails(body: SmplBody) -> npt.NDArray[np.float64]:
    """Where the bones end, (J, 3): at the next joint; the last ones go on as they came, feet and faces to the front."""
    heads = body.joints.astype(np.float64)
    tails = np.array([heads[joint] + _last_bone(body, joint) for joint in range(len(heads))])
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(body.parents):
        children.setdefault(parent, []).append(joint)
    for joint, following in children.items():
        in_line = [child for child in following if body.joint_names[child].lower().endswith(_GOES_ON)]
        chosen = following if len(following) == 1 else in_line
        if joint >= 0 and chosen and np.linalg.norm(heads[chosen[0]] - heads[joint]) > _SHORTEST_M:
            tails[joint] = heads[chosen[0]]
    return tails


def _last_bone(body: SmplBody, joint: int) -> npt.NDArray[np.float64]:
    name, parent = body.joint_names[joint].lower(), body.parents[joint]
    for word, length in _FRONT_LENGTHS_M.items():
        if word in name:
            return _FRONT * length
    if name == "head" or parent < 0:
        return _UP * _HEAD_M
    came: npt.NDArray[np.float64] = (body.joints[joint] - body.joints[parent]).astype(np.float64) * _LAST_SHARE
    length = float(np.linalg.norm(came))
    return came if length > _SHORTEST_M else _UP * _SHORTEST_M


def rolls_towards(heads: FloatArray, tails: FloatArray) -> npt.NDArray[np.float64]:
    """Where each bone's Z points, (J, 3): to the front, and up where the bone itself points to the front or back."""
    along = tails - heads
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    return np.where(np.abs(along @ _FRONT)[:, None] > _ALONG, _UP, _FRONT)
