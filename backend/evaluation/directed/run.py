"""``evaluate --directed``: the parts one by one, then one JSON file, one page, and tables for the documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import PirouetteError
from backend.evaluation.directed import beats, between, continuing, key_poses, long_tables
from backend.evaluation.directed.director import Director
from backend.evaluation.directed.ground import Ground
from backend.evaluation.directed.parts import Found, Part, Tell
from backend.evaluation.directed.shown import Shown, markdown, page, plain
from backend.evaluation.directed.store import Store, write_json
from backend.motion.io import replacing

PARTS = (key_poses.PART, beats.PART, continuing.PART, between.PART, long_tables.PART)


@dataclass(frozen=True)
class Direction:
    """Who makes the dances. of: the director of a folder of weights, None for the bundled ones; beat_loss: folders of
    weights trained alike with the beat loss and without, None to do without.
    """

    of: Callable[[Path | None], Director]
    weights: Path | None = None
    beat_loss: tuple[Path, Path] | None = None


def chosen_parts(only: Sequence[str]) -> tuple[Part, ...]:
    """The parts of these names, or all. Raises PirouetteError("bad_request") for a name that is not known."""
    names = [part.name for part in PARTS]
    if unknown := [name for name in only if name not in names]:
        raise PirouetteError("bad_request", f"There is no part “{unknown[0]}”.", f"Parts: {', '.join(names)}.")
    return tuple(part for part in PARTS if not only or part.name in only)


def evaluate_directed(
    ground: Ground, direction: Direction, *, out: Path, only: Sequence[str] = (), tell: Tell = lambda _: None
) -> list[Shown]:
    """Make and measure the parts that are not done, and write directed.json, directed.html and directed.md of all that
    are. only: parts that are made anew, and no others; without, a part that is done with these settings stays.

    Raises PirouetteError as chosen_parts, real_dances and split_songs do, and as the director does.
    """
    store, chosen = Store(out), chosen_parts(only)
    settings = ground.plain() | {"dances": len(ground.chosen(0.0))}  # what is missing is told before models are loaded
    director = direction.of(direction.weights)
    settings |= {"version": director.version}
    for part in chosen:
        done = None if only else store.known(part.name)
        if done is not None and done["settings"] == settings:
            tell(f"{part.name}: done before")
            continue
        found = part.find(director, ground, tell)
        if part.name == beats.PART.name and direction.beat_loss is not None:
            found["losses"] = _losses(direction, direction.beat_loss, ground, tell)
        store.keep(part.name, settings, found)
    return _write(store, out)


def _losses(direction: Direction, folders: tuple[Path, Path], ground: Ground, tell: Tell) -> Found:
    directors = dict(zip((beats.WITH, beats.WITHOUT), map(direction.of, folders), strict=True))
    return beats.compare_losses(directors, ground, tell)


def _write(store: Store, out: Path) -> list[Shown]:
    """The three files of every part that is done by now."""
    shown: list[Shown] = []
    found: dict[str, Mapping[str, Any]] = {}
    for part in PARTS:
        done = store.known(part.name)
        if done is not None:
            found[part.name] = done["found"]
            shown.append(Shown(part.name, part.show(done["found"]), done["settings"]))
    write_json(out / "directed.json", plain(shown, found))
    for name, text in (("directed.html", page(shown)), ("directed.md", markdown(shown))):
        with replacing(out / name) as file:
            file.write(text.encode())
    return shown
