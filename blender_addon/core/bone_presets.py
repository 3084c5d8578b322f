"""Presets: which bone of a known rig is which joint, as JSON that animators can save, load and share. No bpy.

    {"format": 1, "name": "Mixamo", "prefix": true, "sides": ["Left", "Right"],
     "bones": {"Pelvis": "Hips", "Spine": "Spine*", "Neck": "Neck*", "Head": "Head", "Hip": "{side}UpLeg", ...}}

A value is a bone's name, several with ``|`` between them of which the first that is there counts, or a list: a chain.
``Spine`` and ``Neck`` are patterns (``*`` is anything) of the bones on the way from the pelvis to the head; their
joints can also be given one by one. Limbs are given once with ``{side}`` or for each side. ``prefix``: every name may
have the same text before it. ``requires``: further bones without which it is another rig. ``linked``: whether bones
hang from one another as a body's do; control rigs' do not. ``root``, ``controls``: as in ``BoneMap``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from .body import LIMBS, MAPPED, Body, fill_gaps, put_spine, trunk
from .bone_tree import BoneTree
from .errors import PirouetteError
from .rig import BoneMap, Controls
from .skeleton import JOINT_NAMES

FORMAT = 1
LARGEST_BYTES = 1_000_000  # of a preset's file
_CONTROLS: dict[str, Controls] = {"deform": "deform", "rigify_fk": "rigify_fk"}
_FIELDS = frozenset({"format", "name", "prefix", "sides", "bones", "requires", "linked", "root", "controls", "order"})
_PATTERNS = ("Spine", "Neck")
_KNOWN = frozenset({*JOINT_NAMES, *LIMBS, *_PATTERNS})


@dataclass(frozen=True)
class Preset:
    """The bones of one kind of rig. bones: for each joint, limb or chain its names; order: tried from small."""

    name: str
    bones: Mapping[str, tuple[str, ...]]
    sides: tuple[str, str] = ("L", "R")
    prefix: bool = False
    requires: tuple[str, ...] = ()
    linked: bool = True
    root: str = ""
    controls: Controls = "deform"
    order: int = 100

    def names(self, key: str) -> tuple[str, ...]:
        """The chain of a joint such as L_Knee, from its own entry or its limb's; none where it has none."""
        if key in self.bones:
            return self.bones[key]
        letter, _, limb = key.partition("_")
        if letter in "LR" and limb in self.bones:
            side = self.sides["LR".index(letter)]
            return tuple(name.replace("{side}", side) for name in self.bones[limb])
        return ()


