"""What is written into motion capture files, and what is read from binary glTF files, without Blender."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from blender_addon.core.bvh import SampledBones, bvh_text
from blender_addon.core.glb import animation_span_s
from blender_addon.core.quaternions import about, times, turned

FRAMES = 9
UP = np.array([0.0, 0.0, 1.0])


def arm(*, loose: bool = False) -> SampledBones:
    """A bone that turns about the world's up axis, one that hangs from it and turns as well, one beside them."""
    heads = np.array([(0.0, 0.0, 1.0), (0.5, 0.0, 1.0), (0.0, 0.0, 1.2)])
    tails = np.array([(0.5, 0.0, 1.0), (0.9, 0.0, 1.0), (0.0, 0.0, 1.2)])
    share = np.linspace(0.0, 1.0, FRAMES)
    first = about(np.tile(UP, (FRAMES, 1)), 3.0 * share)
    second = times(first, about(np.tile([0.0, 1.0, 0.0], (FRAMES, 1)), share))
    way = share[:, None] * np.array([1.0, 2.0, 0.1])
    places = np.stack([heads[number] + way for number in range(3)])
    places[1] = places[0] + turned(first, (heads[1] - heads[0])[None])
    places[2] = places[0] + turned(first, (heads[2] - heads[0])[None])
    if loose:
        places[1, :, 0] += 0.02 * share
    turns = np.stack([first, second, first])
    return SampledBones(("upper arm", "lower", "beside"), np.array([-1, 0, 0]), heads, tails, turns, places, 23.976)


def read(text: str) -> tuple[list[str], np.ndarray]:
    """The lines of the hierarchy and the numbers (F, columns)."""
    head, motion = text.split("MOTION\n")
    rows = motion.splitlines()
    assert rows[0] == f"Frames: {FRAMES}"
    assert float(rows[1].removeprefix("Frame Time: ")) == pytest.approx(1 / 23.976, abs=1e-8)
    return head.splitlines(), np.array([[float(word) for word in row.split()] for row in rows[2:]])


def test_bones_that_hang_firmly_only_turn() -> None:
    lines, rows = read(bvh_text(arm()))
    assert rows.shape == (FRAMES, 6 + 3 + 3)
    assert sum("CHANNELS 3" in line for line in lines) == 2
    lines, rows = read(bvh_text(arm(loose=True)))
    assert rows.shape == (FRAMES, 6 + 6 + 3)


def test_up_is_y_and_the_root_goes_where_the_bone_goes() -> None:
    bones = arm()
    lines, rows = read(bvh_text(bones))
    x, y, z = bones.places[0].T
    np.testing.assert_allclose(rows[:, :3], np.stack([x, z, -y], axis=-1), atol=1e-6)
    turn = rows[:, 3:6]  # about Z, X and Y: a turn about the world's up axis
    np.testing.assert_allclose(
        turn, np.stack([0 * x, 0 * x, np.degrees(3.0 * np.linspace(0, 1, FRAMES))], -1), atol=1e-4
    )
    assert lines[1:4] == ["ROOT upper_arm", "{", "\tOFFSET 0.000000 1.000000 0.000000"]


def test_a_file_has_one_root_and_every_end_some_length() -> None:
    bones = arm()
    text = bvh_text(bones)
    ends = [
        line for line, before in zip(text.splitlines()[2:], text.splitlines(), strict=False) if "End Site" in before
    ]
    assert len(ends) == 2
    assert all(np.linalg.norm([float(word) for word in line.split()[1:]]) > 0.01 for line in ends)
    with pytest.raises(ValueError, match="one root, not 3"):
        bvh_text(SampledBones(bones.names, np.full(3, -1), bones.heads, bones.tails, bones.turns, bones.places, 24.0))


def glb(document: dict, *, magic: bytes = b"glTF") -> bytes:
    text = json.dumps(document).encode()
    return struct.pack("<4sIIII", magic, 2, 20 + len(text), len(text), 0x4E4F534A) + text


def test_an_animations_span_is_read_from_its_times(tmp_path: Path) -> None:
    path = tmp_path / "hero.glb"
    accessors = [{"min": [0.5], "max": [2.0]}, {"min": [-9.0], "max": [9.0]}, {"min": [0.0], "max": [1.0]}]
    animations = [{"samplers": [{"input": 0, "output": 1}]}, {"samplers": [{"input": 2, "output": 1}]}]
    path.write_bytes(glb({"accessors": accessors, "animations": animations}))
    assert animation_span_s(path) == (0.0, 2.0)
    path.write_bytes(glb({}))
    assert animation_span_s(path) == (0.0, 0.0)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hero.glb"
    for content in (b"", b"glTF", glb({}, magic=b"FBX ")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no binary glTF"):
            animation_span_s(path)
