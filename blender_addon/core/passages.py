"""New movement beside or between movement that there is, as one dance; how long some counts of music are. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .dance import Beats, DanceDocument, Placement, Section, Settings
from .dance_format import SOUND_CHANNELS
from .directions import Motion
from .errors import PirouetteError
from .resample import resample
from .skeleton import FPS

_SAME_BEAT_S = 0.15
_SHORTEST_SECTION_S = 0.25

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Around:
    """What the dancer does around new movement: poses (F, 24, 3) and pelvis (F, 3) of the scene's frames ``placement``,
    of which [first, last), counted from the placement's first, are made anew; document: the dance that is known to be
    danced there, from the same first frame on, or None.
    """

    placement: Placement
    first: int
    last: int
    poses: npt.NDArray[np.float32]
    pelvis: npt.NDArray[np.float32]
    document: DanceDocument | None = None

    @property
    def span(self) -> Span:
        """The new frames at the model's rate."""
        return round(self.first / self.placement.fps * FPS), round(self.last / self.placement.fps * FPS)

    @property
    def frames(self) -> int:
        """Frames of the whole at the model's rate."""
        return max(round(self.placement.frames / self.placement.fps * FPS), self.span[1])

    def before(self) -> Motion | None:
        """What is danced before the new frames, at the model's rate."""
        if self.span[0] == 0:
            return None
        fps = self.placement.fps
        part = slice(0, self.first)
        return resample(self.poses[part], self.pelvis[part], source_fps=fps, target_fps=FPS, frames=self.span[0])

    def after(self) -> Motion | None:
        """What is danced behind them, at the model's rate."""
        frames = self.frames - self.span[1]
        if frames == 0:
            return None
        fps, part = self.placement.fps, slice(self.last, None)
        shift = self.span[1] / FPS * fps - self.last  # the new frames end on a frame of the model's
        shifts = np.full(frames, shift) if abs(shift) > 1e-9 else None
        return resample(
            self.poses[part], self.pelvis[part], source_fps=fps, target_fps=FPS, frames=frames, shifts=shifts
        )


def joined(around: Around, made: DanceDocument, *, addon_version: str) -> DanceDocument:
    """One dance of what there was and the new frames; ``made`` starts at the first new frame and may run on.

    It has no codes: the backend encodes it. Beats and sound come from what is known on either side.
    """
    first, last = around.span
    if len(made.poses) < last - first:
        raise PirouetteError(
            "internal", f"The backend made {len(made.poses)} frames of {last - first}.", "Do it again."
        )
    pieces = [piece for piece in (around.before(), _taken(made, last - first), around.after()) if piece is not None]
    frames = around.frames
    known = around.document
    return DanceDocument(
        poses=np.concatenate([poses for poses, _ in pieces]),
        pelvis=np.concatenate([pelvis for _, pelvis in pieces]),
        contacts=np.zeros((frames, 4), dtype=np.bool_),
        fps=FPS,
        beats=_beats(known, made, first / FPS, last / FPS, frames / FPS),
        placement=around.placement,
        settings=Settings() if known is None else known.settings,
        sections=_sections(known, made, first / FPS, last / FPS, frames / FPS),
        model_version=made.model_version,
        addon_version=addon_version,
        warnings=made.warnings,
        sound=_sound(known, made, (first, last), frames),
        key_poses=tuple(
            sorted(
                [
                    *(key for key in (known.key_poses if known else ()) if not first <= round(key.time_s * FPS) < last),
                    *(
                        replace(key, time_s=key.time_s + first / FPS)
                        for key in made.key_poses
                        if round(key.time_s * FPS) < last - first
                    ),
                ],
                key=lambda key: key.time_s,
            )
        ),
        accents_s=made_accents(known, made, first / FPS, last / FPS),
    )


def made_accents(known: DanceDocument | None, made: DanceDocument, first_s: float, last_s: float) -> tuple[float, ...]:
    """The accents on either side."""
    kept = [accent for accent in (known.accents_s if known else ()) if not first_s <= accent < last_s]
    new = [accent + first_s for accent in made.accents_s if accent + first_s < last_s]
    return tuple(sorted((*kept, *new)))


def _taken(made: DanceDocument, frames: int) -> Motion | None:
    return (made.poses[:frames], made.pelvis[:frames]) if frames else None


