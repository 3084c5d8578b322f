"""A dance carried over to a character: the dancer's take is read, the bones are worked out, keys are written.

The same steps serve the button and the link: a character that follows a dance has it again when a section changes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import bpy
import numpy as np

from ..core.body import MAPPED
from ..core.bone_map import missing_joints
from ..core.contact_edits import planted, with_edits
from ..core.control_reduction import ReducedControls, reduced_controls
from ..core.errors import PirouetteError
from ..core.key_reduction import Reduced, reduced
from ..core.retarget import Retargeted, RetargetOptions, retarget
from ..core.rig import BoneMap, Rig
from ..core.rigify_ik import ControlTrack, ik_tracks
from ..core.session import SESSION
from ..core.skeleton import JOINT_NAMES
from ..scene import character_preview
from ..scene.character import bone_map_of, editable, read_rig, reference_of
from ..scene.character_take import (
    CHARACTER_MARK,
    DANCER_OF,
    CurveKeys,
    character_takes,
    every_frame,
    fewer_keys,
    find_character_take,
    hear_character_take,
    rewrite_character_take,
    standing_keys,
    switch_keys,
    track_keys,
    why_unseen,
    write_character_take,
)
from ..scene.contacts import contacts_at, edits_of
from ..scene.readback import check_rotation_modes, read_keys_of, smpl_motion
from ..scene.rigify import body_controls, switches_for
from ..scene.takes import current_take
from ..scene.timing import scene_fps
from .stepping import Step, bound, undisturbed

_WAIT_S = 0.01
_CONTROLS_SHARE = 0.5  # of the limit, for IK controls: what hangs from them adds up

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class SeenDance:
    """What a dancer does in its current take. poses: (F, 24, 3) axis-angle; pelvis: (F, 3) metres; contacts: (F, 4);
    frames: (F,) of the scene; number, name: of the take.
    """

    poses: np.ndarray
    pelvis: np.ndarray
    contacts: np.ndarray
    frames: np.ndarray
    fps: float
    number: int
    name: str


@dataclass(frozen=True, eq=False)
class Carried:
    """A dance on a character, before anything is written. contacts: (F, 4) with what the animator says of them."""

    rig: Rig
    bone_map: BoneMap
    dance: SeenDance
    contacts: np.ndarray
    retargeted: Retargeted


def seen_dance(dancer: bpy.types.Object) -> Generator[Step, None, SeenDance]:
    """The current take as it is seen in the scene, with what was keyed by hand. Raises PirouetteError no_take."""
    take = current_take(dancer)
    check_rotation_modes(dancer)
    if take.strip.use_reverse or take.strip.repeat != 1.0:
        raise PirouetteError(
            "bad_range",
            f"“{take.name}” plays backwards or repeats in the NLA editor, which a character cannot take over.",
            "Let its strip play once, forwards, and do it with the character's own strip instead.",
        )
    fps = scene_fps(bpy.context.scene)
    frames = take.frames()
    if len(frames) < 2:
        raise PirouetteError("bad_range", f"“{take.name}” is too short to be carried over.", "Choose another take.")
    places = np.array([take.action_frame(frame) for frame in frames])
    whole = np.round(places)
    places = whole if np.abs(places - whole).max() < 1e-3 else places
    keys = yield from undisturbed(read_keys_of(dancer, take, places))
    poses, pelvis = smpl_motion(dancer, keys, slice(0, len(JOINT_NAMES)))
    return SeenDance(poses, pelvis, contacts_at(dancer, take, places), frames, fps, take.number, take.name)


def carried(character: bpy.types.Object, dance: SeenDance) -> Generator[Step, None, Carried]:
    """The dance on the character, nothing written. Raises PirouetteError bad_rig."""
    rig, bone_map = read_rig(character), bone_map_of(character)
    kept = character.pirouette_character
    options = RetargetOptions(
        feet=kept.feet.lower(),
        strength=kept.strength,
        travel=kept.travel.lower(),
        facing=kept.facing.lower(),
        reference=reference_of(character, rig),
    )
    edits, times_s = edits_of(character), (dance.frames - dance.frames[0]) / dance.fps
    contacts, held = with_edits(dance.contacts, edits, times_s), planted(edits, times_s)

    def work() -> Retargeted:
        return retarget(
            rig,
            bone_map,
            dance.poses,
            dance.pelvis,
            fps=dance.fps,
            contacts=contacts,
            planted=held,
            options=options,
        )

    try:
        retargeted = yield from beside(work)
    except ValueError as error:
        raise _told(f"“{character.name}” cannot take the dance over", error, "Look at its table of bones.") from error
    return Carried(rig, bone_map, dance, contacts, retargeted)


def _told(sentence: str, error: ValueError, hint: str) -> PirouetteError:
    """What is wrong with a rig; the way out is what the error says after a semicolon, else the hint."""
    reason, _, remedy = str(error).partition("; ")
    way_out = f"{remedy[:1].upper()}{remedy[1:]}." if remedy else hint
    return PirouetteError("bad_rig", f"{sentence}: {reason}.", way_out)


def beside(work: Callable[[], T]) -> Generator[Step, None, T]:
    """Work without Blender's data, in a thread, so that the interface goes on. Raises what the work raises."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pirouette-retarget") as pool:
        future = pool.submit(work)
        while not future.done():
            wait([future], timeout=_WAIT_S)
            yield Step.WORK
        return future.result()


