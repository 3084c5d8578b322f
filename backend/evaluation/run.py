"""``evaluate``: real dances, dances to be judged, everything measured, one table, one JSON file, one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError
from backend.evaluation.compare import compare
from backend.evaluation.findings import Annotated, Findings
from backend.evaluation.generated_set import generated_dances, heard_songs
from backend.evaluation.generators import HEARINGS, Generator, Hearing
from backend.evaluation.lasting import Lasting, lasting
from backend.evaluation.listening import Listening, listening
from backend.evaluation.measure import Measured, measure
from backend.evaluation.motion_folder import folder_dances
from backend.evaluation.page import page
from backend.evaluation.real_set import annotated_dances, real_dances
from backend.evaluation.speed_curve import speed_over_beat
from backend.evaluation.verdicts import verdicts
from backend.evaluation.windows import SHORTEST_S, Danced, windows_of
from backend.motion.io import replacing

DRAW_SEED = 0
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Reality:
    """The real dances that everything is measured against. leave_out: starts of names of dances to do without."""

    data: Path
    split: str = "test"
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Making:
    """How dances are made. songs: folder of songs; minutes: of the long dances, 0 for none; listen: with other ears."""

    generator: Generator
    name: str
    songs: Path
    seeds: int = 3
    seconds: float = 20.0
    minutes: float = 1.0
    listen: bool = True


def evaluate_real(reality: Reality, *, out: Path) -> Findings:
    """Describe the real dances alone, and write the report. Raises PirouetteError as real_dances does."""
    return _report(reality, f"Real dances, {reality.split} split", (), out)


def evaluate_motions(motions: Path, reality: Reality, *, songs: Path | None, out: Path) -> Findings:
    """Judge a folder of motion files, and write the report. Raises PirouetteError as folder_dances does."""
    return _report(reality, f"Motions of {motions.name}", folder_dances(motions, songs=songs), out)


def evaluate_generator(making: Making, reality: Reality, *, out: Path, tell: Tell) -> Findings:
    """Make dances with a generator, judge them, keep them in out/motions, and write the report."""
    songs = heard_songs(making.songs, reality.split, seconds=making.seconds)
    told: dict[Hearing, list[Danced]] = {
        hearing: list(generated_dances(making.generator, songs, seeds=making.seeds, tell=tell, hearing=hearing))
        for hearing in (HEARINGS if making.listen else HEARINGS[:1])
    }
    heard = listening(told) if making.listen else None
    long = _lasting(making, reality.split, tell) if making.minutes else None
    for danced in told["true"]:
        _keep(danced, out / "motions")
    subject = f"Dances of {making.name} ({making.generator.version})"
    settings = {"songs": str(len(songs)), "seeds": str(making.seeds), "seconds": f"{making.seconds:g}"}
    return _report(reality, subject, told["true"], out, heard=heard, long=long, told=told, settings=settings)


def _lasting(making: Making, split: str, tell: Tell) -> Lasting:
    songs = heard_songs(making.songs, split, seconds=60.0 * making.minutes)
    return lasting(list(generated_dances(making.generator, songs, seeds=making.seeds, tell=tell)))


def _keep(danced: Danced, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / f"{danced.dance}.npz") as file:
        np.savez_compressed(
            file,
            poses=danced.motion.poses,
            pelvis=danced.motion.pelvis,
            fps=np.float64(danced.motion.fps),
            beats_s=danced.beats_s,
        )


def measured_windows(dances: Sequence[Danced]) -> list[Measured]:
    """Every window of the dances, measured."""
    return [measure(window) for danced in dances for window in windows_of(danced)]


def _speed(dances: Sequence[Danced]) -> npt.NDArray[np.float64] | None:
    return speed_over_beat(window for danced in dances for window in windows_of(danced))


def _annotated(reality: Reality) -> Annotated | None:
    dances = annotated_dances(reality.data, leave_out=reality.leave_out)
    reports = [each.report for each in measured_windows(dances) if "beat_alignment" in each.report]
    if not reports:
        return None
    score, lift = (float(np.median([r[name] for r in reports])) for name in ("beat_alignment", "beat_alignment_lift"))
    return Annotated(len(dances), len(reports), score, lift)


def _report(
    reality: Reality,
    subject: str,
    dances: Sequence[Danced],
    out: Path,
    *,
    heard: Listening | None = None,
    long: Lasting | None = None,
    told: Mapping[Hearing, Sequence[Danced]] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Findings:
    """Measure, compare, judge and write report.json and report.html."""
    real = measured_windows(real_dances(reality.data, reality.split, leave_out=reality.leave_out))
    made = measured_windows(dances)
    if dances and not made:
        longest_s = max(danced.motion.duration_s for danced in dances)
        raise PirouetteError(
            "too_short",
            f"The longest of the dances lasts {longest_s:.1f} s.",
            f"Give at least one of {SHORTEST_S:g} s or more.",
        )
    rows = compare(real, made or None, rng=np.random.default_rng(DRAW_SEED))
    annotated = _annotated(reality)
    lift = annotated.lift if annotated else None
    curves = {"generated": speed_over_beat(m.window for m in made), "real": speed_over_beat(m.window for m in real)}
    others: tuple[Hearing, ...] = ("half_beat", "random")
    for hearing in others:
        if told and hearing in told:
            curves[f"told {hearing.replace('_', ' ')}"] = _speed(told[hearing])
    short = sum(danced.motion.duration_s < SHORTEST_S for danced in dances)
    kept = {"split": reality.split, "left_out": " ".join(reality.leave_out), "too_short": str(short or "")}
    findings = Findings(
        subject=subject,
        settings=kept | dict(settings or {}),
        real=real,
        generated=made,
        rows=rows,
        verdicts=verdicts(rows, annotated_lift=lift, listening=heard, lasting=long) if made else (),
        annotated=annotated,
        listening=heard,
        lasting=long,
        speed={name: curve for name, curve in curves.items() if curve is not None},
    )
    _write(findings, out)
    return findings


def _write(findings: Findings, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "report.json") as file:
        file.write((json.dumps(findings.plain(), indent=1, ensure_ascii=False) + "\n").encode())
    with replacing(out / "report.html") as file:
        file.write(page(findings).encode())
