"""What an animator fixes before a dance is made, read from the options of ``generate``: texts become directions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from backend.direction_checks import check_directions, fitted_directions
from backend.direction_fields import accents_from
from backend.directions import WHOLE_BODY, Directions, KeyPose, Part
from backend.editing.encoding import at_model_rate
from backend.errors import PirouetteError
from backend.motion.io import read_motion
from backend.motion.motion import Motion
from backend.motion.skeleton import JOINT_NAMES
from backend.music.edited_beats import checked_beats

JOINT_GROUPS: dict[str, tuple[str, ...]] = {
    "body": JOINT_NAMES,
    "hands": tuple(f"{side}_{joint}" for side in "LR" for joint in ("Collar", "Shoulder", "Elbow", "Wrist", "Hand")),
    "feet": tuple(f"{side}_{joint}" for side in "LR" for joint in ("Hip", "Knee", "Ankle", "Foot")),
    "torso": ("Spine1", "Spine2", "Spine3"),
    "head": ("Neck", "Head"),
}
STANDING_M = 0.9  # height of the pelvis of a waypoint, which locks no height
HOW_KEY_POSE = "Write SECONDS=POSES.npz:FRAME, such as 4.5=poses.npz:120 or 4.5=poses.npz:120:hands,place."
HOW_WAYPOINT = "Write SECONDS=X,Y or SECONDS=X,Y,DEGREES, such as 8=1.5,0,90."
HOW_SECTION = 'Write START:END:"prompt", such as 8:16:"house, low and fast".'
_KEY_POSE = re.compile(r"(?P<time>[^=]*)=(?P<file>.+\.\w+):(?P<frame>\d+)(?::(?P<what>[^:]*))?\Z")


@dataclass(frozen=True)
class Options:
    """The options as they were given."""

    key_pose: Sequence[str] = ()
    waypoint: Sequence[str] = ()
    accent: Sequence[float] = ()
    section: Sequence[str] = ()
    continue_from: Path | None = None
    between: tuple[Path, Path] | None = None
    strategy: str = ""
    novelty: float = 0.0
    reuse: str = "none"


def directions_from(options: Options, *, duration_s: float, genre: str = "") -> Directions:
    """The directions of a dance of so many seconds; genre: of sections whose words name none.

    Raises PirouetteError for whatever cannot be read or danced: bad_request, bad_range, missing_file, damaged_file,
    unsafe_file, too_short.
    """
    if options.continue_from is not None and options.between is not None:
        raise PirouetteError("bad_request", "Give either --continue-from or --between: between says both ends.")
    before, after = options.between or (options.continue_from, None)
    key_poses = [*map(key_pose_from, options.key_pose), *map(waypoint_from, options.waypoint)]
    directions = Directions(
        key_poses=tuple(sorted(key_poses, key=lambda key: key.time_s)),
        accents_s=accents_from(options.accent),
        parts=tuple(section_from(text, duration_s=duration_s, genre=genre) for text in options.section),
        before=None if before is None else motion_at(before),
        after=None if after is None else motion_at(after),
        novelty=options.novelty,
        strategy=cast(Any, options.strategy.strip().lower().replace("-", "_")),
        reuse=cast(Any, options.reuse.strip().lower()),
    )
    directions = fitted_directions(directions, duration_s=duration_s)
    check_directions(directions, duration_s=duration_s)
    return directions


def key_pose_from(text: str) -> KeyPose:
    """``SECONDS=POSES.npz:FRAME[:WHAT]``: the pose of a frame, numbered from 0, of any motion file.

    WHAT: names of joints, groups of them, ``place`` and ``heading``, with commas between; the whole body where nothing
    is named.
    """
    match = _KEY_POSE.match(text.strip())
    if match is None:
        raise PirouetteError("bad_request", f"“{text}” is no key pose.", HOW_KEY_POSE)
    time_s = _number(match["time"], text, HOW_KEY_POSE)
    joints, place, heading = _locked(match["what"] or "body", text)
    motion = read_motion(Path(match["file"]))
    frame = int(match["frame"])
    if frame >= motion.frames:
        raise PirouetteError(
            "bad_range",
            f"{match['file']} has no frame {frame}: its {motion.frames} frames are numbered from 0.",
        )
    return KeyPose(time_s, motion.poses[frame], motion.pelvis[frame], joints, place, heading)


def waypoint_from(text: str) -> KeyPose:
    """``SECONDS=X,Y[,DEGREES]``: a place of the floor, metres; 0 degrees faces -Y, as at rest, 90 faces +X."""
    time, equals, numbers = text.partition("=")
    values = [_number(value, text, HOW_WAYPOINT) for value in numbers.split(",")] if equals else []
    if len(values) not in (2, 3):
        raise PirouetteError("bad_request", f"“{text}” is no waypoint.", HOW_WAYPOINT)
    time_s = _number(time, text, HOW_WAYPOINT)
    pose = np.zeros((24, 3), dtype=np.float32)
    pose[0] = _facing(values[2] if len(values) == 3 else 0.0)
    pelvis = np.array([*values[:2], STANDING_M], dtype=np.float32)
    return KeyPose(time_s, pose, pelvis, joints=(), place=True, heading=len(values) == 3)


def section_from(text: str, *, duration_s: float, genre: str = "") -> Part:
    """``START:END:"prompt"``, seconds; an END that is left out is the dance's. A prompt may begin with a genre."""
    sides = text.split(":", 2)
    if len(sides) < 3:
        raise PirouetteError("bad_request", f"“{text}” is no section.", HOW_SECTION)
    start_s = _number(sides[0] or "0", text, HOW_SECTION)
    end_s = _number(sides[1], text, HOW_SECTION) if sides[1].strip() else duration_s
    found, prompt = genre_and_prompt(sides[2].strip().strip('"“”').strip())
    if not (found or prompt):
        raise PirouetteError("bad_request", f"The section “{text}” has no prompt.", HOW_SECTION)
    return Part(start_s, end_s, found or genre, prompt)


