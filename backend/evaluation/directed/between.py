"""Passages made anew in the middle of a dance: from the past alone, or from what is before and after them.

The middle of a real dance is danced anew, longer than one window of the network. *The past alone*: the generator is
told what came before; what comes after is then moved as one to where the new passage ends, the kindest way to join
them. In *one-directional*, *sequential* and *bidirectional* both sides are kept where they are, and slices attend to
the clean past alone (in slices as short as the bidirectional ones, or a window each), or also to the noisy slice after
them. *In-between*: the passage is made as an in-between of two dances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from backend.directions import Compared, Directions, Strategy
from backend.evaluation.directed.continuing import known_genre
from backend.evaluation.directed.director import Asked, Director
from backend.evaluation.directed.facing import headings, set_down
from backend.evaluation.directed.ground import Ground
from backend.evaluation.directed.limits import RealLimits, beyond
from backend.evaluation.directed.parts import Found, Part, Section, Table, Tell
from backend.evaluation.directed.seams import joined, part_of, seam_at
from backend.evaluation.directed.song_spans import song_span
from backend.evaluation.drawing import number
from backend.evaluation.foot_skate import foot_skate
from backend.evaluation.generated_set import HeardSong, heard_song
from backend.evaluation.physical_foot_contact import physical_foot_contact
from backend.evaluation.speed import mean_joint_speed
from backend.evaluation.verdicts import Verdict
from backend.evaluation.windows import FloatArray
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

SECONDS = 24.0
GAP_S = (6.0, 18.0)
AROUND_S = 1.0  # on either side of a seam, for PFC and foot skate
FIRST, LAST = (round(second * FPS) for second in GAP_S)
ENDS = {"first": FIRST, "last": LAST}
Way = Callable[[Director, HeardSong, Asked, Motion], Motion]


def past_alone(director: Director, song: HeardSong, asked: Asked, whole: Motion) -> Motion:
    """Goes on from the past; the after is set down where it would have gone on from."""
    before, after = part_of(whole, 0, FIRST), part_of(whole, LAST - 1, whole.frames)
    made = _told(director, song_span(song, *GAP_S), asked, Directions(before=before))
    x, y, _ = made.pelvis[-1]
    after = set_down(after, 0, (float(x), float(y)), float(headings(made)[-1]))
    return joined([before, made, part_of(after, 1, after.frames)])


def _kept(strategy: Strategy | Compared) -> Way:
    def way(director: Director, song: HeardSong, asked: Asked, whole: Motion) -> Motion:
        spans = ((0, FIRST), (LAST, whole.frames))
        return _told(director, song, asked, Directions(kept=whole, kept_frames=spans, strategy=strategy))

    return way


def in_between(director: Director, song: HeardSong, asked: Asked, whole: Motion) -> Motion:
    """Arrives from the before at the after."""
    before, after = part_of(whole, 0, FIRST), part_of(whole, LAST, whole.frames)
    made = _told(director, song_span(song, *GAP_S), asked, Directions(before=before, after=after))
    return joined([before, made, after])


WAYS: dict[str, Way] = {
    "the past alone": past_alone,
    "one-directional": _kept("forward"),
    "sequential": _kept("sequential"),
    "bidirectional": _kept("bidirectional"),
    "in-between": in_between,
}
ONE_DIRECTIONAL, BIDIRECTIONAL = "one-directional", "bidirectional"


def _told(director: Director, song: HeardSong, asked: Asked, directions: Directions) -> Motion:
    return director.dance(song.audio, Asked(asked.genre, asked.seed, directions, song.grid)).motion


def find(director: Director, ground: Ground, tell: Tell) -> Found:
    """Each chosen dance's middle, with every seed and in every way."""
    cases: list[dict[str, Any]] = []
    for place, danced in enumerate(ground.chosen(SECONDS)):
        tell(f"between: {danced.dance}")
        song = heard_song(ground.files[place % len(ground.files)], SECONDS)
        start = (danced.motion.frames - round(SECONDS * FPS)) // 2
        whole = part_of(danced.motion, start, start + round(SECONDS * FPS))
        cases.append({"dance": danced.dance, "way": "real", "seed": None, **_measured(whole, whole, ground.limits)})
        for seed in range(ground.seeds):
            asked = Asked(known_genre(danced.genre), seed)
            for name, way in WAYS.items():
                made = way(director, song, asked, whole)
                cases.append(
                    {"dance": danced.dance, "way": name, "seed": seed, **_measured(made, whole, ground.limits)}
                )
    return {"cases": cases, "real": asdict(ground.limits)}


def _measured(motion: Motion, whole: Motion, limits: RealLimits) -> dict[str, Any]:
    """Seams at both ends, feet around them, and how far the after is from where it was."""
    around = round(AROUND_S * FPS)
    near = [part_of(motion, seam - around, seam + around).joints() for seam in ENDS.values()]
    gap = part_of(motion, FIRST, LAST).joints()
    pieces = {"seam": near, "gap": [gap]}
    found: dict[str, Any] = {name: asdict(seam_at(motion, frame)) for name, frame in ENDS.items()}
    for name, joints in pieces.items():
        found[f"pfc_{name}"] = float(np.mean([physical_foot_contact(each, fps=FPS) for each in joints]))
        found[f"skate_{name}_cm_s"] = float(np.mean([foot_skate(each, fps=FPS).mean_cm_s for each in joints]))
    found |= {f"gap_{name}": value for name, value in beyond([part_of(motion, FIRST, LAST)], limits).items()}
    found["speed_gap_m_s"] = mean_joint_speed(gap, fps=FPS)
    found["after_moved_m"] = float(np.linalg.norm((motion.pelvis[LAST:] - whole.pelvis[LAST:])[:, :2], axis=-1).mean())
    return found


