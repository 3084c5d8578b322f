"""A tiny library of dances, and the cache that is prepared from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.training.prepare import prepare
from tests.fixtures.make_motion import library_arrays, long_sway


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dances, a walk and a damaged clip, without music."""
    folder = tmp_path_factory.mktemp("library")
    rows = []
    for name, split, dance in (("a", "train", True), ("b", "valid", True), ("c", "train", False), ("d", "train", True)):
        np.savez(folder / f"{name}.npz", **library_arrays(long_sway()))
        genre = "salsa" if dance else "general: walk"
        rows.append(
            {"id": name, "file": f"{name}.npz", "split": split, "dance": dance, "genre": genre, "caption": "Steps."}
        )
    (folder / "d.npz").write_bytes(b"not a motion")
    (folder / "motion.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


@pytest.fixture(scope="session")
def cache(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cache")
    counts = prepare(library, out)
    assert counts["clips"] == 3
    assert counts["skipped"]["damaged_file"] == 1
    return out