def _beats(known: DanceDocument | None, made: DanceDocument, first_s: float, last_s: float, end_s: float) -> Beats:
    new_s, new_marks = made.beats.beats_s + first_s, made.beats.downbeat
    inside = (new_s > first_s - _SAME_BEAT_S) & (new_s < (last_s + _SAME_BEAT_S if last_s < end_s else np.inf))
    new_s, new_marks = new_s[inside], new_marks[inside]
    if known is not None:
        old_s = known.beats.beats_s
        kept = (old_s < first_s - _SAME_BEAT_S) | (old_s > last_s + _SAME_BEAT_S)
        if last_s >= end_s:
            kept &= old_s < first_s
        near = [bool(len(new_s)) and float(np.abs(new_s - beat).min()) < _SAME_BEAT_S for beat in old_s]
        kept &= ~np.array(near, dtype=np.bool_)
        new_s, new_marks = np.concatenate([old_s[kept], new_s]), np.concatenate([known.beats.downbeat[kept], new_marks])
        order = np.argsort(new_s)
        new_s, new_marks = new_s[order], new_marks[order]
    return replace(made.beats, beats_s=np.maximum(new_s, 0.0), downbeat=new_marks)


def _sound(known: DanceDocument | None, made: DanceDocument, span: Span, frames: int) -> npt.NDArray[np.float16]:
    """What is heard in each frame; silence where nobody has listened."""
    sound = np.zeros((frames, SOUND_CHANNELS), dtype=np.float16)
    if known is not None:
        heard = known.sound[:frames]
        sound[: len(heard)] = heard
    new = made.sound[: span[1] - span[0]]
    sound[span[0] : span[0] + len(new)] = new
    return sound


def _sections(
    known: DanceDocument | None, made: DanceDocument, first_s: float, last_s: float, end_s: float
) -> tuple[Section, ...]:
    """The sections on either side, cut where the new ones begin and end."""
    old = known.sections if known is not None else ()
    pieces: list[Section] = []
    for start_s, stop_s, sections, shift_s in (
        (0.0, first_s, old, 0.0),
        (first_s, last_s, made.sections, first_s),
        (last_s, end_s, old, 0.0),
    ):
        if stop_s - start_s > 1e-6:
            pieces += _covering(sections, start_s, stop_s, shift_s, named=len(pieces) + 1)
    return tuple(pieces)


def _covering(
    sections: tuple[Section, ...], start_s: float, stop_s: float, shift_s: float, *, named: int
) -> list[Section]:
    """Sections that cover a span without a gap: those given, cut to it, and filled up."""
    found: list[Section] = []
    at_s = start_s
    for section in sections:
        end_s = min(section.end_s + shift_s, stop_s)
        if end_s - at_s > _SHORTEST_SECTION_S and section.start_s + shift_s < stop_s - 1e-6:
            name = section.name if shift_s == 0.0 else str(named + len(found))
            found.append(replace(section, name=name, start_s=at_s, end_s=end_s))
            at_s = end_s
    if stop_s - at_s > 1e-6:
        if found:
            found[-1] = replace(found[-1], end_s=stop_s)
        else:
            found.append(Section(str(named), at_s, stop_s))
    return found


def end_of_counts(beats_s: npt.NDArray[np.float64], start_s: float, counts: int, *, limit_s: float) -> float:
    """When so many counts from a moment on are over: on a beat. limit_s: where the music ends.

    Raises PirouetteError bad_range when the music ends before.
    """
    if len(beats_s) < 2:
        raise PirouetteError("no_beats", "There are no beats to count by here.", "Detect the beats first.")
    period_s = float(np.median(np.diff(beats_s)))
    while beats_s[-1] < limit_s - 0.5 * period_s:  # the last beat may be missing where the music ends
        beats_s = np.append(beats_s, beats_s[-1] + period_s)
    place = float(np.interp(start_s, beats_s, np.arange(len(beats_s))))
    goal = round(place + counts)
    if goal >= len(beats_s) or beats_s[goal] > limit_s + 0.5 * period_s:
        left = max(int(np.interp(limit_s, beats_s, np.arange(len(beats_s))) - place + 0.25), 0)
        raise PirouetteError(
            "bad_range",
            f"There {'is' if left == 1 else 'are'} only {left} count{'' if left == 1 else 's'} of music left.",
            "Ask for fewer, or add music.",
        )
    return min(float(beats_s[goal]), limit_s)
