"""Continuing: real dances go on for a minute. Does the dance freeze, is there a seam, does novelty make it vary?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from backend.directions import Directions
from backend.evaluation.directed.director import Asked, Director
from backend.evaluation.directed.ground import Ground
from backend.evaluation.directed.parts import Found, Part, Section, Table, Tell
from backend.evaluation.directed.seams import joined, part_of, seam_at
from backend.evaluation.directed.song_spans import song_span
from backend.evaluation.diversity import diversity
from backend.evaluation.drawing import curves, number
from backend.evaluation.feature_scale import GEOMETRIC_FLOOR, KINETIC_FLOOR, FeatureScale
from backend.evaluation.freezing import freezing_curve
from backend.evaluation.generated_set import heard_song
from backend.evaluation.geometric_features import geometric_features
from backend.evaluation.kinetic_features import kinetic_features
from backend.evaluation.measure import FREEZING_THRESHOLDS_M_S, Measured
from backend.evaluation.verdicts import MOST_FREEZING_ABOVE_REAL_PCT, Verdict
from backend.evaluation.windows import WINDOW_S, FloatArray
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.text.vocabulary import load_vocabulary

SECONDS = 60.0
VARIED_SECONDS = 20.0  # of dances with novelty, and of what diversity is measured on
NOVELTIES = (0.0, 0.5, 1.0)
LONGEST_PAST_S, SHORTEST_PAST_S = 10.0, 8.0
FROZEN_M_S = (0.05, 0.2)  # the freezing rate's usual threshold, and one that tells more
MOST_SEAMS = 0.005  # by its definition, of steps of real dances
SPACES = {"kinetic": KINETIC_FLOOR, "geometric": GEOMETRIC_FLOOR}
DIVERSITIES = {"kinetic": "Div_k", "geometric": "Div_g"}
Case = dict[str, Any]


def find(director: Director, ground: Ground, tell: Tell) -> Found:
    """Each chosen dance's end, gone on from to a song in turn, with every seed and novelty."""
    scales = {
        space: FeatureScale.of(np.stack([each.features[space] for each in ground.windows]), floor=floor)
        for space, floor in SPACES.items()
    }
    cases: list[Case] = []
    spreads: list[Case] = []
    for place, danced in enumerate(ground.chosen(SHORTEST_PAST_S)):
        song = heard_song(ground.files[place % len(ground.files)], SECONDS)
        past = _past(danced.motion)
        for novelty in NOVELTIES:
            tell(f"continuing: {danced.dance}, novelty {novelty:g}")
            heard = song_span(song, 0.0, VARIED_SECONDS) if novelty else song
            asked = Asked(known_genre(danced.genre), 0, Directions(before=past, novelty=novelty), heard.grid)
            made = [director.dance(heard.audio, replace(asked, seed=seed)).motion for seed in range(ground.seeds)]
            for seed, motion in enumerate(made):
                about = {"dance": danced.dance, "song": heard.id, "seed": seed, "novelty": novelty}
                cases.append(about | _measured(past, motion))
            if len(made) > 1:
                spreads.append({"dance": danced.dance, "novelty": novelty} | _apart(made, scales))
    real = asdict(ground.limits) | _real(ground.windows, scales)
    return {"cases": cases, "diversity": spreads, "real": real}


def known_genre(name: str) -> str:
    """The genre, or none for a name that is not in the vocabulary."""
    return name if name in load_vocabulary().genres else ""


def _past(motion: Motion) -> Motion:
    """The dance's last seconds."""
    return part_of(motion, max(motion.frames - round(LONGEST_PAST_S * FPS), 0), motion.frames)


def _measured(past: Motion, motion: Motion) -> Case:
    """The seam to the past, and the frozen share of each ten seconds at each threshold."""
    whole = joined([past, motion])
    windows = [part_of(motion, first, first + round(WINDOW_S * FPS)) for first in _firsts(motion)]
    frozen = [100.0 * freezing_curve(window.joints(), FROZEN_M_S, fps=FPS) for window in windows]
    return {"seam": asdict(seam_at(whole, past.frames)), "frozen_pct": [each.tolist() for each in frozen]}


