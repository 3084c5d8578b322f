"""Files that are none, not whole, or would run something: told in one sentence, and nothing is run."""

from __future__ import annotations

import builtins
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.bodies import load
from backend.bodies.load import load_body_model
from backend.errors import PirouetteError
from tests.fixtures.hostile import Hostile
from tests.fixtures.made_up_bodies import body_fields, by_column, pretended, write_npz, write_pickle


def refusal(path: Path) -> PirouetteError:
    with pytest.raises(PirouetteError) as told:
        load_body_model(path)
    assert str(path.name) in told.value.message or told.value.code == "missing_file"
    return told.value


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["weights", "comment"])
def test_a_pickle_with_code_is_refused_and_runs_nothing(tmp_path: Path, protocol: int, place: str) -> None:
    marker = tmp_path / "ran"
    for function, arguments in (
        (open, (str(marker), "w")),
        (builtins.exec, (f"open({str(marker)!r}, 'w')",)),
        (os.system, (f"echo > {marker}",)),
        (np.save, (str(marker), 0)),
        (builtins.getattr, ("text", "upper")),
    ):
        path = tmp_path / "body.pkl"
        path.write_bytes(pickle.dumps({**body_fields(), place: Hostile(function, *arguments)}, protocol=protocol))
        found = refusal(path)
        assert found.code == "unsafe_file"
        assert "nothing was run" in found.message
        assert found.hint
        assert not list(tmp_path.glob("ran*"))


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x02cscipy.sparse.linalg\nspsolve\n.",
        b"\x80\x02cscipy.io\nloadmat\n.",
        b"\x80\x02cchumpyish\nCh\n.",
        b"\x80\x02cnumpy\nload\n.",
    ],
)
def test_names_beside_the_known_ones_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "body.pkl"
    path.write_bytes(content)
    assert refusal(path).code == "unsafe_file"


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cchumpy.ch\nCh\n}X\x05\x00\x00\x00stateK\x01sb.",  # sets an attribute on the class itself
        b"ccopy_reg\n_reconstructor\n(c__builtin__\ndict\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n_reconstructor\n(cchumpy.ch\nCh\nc__builtin__\nset\nNtR.",
        b"\x80\x02cchumpy.ch\nCh\n(K\x01tR.",
        b"\x80\x02]q\x00.",
    ],
)
def test_pickles_that_misuse_known_names_are_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "body.pkl"
    path.write_bytes(content)
    assert refusal(path).code == "damaged_file"


def test_an_npz_with_pickled_objects_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hostile = np.array([Hostile(open, str(marker), "w")], dtype=object)
    found = refusal(write_npz(tmp_path / "body.npz", weights=hostile))
    assert (found.code, marker.exists()) == ("unsafe_file", False)
    load_body_model(write_npz(tmp_path / "other.npz", comment=hostile))  # what is not needed is not looked at
    assert not marker.exists()


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path, Path("nowhere\0")):
        assert refusal(path).code == "missing_file"


@pytest.mark.parametrize("name", ["body.npz", "body.pkl"])
def test_truncated_files_are_damaged(tmp_path: Path, name: str) -> None:
    path = (write_npz if name.endswith("npz") else write_pickle)(tmp_path / name)
    whole = path.read_bytes()
    for share in (0.0, 0.001, 0.2, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(share * len(whole))])
        assert refusal(path).code == "damaged_file"


