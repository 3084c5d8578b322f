"""Key poses: five real poses in ten seconds, before the final pass and after it, beside the dance without them.

*poses*: of real dances drawn at random, place and heading free. *one dance*: of one real dance at their own times, with
place and heading. The dance without locks has the same song and seed, and is held against the same poses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from backend.directions import Directions, KeyPose
from backend.evaluation.beat_alignment import beat_alignment
from backend.evaluation.compare import Spread
from backend.evaluation.directed.director import Asked, Director
from backend.evaluation.directed.drawn_poses import LOCKS, one_dance, strange_poses
from backend.evaluation.directed.ground import Ground
from backend.evaluation.directed.lock_error import beside, key_frame, lock_error, pose_change
from backend.evaluation.directed.parts import Found, Part, Section, Table, Tell
from backend.evaluation.directed.steps import fastest_steps, hardest_turns, peaks_near
from backend.evaluation.drawing import number, ranges
from backend.evaluation.verdicts import Verdict
from backend.evaluation.windows import FloatArray
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

SECONDS = 10.0
DRAW_SEED = 5
KINDS: dict[str, Callable[..., tuple[KeyPose, ...]]] = {"poses": strange_poses, "one dance": one_dance}
STAGES = ("unlocked", "before", "after")
STAGE_WORDS = ("without locks", "before the final pass", "after the final pass")
MOST_DISTANCE_CM = 1.0
MOST_ANGLE_DEG = 1.0
MOST_OF_UNLOCKED = 0.5
MOST_SPIKES = 0.005  # by its definition, of moments of real dances
LEAST_OF_LIFT = 0.8


def find(director: Director, ground: Ground, tell: Tell) -> Found:
    """Every song and seed: the dance without locks, and for each kind of poses before and after the final pass."""
    motions = [danced.motion for danced in ground.real]
    cases: list[dict[str, Any]] = []
    for place, (song, genres) in enumerate(zip(ground.heard(SECONDS), ground.genres(), strict=True)):
        for seed, genre in enumerate(genres):
            tell(f"key poses: {song.id}, seed {seed}")
            asked = Asked(genre, seed)
            free = director.dance(song.audio, asked).motion
            for kind, draw in KINDS.items():
                keys = draw(np.random.default_rng([DRAW_SEED, place, seed]), motions, frames=round(SECONDS * FPS))
                locked = replace(asked, directions=Directions(key_poses=keys))
                before = director.dance(song.audio, replace(locked, exact=False)).motion
                after = director.dance(song.audio, locked).motion
                dances = zip(STAGES, (free, before, after), strict=True)
                measured = {stage: _measured(motion, keys, song.grid.beats_s) for stage, motion in dances}
                cases.append({"kind": kind, "song": song.id, "seed": seed, "genre": genre, **measured})
    return {"cases": cases, "real": asdict(ground.limits) | {"beside_cm": 100.0 * pose_change(motions)}}


def _measured(motion: Motion, keys: Sequence[KeyPose], beats_s: FloatArray) -> dict[str, Any]:
    """Errors of each lock, the fastest step near each, and the beat."""
    joints = motion.joints()
    errors = [lock_error(motion, key) for key in keys]
    frames = np.array([key_frame(key, motion.fps) for key in keys])
    beat = beat_alignment(joints, beats_s, fps=motion.fps)
    return {
        "distance_cm": [100.0 * error.distance_m for error in errors],
        "angle_deg": [error.angle_deg for error in errors],
        "worst_angle_deg": [error.worst_angle_deg for error in errors],
        "height_cm": [100.0 * error.height_m for error in errors],
        "place_cm": [100.0 * error.place_m for error in errors if error.place_m is not None],
        "heading_deg": [error.heading_deg for error in errors if error.heading_deg is not None],
        "beside_cm": [100.0 * beside(motion, key) for key in keys],
        "turn_m_s2": hardest_turns(joints, fps=motion.fps)[frames - 1].tolist(),
        "peak_m_s": peaks_near(fastest_steps(joints, fps=motion.fps), frames, fps=motion.fps).tolist(),
        "alignment": beat.motion_to_music,
        "lift": beat.lift,
    }


def show(found: Found) -> Section:
    """A table and verdicts for each kind of poses."""
    tables, verdicts, figures = [], [], []
    for kind in KINDS:
        cases = [case for case in found["cases"] if case["kind"] == kind]
        if cases:
            tables.append(_table(kind, cases, found["real"]))
            figures += _figures(kind, cases)
            verdicts += _verdicts(kind, cases, found["real"])
    note = (
        f"{LOCKS} whole-body poses of real dances in {SECONDS:g} s. KPD: mean distance of the 24 joints at a lock, "
        "both pelvises at the origin; where the heading is free, the pose is turned about the vertical to the dance's. "
        "Angles are between the rotations of joints. Fastest within 0.3 s: of the joint that moves farthest from a "
        "frame to the next; beside it the 99.5th percentile of the same around every moment of real dances, which half "
        "a per cent of those exceed. Beside the lock: KPD of the frames 0.1 s before and after it, which tells whether "
        "the dance comes to the pose or snaps to it for a frame: at the lock itself the sampler puts the pose into "
        "every prediction. Real is what a tenth of a second changes in any pose."
    )
    return Section("Key poses", note, tuple(tables), tuple(verdicts), tuple(figures))


def _all(cases: Sequence[dict[str, Any]], stage: str, name: str) -> FloatArray:
    return np.array([value for case in cases for value in case[stage][name]], dtype=np.float64)


def _mean(cases: Sequence[dict[str, Any]], stage: str, name: str) -> float:
    return float(np.mean([case[stage][name] for case in cases]))


def _spikes(cases: Sequence[dict[str, Any]], stage: str, real: dict[str, float]) -> float:
    return float((_all(cases, stage, "peak_m_s") > real["peak_m_s"]).mean())


def _table(kind: str, cases: Sequence[dict[str, Any]], real: dict[str, float]) -> Table:
    def row(title: str, of: Callable[[str], float], beside: str = "") -> tuple[str, ...]:
        return (title, *(number(round(of(stage), 4)) for stage in STAGES), beside)

    def over(name: str, summary: Callable[[FloatArray], Any]) -> Callable[[str], float]:
        return lambda stage: float(summary(_all(cases, stage, name)))

    rows = [
        row("KPD, cm", over("distance_cm", np.mean)),
        row("KPD of the worst lock, cm", over("distance_cm", np.max)),
        row("angle, mean over joints, °", over("angle_deg", np.mean)),
        row("largest angle of any joint and lock, °", over("worst_angle_deg", np.max)),
        row("height of the pelvis, cm", over("height_cm", np.mean)),
    ]
    if cases[0]["after"]["place_cm"]:
        rows += [
            row("place, cm", over("place_cm", np.mean)),
            row("place of the worst lock, cm", over("place_cm", np.max)),
            row("heading, °", over("heading_deg", np.mean)),
        ]
    rows += [
        row("KPD 0.1 s beside the lock, cm", over("beside_cm", np.mean), number(real["beside_cm"])),
        row("hardest turn at the lock, median, m/s²", over("turn_m_s2", np.median), number(real["usual_turn_m_s2"])),
        row("hardest turn of all locks, m/s²", over("turn_m_s2", np.max), f"99.5 %: {real['turn_m_s2']:.3g}"),
        row("fastest within 0.3 s, median, m/s", over("peak_m_s", np.median), number(real["usual_peak_m_s"])),
        row("fastest within 0.3 s, of all locks, m/s", over("peak_m_s", np.max), f"99.5 %: {real['peak_m_s']:.3g}"),
        row("locks above real's 99.5 %, %", lambda stage: 100.0 * _spikes(cases, stage, real), "0.5"),
        row("beat alignment", lambda stage: _mean(cases, stage, "alignment")),
        row("beat lift", lambda stage: _mean(cases, stage, "lift")),
    ]
    title = f"{_title(kind)}: {len(cases)} dances, {len(cases) * LOCKS} locks"
    return Table(title, ("", *STAGE_WORDS, "real"), tuple(rows))


def _figures(kind: str, cases: Sequence[dict[str, Any]]) -> list[str]:
    """Medians over locks, and their quartiles."""
    titles = {"distance_cm": "KPD, cm", "beside_cm": "KPD 0.1 s beside the lock, cm", "turn_m_s2": "turn at it, m/s²"}
    return [
        ranges(
            f"{kind}: {title}",
            {stage: Spread.of(_all(cases, stage, name), tails=0.25) for stage in STAGES},
        )
        for name, title in titles.items()
    ]


def _title(kind: str) -> str:
    return {"poses": "Poses of many dances, place and heading free"}.get(
        kind, "Poses of one dance, with place and heading"
    )


def _verdicts(kind: str, cases: Sequence[dict[str, Any]], real: dict[str, float]) -> list[Verdict]:
    lines = [*_exactness(cases), *_approach(cases, real), *_calm(cases, real)]
    return [Verdict(f"{kind}: {line.asked}", line.measured, line.reached) for line in lines]


def _exactness(cases: Sequence[dict[str, Any]]) -> list[Verdict]:
    """What the final pass must reach at every lock."""
    distances, places, headings = (_all(cases, "after", name) for name in ("distance_cm", "place_cm", "heading_deg"))
    angle = float(_all(cases, "after", "worst_angle_deg").max())
    lines = [
        Verdict(
            f"KPD under {MOST_DISTANCE_CM:g} cm at every lock after the final pass",
            f"{distances.mean():.4f} cm, worst {distances.max():.4f} cm",
            bool(distances.max() < MOST_DISTANCE_CM),
        ),
        Verdict(
            f"joint angles under {MOST_ANGLE_DEG:g}° at every lock after the final pass",
            f"largest {angle:.4f}°",
            angle < MOST_ANGLE_DEG,
        ),
    ]
    if len(places):
        asked = f"place within {MOST_DISTANCE_CM:g} cm, heading within {MOST_ANGLE_DEG:g}° at every lock"
        reached = bool(places.max() < MOST_DISTANCE_CM and headings.max() < MOST_ANGLE_DEG)
        lines.append(Verdict(asked, f"worst {places.max():.4f} cm, {headings.max():.4f}°", reached))
    return lines


def _approach(cases: Sequence[dict[str, Any]], real: dict[str, float]) -> list[Verdict]:
    """Whether the dance itself comes to the poses, before the final pass."""
    free, before = (float(_all(cases, stage, "distance_cm").mean()) for stage in STAGES[:2])
    far, near = (float(_all(cases, stage, "beside_cm").mean()) for stage in STAGES[:2])
    return [
        Verdict(
            f"before the final pass KPD at most {MOST_OF_UNLOCKED:g} of that without locks",
            f"{before:.3g} cm, without locks {free:.3g} cm",
            before <= MOST_OF_UNLOCKED * free,
        ),
        Verdict(
            f"before the final pass KPD 0.1 s beside the lock at most {MOST_OF_UNLOCKED:g} of that without",
            f"{near:.3g} cm, without locks {far:.3g} cm, real {real['beside_cm']:.3g} cm",
            near <= MOST_OF_UNLOCKED * far,
        ),
    ]


def _calm(cases: Sequence[dict[str, Any]], real: dict[str, float]) -> list[Verdict]:
    """Whether locks make the dance hurry or twitch, or lose the beat."""
    spikes, fastest = _spikes(cases, "after", real), float(_all(cases, "after", "peak_m_s").max())
    turns = _all(cases, "after", "turn_m_s2")
    twitches = float((turns > real["turn_m_s2"]).mean())
    free, locked = (_mean(cases, stage, "lift") for stage in ("unlocked", "after"))
    return [
        Verdict(
            "no speed spike within 0.3 s of a lock, above the 99.5th percentile no oftener than real",
            f"{spikes:.1%} above {real['peak_m_s']:.3g} m/s, fastest {fastest:.3g} m/s, without locks "
            f"{_spikes(cases, 'unlocked', real):.1%}",
            spikes <= MOST_SPIKES,
        ),
        Verdict(
            "no twitch at a lock, acceleration above the 99.5th percentile no oftener than real",
            f"{twitches:.1%} above {real['turn_m_s2']:.3g} m/s², median {np.median(turns):.3g} m/s², real "
            f"{real['usual_turn_m_s2']:.3g} m/s²",
            twitches <= MOST_SPIKES,
        ),
        Verdict(
            f"beat lift at least {LEAST_OF_LIFT:g} of that without locks",
            f"{locked:.3g}, without locks {free:.3g}",
            locked >= free - (1.0 - LEAST_OF_LIFT) * abs(free),
        ),
    ]


PART = Part("key-poses", find, show)
