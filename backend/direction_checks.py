"""Whether directions can be danced in so many seconds: told in one sentence before anything is made."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np

from backend.directions import STRATEGIES, Compared, Directions, KeyPose, Part
from backend.errors import PirouetteError
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

REUSES = ("none", "repeat", "mirror")
CLOSE_S = 0.5 / FPS


def fitted_directions(directions: Directions, *, duration_s: float) -> Directions:
    """The same directions, brought to the dance's end where they end a frame beside it: a song in samples and a range
    in frames are seldom equally long.
    """
    frames = max(round(duration_s * FPS), 2)
    last_s = (frames - 1) / FPS

    def within(time_s: float) -> float:
        return last_s if round(time_s * FPS) == frames else time_s

    kept, spans = directions.kept, directions.kept_frames
    if kept is not None and abs(kept.frames - frames) == 1:
        spans = tuple((first, frames if last >= kept.frames else last) for first, last in spans)
        rows = np.minimum(np.arange(frames), kept.frames - 1)
        kept = Motion(kept.poses[rows], kept.pelvis[rows], kept.fps)
    return replace(
        directions,
        key_poses=tuple(replace(key, time_s=within(key.time_s)) for key in directions.key_poses),
        accents_s=tuple(within(accent_s) for accent_s in directions.accents_s),
        parts=tuple(
            replace(part, end_s=min(part.end_s, duration_s)) if part.end_s < duration_s + 1.5 / FPS else part
            for part in directions.parts
        ),
        kept=kept,
        kept_frames=spans,
    )


def check_directions(directions: Directions, *, duration_s: float) -> None:
    """Raise PirouetteError (bad_request, bad_range) for directions that a dance of so many seconds cannot follow."""
    if not 0.0 <= directions.novelty <= 1.0:
        raise PirouetteError("bad_request", f"A novelty of {directions.novelty:g} is not between 0 and 1.")
    if directions.strategy not in ("", *get_args(Compared), *STRATEGIES):
        known = ", ".join(STRATEGIES)
        raise PirouetteError("bad_request", f"There is no strategy “{directions.strategy}”.", f"Choose {known}.")
    if directions.reuse not in REUSES:
        raise PirouetteError(
            "bad_request", f"Nothing can be reused by “{directions.reuse}”.", f"Choose {', '.join(REUSES)}."
        )
    if directions.reuse != "none" and directions.strategy not in ("", "coarse_to_fine"):
        raise PirouetteError(
            "bad_request",
            "Parts of the music share their movement only in a dance made coarse to fine.",
            "Choose that strategy, or let every part have its own movement.",
        )
    _check_key_poses(directions.key_poses, duration_s)
    for accent_s in directions.accents_s:
        _check_moment(accent_s, "The accent", duration_s)
    _check_parts(directions.parts, duration_s)
    _check_kept(directions, duration_s)
    for motion in (directions.before, directions.after):
        if motion is not None:
            _check_motion(motion)


def _check_moment(time_s: float, what: str, duration_s: float) -> None:
    if not 0 <= round(time_s * FPS) < max(round(duration_s * FPS), 2):
        raise PirouetteError(
            "bad_range",
            f"{what} at {time_s:g} s lies outside the dance, which is {duration_s:.2f} s long.",
            "Times are seconds from the dance's first frame.",
        )


def _check_key_poses(key_poses: tuple[KeyPose, ...], duration_s: float) -> None:
    for key in key_poses:
        _check_moment(key.time_s, "The key pose" if key.joints else "The waypoint", duration_s)
    taken: set[tuple[int, int | str]] = set()
    for key in sorted(key_poses, key=lambda key: key.time_s):
        parts: list[int | str] = [*key.joints, *["place"] * key.place, *["heading"] * key.heading]
        locks = {(round(key.time_s * FPS), part) for part in parts}
        if locks & taken:
            raise PirouetteError(
                "bad_request", f"Two key poses at {key.time_s:g} s lock the same.", "Move or remove one of them."
            )
        taken |= locks


def _check_parts(parts: tuple[Part, ...], duration_s: float) -> None:
    for part in parts:
        if not 0.0 <= part.start_s < part.end_s:
            raise PirouetteError(
                "bad_range", f"The section from {part.start_s:g} s to {part.end_s:g} s holds no moment."
            )
        if part.end_s > duration_s + CLOSE_S:
            raise PirouetteError(
                "bad_range",
                f"The section from {part.start_s:g} s to {part.end_s:g} s ends after the dance, "
                f"which is {duration_s:.2f} s long.",
            )
    for first, second in pairwise(sorted(parts, key=lambda part: part.start_s)):
        if second.start_s < first.end_s - CLOSE_S:
            raise PirouetteError(
                "bad_range",
                f"The sections that start at {first.start_s:g} s and {second.start_s:g} s lie over each other.",
                "Let one end where the next starts.",
            )


def _check_kept(directions: Directions, duration_s: float) -> None:
    if directions.kept is None:
        if directions.kept_frames:
            raise PirouetteError("bad_request", "Frames are to be kept, but their motion was not given.")
        return
    _check_motion(directions.kept)
    frames = max(round(duration_s * FPS), 2)
    if directions.kept.frames != frames:
        raise PirouetteError(
            "bad_request", f"The motion to keep has {directions.kept.frames} frames, and the dance has {frames}."
        )
    for first, last in directions.kept_frames:
        if not 0 <= first < last <= frames:
            raise PirouetteError("bad_range", f"Frames {first} to {last} are no span of a dance of {frames} frames.")


def _check_motion(motion: Motion) -> None:
    if motion.fps != FPS:
        raise PirouetteError(
            "bad_request", f"The motion around a dance is given at {FPS:g} frames a second, not {motion.fps:g}."
        )
    if motion.frames < 2:
        raise PirouetteError("too_short", "One frame is too short to go on from or to arrive at.", "Give two or more.")
