"""Parts become a dance again: each goes on from where the dancer is, seams are blended, sections and codes follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from backend.dance import Dance, Section
from backend.editing.artist import Artist, Codes
from backend.editing.blending import Room, Seam, blend
from backend.editing.feet import stepping
from backend.editing.locking import through_key_poses
from backend.editing.parts import Part, cut_motion, has_codes, joined_motion, locked_error
from backend.editing.placing import Placement, align, arrival, pulled, start_placement
from backend.motion.contacts import contact_labels
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

STILL = Placement()
AROUND_FRAMES = 4  # contacts of bent frames are read with so many of their neighbours


@dataclass(frozen=True)
class Edit:
    """The edited dance; touched: [first, last) frames of it that are new or blended; moved: (old first, old last, new
    first) of runs that were moved rigidly, in time or place; report: what was done, JSON. Frames in neither are the
    same as before.
    """

    dance: Dance
    touched: tuple[tuple[int, int], ...] = ()
    moved: tuple[tuple[int, int, int], ...] = ()
    report: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Run:
    """Parts that follow each other without a seam; first: their first frame in the dance after; bent: frames at the
    start and end that a blend has changed.
    """

    parts: list[Part]
    first: int
    motion: Motion
    placement: Placement = STILL
    bent: tuple[int, int] = (0, 0)

    @property
    def new(self) -> bool:
        return self.parts[0].kept is None

    @property
    def kept(self) -> int:
        """First frame in the dance before."""
        assert self.parts[0].kept is not None
        return self.parts[0].kept

    @property
    def in_time(self) -> bool:
        """Whether these are frames of the dance before, at their own time."""
        return not self.new and self.kept == self.first

    @property
    def locked(self) -> Part | None:
        """The first locked part, of those that are not new."""
        return None if self.new else next((part for part in self.parts if part.section.locked), None)

    def room(self, *, at_end: bool) -> int:
        """Frames at one end that may be bent."""
        total = 0
        for part in reversed(self.parts) if at_end else self.parts:
            if part.section.locked and not self.new:
                break
            total += part.frames
        return total


def join(
    dance: Dance, parts: Sequence[Part], artist: Artist, *, pinned: bool = False, coded: bool | None = None
) -> Edit:
    """The dance of these parts.

    pinned: what follows new frames stays where it is, and they are bent to arrive there; without it, what follows goes
    on from where they end, unless a locked section follows. coded: whether the result has codes, as before if None.
    Raises PirouetteError("locked") where a locked section would have to change or move, "bad_range" for no parts.
    """
    runs = _runs(parts)
    _refuse_moved_locks(runs)
    pulls, seams = _place(dance, runs, pinned=pinned)
    motion = joined_motion([run.motion for run in runs])
    for seam in seams:
        motion = stepping(motion, *seam["blended"])
    touched = _touched(runs)
    motion = through_key_poses(motion, dance, _in_time(runs, touched))
    edited = replace(
        dance,
        motion=motion,
        contacts=_contacts(motion, parts, touched),
        sections=_sections(dance, parts),
    )
    if has_codes(dance) if coded is None else coded:
        movement, poses = _codes(motion, parts, artist)
        edited = replace(edited, movement_codes=movement, pose_codes=poses)
    report = {"seams": seams, **pulls, **_timing(dance, edited, parts)}
    return Edit(edited, touched, _moved(runs), report)


def _runs(parts: Sequence[Part]) -> list[_Run]:
    groups: list[list[Part]] = []
    for part in parts:
        last = groups[-1][-1] if groups else None
        follows = last is not None and (
            part.kept is None if last.kept is None else part.kept == last.kept + last.frames
        )
        if follows:
            groups[-1].append(part)
        else:
            groups.append([part])
    starts = np.cumsum([0, *(sum(part.frames for part in group) for group in groups)])
    return [
        _Run(group, int(first), joined_motion([part.motion for part in group]))
        for group, first in zip(groups, starts[:-1], strict=True)
    ]


def _refuse_moved_locks(runs: Sequence[_Run]) -> None:
    for run in runs:
        if run.locked is not None and not run.in_time:
            raise locked_error(run.locked.section.name, "move in time")


def _place(dance: Dance, runs: list[_Run], *, pinned: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Place every run after the one before and blend the seams. Returns what was pulled, and the seams, for reports."""
    pulls: dict[str, Any] = {}
    seams: list[dict[str, Any]] = []
    _place_first(dance, runs)
    for number in range(1, len(runs)):
        before, after = runs[number - 1], runs[number]
        lock = next((run.locked for run in runs[number:] if run.locked is not None), None)
        if not after.new and after.in_time and (pinned or lock is not None):
            back = arrival(before.motion, after.motion)
            if not before.new:
                assert lock is not None  # only locks and new frames ask for it
                raise locked_error(lock.section.name, "stand elsewhere")
            pulls["pulled_m"] = round(float(np.linalg.norm(_end_shift(before.motion, back))), 4)
            pulls["pulled_deg"] = round(abs(float(np.degrees(np.arctan2(np.sin(back.yaw), np.cos(back.yaw))))), 2)
            before.motion = pulled(before.motion, back)
        elif not (after.new and after.parts[0].placed):
            after.placement = align(before.motion, after.motion)
            after.motion = after.placement.motion(after.motion)
        seam = _blend(before, after)
        seams.append(
            {
                "frame": after.first,
                "blended": [after.first - seam.lengths[0], after.first + seam.lengths[1]],
                "peak_m_s": round(seam.peak_m_s, 3),
                "own_m_s": round(seam.own_m_s, 3),
            }
        )
    return pulls, seams


