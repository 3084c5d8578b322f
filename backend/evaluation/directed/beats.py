"""Edited beats: all beats of a song moved by half a beat, and whether the dance moves with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.evaluation.beat_alignment import beat_alignment
from backend.evaluation.compare import Spread
from backend.evaluation.directed.director import Asked, Director
from backend.evaluation.directed.ground import Ground
from backend.evaluation.directed.parts import Found, Part, Section, Table, Tell
from backend.evaluation.drawing import number, ranges
from backend.evaluation.generators import changed_grid
from backend.evaluation.real_set import annotated_dances
from backend.evaluation.verdicts import Verdict
from backend.evaluation.windows import Danced, FloatArray
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS

SECONDS = 20.0
LEAST_MOVED = 0.8
WITH, WITHOUT = "with the beat loss", "without the beat loss"
Case = dict[str, Any]


def find(director: Director, ground: Ground, tell: Tell) -> Found:
    """Every song and seed danced to as it is heard, and with all beats moved."""
    annotated = annotated_dances(ground.data, leave_out=ground.leave_out)
    return {"cases": _cases(director, ground, tell), "real": _real(annotated)}


def compare_losses(directors: Mapping[str, Director], ground: Ground, tell: Tell) -> dict[str, list[Case]]:
    """The cases of networks trained alike, by WITH and WITHOUT."""
    return {name: _cases(director, ground, tell) for name, director in directors.items()}


def _cases(director: Director, ground: Ground, tell: Tell) -> list[Case]:
    cases = []
    for song, genres in zip(ground.heard(SECONDS), ground.genres(), strict=True):
        moved = changed_grid(song.grid, "half_beat", seed=0)
        beats = {"old": song.grid.beats_s, "new": moved.beats_s}
        for seed, genre in enumerate(genres):
            tell(f"beats: {song.id}, seed {seed}")
            dances = {
                "as_heard": director.dance(song.audio, Asked(genre, seed, grid=song.grid)).motion,
                "moved": director.dance(song.audio, Asked(genre, seed, grid=moved)).motion,
            }
            scores = {name: _scores(motion, beats) for name, motion in dances.items()}
            cases.append({"song": song.id, "seed": seed, "genre": genre, "clear": song.grid.clear, **scores})
    return cases


def _scores(motion: Motion, beats: Mapping[str, FloatArray]) -> dict[str, float]:
    """Alignment to each set of beats, by its name, and the lift over their shifts."""
    found: dict[str, float] = {}
    for name, beats_s in beats.items():
        score = beat_alignment(motion.joints(), beats_s, fps=FPS)
        found |= {name: score.motion_to_music, f"{name}_lift": score.lift}
    return found


def _real(dances: Sequence[Danced]) -> dict[str, float] | None:
    """Real dances whose beats are known, against those beats and against beats between them."""
    scores = [beat_alignment(danced.motion.joints(), danced.beats_s, fps=FPS) for danced in dances]
    if not scores:
        return None
    on, off, lift = ([getattr(s, name) for s in scores] for name in ("motion_to_music", "half_beat", "lift"))
    return {
        "dances": len(scores),
        "on": float(np.mean(on)),
        "off": float(np.mean(off)),
        "lift": float(np.mean(lift)),
        "nearer_to_on": float(np.mean(np.array(on) >= np.array(off))),
    }


def follows(cases: Sequence[Case]) -> float:
    """Share of moved cases that align at least as well with the moved beats as with the old ones."""
    return float(np.mean([case["moved"]["new"] >= case["moved"]["old"] for case in cases]))


def _mean(cases: Sequence[Case], dance: str, name: str) -> float:
    return float(np.mean([case[dance][name] for case in cases]))


def show(found: Found) -> Section:
    """The table, and whether the dance follows."""
    cases, real = found["cases"], found["real"]
    share = follows(cases)
    beside = "" if real is None else f", real dances with their known beats {real['nearer_to_on']:.0%}"
    verdicts = [
        Verdict(
            f"all beats moved by half a beat: aligned with them at least as well as with the old ones in at least "
            f"{LEAST_MOVED:.0%} of song and seed",
            f"{share:.0%} of {len(cases)}{beside}",
            share >= LEAST_MOVED,
        ),
        _loss_verdict(found.get("losses")),
    ]
    note = (
        f"{SECONDS:g} s of each song. Alignment of the dance's stops with the beats as they are heard and with the "
        "same beats half a beat later. Real dances with known beats are held against those beats, moved as one to "
        "where the dancer stops, and against the times halfway between them."
    )
    figure = ranges(
        "Alignment with the beats told, less that with the others",
        {
            "beats as heard": Spread.of(
                [case["as_heard"]["old"] - case["as_heard"]["new"] for case in cases], tails=0.25
            ),
            "moved beats": Spread.of([case["moved"]["new"] - case["moved"]["old"] for case in cases], tails=0.25),
        },
    )
    return Section("Beats", note, (_table(found),), tuple(verdicts), (figure,))


def _loss_verdict(losses: Mapping[str, list[Case]] | None) -> Verdict:
    asked = "moved beats: aligned better with the beat loss in training than without it"
    if losses is None:
        return Verdict(asked, "give two networks with --beat-loss", None)
    with_loss, without = (_mean(losses[name], "moved", "new_lift") for name in (WITH, WITHOUT))
    shares = follows(losses[WITH]), follows(losses[WITHOUT])
    measured = f"lift {with_loss:.3g}, without {without:.3g}; follows in {shares[0]:.0%}, without {shares[1]:.0%}"
    return Verdict(asked, measured, with_loss > without)


def _table(found: Found) -> Table:
    head = ("danced to", "to the beats heard", "to the moved beats", "lift, heard", "lift, moved", "nearer to moved, %")
    rows = []
    named: dict[str, list[Case]] = {"": found["cases"], **(found.get("losses") or {})}
    for name, cases in named.items():
        for dance, words in (("as_heard", "beats as heard"), ("moved", "moved beats")):
            nearer = 100.0 * float(np.mean([case[dance]["new"] >= case[dance]["old"] for case in cases]))
            scores = [number(_mean(cases, dance, score)) for score in ("old", "new", "old_lift", "new_lift")]
            rows.append((f"{words}, {name}" if name else words, *scores, number(nearer)))
    real = found["real"]
    if real is not None:
        nearer = 100.0 * (1.0 - real["nearer_to_on"])
        scores = [number(real[name]) for name in ("on", "off", "lift")]
        rows.append((f"real dances with known beats ({real['dances']})", *scores, "–", number(nearer)))
    return Table(f"Alignment, {len(found['cases'])} songs and seeds", head, tuple(rows))


PART = Part("beats", find, show)
