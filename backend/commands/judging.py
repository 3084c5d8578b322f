"""``evaluate``: dances beside real ones, and what an animator can direct."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.checks import check_folder
from backend.errors import PirouetteError

if TYPE_CHECKING:
    from backend.evaluation.directed.director import Director
    from backend.evaluation.directed.ground import Ground

DIRECTED = "What an animator can direct (with --directed)"


def evaluate(
    data: Annotated[Path, typer.Option(help="A dance library, an AIST++ folder or an AMASS folder: the real dances.")],
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")],
    split: Annotated[str, typer.Option(help="The real dances and songs to use: train, valid or test.")] = "test",
    motions: Annotated[Path | None, typer.Option(help="Judge the motion files in this folder.")] = None,
    songs: Annotated[Path | None, typer.Option(help="Folder of songs; those of the data by default.")] = None,
    generator: Annotated[
        str,
        typer.Option(help="pirouette, pirouette-motion, pirouette-code, or replay: real dances, deaf to the music."),
    ] = "pirouette",
    seeds: Annotated[int, typer.Option(help="Dances for each song.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Of each song to dance to.", min=5.0)] = 20.0,
    minutes: Annotated[float, typer.Option(help="Length of the long dances, 0 for none.", min=0.0)] = 1.0,
    listen: Annotated[bool, typer.Option(help="Also dance to false beats.")] = True,
    read: Annotated[bool, typer.Option(help="Also dance in many genres, and judge the meaning of dances.")] = True,
    real_only: Annotated[bool, typer.Option("--real-only", help="Describe the real dances alone.")] = False,
    leave_out: Annotated[list[str] | None, typer.Option(help="Real dances to do without: start of their name.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Folder of weights; the bundled ones by default.")] = None,
    directed: Annotated[
        bool,
        typer.Option(
            "--directed",
            help="Judge key poses, edited beats, continuing, passages made anew and long dances, into directed.json "
            "and directed.html.",
            rich_help_panel=DIRECTED,
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Make this part anew and no other: key-poses, beats, continuing, between or long.",
            rich_help_panel=DIRECTED,
        ),
    ] = None,
    most_songs: Annotated[
        int | None, typer.Option(help="Songs to dance to; all by default.", min=1, rich_help_panel=DIRECTED)
    ] = None,
    most_dances: Annotated[
        int, typer.Option(help="Real dances to go on from, and to fill.", min=1, rich_help_panel=DIRECTED)
    ] = 8,
    beat_loss: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="Two folders of weights, trained alike with the beat loss and without, to compare.",
            rich_help_panel=DIRECTED,
        ),
    ] = None,
    into: Annotated[
        list[Path] | None,
        typer.Option(
            help="A Markdown document whose tables are replaced, between marks such as <!-- long --> and "
            "<!-- /long -->.",
            rich_help_panel=DIRECTED,
        ),
    ] = None,
) -> None:
    """Judge dances beside real ones."""
    for folder in filter(None, (data, motions, songs, *(beat_loss or ()))):
        check_folder(folder)
    if directed:
        if motions is not None or real_only or generator != "pirouette":
            raise PirouetteError("bad_request", "--directed judges the bundled generator alone.")
        from backend.evaluation.directed.ground import Ground

        ground = Ground(data, songs or data, split, seeds, most_songs, most_dances, tuple(leave_out or ()))
        _evaluate_directed(ground, out, tuple(only or ()), device, weights, beat_loss, into or ())
        return
    if only or beat_loss or into:
        raise PirouetteError("bad_request", "--only, --beat-loss and --into belong to --directed.", "Add --directed.")
    if 0.0 < minutes < 1 / 3:
        raise PirouetteError("bad_request", "A long dance is a third of a minute or more.", "Choose 0 for none.")
    from rich.console import Console

    from backend.evaluation import run
    from backend.evaluation.generators import load_generator
    from backend.evaluation.printed import print_findings

    evaluator = None
    if read:
        from backend.evaluation.trained_evaluator import TrainedEvaluator

        evaluator = TrainedEvaluator()
    reality = run.Reality(data, split, tuple(leave_out or ()), evaluator)
    if real_only:
        findings = run.evaluate_real(reality, out=out)
    elif motions is not None:
        findings = run.evaluate_motions(motions, reality, songs=songs, out=out)
    else:
        maker = load_generator(generator, data=data, device=device, weights=weights)
        making = run.Making(maker, generator, songs or data, seeds, seconds, minutes, listen)
        with Console(stderr=True).status("Dancing") as status:
            findings = run.evaluate_generator(making, reality, out=out, tell=status.update)
    print_findings(findings, Console())
    print(f"{out / 'report.html'}: the report with its figures", file=sys.stderr)


def _evaluate_directed(
    ground: Ground,
    out: Path,
    only: tuple[str, ...],
    device: str,
    weights: Path | None,
    beat_loss: tuple[Path, Path] | None,
    into: Sequence[Path],
) -> None:
    from rich.console import Console

    from backend.evaluation.directed.documents import fill
    from backend.evaluation.directed.run import Direction, chosen_parts, evaluate_directed
    from backend.evaluation.directed.shown import print_shown

    chosen_parts(only)

    def director(folder: Path | None) -> Director:
        from backend.evaluation.directed.bundled_director import BundledDirector

        return BundledDirector(device=device, weights=folder)

    direction = Direction(director, weights, beat_loss)
    with Console(stderr=True).status("Dancing") as status:
        shown = evaluate_directed(ground, direction, out=out, only=only, tell=status.update)
    print_shown(shown, Console())
    for document in into:
        print(f"{document}: {', '.join(fill(document, shown))}", file=sys.stderr)
    print(f"{out / 'directed.html'}: the report with its figures", file=sys.stderr)
