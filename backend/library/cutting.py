"""Cut a clip of dance into candidates for phrases: from beat to beat, eight counts (six in 3/4)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backend.library.measures import Shown, Soundness, shown_by, signature, soundness
from backend.motion.motion import Motion
from backend.motion.resample import resample
from backend.motion.skeleton import FPS
from backend.motion.sources import Clip
from backend.training.kinematic_beats import arrival_strength, kinematic_beats, settled

FloatArray = npt.NDArray[np.float64]
FEWEST_COUNTS = 4
SHORTEST_S, LONGEST_S = 1.6, 8.5
FALLBACK_S = 4.0  # of a phrase where there is no beat at all
REACH_S = 0.7  # how far a phrase's end may be moved to an arrival then


@dataclass(frozen=True)
class Cut:
    """One candidate. start, frames: in the clip at 30 fps; beats_s: (B,) within the phrase, from its first frame on;
    counts: beats that the phrase lasts; metre: 3 or 4; arrival: how clearly the body arrives at both ends, 0..1.
    """

    clip: Clip
    start: int
    frames: int
    beats_s: tuple[float, ...]
    counts: int
    metre: int
    arrival: float
    shown: Shown
    sound: Soundness
    look: FloatArray

    @property
    def bpm(self) -> float:
        """Beats a minute of the phrase."""
        return 60.0 * self.counts / (self.frames / FPS)

    @property
    def seconds(self) -> float:
        """Length of the phrase."""
        return self.frames / FPS

    def motion(self, whole: Motion) -> Motion:
        """The phrase out of the clip's motion at 30 fps."""
        span = slice(self.start, self.start + self.frames)
        return Motion(whole.poses[span], whole.pelvis[span], whole.fps)


def at_model_rate(motion: Motion) -> Motion:
    """The motion at 30 fps."""
    if abs(motion.fps - FPS) < 1e-3:
        return motion
    poses, pelvis = resample(motion.poses, motion.pelvis, source_fps=motion.fps, target_fps=FPS)
    return Motion(poses, pelvis, FPS)


def cuts_of(clip: Clip, motion: Motion, *, metre: int) -> list[Cut]:
    """Every candidate of a clip, one for each beat that a whole phrase follows; motion: the clip at 30 fps."""
    joints = motion.joints()
    arrival = arrival_strength(joints, fps=FPS)
    spans = _spans(_beats(clip, joints, metre), metre) or _spans(_steady(arrival), 4)
    cuts = []
    for beats_s in spans:
        first, last = round(float(beats_s[0]) * FPS), min(round(float(beats_s[-1]) * FPS), motion.frames)
        inside = joints[first:last]
        ends = [_near(arrival, first), _near(arrival, last)]
        cuts.append(
            Cut(
                clip=clip,
                start=first,
                frames=last - first,
                beats_s=tuple(round(max(float(b) - first / FPS, 0.0), 3) for b in beats_s[:-1]),
                counts=len(beats_s) - 1,
                metre=metre,
                arrival=float(np.mean(ends)),
                shown=shown_by(inside, fps=FPS),
                sound=soundness(inside, fps=FPS),
                look=signature(inside),
            )
        )
    return cuts


def _beats(clip: Clip, joints: npt.NDArray[np.floating], metre: int) -> FloatArray:
    """Beats (B,) s within the clip: annotated ones where known, else those that the body shows."""
    if clip.beats_s is not None and len(clip.beats_s) >= FEWEST_COUNTS:
        beats = settled(clip.beats_s, joints, fps=FPS)
    else:
        beats = np.asarray(kinematic_beats(joints, fps=FPS, metre=metre).beats_s)
    return beats[(beats >= 0.0) & (beats * FPS <= len(joints))]


def _spans(beats_s: FloatArray, metre: int) -> list[FloatArray]:
    """Beats (counts + 1,) of every phrase; where the clip is too short for one, all of its beats if they are enough."""
    counts = 2 * metre
    if len(beats_s) <= counts:
        counts = len(beats_s) - 1
    if counts < FEWEST_COUNTS:
        return []
    spans = [beats_s[i : i + counts + 1] for i in range(len(beats_s) - counts)]
    return [span for span in spans if SHORTEST_S <= span[-1] - span[0] <= LONGEST_S]


def _steady(arrival: FloatArray) -> FloatArray:
    """Counts (B,) s for a clip without a beat: phrases of about four seconds that end where the body arrives."""
    reach, borders = round(REACH_S * FPS), [0]
    while borders[-1] + round(FALLBACK_S * FPS) + reach < len(arrival):
        middle = borders[-1] + round(FALLBACK_S * FPS)
        borders.append(middle - reach + int(np.argmax(arrival[middle - reach : middle + reach + 1])))
    counts = 8
    if len(borders) < 2:
        return np.linspace(0.0, len(arrival) / FPS, counts + 1)
    pieces = [np.linspace(a, b, counts, endpoint=False) for a, b in pairwise(borders)]
    return np.concatenate([*pieces, borders[-1:]]) / FPS


def _near(arrival: FloatArray, frame: int) -> float:
    """The strongest arrival within two frames."""
    around = arrival[max(frame - 2, 0) : frame + 3]
    return float(min(around.max(), 1.0)) if len(around) else 0.0
