"""``object.pirouette_character`` on an armature: its bones as the dance's joints, and how it takes the dance over."""

import json
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .core.body import MAPPED
from .core.skeleton import JOINT_NAMES
from .scene.armature import is_dancer

FEET = (
    ("AUTO", "Hold Feet", "A foot that stands stays where it stands, and no foot goes through the floor"),
    ("GROUND", "Ground Only", "Feet are kept at the floor's height, but may slide on it"),
    ("OFF", "Off", "The legs do just what the dancer's do, whatever becomes of the feet"),
)
TRAVELS = (
    ("HIPS", "Hips", "The hips carry the character over the floor"),
    ("ROOT", "Root Bone", "The root bone goes over the floor, as game engines want it; the hips sway above it"),
    ("IN_PLACE", "In Place", "The character stays where it is and dances on the spot"),
)
FACINGS = (
    ("DANCE", "As the Dance", "The character faces the way the dancer faces"),
    ("CHARACTER", "As It Stands", "The dance begins the way the character stands in the scene"),
)
SIDES = (("LEFT", "Left Foot", "The character's left"), ("RIGHT", "Right Foot", "The character's right"))
# What a library override of a character may say otherwise than the file that it comes from, and keeps when it is saved.
_OWN = {"LIBRARY_OVERRIDABLE"}
_LISTED = {"LIBRARY_OVERRIDABLE", "USE_INSERTION"}


SURE = 0.7  # the confidence from which the choice of a bone needs no second look


def joints_without_bone(kept: Any) -> list[str]:
    """The joints, of the 22, whose row has no bone, in words such as L Collar."""
    return [row.name.replace("_", " ") for row in kept.rows if row.joint in MAPPED and not row.bone]


def chosen_bones(row: Any) -> tuple[str, ...]:
    """The bones of a row, from the one that turns down its chain."""
    more = json.loads(row.more) if row.more else []
    return (row.bone, *more) if row.bone else ()


def _bone_chosen(row: Any, context: bpy.types.Context) -> None:
    """A bone that the animator chooses stands alone: what hung in the chain of the old one does not hang from it."""
    row.more, row.confidence, row.reason = "", 1.0 if row.bone else 0.0, "chosen in the table"
    row.id_data.pirouette_character.source = "table"


def _bone_names(owner: Any, context: bpy.types.Context, text: str) -> list[str]:
    return [bone.name for bone in owner.id_data.data.bones if text.lower() in bone.name.lower()]


class BoneRowItem(bpy.types.PropertyGroup):
    """A joint of the dance and the character's bone for it."""

    bl_idname = "PIROUETTE_PG_bone_row"

    joint: IntProperty(min=0, max=len(JOINT_NAMES) - 1, options={"HIDDEN"}, override=_OWN)
    bone: StringProperty(
        name="Bone",
        description="The character's bone that does what this joint of the dancer does; empty: none does",
        search=_bone_names,
        update=_bone_chosen,
        override=_OWN,
    )
    more: StringProperty(options={"HIDDEN"}, override=_OWN)
    confidence: FloatProperty(name="Confidence", description="How sure the choice is", min=0.0, max=1.0, override=_OWN)
    reason: StringProperty(name="Reason", description="Why this bone was chosen", override=_OWN)


class ContactEdit(bpy.types.PropertyGroup):
    """A span in which the animator says whether a foot stands."""

    bl_idname = "PIROUETTE_PG_contact_edit"

    foot: EnumProperty(name="Foot", description="Which foot", items=SIDES, override=_OWN)
    start_s: FloatProperty(
        name="Start", description="Seconds from the first frame of the dance", unit="TIME_ABSOLUTE", override=_OWN
    )
    end_s: FloatProperty(
        name="End", description="Seconds from the first frame of the dance", unit="TIME_ABSOLUTE", override=_OWN
    )
    stands: BoolProperty(
        name="Stands", description="On: the foot stands still through this span; off: it is free to move", override=_OWN
    )


class CharacterProperties(bpy.types.PropertyGroup):
    """What an armature knows of the dance that it takes over."""

    bl_idname = "PIROUETTE_PG_character"

    dancer: PointerProperty(
        name="Dancer",
        description="Whose dance the character has",
        type=bpy.types.Object,
        poll=lambda self, candidate: is_dancer(candidate),
        override=_OWN,
    )
    follows: BoolProperty(
        name="Follow the Dance",
        description="When a section of the dance changes, the character changes with it; off: it keeps what it has",
        default=True,
        override=_OWN,
    )
    rows: CollectionProperty(type=BoneRowItem, override=_LISTED)
    active_row: IntProperty(
        name="Joint", description="The joint that is shown in full", default=0, min=0, override=_OWN
    )
    source: StringProperty(name="Found By", description="How the bones were found", options={"HIDDEN"}, override=_OWN)
    root: StringProperty(
        name="Root Bone",
        description="The bone that carries the whole character over the floor; empty: it has none",
        search=_bone_names,
        override=_OWN,
    )
    controls: StringProperty(options={"HIDDEN"}, override=_OWN)
    feet: EnumProperty(
        name="Feet", description="What is done so that the feet stand", items=FEET, default="AUTO", override=_OWN
    )
    strength: FloatProperty(
        name="Strength",
        description="How firmly standing feet are held: at 1 they do not move at all, at 0 they slide as they would",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        override=_OWN,
    )
    travel: EnumProperty(
        name="Travel",
        description="What carries the character over the floor",
        items=TRAVELS,
        default="HIPS",
        override=_OWN,
    )
    facing: EnumProperty(
        name="Facing", description="Which way the character faces", items=FACINGS, default="DANCE", override=_OWN
    )
    simplify: BoolProperty(
        name="Fewer Keys",
        description="Write only the keys that the movement needs, with soft curves in between: easier to edit by hand",
        default=False,
        override=_OWN,
    )
    error_cm: FloatProperty(
        name="Error Limit",
        description="How far, in centimetres, any joint may be from where a key on every frame would put it",
        default=0.5,
        min=0.05,
        soft_max=5.0,
        override=_OWN,
    )
    rigify_ik: BoolProperty(
        name="IK Controls",
        description="Key the rig's IK hands and feet instead of its FK limbs (Rigify)",
        default=False,
        override=_OWN,
    )
    reference: StringProperty(options={"HIDDEN"}, override=_OWN)
    contact_edits: CollectionProperty(type=ContactEdit, override=_LISTED)
    report: StringProperty(options={"HIDDEN"}, override=_OWN)


CLASSES = (BoneRowItem, ContactEdit, CharacterProperties)


def attach() -> None:
    """Give every object its settings."""
    bpy.types.Object.pirouette_character = PointerProperty(
        name="Pirouette Character", type=CharacterProperties, override=_OWN
    )


def detach() -> None:
    """Take the settings away."""
    del bpy.types.Object.pirouette_character
