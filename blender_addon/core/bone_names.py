"""What a bone's name says: the part of the body, the side, whether it is a helper. No bpy.

A name is brought to one spelling (no prefixes, no case, no separators, Japanese in English) and looked up; one word may
mean several parts, such as ``shoulder``, and the order of the bones in the tree decides between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

# Parts, in their order from the body outwards.
LEG = ("thigh", "shin", "foot", "toes")
ARM = ("collar", "upper_arm", "forearm", "hand")
OPTIONAL = frozenset({"toes", "collar"})

# How well a word alone stands for a part of the body.
_MEANINGS: tuple[tuple[str, dict[str, float]], ...] = (
    ("pelvis hips hipscenter hipcenter hipmaster bassin becken", {"pelvis": 1.0}),
    ("center groove cog com", {"pelvis": 0.6, "root": 0.3}),
    ("lowerbody", {"pelvis": 0.5}),
    ("hip", {"thigh": 0.8, "pelvis": 0.8}),
    ("thigh upleg upperleg legupper legup thighbend femur muslo cuisse oberschenkel coscia", {"thigh": 1.0}),
    ("shin calf lowerleg loleg lowleg leglower legdown tibia crus unterschenkel shinbend shank", {"shin": 1.0}),
    ("knee", {"shin": 0.9}),
    ("leg", {"thigh": 0.5, "shin": 0.6}),
    ("foot feet fuss pied pie", {"foot": 1.0, "toes": 0.5}),
    ("ankle footbend", {"foot": 0.9}),
    ("toe toes toebase ball football toeball forefoot", {"toes": 1.0}),
    ("toea toebig bigtoe toetip metatarsals metatarsal", {"toes": 0.5}),
    ("collar clavicle clav clavicula collarbone shoulderblade schluesselbein", {"collar": 1.0}),
    ("scapula", {"collar": 0.6}),
    ("shoulder", {"collar": 0.7, "upper_arm": 0.6}),
    ("upperarm uparm armupper armup shldr shldrbend humerus oberarm shoulderjoint armbend", {"upper_arm": 1.0}),
    ("arm", {"upper_arm": 0.7, "forearm": 0.3}),
    ("forearm lowerarm loarm lowarm armlower armdown forearmbend ulna radius unterarm", {"forearm": 1.0}),
    ("elbow", {"forearm": 0.9}),
    ("hand main mano", {"hand": 1.0}),
    ("wrist", {"hand": 0.9}),
    ("head skull kopf tete cabeza", {"head": 1.0}),
    ("root master world origin traj trajectory motherbone global", {"root": 1.0}),
)
_WORDS = {word: meaning for words, meaning in _MEANINGS for word in words.split()}
_JAPANESE = {
    "全ての親": "root", "センター": "center", "グルーブ": "groove", "腰": "waist", "下半身": "lower body",
    "上半身": "upper body", "首": "neck", "頭": "head", "肩": "shoulder blade", "腕捩": "arm twist",
    "手捩": "wrist twist",
    "腕": "upper arm", "ひじ": "elbow", "肘": "elbow", "手首": "wrist", "足首": "ankle", "足先": "toe", "つま先": "toe",
    "ひざ": "knee", "膝": "knee", "足": "thigh", "左": "left", "右": "right", "親": "parent", "先": "end",
    "両目": "eyes",
    "目": "eye", "指": "finger", "捩": "twist", "ダミー": "dummy", "髪": "hair", "胸": "breast", "スカート": "skirt",
    "EX": "", "キャンセル": "cancel", "補助": "helper", "舌": "tongue", "親指": "thumb",
}  # fmt: skip
_JAPANESE_PATTERN = re.compile("|".join(sorted(_JAPANESE, key=len, reverse=True)))
_SIDES = {"l": "L", "left": "L", "lft": "L", "lf": "L", "lt": "L", "r": "R", "right": "R", "rgt": "R", "rt": "R"}
_NOISE = (
    "def org bip bone bn jnt jt joint j b c cc base valve biped valvebiped sk skel rig mixamorig mid m f avg char "
    "character armature fk ctrl control stretch x d bend main ch skeleton nurbs geo deform driver anim"
)
_TWIST = "twist roll tw twst share ribbon segment"
_HELPER = (
    "ik pole target helper end nub tip null effector socket weapon prop hair cloth skirt breast boob eye eyes eyelid "
    "jaw tongue ear brow eyebrow lip lips cheek teeth nose finger fingers thumb index middle ring pinky little palm "
    "carpal meta metacarpal holder dummy attach jiggle butt glute buttock tail wing mch wgt vis tweak parent widget pv "
    "slide muscle bulge corrective cancel shadow switch swing pivot spin heel aim lookat cape hat face facial physics "
    "offset handle bow sleeve belt bag sword shield ponytail bang bangs collider accessory gun knuckle lat latissimus "
    "pec pectoral trap deltoid scale"
)
_NOISE_WORDS, _TWIST_WORDS, _HELPER_WORDS = (frozenset(words.split()) for words in (_NOISE, _TWIST, _HELPER))


@dataclass(frozen=True)
class BoneName:
    """What a name says. side: L, R or ""; parts: how well it stands for each part; twist, helper: whether it is one."""

    side: str
    parts: Mapping[str, float] = field(default_factory=dict)
    number: int = 0
    twist: bool = False
    helper: bool = False
    spelling: str = ""


def read_name(name: str) -> BoneName:
    """What a bone's name says."""
    words = _words(name)
    sides = [_SIDES[word] for word in words if word in _SIDES]
    if not sides:
        words, sides = _side_within(words)
    numbers = [int(word) for word in words if word.isdigit()]
    plain = [word for word in words if word not in _SIDES and not word.isdigit()]
    twist = not _TWIST_WORDS.isdisjoint(plain)
    helper = not _HELPER_WORDS.isdisjoint(plain)
    kept = [word for word in plain if word not in _TWIST_WORDS]
    spelling, parts = _look_up(kept)
    return BoneName(
        sides[0] if sides else "", {} if helper else parts, numbers[-1] if numbers else 0, twist, helper, spelling
    )


def _words(name: str) -> list[str]:
    text = unicodedata.normalize("NFKC", name)
    text = re.split(r"[:|]", text)[-1] or text
    text = _JAPANESE_PATTERN.sub(lambda match: f" {_JAPANESE[match.group()]} ", text)
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"(\d+)", r" \1 ", text)
    return [word for word in re.split(r"[\W_]+", text.lower()) if word]


def _side_within(words: list[str]) -> tuple[list[str], list[str]]:
    """A side that is written together with its part, such as ``leftarm`` or ``lclavicle``."""
    for index, word in enumerate(words):
        for side, letter in sorted(_SIDES.items(), key=lambda pair: -len(pair[0])):
            for rest in (word.removeprefix(side), word.removesuffix(side)):
                if rest != word and rest in _WORDS and word not in _WORDS:
                    return [*words[:index], rest, *words[index + 1 :]], [letter]
    return words, []


def _look_up(words: list[str]) -> tuple[str, Mapping[str, float]]:
    """The spelling that is known, and its parts: all words together, then without noise, then word by word."""
    plain = [word for word in words if word not in _NOISE_WORDS]
    for tried in (words, plain, plain[::-1]):
        spelling = "".join(tried)
        if spelling in _WORDS:
            return spelling, _WORDS[spelling]
    known = [word for word in plain if word in _WORDS]
    if known:
        return known[-1], {part: 0.5 * weight for part, weight in _WORDS[known[-1]].items()}
    return "".join(plain), {}
