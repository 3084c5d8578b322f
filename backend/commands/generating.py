"""``generate``: a song and what an animator fixes, in; a dance, out."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.checks import check_span, check_target, load_choreographer
from backend.errors import Cancelled, PirouetteError

if TYPE_CHECKING:
    from backend.choreographer import Choreographer
    from backend.commands.directing import Options
    from backend.dance import Dance
    from backend.music.audio import Audio
    from backend.music.beats import BeatGrid
    from backend.request import GenerateRequest

STAGE_WORDS = {
    "listen": "Listening to the music",
    "dance": "Dancing",
    "refine": "Refining the movement",
    "plant": "Planting the feet",
}
Show = Callable[[str, int, int], None]

KEY_POSE = (
    "A pose to pass through: SECONDS=POSES.npz:FRAME for the whole body; with :hands, :feet, :torso, :head or "
    ":L_Knee,R_Knee behind it these alone; place and heading, as in :body,place,heading, fix where on the floor."
)
WAYPOINT = "A place to pass: SECONDS=X,Y in metres, or SECONDS=X,Y,DEGREES with where to face (0 is -Y, 90 is +X)."
ACCENT = "A moment, in seconds, at which a pose lands; best on a beat."
SECTION = 'A span with words of its own, such as 8:16:"house, low and fast" from 8 s to 16 s; a genre may come first.'
BEATS = "Beats to follow in place of those that are heard: a JSON list of seconds from the dance's start."
CONTINUE_FROM = "A motion that the dance goes on from, place and heading included."
BETWEEN = "A motion that the dance goes on from, and one that it arrives at."
STRATEGY = "How a long dance is made: sequential, bidirectional, coarse-to-fine or overlapping; the best by default."
NOVELTY = "From 0 to 1: how far the dance gets away from what it danced before."
REUSE = "What parts of the music that come again share: none, repeat or mirror."


@dataclass(frozen=True)
class _Song:
    path: Path
    start_s: float
    end_s: float | None
    beats: Path | None


@dataclass(frozen=True)
class _Words:
    genre: str
    text: str
    seed: int
    model: str


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
    key_pose: Annotated[list[str] | None, typer.Option(metavar="SECONDS=POSES.npz:FRAME", help=KEY_POSE)] = None,
    waypoint: Annotated[list[str] | None, typer.Option(metavar="SECONDS=X,Y", help=WAYPOINT)] = None,
    accent: Annotated[list[float] | None, typer.Option(metavar="SECONDS", help=ACCENT)] = None,
    section: Annotated[list[str] | None, typer.Option(metavar="START:END:PROMPT", help=SECTION)] = None,
    beats: Annotated[Path | None, typer.Option(metavar="BEATS.json", help=BEATS)] = None,
    continue_from: Annotated[Path | None, typer.Option(metavar="MOTION.npz", help=CONTINUE_FROM)] = None,
    between: Annotated[tuple[Path, Path] | None, typer.Option(metavar="BEFORE.npz AFTER.npz", help=BETWEEN)] = None,
    strategy: Annotated[str, typer.Option(help=STRATEGY)] = "",
    novelty: Annotated[float, typer.Option(help=NOVELTY)] = 0.0,
    reuse: Annotated[str, typer.Option(help=REUSE)] = "none",
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
    from backend.commands.directing import Options

    options = Options(
        key_pose=key_pose or (),
        waypoint=waypoint or (),
        accent=accent or (),
        section=section or (),
        continue_from=continue_from,
        between=between,
        strategy=strategy,
        novelty=novelty,
        reuse=reuse,
    )
    words = _Words(genre, text, seed, model)
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the report alone
        request = _request(_Song(song, start, end, beats), words, options)
        dance = _danced(request, lambda: load_choreographer(device=device, threads=threads, weights=weights))
        dance = dance.resampled(fps)
        _write(dance, out)
    if json_report:
        from backend.dance_messages import plain

        print(json.dumps(plain(dance.report), indent=2, ensure_ascii=False))


def _request(song: _Song, words: _Words, options: Options) -> GenerateRequest:
    """What is asked for, checked: whatever is wrong with it is told before the models are loaded."""
    from backend.commands.directing import directions_from
    from backend.music.audio import load_audio

    genre = ""
    if words.genre:
        from backend.text.vocabulary import resolve_genre

        genre = resolve_genre(words.genre).name
    audio = load_audio(song.path, start_s=song.start_s, end_s=song.end_s)
    directions = directions_from(options, duration_s=audio.duration_s, genre=genre)
    grid = None if song.beats is None else _edited_grid(song.beats, audio)
    from backend.request import GenerateRequest

    return GenerateRequest(
        audio=audio,
        genre=words.genre,
        text=words.text,
        seed=words.seed,
        model=words.model,
        directions=directions,
        grid=grid,
    )


def _edited_grid(path: Path, audio: Audio) -> BeatGrid:
    """The beats of a file, in bars like those that are heard."""
    from backend.commands.directing import beats_from
    from backend.music.beats import track_beats
    from backend.music.edited_beats import edited_grid

    beats_s = beats_from(path, duration_s=audio.duration_s)
    return edited_grid(beats_s, before=track_beats(audio))


def _danced(request: GenerateRequest, load: Callable[[], Choreographer]) -> Dance:
    """The dance, telling of it on stderr."""
    with _shown_progress() as progress:
        return load().generate(request, progress=progress, cancelled=lambda: False)


def _write(dance: Dance, out: Path) -> None:
    if out.suffix.lower() == ".bvh":
        from backend.motion.io import write_bvh

        write_bvh(out, dance.motion)
    else:
        dance.save(out)
    for warning in dance.warnings:
        print(warning, file=sys.stderr)
    print(f"{out}: {dance.motion.duration_s:.1f} s of dance, {dance.motion.frames} frames", file=sys.stderr)


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
