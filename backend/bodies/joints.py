"""The joints of the SMPL family: how many tell which body it is, and what its makers call them."""

from __future__ import annotations

from dataclasses import dataclass

from backend.motion.skeleton import JOINT_NAMES

_SIDES = ("left", "right")
_SMPL_HANDS = 22  # SMPL's last two joints are the hands; the later bodies have fingers there
_FINGERS = ("index", "middle", "pinky", "ring", "thumb")


@dataclass(frozen=True)
class Kind:
    """A body of the family. expressions: whether its last shapes are faces that it makes."""

    name: str
    joint_names: tuple[str, ...]
    expressions: bool = False


def _spelled_out(name: str) -> str:
    """Such as left_knee for L_Knee: the later bodies of the family write their names so."""
    side, _, joint = name.partition("_")
    return f"{'left' if side == 'L' else 'right'}_{joint.lower()}" if joint else name.lower()


_BODY = tuple(_spelled_out(name) for name in JOINT_NAMES[:_SMPL_HANDS])
_HANDS = tuple(f"{side}_{finger}{number}" for side in _SIDES for finger in _FINGERS for number in (1, 2, 3))
_HEAD = ("jaw", "left_eye_smplhf", "right_eye_smplhf")

SMPL = Kind("SMPL", JOINT_NAMES)
SMPL_H = Kind("SMPL-H", (*_BODY, *_HANDS))
SMPL_X = Kind("SMPL-X", (*_BODY, *_HEAD, *_HANDS), expressions=True)
KINDS: dict[int, Kind] = {len(kind.joint_names): kind for kind in (SMPL, SMPL_H, SMPL_X)}
OTHER_MODELS: dict[int, str] = {  # by their joints, too
    5: "a head (FLAME)",
    16: "a hand (MANO)",
    33: "an animal (SMAL)",
    35: "an animal (SMAL)",
}