def genre_and_prompt(text: str) -> tuple[str, str]:
    """The genre that a prompt names first or anywhere, "" for none, and what else it says."""
    from backend.text.vocabulary import genre_in_text, resolve_genre

    head, _, rest = text.partition(",")
    try:
        return resolve_genre(head).name, rest.strip()
    except PirouetteError as error:
        if error.code != "unknown_genre":
            raise
    named = genre_in_text(text)
    return (named.name if named else ""), text


def motion_at(path: Path) -> Motion:
    """The motion in a file at the model's frame rate."""
    return at_model_rate(read_motion(path))


def beats_from(path: Path, *, duration_s: float = math.inf) -> np.ndarray:
    """(B,) beats of a JSON file: a list of seconds from the dance's first frame.

    Raises PirouetteError: missing_file, bad_request for what is no list of beats or lies outside the dance.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PirouetteError("missing_file", f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise PirouetteError("bad_request", f"{path.name} is not JSON: {error}.", "It is a list of seconds.") from error
    if not isinstance(values, list) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise PirouetteError(
            "bad_request", f"{path.name} holds no list of beats.", "Write [0.5, 1.0, 1.5, …]: seconds."
        )
    try:
        beats_s = checked_beats(values)
    except PirouetteError as error:
        raise PirouetteError(error.code, f"{path.name}: {error.message}", error.hint) from error
    if not ((beats_s >= 0.0) & (beats_s <= duration_s)).any():
        raise PirouetteError(
            "bad_range",
            f"{path.name}: no beat lies in the dance, which is {duration_s:.2f} s long.",
            "Beats are seconds from the dance's first frame.",
        )
    return beats_s


def _locked(what: str, text: str) -> tuple[tuple[int, ...], bool, bool]:
    """Joints, place and heading of a key pose's last part."""
    joints: set[int] = set()
    place = heading = False
    known = {name.lower(): (name,) for name in JOINT_NAMES} | JOINT_GROUPS
    for word in filter(None, (part.strip().lower() for part in what.split(","))):
        if word == "place":
            place = True
        elif word == "heading":
            heading = True
        elif word in known:
            joints |= {JOINT_NAMES.index(name) for name in known[word]}
        else:
            words = ", ".join((*JOINT_GROUPS, "place", "heading"))
            raise PirouetteError(
                "bad_request", f"“{text}” locks “{word}”, which there is not.", f"Choose {words}, or joints as L_Hand."
            )
    if not (joints or place or heading):
        raise PirouetteError("bad_request", f"“{text}” locks nothing.", HOW_KEY_POSE)
    return (WHOLE_BODY if len(joints) == len(WHOLE_BODY) else tuple(sorted(joints))), place, heading


def _number(value: str, text: str, how: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise PirouetteError("bad_request", f"“{value}” in “{text}” is not a number.", how)
    return number


def _facing(degrees: float) -> np.ndarray:
    """Axis-angle (3,) of a pelvis that is upright and faces so many degrees, seen from above, from -Y."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("z", degrees, degrees=True) * Rotation.from_euler("x", 90.0, degrees=True)
    return np.asarray(turn.as_rotvec(), dtype=np.float32)