def _firsts(motion: Motion) -> range:
    """First frames of the whole windows of a dance."""
    length = round(WINDOW_S * FPS)
    return range(0, motion.frames - length + 1, length)


def _features(space: str, motion: Motion) -> FloatArray:
    of = kinetic_features if space == "kinetic" else geometric_features
    return of(motion.joints(), fps=FPS)


def _apart(made: Sequence[Motion], scales: dict[str, FeatureScale]) -> dict[str, float]:
    """Mean distance between the seeds' dances of one past, window by window of their first seconds, in each space."""
    short = [part_of(motion, 0, round(VARIED_SECONDS * FPS)) for motion in made]
    found = {}
    for space, scale in scales.items():
        by_window = [
            [_features(space, part_of(motion, first, first + round(WINDOW_S * FPS))) for motion in short]
            for first in _firsts(short[0])
        ]
        found[space] = float(np.mean([diversity(scale.apply(np.stack(features))) for features in by_window]))
    return found


def _real(windows: Sequence[Measured], scales: dict[str, FeatureScale]) -> dict[str, Any]:
    """Mean frozen share of real windows, and how far windows of one dance and of different dances lie apart."""
    chosen = [FREEZING_THRESHOLDS_M_S.index(threshold) for threshold in FROZEN_M_S]
    names = np.array([each.window.whole.dance for each in windows])
    same = (names[:, None] == names[None]) & ~np.eye(len(names), dtype=bool)
    found: dict[str, Any] = {
        "frozen_pct": (100.0 * np.mean([each.freezing[chosen] for each in windows], axis=0)).tolist()
    }
    for space, scale in scales.items():
        rows = scale.apply(np.stack([each.features[space] for each in windows]))
        apart = cdist(rows, rows)
        found[f"{space}_one_dance"] = float(apart[same].mean()) if same.any() else None
        found[f"{space}_all"] = diversity(rows)
    return found


def show(found: Found) -> Section:
    """Freezing by window, seams and diversity."""
    cases, real = found["cases"], found["real"]
    plain = [case for case in cases if not case["novelty"]]
    note = (
        f"Real dances of {SHORTEST_PAST_S:g} s or more; their last {LONGEST_PAST_S:g} s at most are gone on from for "
        f"{SECONDS:g} s, with novelty for {VARIED_SECONDS:g} s, to the report's songs in turn. Freezing: share of "
        "frames in runs of half a second or more whose fastest joint is under the speed, mean over dances. Seam: the "
        "step from the real dance's last frame to the first new one. Diversity: distance between dances of one past "
        f"with different seeds, over the first {VARIED_SECONDS:g} s in windows of {WINDOW_S:g} s, z-scored by real "
        "windows."
    )
    tables = (_freezing_table(plain, real), _seam_table(cases, real), _diversity_table(found))
    return Section("Continuing", note, tables, _verdicts(found), (_freezing_figure(plain, real),))


def _frozen(cases: Sequence[Case], threshold: int) -> FloatArray:
    """(windows,) mean over dances, %."""
    frozen: FloatArray = np.mean([[window[threshold] for window in case["frozen_pct"]] for case in cases], axis=0)
    return frozen


def _freezing_table(plain: Sequence[Case], real: Case) -> Table:
    windows = len(plain[0]["frozen_pct"])
    head = ("frozen, %", *(f"{10 * each} to {10 * each + 10} s" for each in range(windows)), "real")
    rows = [
        (f"under {100 * speed:g} cm/s", *map(number, _frozen(plain, place)), number(real["frozen_pct"][place]))
        for place, speed in enumerate(FROZEN_M_S)
    ]
    return Table(f"Freezing, {len(plain)} continuations", head, tuple(rows))


