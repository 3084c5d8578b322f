"""The command line without Blender. What a command needs is imported when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands import codec, editing, judging
from backend.commands.checks import check_folder, check_span, check_target, load_choreographer
from backend.errors import Cancelled, PirouetteError

if TYPE_CHECKING:
    from backend.choreographer import Choreographer
    from backend.dance import Dance

# fmt: off
BAD_INPUT = frozenset({
    "no_sound", "silence", "too_short", "not_audio", "missing_file", "damaged_file", "unknown_genre", "bad_range",
    "bad_request", "unsafe_file", "locked",
})
# fmt: on
STAGE_WORDS = {
    "listen": "Listening to the music",
    "dance": "Dancing",
    "refine": "Refining the movement",
    "plant": "Planting the feet",
}
Show = Callable[[str, int, int], None]

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


@app.command()
def generate(
    song: Annotated[Path, typer.Argument(help="A sound file: wav, mp3, ogg, flac or opus.")],
    out: Annotated[Path, typer.Option(help="Where the dance goes: FILE.npz or FILE.bvh.")],
    genre: Annotated[str, typer.Option(help="A genre of the vocabulary, such as house.")] = "",
    text: Annotated[str, typer.Option(help="What the dance is like, in your own words.")] = "",
    start: Annotated[float, typer.Option(help="Where in the song to start, seconds.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Where in the song to end, seconds.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same dance.", min=0)] = 0,
    fps: Annotated[float, typer.Option(help="Frames in a second of the file.")] = 30.0,
    model: Annotated[str, typer.Option(help="What makes it: motion or code; the better one by default.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads of the processor to use.", min=1)] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder of weights; the bundled ones by default.")] = None,
    json_report: Annotated[bool, typer.Option("--json", help="Print a report as JSON.")] = False,
) -> None:
    """Dance to a song."""
    check_target(out)
    check_span(start, end)
    if not 1.0 <= fps <= 240.0:
        raise PirouetteError("bad_request", f"{fps:g} frames in a second are not possible.", "Choose 1 to 240.")
    load = functools.partial(load_choreographer, device=device, threads=threads, weights=weights)
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the report alone
        dance = _dance_to(song, (start, end), load, genre=genre, text=text, seed=seed, model=model)
        dance = dance.resampled(fps)
        if out.suffix.lower() == ".bvh":
            from backend.motion.io import write_bvh

            write_bvh(out, dance.motion)
        else:
            dance.save(out)
    for warning in dance.warnings:
        print(warning, file=sys.stderr)
    print(f"{out}: {dance.motion.duration_s:.1f} s of dance, {dance.motion.frames} frames", file=sys.stderr)
    if json_report:
        from backend.dance_messages import plain

        print(json.dumps(plain(dance.report), indent=2, ensure_ascii=False))


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


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
def library(context: typer.Context) -> None:
    """Find phrases of real dance by words, and keep your own."""
    from backend.library.commands import app as library_commands

    library_commands(context.args, prog_name="python -m backend library")


def _dance_to(
    song: Path,
    span_s: tuple[float, float | None],
    load: Callable[[], Choreographer],
    *,
    genre: str,
    text: str,
    seed: int,
    model: str,
) -> Dance:
    """Dance to a span of a song, telling of it on stderr. Cheap checks come before the models are loaded."""
    from backend.music.audio import load_audio

    audio = load_audio(song, start_s=span_s[0], end_s=span_s[1])
    if genre:
        from backend.text.vocabulary import resolve_genre

        resolve_genre(genre)
    with _shown_progress() as progress:
        from backend.choreographer import GenerateRequest

        request = GenerateRequest(audio=audio, genre=genre, text=text, seed=seed, model=model)
        return load().generate(request, progress=progress, cancelled=lambda: False)


@contextlib.contextmanager
def _shown_progress() -> Iterator[Show]:
    """A progress bar on stderr for the stage that is running."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Loading the models", total=None)
        shown = ""

        def show(stage: str, done: int, total: int) -> None:
            nonlocal shown
            if stage != shown:
                shown = stage
                bar.reset(task, description=STAGE_WORDS.get(stage, stage), total=total, completed=done)
            else:
                bar.update(task, completed=done, total=total)

        try:
            yield show
        except KeyboardInterrupt:
            raise Cancelled from None
