"""The command line without Blender. What a command needs is imported when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.commands import bodies, codec, editing, generating, judging
from backend.commands.checks import check_folder
from backend.errors import Cancelled, PirouetteError

# fmt: off
BAD_INPUT = frozenset({
    "no_sound", "silence", "too_short", "not_audio", "missing_file", "damaged_file", "unknown_genre", "bad_range",
    "bad_request", "unsafe_file", "locked",
})
# fmt: on

app = typer.Typer(
    help="Pirouette's backend: music and words in, dance out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run a command; a failure is one sentence on stderr and exit code 2 (what was given) or 1 (everything else)."""
    try:
        app()
    except PirouetteError as error:
        _fail(str(error), 2 if error.code in BAD_INPUT else 1)
    except Cancelled:
        _fail("Stopped; nothing was written.", 130)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail("The disk is full. Free some space and try again.", 1)
        _fail(f"{error.filename or 'A file'}: {error.strerror or type(error).__name__}.", 1)


def _fail(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(code)


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def serve() -> None:
    """Serve the add-on over stdin and stdout (started by the add-on, not by hand)."""
    raise PirouetteError("bad_request", "Put serve first: python -m backend serve.")


app.command()(generating.generate)


@app.command()
def prepare(
    data: Annotated[Path, typer.Argument(help="A dance library, an AIST++ folder or an AMASS folder.")],
    out: Annotated[Path, typer.Option(help="Folder for what training reads.")],
) -> None:
    """Prepare motion and music for training."""
    check_folder(data)
    from backend.training.prepare import prepare as prepare_data

    counts = prepare_data(data, out)
    print(f"{out}: {counts['clips']} clips and {counts['songs']} songs", file=sys.stderr)
    for reason, number in counts["skipped"].items():
        print(f"left out: {number} ({reason})", file=sys.stderr)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="What to train: the name of a recipe.")],
    data: Annotated[Path, typer.Option(help="Folder that prepare has written.")],
    minutes: Annotated[float, typer.Option(help="How long to train; a later run goes on from there.", min=0.0)],
    out: Annotated[Path | None, typer.Option(help="Folder for checkpoints; runs/RECIPE by default.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    processes: Annotated[int, typer.Option(help="Processes that share each batch.", min=1)] = 1,
) -> None:
    """Train a model."""
    check_folder(data)
    from backend.training.trainer import train as train_model

    folder = Path("runs") / recipe if out is None else out
    train_model(recipe, data=data, minutes=minutes, out=folder, device=device, processes=processes)


@app.command()
def ablate(
    data: Annotated[Path, typer.Option(help="Folder that prepare has written.")],
    library: Annotated[Path, typer.Option(help="The dance library it was prepared from, with its songs.")],
    minutes: Annotated[float, typer.Option(help="Processor time to train each variant.", min=0.0)],
    out: Annotated[Path, typer.Option(help="Folder for the trainings and the tables.")],
    seconds: Annotated[float, typer.Option(help="Of each song to dance to.", min=5.0)] = 20.0,
    seeds: Annotated[int, typer.Option(help="Dances for each song.", min=1)] = 2,
    songs: Annotated[int, typer.Option(help="Songs to dance to.", min=1)] = 8,
    long_seconds: Annotated[float, typer.Option(help="Length of the long dances.", min=10.0)] = 60.0,
    only: Annotated[list[str] | None, typer.Option(help="A variant to train and judge; all by default.")] = None,
    recipe: Annotated[str, typer.Option(help="The recipe that variants change.")] = "ablation",
    threads: Annotated[int, typer.Option(help="Threads of the processor to use.", min=1)] = 1,
) -> None:
    """Train the denoiser without one part at a time, and compare."""
    for folder in (data, library):
        check_folder(folder)
    from backend.training.ablation_figures import Scope
    from backend.training.ablations import Plan, ablate

    scope = Scope(library, songs, seconds, seeds, long_seconds)
    plan = Plan(data, scope, minutes, out, recipe, threads=threads)
    path = ablate(plan, only=tuple(only or ()), tell=lambda words: print(words, file=sys.stderr))
    print(f"{path}: the tables", file=sys.stderr)


app.command()(judging.evaluate)
app.command()(editing.edit)
app.command()(editing.encode)
app.command()(editing.decode)
app.command()(codec.evaluate_codec)
app.command()(bodies.body)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
def library(context: typer.Context) -> None:
    """Find phrases of real dance by words, and keep your own."""
    from backend.library.commands import app as library_commands

    library_commands(context.args, prog_name="python -m backend library")
