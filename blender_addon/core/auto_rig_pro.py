"""An Auto-Rig Pro character's switches, and the bones behind its controls. No bpy.

Its limbs have FK controls (``c_thigh_fk.l``), IK controls (``c_foot_ik.l``), and bones that follow whichever is
switched on (``thigh.l``); the switch is a property of the IK control.
"""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from .rig import Rig

Switch = tuple[str, str, float]  # bone, custom property, value
_CONTROL = "c_"
_ROOTS, _ROOT = ("c_root_master.x", "c_root.x"), "root.x"
_SWITCHES = {"c_thigh_fk": "c_foot_ik", "c_arm_fk": "c_hand_ik"}  # FK control of a limb: what holds its switch
_TOGETHER = 0.02  # of the character's height: bones that begin nearer than this are one part of the body


def fk_switches(mapped: Container[str]) -> tuple[Switch, ...]:
    """What lets the limbs follow their FK controls, as far as these are among the mapped bones."""
    sides = [(limb, switch, side) for limb, switch in _SWITCHES.items() for side in "lr"]
    return tuple(
        (f"{switch}.{side}", "ik_fk_switch", 1.0) for limb, switch, side in sides if f"{limb}.{side}" in mapped
    )


def followed_by(rig: Rig, control: str) -> str:
    """The bone that shows what a control's part of the body does by FK or IK; the control itself where none does."""
    plain = _ROOT if control in _ROOTS else control.removeprefix(_CONTROL).replace("_fk", "")
    if plain == control or plain not in rig.names:
        return control
    apart = float(np.linalg.norm(rig.heads[rig.number(plain)] - rig.heads[rig.number(control)]))
    height = float(np.ptp(np.asarray(rig.heads), axis=0).max())
    return plain if plain == _ROOT or apart <= _TOGETHER * height else control
