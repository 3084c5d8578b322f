"""``edit``, ``encode`` and ``decode``: what the add-on does with a dance, without Blender."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.commands.checks import check_span, check_target, load_choreographer
from backend.errors import PirouetteError

if TYPE_CHECKING:
    from backend.dance import Dance
    from backend.editing.artist import Artist
    from backend.editing.joining import Edit
    from backend.motion.motion import Motion

WORDS = ("prompt", "genre", "seed", "model")
SOURCES = ("from", "movement_from", "poses_from")

Dance_ = Annotated[Path, typer.Argument(metavar="DANCE.npz", help="A dance as generate, edit and encode write it.")]
Out = Annotated[Path, typer.Option(help="Where it goes: FILE.npz or FILE.bvh.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Threads = Annotated[int | None, typer.Option(help="Threads of the processor to use.", min=1)]
Weights = Annotated[Path | None, typer.Option(help="Folder of weights; the bundled ones by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
FROM = "A span of the same dance, DANCE.npz, DANCE.npz:SPAN, or the id of a phrase in the library."


def edit(
    dance: Dance_,
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OP",
            help="regenerate, insert, delete, duplicate, replace, reorder, split, merge, mirror, retime, transfer, "
            "lock, unlock, describe, snap, encode, beats or continue.",
        ),
    ],
    out: Out,
    span: Annotated[
        str | None, typer.Option(help="8.0:12.0 (seconds), 16c:24c (counts), #3 or #3:#5 (sections).")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Where to insert or split: 8.0, 8c or #3.")] = None,
    to: Annotated[str | None, typer.Option(help="Where to move or copy; for snap: beats, eights or structure.")] = None,
    source: Annotated[str | None, typer.Option("--from", help=FROM)] = None,
    movement_from: Annotated[str | None, typer.Option(help="Keep the poses, take this movement.")] = None,
    poses_from: Annotated[str | None, typer.Option(help="Keep the movement, take these poses.")] = None,
    prompt: Annotated[str | None, typer.Option(help="What the new movement is like.")] = None,
    genre: Annotated[str | None, typer.Option(help="A genre of the vocabulary.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed gives other movement.", min=0)] = None,
    strength: Annotated[float | None, typer.Option(help="From 0, vary a little, to 1, new.")] = None,
    pinned: Annotated[
        bool | None, typer.Option("--pinned/--free", help="Whether what follows stays where it is.")
    ] = None,
    counts: Annotated[int | None, typer.Option(help="Over how many counts.", min=1)] = None,
    name: Annotated[str | None, typer.Option(help="The section's name.")] = None,
    model: Annotated[str | None, typer.Option(help="motion or code; the better one by default.")] = None,
    beats: Annotated[
        Path | None, typer.Option(metavar="BEATS.json", help="Other beats: a JSON list of seconds.")
    ] = None,
    novelty: Annotated[float | None, typer.Option(help="From 0 to 1: how far it gets away from the past.")] = None,
    own: Annotated[Path | None, typer.Option(help="Folder of your own phrases.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    weights: Weights = None,
    json_report: Json = False,
) -> None:
    """Edit a dance section by section; every frame outside the span, but for a short blend, stays as it is."""
    check_target(out)
    asked = {
        "span": span,
        "at": at,
        "to": to,
        "from": source,
        "movement_from": movement_from,
        "poses_from": poses_from,
        "prompt": prompt,
        "genre": genre,
        "seed": seed,
        "strength": strength,
        "pinned": pinned,
        "counts": counts,
        "name": name,
        "model": model,
        "beats_s": None if beats is None else _beats(beats),
        "novelty": novelty,
    }
    from backend.dance import load_dance
    from backend.editing.editor import apply
    from backend.editing.operations import operation_from, sources_of

    values, other = operation_values(operation, {key: value for key, value in asked.items() if value is not None})
    wanted = operation_from(values)
    document = load_dance(dance)
    given = {"other": load_dance(other)} if other else {}
    with contextlib.redirect_stdout(sys.stderr):
        artist = _artist(device, threads, weights)
        for phrase in {source.id for source in sources_of(wanted) if source.kind == "library"}:
            from backend.library import load_library

            given[phrase] = load_library(user_folder=own).dance(phrase, artist)
        done = apply(document, wanted, artist, sources=given)
    _write(done, out, json_report=json_report)


def encode(
    motion: Annotated[Path, typer.Argument(metavar="MOTION", help="A motion: ours, AMASS, AIST++; or a dance.")],
    out: Out,
    song: Annotated[Path | None, typer.Option(help="The song that it is danced to.")] = None,
    start: Annotated[float, typer.Option(help="Where in the song the motion starts, seconds.")] = 0.0,
    device: Device = "auto",
    threads: Threads = None,
    weights: Weights = None,
    json_report: Json = False,
) -> None:
    """Read any motion as codes: a dance that can be edited."""
    check_target(out)
    check_span(start, None)
    from backend.editing.editor import apply
    from backend.editing.operations import Encode

    document = _document(motion) if song is None else None
    with contextlib.redirect_stdout(sys.stderr):
        if document is not None:
            done = apply(document, Encode(), _artist(device, threads, weights))
        else:
            done = _encoded(motion, song, start, (device, threads, weights))
    _write(done, out, json_report=json_report)


def decode(
    dance: Dance_,
    out: Out,
    device: Device = "auto",
    threads: Threads = None,
    weights: Weights = None,
) -> None:
    """Dance what the codes of a dance say, and nothing else."""
    check_target(out)
    from backend.dance import load_dance

    document = load_dance(dance)
    if not len(document.movement_codes):
        raise PirouetteError("bad_request", f"{dance.name} has no codes.", "Encode it: python -m backend encode.")
    from backend.editing.encoding import decode_dance

    with contextlib.redirect_stdout(sys.stderr):
        motion = decode_dance(document, _artist(device, threads, weights))
    _write_motion(motion, out)
    print(f"{out}: {motion.duration_s:.1f} s of motion, {motion.frames} frames", file=sys.stderr)


def operation_values(operation: str, asked: dict[str, Any]) -> tuple[dict[str, Any], Path | None]:
    """The options of a command as an operation in JSON, and the file of the other dance that it names."""
    values = {"op": operation, **asked}
    other: Path | None = None
    for key in SOURCES:
        if key in values:
            values["source" if key == "from" else key], other = source_values(values.pop(key))
    if operation in ("insert", "replace"):
        words = {key: values.pop(key) for key in WORDS if key in values}
        if words and "source" in values:
            raise PirouetteError("bad_request", "Give either --from, or words for new movement.")
        if words:
            values["source"] = {"kind": "prompt", **words}
        elif "source" not in values:
            raise PirouetteError("bad_request", f"{operation} needs --from, --prompt or --genre.")
    return values, other


def source_values(text: str) -> tuple[dict[str, Any], Path | None]:
    """A source as JSON, and the file of the other dance that it names: FILE.npz, FILE.npz:SPAN, a span, or an id."""
    head, found, tail = text.rpartition(".npz")
    if found and tail[:1] in ("", ":"):
        return {"kind": "other", "span": tail[1:]}, Path(head + found)
    if text.startswith("#") or ":" in text:
        return {"kind": "here", "span": text}, None
    return {"kind": "library", "id": text}, None


def _beats(path: Path) -> list[float]:
    from backend.commands.directing import beats_from

    return [float(beat_s) for beat_s in beats_from(path)]


def _artist(device: str, threads: int | None, weights: Path | None) -> Artist:
    artist: Artist = load_choreographer(device=device, threads=threads, weights=weights)
    return artist


def _document(path: Path) -> Dance | None:
    """The dance in a file, None where it is a motion alone."""
    import numpy as np

    from backend.dance import load_dance

    if path.suffix.lower() != ".npz" or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            has_document = "document" in arrays.files
    except (OSError, ValueError, EOFError):
        return None  # whatever it is, reading it as a motion says what is wrong
    return load_dance(path) if has_document else None


def _encoded(path: Path, song: Path | None, start_s: float, loading: tuple[str, int | None, Path | None]) -> Edit:
    from backend.editing.encoding import encode_motion, heard
    from backend.motion.io import read_motion

    motion = read_motion(path)
    grid, sound = (None, None) if song is None else heard(song, start_s, motion.duration_s)
    return encode_motion(motion, _artist(*loading), grid=grid, sound=sound)


def _write_motion(motion: Motion, out: Path) -> None:
    import numpy as np

    from backend.motion.io import replacing, write_bvh

    if out.suffix.lower() == ".bvh":
        write_bvh(out, motion)
        return
    with replacing(out) as file:
        np.savez_compressed(file, poses=motion.poses, pelvis=motion.pelvis, fps=np.float64(motion.fps))


def _write(done: Edit, out: Path, *, json_report: bool) -> None:
    dance = done.dance
    if out.suffix.lower() == ".bvh":
        _write_motion(dance.motion, out)
    else:
        dance.save(out)
    for warning in dance.warnings:
        print(warning, file=sys.stderr)
    touched = ", ".join(f"{first / 30:.2f}–{last / 30:.2f} s" for first, last in done.touched) or "no frame"
    print(f"{out}: {dance.motion.duration_s:.1f} s of dance; changed: {touched}", file=sys.stderr)
    if json_report:
        from backend.dance_messages import plain

        print(json.dumps(plain(done.report), indent=2, ensure_ascii=False))
