"""Where the sections of a dance lie: in seconds, in counts, and in the frames of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .dance import Beats, DanceDocument, Placement, Section

_EPSILON = 1e-6  # of a frame: a border that falls on a frame belongs to what begins there

_FEWEST_BEATS = 2


def scene_span(placement: Placement, start_s: float, end_s: float) -> tuple[int, int]:
    """First frame and the frame after the last, counted from the dance's first, of a span of time in the dance."""
    first, last = (int(np.ceil(time_s * placement.fps - _EPSILON)) for time_s in (start_s, end_s))
    return min(max(first, 0), placement.frames), min(max(last, 0), placement.frames)


def scene_frames(document: DanceDocument, section: Section) -> tuple[int, int]:
    """The scene's first and last frame of a section, both included."""
    first, end = scene_span(document.placement, section.start_s, section.end_s)
    return document.placement.first_frame + first, document.placement.first_frame + max(end - 1, first)


def section_at(sections: Sequence[Section], time_s: float) -> int | None:
    """The number of the section that is danced at a moment, or None."""
    for index, section in enumerate(sections):
        if section.start_s - 1e-9 <= time_s < section.end_s:
            return index
    return None


def counts_of(beats: Beats, section: Section) -> tuple[int, int]:
    """The section's first count, from 1 on the dance's first beat, and how many counts it has."""
    half_s = 0.25 * 60.0 / beats.tempo_bpm if beats.tempo_bpm > 0 else 0.0
    first = int(np.searchsorted(beats.beats_s, max(section.start_s - half_s, 0.0)))
    last = int(np.searchsorted(beats.beats_s, section.end_s - half_s))
    return first + 1, max(last - first, 0)


def counts_in_words(beats: Beats, section: Section) -> str:
    """Such as ``17–24``; the length in seconds where there are no beats."""
    first, count = counts_of(beats, section)
    if count == 0:
        return f"{section.end_s - section.start_s:.1f} s"
    return f"{first}–{first + count - 1}" if count > 1 else f"{first}"


def changed_frames(before: DanceDocument, after: DanceDocument, *, above: float = 2e-5) -> npt.NDArray[np.bool_]:
    """Which frames of ``after`` are not what ``before`` has at the same time: (T,), radians and metres."""
    frames, common = len(after.poses), min(len(after.poses), len(before.poses))
    changed = np.ones(frames, dtype=np.bool_)
    turned = np.abs(after.poses[:common] - before.poses[:common]).reshape(common, -1).max(axis=1)
    moved = np.abs(after.pelvis[:common] - before.pelvis[:common]).max(axis=1)
    changed[:common] = np.maximum(turned, moved) > above
    return changed


def scene_mask(placement: Placement, changed: npt.NDArray[np.bool_], *, fps: float) -> npt.NDArray[np.bool_]:
    """Which of the scene's frames (placement.frames,) are made from one of these frames (T,) of a dance at ``fps``.

    Where the two rates differ, a scene's frame is made from up to four of the dance's.
    """
    reach = 0 if fps == placement.fps else 2
    last = len(changed) - 1
    base = np.minimum(np.floor(np.arange(placement.frames) * fps / placement.fps + _EPSILON).astype(np.int64), last)
    around = [np.clip(base + offset, 0, last) for offset in range(-reach, reach + 1)]
    mask: npt.NDArray[np.bool_] = np.any(changed[np.stack(around)], axis=0)
    return mask


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and the one after the last of each unbroken run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def heard_from(document: DanceDocument, start_s: float, duration_s: float) -> tuple[Beats, npt.NDArray[np.float16]]:
    """The beats and the sound (S, 37) of a stretch of a dance, or of one beside it, told from the stretch's start.

    A stretch of less than two beats takes the next one, or the one before, along: one beat tells no tempo. The sound is
    empty unless the whole stretch is heard in the dance.
    """
    beats = document.beats
    inside = (beats.beats_s > start_s - 1e-6) & (beats.beats_s < start_s + duration_s)
    if 0 < inside.sum() < _FEWEST_BEATS or (not inside.any() and 0.0 <= start_s < document.duration_s):
        last = max(int(np.searchsorted(beats.beats_s, start_s - 1e-6)), 0) + _FEWEST_BEATS
        last = min(last, len(inside))
        inside[max(last - _FEWEST_BEATS, 0) : last] = True
    first, count = round(start_s * document.fps), round(duration_s * document.fps)
    whole = first >= 0 and first + count <= len(document.sound)
    sound = document.sound[first : first + count] if whole else document.sound[:0]
    beats_s = beats.beats_s[inside] - start_s
    return replace(
        beats, beats_s=np.where(np.abs(beats_s) < 1e-6, 0.0, beats_s), downbeat=beats.downbeat[inside]
    ), sound


def alone(document: DanceDocument, index: int) -> DanceDocument:
    """One section as a dance of its own, with its codes, its beats and its sound."""
    section = document.sections[index]
    first, last = document.frames_of(section)
    duration_s = (last - first) / document.fps
    beats, sound = heard_from(document, first / document.fps, duration_s)
    movement, pose = document.codes_of(index) if len(document.movement_codes) else (document.movement_codes,) * 2
    placement = document.placement
    return replace(
        document,
        poses=document.poses[first:last],
        pelvis=document.pelvis[first:last],
        contacts=document.contacts[first:last],
        beats=beats,
        sound=sound,
        sections=(replace(section, start_s=0.0, end_s=duration_s, locked=False),),
        movement_codes=movement,
        pose_codes=pose,
        placement=replace(placement, frames=max(round(duration_s * placement.fps), 1)),
        kept_keys=np.zeros(0, dtype=np.int32),
    )
