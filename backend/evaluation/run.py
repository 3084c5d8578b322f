"""``evaluate``: real dances, dances to be judged, everything measured, one table, one JSON file, one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from backend.evaluation.meaning import meaning_rows
from backend.evaluation.measure import Measured, measure
from backend.evaluation.motion_folder import folder_dances, folder_songs
from backend.evaluation.page import page
from backend.evaluation.reading import Reading, prompted_dances, read_real, reading, well_known
from backend.evaluation.real_set import annotated_dances, real_dances
from backend.evaluation.retrieval import Evaluator
from backend.evaluation.speed_curve import speed_over_beat
from backend.evaluation.verdicts import Judged, verdicts
from backend.evaluation.windows import SHORTEST_S, Danced, windows_of
from backend.motion.io import replacing
from backend.music.features import MusicFeatures, music_features

DRAW_SEED = 0
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Reality:
    """The real dances that everything is measured against. leave_out: starts of names of dances to do without;
    evaluator: the judge of meaning, None to do without.
    """

    data: Path
    split: str = "test"
    leave_out: tuple[str, ...] = ()
    evaluator: Evaluator | None = None


@dataclass(frozen=True)
class Told:
    """What is known of the dances that a generator made beside them themselves. songs: by their names;
    prompted: dances of one song and seed in many genres, for reading.
    """

    songs: Mapping[str, MusicFeatures] = field(default_factory=dict)
    prompted: Sequence[Danced] = ()
    hearings: Mapping[Hearing, Sequence[Danced]] = field(default_factory=dict)
    listening: Listening | None = None
    lasting: Lasting | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


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
    return _report(reality, f"Real dances, {reality.split} split", (), out, told=Told())


def evaluate_motions(motions: Path, reality: Reality, *, songs: Path | None, out: Path) -> Findings:
    """Judge a folder of motion files, and write the report. Raises PirouetteError as folder_dances does."""
    dances = folder_dances(motions, songs=songs)
    heard = folder_songs(songs, {danced.song for danced in dances}) if reality.evaluator and songs else {}
    return _report(reality, f"Motions of {motions.name}", dances, out, told=Told(songs=heard))


def evaluate_generator(making: Making, reality: Reality, *, out: Path, tell: Tell) -> Findings:
    """Make dances with a generator, judge them, keep them in out/motions, and write the report."""
    songs = heard_songs(making.songs, reality.split, seconds=making.seconds)
    hearings: dict[Hearing, list[Danced]] = {
        hearing: list(generated_dances(making.generator, songs, seeds=making.seeds, tell=tell, hearing=hearing))
        for hearing in (HEARINGS if making.listen else HEARINGS[:1])
    }
    prompted: list[Danced] = []
    features: dict[str, MusicFeatures] = {}
    if reality.evaluator is not None:
        genres = well_known(reality.evaluator)
        prompted = prompted_dances(making.generator, songs, genres, seeds=making.seeds, tell=tell)
        features = {song.id: music_features(song.audio, song.grid) for song in songs}
    told = Told(
        songs=features,
        prompted=prompted,
        hearings=hearings,
        listening=listening(hearings) if making.listen else None,
        lasting=_lasting(making, reality.split, tell) if making.minutes else None,
        settings={"songs": str(len(songs)), "seeds": str(making.seeds), "seconds": f"{making.seconds:g}"},
    )
    for danced in hearings["true"]:
        _keep(danced, out / "motions")
    for danced in prompted:
        _keep(danced, out / "prompted")
    subject = f"Dances of {making.name} ({making.generator.version})"
    return _report(reality, subject, hearings["true"], out, told=told)


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


def _read(reality: Reality, real: Sequence[Danced], prompted: Sequence[Danced]) -> Reading | None:
    if reality.evaluator is None:
        return None
    seen = read_real(reality.evaluator, real)
    return reading(reality.evaluator, prompted, seen) if prompted else seen


def _curves(real: Sequence[Measured], made: Sequence[Measured], told: Told) -> dict[str, npt.NDArray[np.float64]]:
    curves = {"generated": speed_over_beat(m.window for m in made), "real": speed_over_beat(m.window for m in real)}
    others: tuple[Hearing, ...] = ("half_beat", "random")
    for hearing in others:
        if hearing in told.hearings:
            curves[f"told {hearing.replace('_', ' ')}"] = _speed(told.hearings[hearing])
    return {name: curve for name, curve in curves.items() if curve is not None}


def _report(reality: Reality, subject: str, dances: Sequence[Danced], out: Path, *, told: Told) -> Findings:
    """Measure, compare, judge and write report.json and report.html."""
    originals = real_dances(reality.data, reality.split, leave_out=reality.leave_out)
    real, made = measured_windows(originals), measured_windows(dances)
    if dances and not made:
        longest_s = max(danced.motion.duration_s for danced in dances)
        raise PirouetteError(
            "too_short",
            f"The longest of the dances lasts {longest_s:.1f} s.",
            f"Give at least one of {SHORTEST_S:g} s or more.",
        )
    rows = compare(real, made or None, rng=np.random.default_rng(DRAW_SEED))
    if reality.evaluator is not None:
        windows, others = ([each.window for each in part] for part in (real, made))
        rows += meaning_rows(reality.evaluator, windows, others, told.songs, rng=np.random.default_rng(DRAW_SEED))
    annotated, read = _annotated(reality), _read(reality, originals, told.prompted)
    short = sum(danced.motion.duration_s < SHORTEST_S for danced in dances)
    kept = {"split": reality.split, "left_out": " ".join(reality.leave_out), "too_short": str(short or "")}
    judged = Judged(annotated.lift if annotated else None, told.listening, read, told.lasting)
    findings = Findings(
        subject=subject,
        settings=kept | dict(told.settings),
        real=real,
        generated=made,
        rows=rows,
        verdicts=verdicts(rows, judged) if made else (),
        annotated=annotated,
        listening=told.listening,
        reading=read,
        lasting=told.lasting,
        speed=_curves(real, made, told),
    )
    _write(findings, out)
    return findings


def _write(findings: Findings, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "report.json") as file:
        file.write((json.dumps(findings.plain(), indent=1, ensure_ascii=False) + "\n").encode())
    with replacing(out / "report.html") as file:
        file.write(page(findings).encode())
