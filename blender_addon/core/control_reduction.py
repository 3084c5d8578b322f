"""Fewer keys for a rig's IK controls: each stays within a limit of where each frame has it. No bpy.

What the limbs do between such controls is the rig's own affair; here it is the controls that count, each for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .curves import BoolArray
from .foot_pins import standing
from .key_reduction import ReducedCurve, check_limit, reduced_curves, reduction_task
from .key_search import chosen_keys
from .posed_bones import posed_controls
from .rig import Rig
from .rigify_ik import ControlTrack

_ANKLES = {7: 0, 8: 1}  # joints to columns of the contacts
_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class ReducedControls:
    """Controls with fewer keys. error_cm: the farthest that either end of a control is away; keys, keys_before: of all
    channels.
    """

    curves: tuple[ReducedCurve, ...]
    error_cm: float
    keys: int
    keys_before: int


def reduced_controls(
    rig: Rig, tracks: Sequence[ControlTrack], *, limit_cm: float, fps: float, contacts: BoolArray | None = None
) -> ReducedControls:
    """The controls with as few keys as keep both ends of each within a limit; feet that stand stay and do not creep.

    contacts: (T, 4) where left and right ankle and ball stand. Raises ValueError for a limit that is not above 0.
    """
    check_limit(limit_cm)
    frames = next(len(way) for track in tracks for way in (track.rotations, track.locations) if way is not None)
    names = [track.bone for track in tracks]
    still = np.tile(_IDENTITY, (frames, 1))
    rotations = np.stack([still if track.rotations is None else track.rotations for track in tracks])
    places = {track.bone: track.locations for track in tracks if track.locations is not None}
    bones = posed_controls(rig, names, [names.index(name) for name in places])
    feet = []
    for number, track in enumerate(tracks):
        column = next((_ANKLES[joint] for joint in track.joints if joint in _ANKLES), None)
        if contacts is not None and column is not None and contacts[:, column].any():
            feet.append((number, standing(np.asarray(contacts[:, column], dtype=bool), fps=fps)))
    task = reduction_task(rig, bones, names, rotations, places, feet=tuple(feet), limit_cm=limit_cm, fps=fps)
    found = chosen_keys(task)
    unturned = {track.bone for track in tracks if track.rotations is None}
    curves = tuple(
        curve for curve in reduced_curves(task, found.fit) if curve.path == "location" or curve.bone not in unturned
    )
    keys = sum(len(curve.frames) for curve in curves)
    return ReducedControls(curves, float(found.away.max()), keys, frames * len(curves))