def _place_first(dance: Dance, runs: Sequence[_Run]) -> None:
    """The dance starts where it started; new frames at its start lead to what follows, where that keeps its time."""
    first = runs[0]
    if first.parts[0].placed or first.in_time:
        return
    if first.new and len(runs) > 1 and runs[1].in_time:
        first.placement = align(first.motion, runs[1].motion).inverse()
    else:
        first.placement = start_placement(first.motion, dance.motion)
    first.motion = first.placement.motion(first.motion)


def _end_shift(motion: Motion, placement: Placement) -> np.ndarray:
    end = motion.pelvis[-1:].astype(np.float64)
    return np.asarray(placement.points(end) - end)


def _blend(before: _Run, after: _Run) -> Seam:
    room = Room(before.room(at_end=True), after.room(at_end=False), before.new, after.new)
    if room.before == 0 and room.after == 0:
        raise locked_error(after.parts[0].section.name, "be blended with another one")
    seam = blend(before.motion, after.motion, room)
    before.motion, after.motion = seam.before, seam.after
    before.bent = (before.bent[0], seam.lengths[0])
    after.bent = (seam.lengths[1], 0)
    return seam


def _touched(runs: Sequence[_Run]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for run in runs:
        last = run.first + run.motion.frames
        if run.new:
            spans.append((run.first, last))
            continue
        spans += [(run.first, run.first + run.bent[0]), (last - run.bent[1], last)]
    return joined_spans(spans)


def _in_time(runs: Sequence[_Run], touched: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The touched frames that are new, or are bent at their own time: those that key poses hold for."""
    ends = [(run.first, run.first + run.motion.frames) for run in runs if run.new or run.in_time]
    cut = [(max(a, first), min(b, last)) for first, last in ends for a, b in touched]
    return list(joined_spans(cut))


def joined_spans(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same frames as spans in order that neither touch nor overlap, empty ones left out."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(span for span in spans if span[0] < span[1]):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return tuple(result)


def _moved(runs: Sequence[_Run]) -> tuple[tuple[int, int, int], ...]:
    moved = []
    for run in runs:
        if run.new or (run.in_time and run.placement.still):
            continue
        start, end = run.bent[0], run.motion.frames - run.bent[1]
        if start < end:
            moved.append((run.kept + start, run.kept + end, run.first + start))
    return tuple(moved)


def _contacts(motion: Motion, parts: Sequence[Part], touched: Sequence[tuple[int, int]]) -> np.ndarray:
    contacts = np.concatenate([part.contacts for part in parts])
    for first, last in touched:
        start, stop = max(first - AROUND_FRAMES, 0), min(last + AROUND_FRAMES, motion.frames)
        labels = contact_labels(cut_motion(motion, start, stop).joints(), fps=FPS)
        contacts[first:last] = labels[first - start : last - start]
    return contacts


def _sections(dance: Dance, parts: Sequence[Part]) -> tuple[Section, ...]:
    """The sections at their new times: at their old moment where they did not move, on the beat where one falls into
    their first frame, else at the frame.
    """
    known = {round(float(beat) * FPS): float(beat) for beat in dance.grid.beats_s}
    known |= {round(moment * FPS): moment for s in dance.sections for moment in (s.start_s, s.end_s)}
    known |= {0: 0.0, dance.motion.frames: dance.sections[-1].end_s}
    edges = np.cumsum([0, *(part.frames for part in parts)])
    moments = [known.get(int(edge), int(edge) / FPS) for edge in edges]
    return tuple(
        replace(part.section, start_s=start_s, end_s=end_s)
        for part, (start_s, end_s) in zip(parts, pairwise(moments), strict=True)
    )


def _codes(motion: Motion, parts: Sequence[Part], artist: Artist) -> tuple[Codes, Codes]:
    """The codes of all parts one behind the other; parts without codes are encoded as they are now."""
    found: list[tuple[Codes, Codes]] = []
    pending: list[int] = []
    edges = np.cumsum([0, *(part.frames for part in parts)])
    for number, part in enumerate(parts):
        if part.codes is None:
            pending.append(part.frames)
        if pending and (part.codes is not None or number == len(parts) - 1):
            last = int(edges[number] if part.codes is not None else edges[number + 1])
            found.append(artist.encode(cut_motion(motion, last - sum(pending), last), pending))
            pending = []
        if part.codes is not None:
            found.append(part.codes)
    return np.concatenate([codes[0] for codes in found]), np.concatenate([codes[1] for codes in found])


def _timing(before: Dance, after: Dance, parts: Sequence[Part]) -> dict[str, Any]:
    """How far sections that moved in time start from a beat, and how much of the dance has no music any more."""
    beats = np.asarray(before.grid.beats_s)
    off = [
        float(np.abs(beats - first / FPS).min()) * 1000.0
        for part, (first, _) in zip(parts, map(after.frames_of, after.sections), strict=True)
        if part.kept != first and first > 0 and beats[0] - 0.5 < first / FPS < beats[-1] + 0.5
    ]
    frames = after.motion.frames
    report: dict[str, Any] = {"frames": frames, "duration_s": round(frames / FPS, 3)}
    report["off_beat_ms"] = round(max(off, default=0.0), 1)
    if 0 < len(before.sound) < frames - 1:
        report["beyond_music_s"] = round((frames - len(before.sound)) / FPS, 2)
    return report