def test_a_flipped_byte_of_an_npz_is_noticed(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "body.npz")
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("weights.npy")
    content = bytearray(path.read_bytes())
    content[entry.header_offset + 60 + entry.compress_size // 2] ^= 0xFF
    path.write_bytes(content)
    assert refusal(path).code == "damaged_file"


def test_other_files_are_told(tmp_path: Path) -> None:
    for name, content in (("body.fbx", b"Kaydara FBX Binary"), ("notes.txt", b"(see the manual)"), ("none.pkl", b"")):
        path = tmp_path / name
        path.write_bytes(content)
        assert refusal(path).code == "damaged_file"
        assert "SMPL" in str(refusal(path))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"weights": None}, "no weights"),
        ({"weights": np.ones((192, 24))}, "add up to 1"),
        ({"weights": np.full((192, 24), np.nan)}, "table of numbers"),
        ({"v_template": np.zeros((192, 2))}, "v_template"),
        ({"shapedirs": np.zeros((191, 3, 10))}, "shapedirs"),
        ({"J_regressor": np.zeros((23, 192))}, "J_regressor"),
        ({"f": np.array([[0, 1, 192]])}, "faces"),
        ({"f": np.zeros((0, 3), dtype=np.uint32)}, "f "),
        ({"kintree_table": np.array([[-1, *range(1, 24)], [*range(24)]])}, "hang"),
        ({"kintree_table": np.zeros((2, 16), dtype=np.int64)}, "MANO"),
        ({"kintree_table": np.zeros((2, 33), dtype=np.int64)}, "SMAL"),
        ({"kintree_table": np.zeros((2, 7), dtype=np.int64)}, "7 joints"),
    ],
)
@pytest.mark.parametrize("write", [write_npz, write_pickle])
def test_impossible_bodies_are_told_by_what_is_wrong(
    tmp_path: Path, write: Any, changes: dict[str, Any], word: str
) -> None:
    found = refusal(write(tmp_path / ("body.npz" if write is write_npz else "body.pkl"), **changes))
    assert found.code == "damaged_file"
    assert word in found.message or "table" in found.message
    assert found.hint


@pytest.mark.parametrize("indices", [-1, 24, 2**40])
def test_a_sparse_matrix_never_reaches_beyond_itself(tmp_path: Path, indices: int) -> None:
    matrix = by_column(body_fields()["J_regressor"])
    matrix["indices"] = np.full(len(matrix["data"]), indices)
    assert refusal(_with_sparse(tmp_path, matrix)).code == "damaged_file"
    assert refusal(_with_sparse(tmp_path, {**matrix, "_shape": (2**31, 2**31)})).code == "damaged_file"
    assert refusal(_with_sparse(tmp_path, {**matrix, "indptr": np.array([0, 5, 2])})).code == "damaged_file"


def _with_sparse(folder: Path, matrix: dict[str, Any]) -> Path:
    with pretended("scipy.sparse._csc", "csc_matrix") as sparse:
        return write_pickle(folder / "body.pkl", J_regressor=sparse(**matrix))


def test_expressions_without_end_are_damaged(tmp_path: Path) -> None:
    with pretended("chumpy.reordering", "Select") as select:
        endless = select(idxs=np.arange(3))
        endless.a = endless
        path = write_pickle(tmp_path / "body.pkl", shapedirs=endless)
    assert refusal(path).code == "damaged_file"


def test_a_selection_of_numbers_is_read(tmp_path: Path) -> None:
    shapes = body_fields()["shapedirs"]
    with pretended("chumpy.reordering", "Select") as select, pretended("chumpy.ch", "Ch") as expression:
        wide = np.concatenate([shapes, np.ones_like(shapes)], axis=2)
        places = np.arange(wide.size).reshape(wide.shape)[..., :10].ravel()
        chosen = select(a=expression(x=wide), idxs=places, preferred_shape=shapes.shape)
        path = write_pickle(tmp_path / "body.pkl", shapedirs=chosen)
    np.testing.assert_allclose(load_body_model(path).shapes, shapes, atol=1e-6)


def test_files_too_large_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npz, pickled = write_npz(tmp_path / "body.npz"), write_pickle(tmp_path / "body.pkl")
    monkeypatch.setattr(load, "MAX_ARRAY_BYTES", 1000)
    assert "too large" in refusal(npz).message
    monkeypatch.setattr(load, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(load, "unpickle_body", lambda content: pytest.fail("it was read"))
    assert "too large" in refusal(pickled).message


@pytest.mark.parametrize("write", [write_npz, write_pickle])
def test_files_with_random_faults_are_read_or_told_never_more(tmp_path: Path, write: Any) -> None:
    rng = np.random.default_rng(7)
    path = write(tmp_path / ("body.npz" if write is write_npz else "body.pkl"))
    whole, codes = path.read_bytes(), set()
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, rng.choice([600, len(content)]), size=3):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            load_body_model(path)
        except PirouetteError as error:
            codes.add(error.code)
    assert "damaged_file" in codes
    assert codes <= {"damaged_file", "unsafe_file"}
