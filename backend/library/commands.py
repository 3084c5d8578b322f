"""``python -m backend library …``: the library of movements without Blender."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.errors import PirouetteError

if TYPE_CHECKING:
    from backend.library.entry import Entry

app = typer.Typer(help="Phrases of real dance, found by words.", no_args_is_help=True)

Own = Annotated[Path | None, typer.Option("--own", help="Folder of your own phrases.")]
Shelf = Annotated[Path | None, typer.Option(help="Folder of a library; the bundled one by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def build(
    data: Annotated[Path, typer.Option(help="A dance library, an AIST++ folder or an AMASS folder.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the library; the bundled one by default.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder of weights; the bundled ones by default.")] = None,
) -> None:
    """Cut the phrases anew from training data, and encode them with the codec that is there."""
    if not data.is_dir():
        raise PirouetteError("missing_file", f"There is no folder {data}.")
    from backend.choreographer import Choreographer
    from backend.library.build import build_library
    from backend.library.bundled import FOLDER

    artist = Choreographer(device="cpu", weights=weights)
    told = build_library(data, out or FOLDER, artist=artist, tell=lambda words: print(words, file=sys.stderr))
    print(json.dumps(told, indent=2, ensure_ascii=False))


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="What it looks like: pirouette, basic step salsa.")],
    genre: Annotated[str, typer.Option(help="Only of this genre.")] = "",
    limit: Annotated[int, typer.Option(help="Phrases to show.", min=1)] = 10,
    own: Own = None,
    library: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """Find phrases by words."""
    from backend.library import load_library

    shelf = load_library(library, own)
    _warn(shelf.warnings)
    _show(shelf.search(" ".join(words), genre, limit), as_json)


@app.command("list")
def list_phrases(
    genre: Annotated[str, typer.Option(help="Only of this genre.")] = "",
    own: Own = None,
    library: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """List all phrases."""
    from backend.library import load_library

    shelf = load_library(library, own)
    _warn(shelf.warnings)
    _show(shelf.search("", genre, limit=len(shelf.entries)), as_json)


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As search and list print it.")],
    out: Annotated[Path | None, typer.Option(help="Also write the phrase as a dance: FILE.npz.")] = None,
    own: Own = None,
    library: Shelf = None,
) -> None:
    """Tell all about one phrase."""
    if out is not None and out.suffix.lower() != ".npz":
        raise PirouetteError("bad_request", f"{out.name} is not a kind of file to write.", "Choose .npz.")
    from backend.library import load_library

    shelf = load_library(library, own)
    _warn(shelf.warnings)
    told = shelf.entry(identity).to_dict()
    if out is not None:
        from backend.choreographer import Choreographer

        dance = shelf.dance(identity, Choreographer())
        _warn(dance.warnings)
        dance.save(out)
    print(json.dumps(told, indent=2, ensure_ascii=False))


@app.command()
def add(
    dance: Annotated[Path, typer.Argument(help="A dance as generate, edit and encode write it.")],
    name: Annotated[str, typer.Option(help="What it shall be called.")],
    own: Annotated[Path, typer.Option("--own", help="Folder of your own phrases.")],
    genre: Annotated[str, typer.Option(help="A genre of the vocabulary.")] = "",
    description: Annotated[str, typer.Option(help="What it looks like: the search reads it.")] = "",
) -> None:
    """Keep a dance as a phrase of your own."""
    from backend.dance import load_dance
    from backend.library import add as add_phrase

    print(add_phrase(own, load_dance(dance), name, genre, description))


@app.command()
def remove(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Of a phrase of your own.")],
    own: Annotated[Path, typer.Option("--own", help="Folder of your own phrases.")],
) -> None:
    """Delete a phrase of your own."""
    from backend.library import remove as remove_phrase

    remove_phrase(own, identity)


def _show(entries: list[Entry], as_json: bool) -> None:
    if as_json:
        print(json.dumps([entry.to_dict() for entry in entries], indent=2, ensure_ascii=False))
        return
    widest = max((len(entry.id) for entry in entries), default=0)
    for entry in entries:
        print(f"{entry.id:<{widest}}  {entry.seconds:4.1f} s {entry.counts:2d} counts  {entry.name}")


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        print(warning, file=sys.stderr)
