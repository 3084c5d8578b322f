"""Motion capture files (BVH) of any skeleton: metres, Y up, facing as importers expect it. No bpy.

Blender's own BVH export writes an armature's inner axes and units, and all bones of a control rig. Here the character
is written as it stands in the world, and a bone has places of its own only where it does not hang firmly from another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .quaternions import FloatArray, inverse, seen_from, times, turned
from .resample import continuous_quaternions
from .rotation_modes import in_mode
from .skeleton import REST_TO_WORLD

_FIRM_M = 1e-4  # a bone whose head stays as near as this to its place on the bone above hangs firmly from it
_AT_ONCE = "YXZ"  # Blender's word for Z after X after Y, the order that BVH files mostly have
_SHORTEST_M = 1e-3


@dataclass(frozen=True, eq=False)
class SampledBones:
    """A skeleton in the world and its movement. B bones, parents before children, one of them without a parent.

    parents: (B,); heads, tails: (B, 3) metres at rest, Z up; turns: (B, F, 4) how far each is turned from its rest, in
    the world's axes; places: (B, F, 3) its head, metres.
    """

    names: tuple[str, ...]
    parents: npt.NDArray[np.intp]
    heads: FloatArray
    tails: FloatArray
    turns: FloatArray
    places: FloatArray
    fps: float


def bvh_text(bones: SampledBones) -> str:
    """The file's text. Raises ValueError where not exactly one bone is without a parent."""
    roots = np.flatnonzero(bones.parents < 0)
    if len(roots) != 1:
        raise ValueError(f"a BVH file has one root, not {len(roots)}")
    heads, tails, places = (points @ REST_TO_WORLD for points in (bones.heads, bones.tails, bones.places))
    turns = seen_from(bones.turns, np.broadcast_to(REST_TO_WORLD, (*bones.turns.shape[:2], 3, 3)))
    children: list[list[int]] = [[] for _ in bones.names]
    for number, above in enumerate(bones.parents):
        if above >= 0:
            children[above].append(number)
    lines, columns = ["HIERARCHY"], []

    def add(number: int, depth: int) -> None:
        above = int(bones.parents[number])
        offset = heads[number] - (heads[above] if above >= 0 else 0.0)
        local, place = turns[number], places[number]
        if above >= 0:
            local = times(inverse(turns[above]), local)
            place = turned(inverse(turns[above]), place - places[above])
        firm = above >= 0 and float(np.linalg.norm(place - offset, axis=-1).max()) < _FIRM_M
        tab = "\t" * depth
        lines.extend([f"{tab}{'JOINT' if depth else 'ROOT'} {_one_word(bones.names[number])}", f"{tab}{{"])
        lines.append(f"{tab}\tOFFSET {_numbers(offset)}")
        channels = "Zrotation Xrotation Yrotation"
        lines.append(
            f"{tab}\tCHANNELS 3 {channels}" if firm else f"{tab}\tCHANNELS 6 Xposition Yposition Zposition {channels}"
        )
        if not firm:
            columns.append(place)
        columns.append(np.degrees(in_mode(continuous_quaternions(local), _AT_ONCE))[:, [2, 0, 1]])
        for child in children[number]:
            add(child, depth + 1)
        if not children[number]:
            end = tails[number] - heads[number]
            end = end if np.linalg.norm(end) > _SHORTEST_M else np.array([0.0, 0.05, 0.0])
            lines.extend([f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_numbers(end)}", f"{tab}\t}}"])
        lines.append(f"{tab}}}")

    add(int(roots[0]), 0)
    rows = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1.0 / bones.fps:.9f}"]
    pattern = " ".join(["%.6f"] * rows.shape[1])
    return "\n".join([*lines, *(pattern % tuple(row) for row in rows.tolist())]) + "\n"


def _one_word(name: str) -> str:
    """Names in a BVH file end at a space."""
    return "_".join(name.split()) or "bone"


def _numbers(values: FloatArray) -> str:
    return " ".join(f"{value:.6f}" for value in values)
