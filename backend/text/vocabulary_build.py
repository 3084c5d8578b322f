"""Writes the vocabulary's two files: what the model was trained on, and the vectors.

``python -m backend.text.vocabulary`` computes the vectors; with ``--manifest motion.jsonl`` it first marks, from that
data's training split, which genres and movements a model trained on it has seen.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.text.encoder import encode
from backend.text.vocabulary import (
    EMBEDDINGS_FILE,
    VOCABULARY_FILE,
    Genre,
    Movement,
    Vocabulary,
    fingerprint,
    load_vocabulary,
    movement_sentences,
)


def with_training_minutes(
    vocabulary: Vocabulary, minutes: Mapping[str, float], captions: Mapping[str, Sequence[str]] | None = None
) -> Vocabulary:
    """The vocabulary, telling what a model has seen whose training data holds these minutes and captions.

    minutes, captions: by the data's own genre labels. A movement counts as seen only if a caption of its own genre
    names it. Raises PirouetteError unknown_genre for a label that no genre claims.
    """
    seen: dict[str, float] = defaultdict(float)
    said: dict[str, list[str]] = defaultdict(list)
    for label, length in minutes.items():
        seen[vocabulary.genre_of_data(label).name] += length
    for label, texts in (captions or {}).items():
        said[vocabulary.genre_of_data(label).name].extend(texts)
    marked = {name: _marked(genre, seen[name], said[name]) for name, genre in vocabulary.genres.items()}
    return Vocabulary(marked)


def _marked(genre: Genre, minutes: float, captions: Sequence[str]) -> Genre:
    movements = tuple(replace(m, trained=any(m.named_in(text) for text in captions)) for m in genre.movements)
    return replace(genre, minutes=round(minutes, 1), movements=movements)


def training_minutes(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Minutes of dance in the training split by genre label; rows: of a motion manifest."""
    minutes: dict[str, float] = defaultdict(float)
    for row in _training_dances(rows):
        minutes[row["genre"]] += row["seconds"] / 60.0
    return dict(minutes)


def training_captions(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Captions of the dances in the training split by genre label; rows: of a motion manifest."""
    captions: dict[str, list[str]] = defaultdict(list)
    for row in _training_dances(rows):
        captions[row["genre"]].append(row["caption"])
    return dict(captions)


def _training_dances(rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (row for row in rows if row["dance"] and row["split"] == "train")


def write_vocabulary(vocabulary: Vocabulary, path: Path = VOCABULARY_FILE) -> None:
    """Write the JSON file, one movement a line, so that a change of one is a change of one line."""
    genres = ",\n".join(_genre_text(genre) for genre in vocabulary.genres.values())
    path.write_text(f'{{"version": 1, "genres": [\n{genres}\n]}}\n', encoding="utf-8")


def _genre_text(genre: Genre) -> str:
    fields: dict[str, Any] = {
        "name": genre.name,
        "label": genre.label,
        "aliases": genre.aliases,
        "description": genre.description,
        "paraphrases": genre.paraphrases,
        "metre": genre.metre,
        "tempo_range_bpm": genre.tempo_range_bpm,
        "data_genres": genre.data_genres,
        "trained": genre.trained,
        "minutes": genre.minutes,
    }
    lines = [f"  {_json(key)}: {_json(value)}," for key, value in fields.items()]
    movements = ",\n".join(f"    {_json(_movement_fields(movement))}" for movement in genre.movements)
    return "\n".join([" {", *lines, '  "movements": [', movements, "  ]", " }"])


def _movement_fields(movement: Movement) -> dict[str, Any]:
    also = {"also": movement.also} if movement.also else {}
    return {"name": movement.name, **also, "trained": movement.trained, "description": movement.description}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_embeddings(vocabulary: Vocabulary, path: Path = EMBEDDINGS_FILE) -> None:
    """Write the vectors, 16 bit: for each genre its paraphrases' mean (384,) and its movements (movements, 384)."""
    from safetensors.numpy import save_file

    tensors: dict[str, np.ndarray] = {}
    for name, genre in vocabulary.genres.items():
        tensors[f"genre/{name}"] = encode(genre.paraphrases).mean(axis=0).astype(np.float16)
        tensors[f"movements/{name}"] = encode(movement_sentences(genre)).astype(np.float16)
    save_file(tensors, path, metadata={"fingerprint": fingerprint(vocabulary)})


def main() -> None:
    """Command line: see the module."""
    parser = argparse.ArgumentParser(prog="python -m backend.text.vocabulary", description=__doc__)
    parser.add_argument("--manifest", type=Path, help="motion manifest (JSON lines) whose training split to mark")
    manifest: Path | None = parser.parse_args().manifest
    vocabulary = load_vocabulary()
    if manifest is not None:
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
        vocabulary = with_training_minutes(vocabulary, training_minutes(rows), training_captions(rows))
        write_vocabulary(vocabulary)
    write_embeddings(vocabulary)
    movements = sum(len(genre.movements) for genre in vocabulary.genres.values())
    print(f"{len(vocabulary.genres)} genres, {movements} movements, {EMBEDDINGS_FILE.stat().st_size // 1024} KiB")
