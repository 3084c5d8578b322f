"""Limbs as ways through a bone tree: which pairs of them there are, and which mirror each other best. No bpy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from .bone_tree import BoneTree, FloatArray

_MOST_BONES = 14  # of a limb that is searched
_WORST = -30.0  # a limb less likely than this is none
_KEPT = 12  # likely limbs of a side that are compared with the other side's
_STRAIGHT = 0.03  # radians
_UNLIKE = 20.0  # what a gap of the body's height between a joint and the other side's mirrored one takes off


@dataclass(frozen=True)
class Limb:
    """Joints of a limb in order, -1 for one that is not there, and how likely they are (a logarithm)."""

    joints: tuple[int, ...]
    likely: float


@dataclass(frozen=True, eq=False)
class Frame:
    """What is up, how high the floor is along it, and the body's height."""

    tree: BoneTree
    up: FloatArray
    floor: float
    height: float

    @cached_property
    def places(self) -> list[list[float]]:
        """Where every bone's head is: plain numbers, since they are asked for one by one and often."""
        return [[float(value) for value in head] for head in self.tree.heads]

    @cached_property
    def levels(self) -> list[float]:
        """How high every bone's head is."""
        return [float(value) for value in self.tree.heads @ self.up]

    def level(self, bone: int) -> float:
        return self.levels[bone]

    def span(self, one: int, other: int) -> float:
        return math.dist(self.places[one], self.places[other])


def pairs(tree: BoneTree, *, unlike: float = 0.25) -> Iterator[tuple[int, int]]:
    """Pairs of bones that hang from the same bone and carry limbs of about the same length.

    unlike: by how much the shorter may be shorter, as a share of the longer.
    """
    reach = reaches(tree)
    for children in tree.children:
        for one, other in combinations(children, 2):
            longest = max(reach[one], reach[other])
            if longest > 0 and abs(reach[one] - reach[other]) < unlike * longest:
                yield one, other


def reaches(tree: BoneTree) -> FloatArray:
    """How long the longest way down from each bone is, metres (B,)."""
    reach = np.zeros(len(tree.rig.names))
    for bone in range(len(reach) - 1, -1, -1):
        for child in tree.children[bone]:
            step = float(np.linalg.norm(tree.heads[child] - tree.heads[bone]))
            reach[bone] = max(reach[bone], reach[child] + step)
    return reach


def ways(tree: BoneTree, start: int) -> Iterator[list[int]]:
    """Every way from a bone to an end, the first bones of it; ways that begin alike for so long are told once."""
    seen = set()
    for end in tree.below(start):
        if not tree.children[end]:
            way = tuple(tree.path(start, end)[:_MOST_BONES])
            if way not in seen:
                seen.add(way)
                yield list(way)


def likeliest(limbs: list[Limb]) -> list[Limb]:
    """The few limbs that are most likely, the likeliest first."""
    return sorted(limbs, key=lambda limb: -limb.likely)[:_KEPT]


def mirrored(
    frame: Frame, ones: Sequence[Limb], others: Sequence[Limb], middle: FloatArray, side: FloatArray
) -> tuple[Limb, Limb] | None:
    """Of the likely limbs of two sides, the pair that is most likely and mirrors one another best."""
    heads, best, best_likely = frame.tree.heads, None, -np.inf
    for one in ones:
        places = heads[list(one.joints)] - middle
        places = places - 2.0 * np.outer(places @ side, side) + middle
        for other in others:
            gaps = np.linalg.norm(places - heads[list(other.joints)], axis=-1) / frame.height
            both = np.array([(a >= 0) and (b >= 0) for a, b in zip(one.joints, other.joints, strict=True)])
            alone = sum((a >= 0) != (b >= 0) for a, b in zip(one.joints, other.joints, strict=True))
            likely = one.likely + other.likely - _UNLIKE * float(gaps[both].sum()) - 3.0 * alone
            if likely > best_likely:
                best, best_likely = (one, other), likely
    return best


def better_pair(best: tuple[Limb, Limb] | None, pair: tuple[Limb, Limb] | None) -> tuple[Limb, Limb] | None:
    """The likelier of two pairs of limbs; a pair with an unlikely limb does not count."""
    if pair is None or min(limb.likely for limb in pair) < _WORST:
        return best
    better = best is None or pair[0].likely + pair[1].likely > best[0].likely + best[1].likely
    return pair if better else best


def bends(tree: BoneTree, way: Sequence[int]) -> list[float]:
    """By how much a way turns at each of its bones, radians; 0 at its ends."""
    steps = np.diff(tree.heads[list(way)], axis=0)
    steps = steps / np.maximum(np.linalg.norm(steps, axis=-1, keepdims=True), 1e-12)
    turns = np.arccos(np.clip((steps[1:] * steps[:-1]).sum(-1), -1.0, 1.0))
    return [0.0, *(float(turn) for turn in turns), 0.0][: len(way)]


def bend_elsewhere(turns: Sequence[float], elbow: int) -> float:
    """How much less likely a limb's middle joint is where the limb turns more at another bone: 0 or less."""
    return -10.0 * min(max(max(turns) - turns[elbow] - _STRAIGHT, 0.0), 0.3)


def normal(value: float, mean: float, spread: float) -> float:
    """The logarithm of a Gaussian's height, without what is constant."""
    return -0.5 * ((value - mean) / spread) ** 2