def carry_over(character: bpy.types.Object, dance: SeenDance, *, dancer: str) -> Generator[Step, None, dict[str, Any]]:
    """Write the dance on the character, over the one of the same take if it is as it was written, else as a new one.

    Returns figures for the report.
    """
    started_s = time.perf_counter()
    editable(character)
    character_preview.stop()  # what is posed now counts below
    found = yield from carried(character, dance)
    curves, error_cm = yield from _curves(character, found)
    name = f"{dance.name} on {character.name}"
    earlier = find_character_take(character, dancer=dancer, number=dance.number)
    again = earlier is not None and earlier.untouched
    warnings = list(found.retargeted.warnings)
    if earlier is not None and not again:
        warnings.append(f"Keys of “{earlier.action.name}” were changed by hand: it is kept on its own track, silenced.")
    if earlier is not None and again:
        steps: Generator[None, None, Any] = rewrite_character_take(character, earlier, curves)
    else:
        marks: dict[str, int | str] = {CHARACTER_MARK: dance.number, DANCER_OF: dancer}
        steps = write_character_take(character, curves, name=name, marks=marks)
    with closing(steps):
        for _ in steps:
            yield Step.WRITE
    warnings += why_unseen(character)
    report = {
        "character": character.name,
        "dancer": dancer,
        "take": dance.name,
        "joints_mapped": len(MAPPED) - len(missing_joints(found.bone_map)),
        "joints": len(MAPPED),
        "found_by": found.bone_map.source,
        "frames": len(dance.frames),
        "keys": int(sum(len(curve.keys.frames) for curve in curves)),
        "fewer_keys_error_cm": round(error_cm, 3),
        **found.retargeted.figures.as_dict(),
        "warnings": warnings,
        "seconds": round(time.perf_counter() - started_s, 3),
    }
    character.pirouette_character.report = json.dumps(report)
    return report


def _curves(character: bpy.types.Object, found: Carried) -> Generator[Step, None, tuple[list[CurveKeys], float]]:
    """All that is written on the character, and how far fewer keys bring a joint from where it was, cm."""
    kept, frames = character.pirouette_character, found.dance.frames
    ik = kept.rigify_ik and found.bone_map.controls == "rigify_fk"
    tracks = _ik_tracks(character, found) if ik else ()
    error_cm = 0.0
    if kept.simplify:
        few, error_cm = yield from _fewer(character, found, tracks)
        curves = [curve for reduced_ in few for curve in fewer_keys(reduced_, first_frame=float(frames[0]))]
    else:
        curves = every_frame(found.retargeted, character, frames) + track_keys(character, tracks, frames)
    yield Step.WORK
    by_ik = {bone for track in tracks for joint in track.joints for bone in found.bone_map.bones(joint)}
    curves = [curve for curve in curves if curve.bone not in by_ik]
    curves += switch_keys(switches_for(character, found.bone_map, ik=ik), frame=float(frames[0]))
    controls = body_controls(character, found.rig, found.bone_map)
    curves += standing_keys(character, curves, root=found.bone_map.root, frame=float(frames[0]), controls=controls)
    return curves, error_cm


def _fewer(
    character: bpy.types.Object, found: Carried, tracks: Sequence[ControlTrack]
) -> Generator[Step, None, tuple[list[Reduced | ReducedControls], float]]:
    """The dance, and its IK controls if it has any, with few keys; and the farthest that a joint is away, cm."""
    kept = character.pirouette_character
    limit_cm, fps = float(kept.error_cm), found.dance.fps
    contacts = found.contacts if kept.feet != "OFF" else None

    def body() -> Reduced:
        return reduced(found.rig, found.bone_map, found.retargeted, limit_cm=limit_cm, fps=fps, contacts=contacts)

    def controls() -> ReducedControls:
        limit = _CONTROLS_SHARE * limit_cm
        return reduced_controls(found.rig, tracks, limit_cm=limit, fps=fps, contacts=contacts)

    few: list[Reduced | ReducedControls] = [(yield from beside(body))]
    if tracks:
        few.append((yield from beside(controls)))
    return few, max(each.error_cm for each in few)


def _ik_tracks(character: bpy.types.Object, found: Carried) -> tuple[ControlTrack, ...]:
    """The limbs by their IK controls. Raises PirouetteError bad_rig."""
    try:
        return ik_tracks(found.rig, found.bone_map, found.retargeted)
    except ValueError as error:
        raise _told(f"“{character.name}” cannot dance by IK controls", error, "Switch IK Controls off.") from error


def followers(dancer: bpy.types.Object) -> list[bpy.types.Object]:
    """The characters that follow a dancer's dance."""
    return [
        thing
        for thing in bpy.data.objects
        if thing.type == "ARMATURE"
        and thing.pirouette_character.dancer == dancer
        and thing.pirouette_character.follows
        and any(True for _ in character_takes(thing))
    ]


def shown_on(dancer: bpy.types.Object, number: int) -> None:
    """Let the characters that follow a dancer show this take, too, as far as they have it."""
    for character in followers(dancer):
        take = find_character_take(character, dancer=dancer.name, number=number)
        if take is not None:
            hear_character_take(character, take)


def carried_on(dancer: bpy.types.Object) -> Generator[Step, None, None]:
    """Give the dance, which has just changed, to every character that follows it.

    The dance itself is kept when a character cannot have it: a warning says so.
    """
    return bound(_followed(dancer))


def _followed(dancer: bpy.types.Object) -> Generator[Step, None, None]:
    characters = followers(dancer)
    if not characters:
        return
    told = []
    try:
        dance = yield from seen_dance(dancer)
    except PirouetteError as error:
        SESSION.warning = " ".join(filter(None, (SESSION.warning, f"No character has followed: {error.message}")))
        return
    for character in characters:
        try:
            report = yield from carry_over(character, dance, dancer=dancer.name)
            told += [f"{character.name}: {warning}" for warning in report["warnings"]]
        except PirouetteError as error:
            told.append(f"“{character.name}” has not followed: {error.message}")
    SESSION.warning = " ".join(filter(None, (SESSION.warning, *dict.fromkeys(told))))
