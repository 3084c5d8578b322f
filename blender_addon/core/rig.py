"""What the maths knows of a character: its armature at rest, and which of its bones are whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

Controls = Literal["deform", "rigify_fk"]


@dataclass(frozen=True)
class Rig:
    """A character's armature at rest, in the order in which parents come before their children."""

    names: tuple[str, ...]
    # A number for each bone, -1 where there is none.
    parents: NDArray[np.integer[Any]]
    # Metres in armature space, (B, 3) each.
    heads: Array
    tails: Array
    # Blender's matrix_local of each bone: (B, 4, 4) in armature space.
    rest: Array
    # The object's own matrix, (4, 4).
    world: Array
    # Blender's words: QUATERNION, AXIS_ANGLE or an order of Euler angles, one for each bone.
    rotation_modes: tuple[str, ...]
    # Whether each bone moves the mesh, (B,).
    deform: NDArray[np.bool_]
    # The bones that constraints or drivers move.
    constrained: frozenset[str] = frozenset()
    # Of these, the bones that turn as constraints or drivers say, whatever their keys say.
    overruled: frozenset[str] = frozenset()
    # The bones that do all that another bone does, and that other bone.
    copies: Mapping[str, str] = field(default_factory=dict)
    # The bones whose location is told in the axes of the bone above them: Blender's Local Location is off.
    parent_axes: frozenset[str] = frozenset()
    # The bones that do not turn with the bone above them: Blender's Inherit Rotation is off.
    own_turn: frozenset[str] = frozenset()
    # The bones that stay at the end of the bone above them, whatever their location says: Blender's Connected.
    connected: frozenset[str] = frozenset()

    def location_axes(self, number: int) -> Array:
        """The axes (3, 3) at rest, in columns, in which a bone's location is told."""
        if self.names[number] not in self.parent_axes:
            return self.rest[number, :3, :3]
        above = int(self.parents[number])
        return self.rest[above, :3, :3] if above >= 0 else np.eye(3)

    def number(self, name: str) -> int:
        """The number of a bone. Raises KeyError where there is none of that name."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None


@dataclass(frozen=True)
class BoneRow:
    """The bones that are one joint of the dance: one, or a chain whose first is the one that turns."""

    # The joint's number in the SMPL skeleton.
    joint: int
    bones: tuple[str, ...]
    # From 0 to 1.
    confidence: float = 1.0
    reason: str = ""


@dataclass(frozen=True)
class BoneMap:
    """Which bones of a character are which joints of the dance."""

    rows: tuple[BoneRow, ...]
    # A preset's name, "names", "structure" or "table".
    source: str = "table"
    # The bone that carries the whole character over the floor; "" for none.
    root: str = ""
    controls: Controls = "deform"

    def bones(self, joint: int) -> tuple[str, ...]:
        """The bones of a joint; none where the joint is not mapped."""
        return next((row.bones for row in self.rows if row.joint == joint), ())
