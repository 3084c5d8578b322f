"""The F-curves of an Action: where this Blender keeps them, their keys as arrays, and their values at frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

LINEAR = 1  # Keyframe.interpolation, as foreach_set wants it
_PLACES = ("co", "handle_left", "handle_right")
_KINDS = ("interpolation", "easing", "type", "handle_left_type", "handle_right_type")
_AUTO_CLAMPED = 4
_KINDS_OF_NEW = (LINEAR, 0, 0, _AUTO_CLAMPED, _AUTO_CLAMPED)


@dataclass(frozen=True, eq=False)
class Keys:
    """The keys of a curve in order. places: (P, 6) co, left and right handle; kinds: (P, 5) numbers of menu choices."""

    places: np.ndarray
    kinds: np.ndarray

    @property
    def frames(self) -> np.ndarray:
        """Where the keys lie: (P,)."""
        return self.places[:, 0]

    @property
    def plain(self) -> bool:
        """Whether they are like those of a take: straight from one to the next."""
        return bool((self.kinds[:, :3] == _KINDS_OF_NEW[:3]).all())

    def chosen(self, mask: np.ndarray) -> Keys:
        """Some of them."""
        return Keys(self.places[mask], self.kinds[mask])

    def turned_over(self) -> Keys:
        """The same keys with their values negated."""
        return replace(self, places=self.places * np.array([1, -1, 1, -1, 1, -1], dtype=self.places.dtype))


def new_keys(frames: np.ndarray, values: np.ndarray) -> Keys:
    """Linear keys (P,) at frames."""
    places = np.empty((len(frames), 6), dtype=np.float32)
    places[:, 0::2], places[:, 1::2] = frames[:, None], values[:, None]
    kinds = np.tile(np.array(_KINDS_OF_NEW, dtype=np.int32), (len(frames), 1))
    return Keys(places, kinds)


def joined(*parts: Keys) -> Keys:
    """The keys of all parts in the order of their frames."""
    places, kinds = (np.concatenate([getattr(part, name) for part in parts]) for name in ("places", "kinds"))
    order = np.argsort(places[:, 0], kind="stable")
    return Keys(places[order], kinds[order])


def new_curve_owner(
    action: bpy.types.Action, dancer: bpy.types.Object
) -> bpy.types.ActionChannelbag | bpy.types.Action:
    """What holds the F-curves of a new Action: the channel bag of the dancer's slot from Blender 4.4 on."""
    if not hasattr(action, "slots"):
        return action
    slot = action.slots.new(id_type="OBJECT", name=dancer.name)
    strip = action.layers.new("Dance").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def curve_owner(
    action: bpy.types.Action, slot: bpy.types.ActionSlot | None = None
) -> bpy.types.ActionChannelbag | bpy.types.Action | None:
    """What holds the F-curves of an Action for a slot, by default its first; None when it holds none."""
    if not hasattr(action, "slots"):
        return action
    slot = slot or (action.slots[0] if action.slots else None)
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot) if slot is not None else None
            if bag is not None:
                return bag
    return None


def curves_by_path(
    owner: bpy.types.ActionChannelbag | bpy.types.Action | None,
) -> dict[tuple[str, int], bpy.types.FCurve]:
    """The F-curves by data path and index."""
    return {} if owner is None else {(curve.data_path, curve.array_index): curve for curve in owner.fcurves}


def read_frames_and_values(curve: bpy.types.FCurve) -> np.ndarray:
    """Frame and value of each key: (P, 2) float32."""
    points = np.empty((len(curve.keyframe_points), 2), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", points.reshape(-1))
    return points


def read_keys(curve: bpy.types.FCurve) -> Keys:
    """All keys of a curve."""
    count = len(curve.keyframe_points)
    places = np.empty((count, 6), dtype=np.float32)
    for part, name in enumerate(_PLACES):
        pairs = np.empty(2 * count, dtype=np.float32)
        curve.keyframe_points.foreach_get(name, pairs)
        places[:, 2 * part : 2 * part + 2] = pairs.reshape(count, 2)
    kinds = np.empty((count, len(_KINDS)), dtype=np.int32)
    for part, name in enumerate(_KINDS):
        numbers = np.empty(count, dtype=np.int32)
        curve.keyframe_points.foreach_get(name, numbers)
        kinds[:, part] = numbers
    return Keys(places, kinds)


def write_keys(curve: bpy.types.FCurve, keys: Keys) -> None:
    """Give a curve these keys and no others."""
    points = curve.keyframe_points
    if len(points) != len(keys.places):
        points.clear()
        points.add(len(keys.places))
    if keys.plain:
        points.foreach_set("co", np.ascontiguousarray(keys.places[:, :2]).reshape(-1))
        points.foreach_set("interpolation", np.ascontiguousarray(keys.kinds[:, 0]))
    else:
        for part, name in enumerate(_KINDS):
            points.foreach_set(name, np.ascontiguousarray(keys.kinds[:, part]))
        for part, name in enumerate(_PLACES):
            points.foreach_set(name, np.ascontiguousarray(keys.places[:, 2 * part : 2 * part + 2]).reshape(-1))
    curve.update()


def values_at(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """The curve's values (F,) at whole frames (F,): its keys where there is one on each, else what it evaluates to."""
    points = read_frames_and_values(curve)
    if len(points) and not any(not modifier.mute for modifier in curve.modifiers):
        index = np.minimum(np.searchsorted(points[:, 0], frames), len(points) - 1)
        if np.array_equal(points[index, 0], frames.astype(np.float32)):
            return points[index, 1].astype(np.float64)
    return np.array([curve.evaluate(float(frame)) for frame in frames])