def read_preset(path: Path) -> Preset:
    """A preset from its file. Raises PirouetteError missing_file or damaged_file, which says what is wrong in it."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise PirouetteError("damaged_file", f"{path.name} is too large for a bone preset.", "Choose another file.")
        values = json.loads(path.read_text(encoding="utf-8"))
        return preset_from(values)
    except OSError as error:
        raise PirouetteError("missing_file", f"{path.name} cannot be read: {error}.", "Choose another file.") from error
    except (ValueError, RecursionError) as error:
        raise PirouetteError(
            "damaged_file", f"{path.name} is no bone preset: {error}.", "Save the preset again or choose another file."
        ) from error


def read_presets(*folders: Path) -> tuple[Preset, ...]:
    """All presets of folders in the order in which they are tried: by ``order``, then by name."""
    found = [read_preset(path) for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.json"))]
    return tuple(sorted(found, key=lambda preset: (preset.order, preset.name)))


def save_preset(path: Path, preset: Preset) -> None:
    """Writes a preset's file. Raises PirouetteError missing_file where it cannot be written."""
    text = json.dumps(preset_fields(preset), indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PirouetteError(
            "missing_file", f"{path.name} cannot be written: {error}.", "Choose another folder."
        ) from error


def preset_fields(preset: Preset) -> dict[str, Any]:
    """The preset as JSON."""
    return {
        "format": FORMAT, "name": preset.name, "order": preset.order, "prefix": preset.prefix,
        "sides": list(preset.sides), "requires": list(preset.requires), "linked": preset.linked, "root": preset.root,
        "controls": preset.controls,
        "bones": {key: names[0] if len(names) == 1 else list(names) for key, names in preset.bones.items()},
    }  # fmt: skip


def preset_of(name: str, bone_map: BoneMap) -> Preset:
    """A preset that finds the map's bones again on the same rig: the user's own table, to be saved and shared."""
    bones = {JOINT_NAMES[row.joint]: row.bones for row in bone_map.rows if row.bones}
    return Preset(name, bones, linked=False, root=bone_map.root, controls=bone_map.controls, order=0)


def preset_from(values: Any) -> Preset:
    """The preset of its JSON. Raises ValueError that names the field."""
    if not isinstance(values, dict):
        raise ValueError("it holds no fields")
    if unknown := sorted(set(values) - _FIELDS):
        raise ValueError(f"it has the unknown field {unknown[0]}")
    if values.get("format") != FORMAT:
        raise ValueError(f"its format is {values.get('format')!r}, not {FORMAT}")
    if not isinstance(values.get("bones"), dict) or not values["bones"]:
        raise ValueError("bones has no entries")
    bones = {str(key): _chain(str(key), value) for key, value in values["bones"].items()}
    controls = _CONTROLS.get(str(values.get("controls", "deform")))
    if controls is None:
        raise ValueError(f"controls is {values['controls']!r}, not one of {', '.join(_CONTROLS)}")
    order = values.get("order", 100)
    if isinstance(order, bool) or not isinstance(order, int):
        raise ValueError("order is no whole number")
    sides = _texts("sides", values.get("sides", ["L", "R"]))
    if len(sides) != 2 or sides[0] == sides[1]:
        raise ValueError("sides are not two different words")
    return Preset(
        name=_text("name", values.get("name")), bones=bones, sides=(sides[0], sides[1]),
        prefix=_truth("prefix", values.get("prefix", False)), requires=_texts("requires", values.get("requires", [])),
        linked=_truth("linked", values.get("linked", True)), root=_text("root", values.get("root", ""), empty=True),
        controls=controls, order=order,
    )  # fmt: skip


def _chain(key: str, value: Any) -> tuple[str, ...]:
    if key not in _KNOWN:
        raise ValueError(f"bones has {key}, which is no joint, limb or chain")
    names = _texts(f"bones.{key}", [value] if isinstance(value, str) else value)
    if not names:
        raise ValueError(f"bones.{key} is empty")
    return names


def _texts(field: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{field} is no list of names")
    return tuple(_text(field, one) for one in value)


def _text(field: str, value: Any, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise ValueError(f"{field} is no text")
    return value


def _truth(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{field} is neither true nor false")
    return value


# Finding a preset's bones in a rig


def body_by_preset(tree: BoneTree, preset: Preset) -> tuple[Body, str] | None:
    """The body of a rig that has a preset's bones, and the root's name; None for another rig."""
    numbers = {name: number for number, name in enumerate(tree.rig.names)}
    for prefix in _prefixes(tree, preset):
        if all(prefix + name in numbers for name in preset.requires):
            body = _body(tree, preset, numbers, prefix)
            if body is not None:
                return body, _one_of(preset.root, numbers, prefix)
    return None


def _prefixes(tree: BoneTree, preset: Preset) -> Iterator[str]:
    yield ""
    if preset.prefix:
        for pelvis in preset.bones.get("Pelvis", ("",))[0].split("|"):
            for name in tree.rig.names:
                if pelvis and name != pelvis and name.endswith(pelvis):
                    yield name.removesuffix(pelvis)


def _one_of(names: str, numbers: Mapping[str, int], prefix: str) -> str:
    return next((prefix + name for name in names.split("|") if name and prefix + name in numbers), "")


def _body(tree: BoneTree, preset: Preset, numbers: Mapping[str, int], prefix: str) -> Body | None:
    body, reason = Body(), f"its name in the {preset.name} rig"
    for joint in MAPPED:
        found = [_one_of(name, numbers, prefix) for name in preset.names(JOINT_NAMES[joint])]
        if found and found[0]:  # the first of a chain turns it; the others may be missing
            body.put(joint, [numbers[name] for name in found if name], 1.0, reason)
    if not _limbs_and_head(body) or (preset.linked and not _in_order(body, tree)):
        return None
    given = body.first("Pelvis")
    if given < 0:
        return None
    if "Spine" in preset.bones:
        _chains(body, tree, preset, prefix, reason)
    if preset.linked:
        fill_gaps(body, tree)
    return body if body.complete() else None


def _chains(body: Body, tree: BoneTree, preset: Preset, prefix: str, reason: str) -> None:
    """Spine and neck: the bones that fit the patterns, on the way to the head or, in a control rig, anywhere."""
    pelvis, head = body.first("Pelvis"), body.first("Head")
    way = tree.path(pelvis, head)
    if preset.linked and not way:
        before = body.joints[0]
        trunk(body, tree, confidence=0.9, reason="on the way from the pelvis to the head")
        body.joints[0] = body.joints.get(0, before)
        return
    bones = way[1:-1] if way else [bone for bone in range(len(tree.rig.names)) if bone not in (pelvis, head)]
    spine = [bone for bone in bones if _fits(tree.rig.names[bone], preset.bones["Spine"], prefix)]
    neck = [bone for bone in bones if _fits(tree.rig.names[bone], preset.bones.get("Neck", ()), prefix)]
    if preset.bones["Spine"] == ("*",):  # the spine ends where the arms begin
        chest = tree.shared([body.first("L_Shoulder"), body.first("R_Shoulder"), head])
        spine = [bone for bone in bones if bone in tree.line(chest)]
        neck = [bone for bone in bones if bone not in spine]
    neck = [bone for bone in neck if bone not in spine]
    if spine:
        put_spine(body, spine, 1.0, reason)
    body.put("Neck", neck, 1.0, reason)


def _fits(name: str, patterns: Sequence[str], prefix: str) -> bool:
    tried = [one for pattern in patterns for one in pattern.split("|")]
    return any(re.fullmatch(re.escape(prefix + one).replace(r"\*", ".*"), name) for one in tried)


def _limbs_and_head(body: Body) -> bool:
    limbs = [f"{side}_{limb}" for side in "LR" for limb in ("Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist")]
    return all(body.first(joint) >= 0 for joint in ("Pelvis", "Head", *limbs))


def _in_order(body: Body, tree: BoneTree) -> bool:
    """Whether each limb's bones hang from one another as a body's do."""
    limbs = [("Hip", "Knee", "Ankle", "Foot"), ("Collar", "Shoulder", "Elbow", "Wrist")]
    for side in "LR":
        for limb in limbs:
            bones = [bone for name in limb if (bone := body.first(f"{side}_{name}")) >= 0]
            if any(not tree.path(above, below) for above, below in pairwise(bones)):
                return False
    return True
