"""What moves a character's bones besides their keys: constraints and drivers."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

_BONE = 'pose.bones["'
_CHAINS = ("IK", "SPLINE_IK")
_COPIES = ("COPY_TRANSFORMS", "COPY_ROTATION")
_AIMS = ("DAMPED_TRACK", "TRACK_TO", "LOCKED_TRACK")


def constrained_bones(character: bpy.types.Object) -> frozenset[str]:
    """The bones that constraints or drivers move now."""
    return frozenset({bone.name for bone in character.pose.bones if any(_acting(bone))} | _driven(character))


def overruled_bones(character: bpy.types.Object) -> frozenset[str]:
    """The bones whose turn constraints or drivers decide, whatever their keys say."""
    found = set(_driven(character))
    for bone in character.pose.bones:
        for constraint in filter(_works, _acting(bone)):
            if constraint.type in _CHAINS:
                found.update(_chain(bone, constraint))
            elif constraint.type in _AIMS or (constraint.type in _COPIES and constraint.mix_mode == "REPLACE"):
                found.add(bone.name)
    return frozenset(found)


def copied_bones(character: bpy.types.Object) -> dict[str, str]:
    """Bones that do all that another bone of the character does, and that other bone."""
    animation = character.animation_data
    driven = {driver.data_path for driver in (animation.drivers if animation is not None else ())}
    found = {}
    for bone in character.pose.bones:
        copying = [constraint for constraint in _acting(bone) if constraint.type in _COPIES and _works(constraint)]
        if len(copying) == 1 and _copies_whole(copying[0], character) and not _changing(copying[0], driven):
            found[bone.name] = copying[0].subtarget
    return found


def _acting(bone: bpy.types.PoseBone) -> Iterator[bpy.types.Constraint]:
    return (constraint for constraint in bone.constraints if constraint.influence > 0.0 and not constraint.mute)


def _works(constraint: bpy.types.Constraint) -> bool:
    """Whether it is complete: one without a target does nothing."""
    return bool(constraint.is_valid and constraint.enabled)


def _chain(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> list[str]:
    """The bones that inverse kinematics moves."""
    line = [bone.name, *(above.name for above in bone.parent_recursive)]
    if constraint.type == "IK" and not constraint.use_tail:
        del line[0]
    return line[: constraint.chain_count] if constraint.chain_count else line


def _copies_whole(constraint: bpy.types.Constraint, character: bpy.types.Object) -> bool:
    whole = constraint.influence == 1.0 and constraint.mix_mode == "REPLACE" and constraint.target == character
    if constraint.type == "COPY_ROTATION":
        inverted = constraint.invert_x or constraint.invert_y or constraint.invert_z
        whole = whole and constraint.use_x and constraint.use_y and constraint.use_z and not inverted
    return whole and constraint.owner_space == constraint.target_space and constraint.subtarget != ""


def _changing(constraint: bpy.types.Constraint, driven: set[str]) -> bool:
    """Whether a driver switches it on and off."""
    return f"{constraint.path_from_id()}.influence" in driven or f"{constraint.path_from_id()}.mute" in driven


def _driven(character: bpy.types.Object) -> set[str]:
    """The bones that drivers turn or place."""
    animation, found = character.animation_data, set[str]()
    for driver in animation.drivers if animation is not None else ():
        bone, _, channel = driver.data_path.rpartition('"].')
        if bone.startswith(_BONE) and channel.startswith(("location", "rotation")):
            found.add(bpy.utils.unescape_identifier(bone.removeprefix(_BONE)))
    return found
