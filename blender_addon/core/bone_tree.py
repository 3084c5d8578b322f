"""A character's bones as a tree in the world: who hangs from whom, and where the joints are. No bpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .rig import Rig

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BoneTree:
    """The tree of a rig's bones. heads, tails: (B, 3) in the world, metres; children: of each bone, in order."""

    rig: Rig
    heads: FloatArray
    tails: FloatArray
    children: tuple[tuple[int, ...], ...]

    def parent(self, bone: int) -> int:
        """The bone it hangs from, -1 for none."""
        return int(self.rig.parents[bone])

    def line(self, bone: int) -> list[int]:
        """The bone and its ancestors, the nearest first."""
        found = []
        while bone >= 0:
            found.append(bone)
            bone = self.parent(bone)
        return found

    def path(self, above: int, below: int) -> list[int]:
        """The bones from ``above`` to ``below``, both included; empty where one does not hang from the other."""
        line = self.line(below)
        return line[: line.index(above) + 1][::-1] if above in line else []

    def below(self, bone: int) -> list[int]:
        """The bone and all that hangs from it, parents first."""
        found = [bone]
        for one in found:
            found.extend(self.children[one])
        return found

    def shared(self, bones: Iterable[int]) -> int:
        """The nearest bone that all hang from or are, -1 for none."""
        lines = [self.line(bone) for bone in bones]
        return next((one for one in lines[0] if all(one in line for line in lines[1:])), -1)

    def names(self, bones: Sequence[int]) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.rig.names[bone] for bone in bones)


def bone_tree(rig: Rig, bones: Iterable[int] | None = None) -> BoneTree:
    """The tree of a rig; with ``bones``, only those hang in it, each from its nearest parent that is one of them."""
    kept = set(range(len(rig.names)) if bones is None else bones)
    children: list[list[int]] = [[] for _ in rig.names]
    for bone in sorted(kept):
        above = int(rig.parents[bone])
        if above in kept:
            children[above].append(bone)
    turn, place = np.asarray(rig.world, np.float64)[:3, :3], np.asarray(rig.world, np.float64)[:3, 3]
    heads = np.asarray(rig.heads, np.float64) @ turn.T + place
    tails = np.asarray(rig.tails, np.float64) @ turn.T + place
    return BoneTree(rig, heads, tails, tuple(tuple(found) for found in children))


def in_line(tree: BoneTree, above: int, below: int, *, slack: float = 0.1) -> list[int]:
    """The mesh's bones between two, both excluded, whose heads lie in line with theirs: the twist bones of a limb.

    slack: how far beside the line a bone may lie, as a share of the limb's length.
    """
    start, along = tree.heads[above], tree.heads[below] - tree.heads[above]
    length = float(np.linalg.norm(along))
    found = []
    for bone in tree.path(above, below)[1:-1]:
        offset = tree.heads[bone] - start
        beside = offset - along * (offset @ along) / max(length**2, 1e-12)
        if (
            tree.rig.deform[bone]
            and length > 0
            and np.linalg.norm(beside) <= slack * length
            and 0 <= offset @ along <= length**2
        ):
            found.append(bone)
    return found