def _freezing_figure(plain: Sequence[Case], real: Case) -> str:
    lines: dict[str, list[float]] = {}
    for place, speed in enumerate(FROZEN_M_S):
        frozen = _frozen(plain, place)
        lines[f"under {100 * speed:g} cm/s"] = frozen.tolist()
        lines[f"real, {100 * speed:g} cm/s"] = [real["frozen_pct"][place]] * len(frozen)
    seconds = [WINDOW_S * (place + 0.5) for place in range(len(next(iter(lines.values()))))]
    return curves("Frozen frames, %", seconds, lines, x_label="seconds after the seam")


def _seams(cases: Sequence[Case], name: str) -> FloatArray:
    return np.array([case["seam"][name] for case in cases], dtype=np.float64)


def _seam_table(cases: Sequence[Case], real: Case) -> Table:
    rows = []
    for name, words in (("speed_m_s", "fastest joint across the seam, m/s"), ("turn_m_s2", "hardest turn, m/s²")):
        values, key = _seams(cases, name), {"speed_m_s": "step_m_s", "turn_m_s2": "seam_turn_m_s2"}[name]
        summary = (np.median(values), np.quantile(values, 0.95), values.max(), 100.0 * (values > real[key]).mean())
        rows.append((words, *map(number, map(float, summary)), number(real[f"usual_{key}"]), number(real[key])))
    head = ("", "median", "95 %", "largest", "above real's 99.5 %, %", "real, median", "real, 99.5 %")
    return Table(f"Seams, {len(cases)} continuations", head, tuple(rows))


def _varied(found: Found, novelty: float, space: str) -> FloatArray:
    rows = [each[space] for each in found["diversity"] if each["novelty"] == novelty]
    return np.array(rows, dtype=np.float64)


def _diversity_table(found: Found) -> Table:
    real = found["real"]
    rows = []
    for space, words in DIVERSITIES.items():
        cells = []
        for novelty in NOVELTIES:
            values = _varied(found, novelty, space)
            cells.append(f"{number(float(values.mean()))} ± {_error(values):.2g}" if len(values) else "–")
        one = real[f"{space}_one_dance"]
        rows.append((words, *cells, "–" if one is None else number(one), number(real[f"{space}_all"])))
    head = ("mean ± standard error over pasts", *(f"novelty {each:g}" for each in NOVELTIES), "real, one dance", "real")
    return Table("Diversity between seeds", head, tuple(rows))


def _error(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _verdicts(found: Found) -> tuple[Verdict, ...]:
    cases, real = found["cases"], found["real"]
    plain = [case for case in cases if not case["novelty"]]
    frozen, limit = _frozen(plain, 0), real["frozen_pct"][0] + MOST_FREEZING_ABOVE_REAL_PCT
    speeds = _seams(cases, "speed_m_s")
    above = float((speeds > real["step_m_s"]).mean())
    lines = [
        Verdict(
            f"continuing for {SECONDS:g} s: freezing at most {MOST_FREEZING_ABOVE_REAL_PCT:g} points above real in "
            "every ten seconds",
            f"at most {frozen.max():.3g} %, real {real['frozen_pct'][0]:.3g} %",
            bool((frozen <= limit).all()),
        ),
        Verdict(
            "speed across the seam above the 99.5th percentile of real steps no oftener than real",
            f"{above:.1%} above {real['step_m_s']:.3g} m/s, fastest {speeds.max():.3g} m/s, median "
            f"{np.median(speeds):.3g} m/s, real {real['usual_step_m_s']:.3g} m/s",
            above <= MOST_SEAMS,
        ),
    ]
    for space, words in DIVERSITIES.items():
        means = [float(values.mean()) for each in NOVELTIES if len(values := _varied(found, each, space))]
        known = len(means) == len(NOVELTIES)
        rises = all(one < other for one, other in pairwise(means)) if known else None
        measured = ", ".join(map(number, means)) if known else "one seed tells nothing"
        lines.append(Verdict(f"novelty 0, .5, 1: {words} between seeds rises", measured, rises))
    return tuple(lines)


PART = Part("continuing", find, show)
