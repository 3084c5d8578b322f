"""What must be switched on a generated Rigify character so that its controls do what a dance says. No bpy."""

from __future__ import annotations

from collections.abc import Container

ROOT = 1  # what IK_parent and pole_parent say for the root bone: no parent is 0, the root always comes next
Switch = tuple[str, str, float]  # bone, custom property, value
_LIMBS = ("thigh_parent.L", "thigh_parent.R", "upper_arm_parent.L", "upper_arm_parent.R")
# The neck and the head turn with what carries them; else they would be held level.
_BODY: tuple[Switch, ...] = (("torso", "neck_follow", 1.0), ("torso", "head_follow", 1.0))
_FK = (("IK_FK", 1.0), ("FK_limb_follow", 0.0))
_IK = (("IK_FK", 0.0), ("FK_limb_follow", 0.0), ("pole_vector", 1.0), ("IK_parent", ROOT), ("pole_parent", ROOT))


def switches(names: Container[str], *, ik: bool) -> tuple[Switch, ...]:
    """The custom properties of the bones that a rig has, and their values for FK or for IK controls.

    names: of the rig's bones. A rig may lack some of the properties: ask it before they are keyed.
    """
    found = [switch for switch in _BODY if switch[0] in names]
    for bone in _LIMBS:
        if bone in names:
            found += [(bone, name, value) for name, value in (_IK if ik else _FK)]
    return tuple(found)
