"""Key poses and accents in an edited dance: what is new obeys those at its time; what moved does not follow them."""

from __future__ import annotations

from collections.abc import Sequence

from backend.dance import Dance
from backend.directions import KeyPose
from backend.motion.accents import accented
from backend.motion.locking import lock_errors, locked
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

Span = tuple[int, int]

MET_M = 0.01
MET_DEG = 1.0


def keys_within(dance: Dance, span: Span) -> tuple[KeyPose, ...]:
    """The key poses of a dance whose frames lie in first..last (exclusive)."""
    first, last = span
    return tuple(key for key in dance.key_poses if first <= round(key.time_s * FPS) < last)


def through_key_poses(motion: Motion, dance: Dance, spans: Sequence[Span]) -> Motion:
    """The motion, exactly through the key poses in these spans of it; every frame outside them stays."""
    keys = [key for span in spans for key in keys_within(dance, span)]
    if not keys:
        return motion
    return locked(motion, keys, contact=None, fixed=outside(spans, motion.frames))


def on_accents(motion: Motion, dance: Dance, span: Span) -> Motion:
    """A motion of the dance's length, its poses landing on the accents of a span of it; every frame outside stays."""
    first, last = span
    accents_s = [accent_s for accent_s in dance.accents_s if first <= round(accent_s * FPS) < last]
    if not accents_s:
        return motion
    keys = [round(key.time_s * FPS) for key in keys_within(dance, span)]
    return accented(motion, accents_s, fixed=[*outside([span], motion.frames), *((key, key + 1) for key in keys)])


def outside(spans: Sequence[Span], frames: int) -> list[Span]:
    """What is left of so many frames beside spans that are in order and apart."""
    edges = [0, *(edge for span in spans for edge in span), frames]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first < last]


def missed_key_poses(dance: Dance) -> list[float]:
    """Seconds of the key poses that the dance does not pass through; those beyond its end are none of them."""
    missed = []
    for key in keys_within(dance, (0, dance.motion.frames)):
        errors = lock_errors(dance.motion, [key])
        far = max(errors.distance_m, errors.place_m) > MET_M
        if far or max(errors.largest_angle_deg, errors.heading_deg) > MET_DEG:
            missed.append(round(key.time_s, 4))
    return missed
