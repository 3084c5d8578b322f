"""The bones behind a control rig's controls: those that show the body, whatever moves it. No bpy.

A limb of such a rig has FK and IK controls, of which one set does nothing; other bones follow what is switched on: in
characters that Rigify generates those called ``ORG-``.
"""

from __future__ import annotations

import numpy as np

from .auto_rig_pro import followed_by
from .rig import BoneMap, Rig

_ORIGINAL = "ORG-"
_HIPS = "ORG-spine"
_NEAR = 1e-4  # of the character's height: bones whose heads lie nearer than this begin together


def body_bone(rig: Rig, bone_map: BoneMap, joint: int, bone: str) -> str:
    """The bone that shows what a mapped bone's part of the body does: itself, unless it is one of several controls."""
    if bone_map.controls != "rigify_fk":
        return followed_by(rig, bone)
    if joint == 0:
        return _HIPS if _HIPS in rig.names else bone
    plain = _ORIGINAL + bone.replace("_fk", "")
    return plain if plain in rig.names else _beginning_with(rig, bone)


def _beginning_with(rig: Rig, bone: str) -> str:
    """The bone of the body that begins where a control does; the control where none does."""
    heads = np.asarray(rig.heads, dtype=np.float64)
    apart = np.linalg.norm(heads - heads[rig.number(bone)], axis=-1)
    limit = _NEAR * float(np.ptp(heads, axis=0).max())
    near = [number for number in np.argsort(apart, kind="stable") if apart[number] <= limit]
    return next((rig.names[number] for number in near if rig.names[number].startswith(_ORIGINAL)), bone)