def show(found: Found) -> Section:
    """A table of the ways beside the untouched dances, and bidirectional against one-directional."""
    cases = found["cases"]
    ways = {name: [case for case in cases if case["way"] == name] for name in ("real", *WAYS)}
    seconds = GAP_S[1] - GAP_S[0]
    note = (
        f"The middle {seconds:g} s of {SECONDS:g} s of {len(ways['real'])} real dances, made anew. The past alone: "
        "what comes after is moved to where the passage ends. One-directional and sequential: both sides stay where "
        "they are, slices of 6 s or windows of 10 s attend to the clean past. Bidirectional: slices of 6 s attend to "
        "the clean past and to the noisy slice after them. In-between: made as an in-between of two dances. Seams as "
        f"in continuing. PFC and foot skate within {AROUND_S:g} s of the seams, and in the passage, whose own steps "
        "beyond real's 99.5th percentile tell of borders of slices."
    )
    tables = (*(_table(end, ways, found) for end in ENDS), _feet(ways))
    return Section("Passages made anew", note, tables, _verdicts(ways, found))


def _values(cases: Sequence[dict[str, Any]], end: str, name: str) -> FloatArray:
    return np.array([case[end][name] for case in cases], dtype=np.float64)


def _table(end: str, ways: dict[str, list[dict[str, Any]]], found: Found) -> Table:
    real = found["real"]
    rows = []
    for name, cases in ways.items():
        speed, turn = _values(cases, end, "speed_m_s"), _values(cases, end, "turn_m_s2")
        above = [100.0 * (speed > real["step_m_s"]).mean(), 100.0 * (turn > real["seam_turn_m_s2"]).mean()]
        cells = [np.median(speed), speed.max(), above[0], np.median(turn), turn.max(), above[1]]
        rows.append((_words(name), *map(number, map(float, cells))))
    limits = f"real's 99.5 %: {real['step_m_s']:.3g} m/s, {real['seam_turn_m_s2']:.3g} m/s²"
    head = ("", "speed, m/s", "largest", "above 99.5 %, %", "turn, m/s²", "largest", "above 99.5 %, %")
    return Table(f"The {end} seam, medians; {limits}", head, tuple(rows))


def _words(name: str) -> str:
    return "the real dance, untouched" if name == "real" else name


FEET = {
    "pfc_seam": "PFC, seams",
    "pfc_gap": "PFC, passage",
    "skate_seam_cm_s": "skate, seams, cm/s",
    "skate_gap_cm_s": "skate, passage, cm/s",
    "speed_gap_m_s": "mean speed, m/s",
    "gap_steps_beyond_pct": "steps beyond, %",
    "gap_turns_beyond_pct": "turns beyond, %",
    "after_moved_m": "after moved, m",
}


def _feet(ways: dict[str, list[dict[str, Any]]]) -> Table:
    rows = []
    for way, cases in ways.items():
        values = {name: np.array([case[name] for case in cases], dtype=np.float64) for name in FEET}
        middles = [each.mean() if name.endswith("pct") else np.median(each) for name, each in values.items()]
        rows.append((_words(way), *(number(float(each)) for each in middles)))
    return Table("Feet and movement, medians; steps and turns beyond, means", ("", *FEET.values()), tuple(rows))


def _verdicts(ways: dict[str, list[dict[str, Any]]], found: Found) -> tuple[Verdict, ...]:
    real = found["real"]
    lines = []
    for name, words, unit in (("speed_m_s", "speed across", "m/s"), ("turn_m_s2", "hardest turn at", "m/s²")):
        one, both, true = (
            float(np.median(np.concatenate([_values(ways[way], end, name) for end in ENDS])))
            for way in (ONE_DIRECTIONAL, BIDIRECTIONAL, "real")
        )
        measured = f"{both:.3g} {unit}, one-directional {one:.3g} {unit}, real {true:.3g} {unit}"
        lines.append(Verdict(f"bidirectional: {words} the seams no larger than one-directional", measured, both <= one))
    one, both, true = (
        float(np.median([case["pfc_seam"] for case in ways[way]])) for way in (ONE_DIRECTIONAL, BIDIRECTIONAL, "real")
    )
    measured = f"{both:.3g}, one-directional {one:.3g}, real {true:.3g}"
    lines.append(Verdict("bidirectional: PFC at the seams no larger than one-directional", measured, both <= one))
    one, both, true = (
        float(np.mean([case["gap_turns_beyond_pct"] for case in ways[way]]))
        for way in (ONE_DIRECTIONAL, BIDIRECTIONAL, "real")
    )
    asked = "bidirectional: turns in the passage beyond real's 99.5th percentile no more than one-directional"
    lines.append(Verdict(asked, f"{both:.3g} %, one-directional {one:.3g} %, real {true:.3g} %", both <= one))
    speeds = np.concatenate([_values(ways[BIDIRECTIONAL], end, "speed_m_s") for end in ENDS])
    above = float((speeds > real["step_m_s"]).mean())
    asked = "bidirectional: speed across the seams above the 99.5th percentile of real steps no oftener than real"
    measured = f"{above:.1%} above {real['step_m_s']:.3g} m/s, fastest {speeds.max():.3g} m/s"
    return (*lines, Verdict(asked, measured, above <= 0.005))


PART = Part("between", find, show)
