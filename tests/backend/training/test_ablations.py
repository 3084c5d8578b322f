"""`ablate` from the command line on a tiny library: trained, judged, left alone when done, two tables of one folder."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import command_line
from backend.evaluation.generators import Wish
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import WEIGHTS_FOLDER, read_weights, weight_bytes
from backend.music.audio import Audio, load_audio
from backend.training.ablation_figures import Scope, WitnessedGenerator, judged_songs
from backend.training.ablation_table import tables
from backend.training.ablations import VARIANTS, chosen_variants
from backend.training.denoiser_task import DenoiserTask
from backend.training.prepare import prepare
from backend.training.trainer import Run, read_recipe
from tests.backend.evaluation.bodies import wild
from tests.fixtures.make_motion import library_arrays

SONG = Path(__file__).resolve().parents[2] / "fixtures" / "songs" / "mentalgroove.opus"
RECIPE = """kind = "denoiser"
seed = 1
compile = false
clock = "processor"
learning_rate = 3e-3
warm_up_steps = 2
decay_share = 0.3
weight_decay = 0.0
ema = 0.9
validate_every_s = 1
general_share = 0.0
windows = [[60, 4]]
window_odds = [1.0]
[network]
width = 32
blocks = 1
heads = 2
state = 8
decoder_width = 16
[loss]
[drop]
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six dances of twelve seconds and a song to train with."""
    folder = tmp_path_factory.mktemp("library")
    rows = []
    for number in range(6):
        np.savez(folder / f"{number}.npz", **library_arrays(wild(12.0, seed=number)))
        split = "valid" if number < 2 else "train"
        rows.append(
            {"id": f"d{number}", "file": f"{number}.npz", "split": split, "dance": True, "genre": "salsa"}
            | {"caption": "Salsa."}
        )
    (folder / "motion.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    shutil.copy(SONG, folder / "song.opus")
    (folder / "music.jsonl").write_text(json.dumps({"id": "song", "file": "song.opus", "split": "train"}))
    return folder


@pytest.fixture(scope="module")
def cache(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cache")
    prepare(library, out)
    return out


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def clip() -> Audio:
    audio = load_audio(SONG)
    return replace(audio, samples=audio.samples[: 4 * audio.sample_rate_hz])


def test_variants_are_trained_once_judged_and_tabled(
    library: Path,
    cache: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ablate(*only: str, minutes: float = 0.004) -> int:
        options = {"data": cache, "library": library, "minutes": minutes, "out": tmp_path / "out", "recipe": recipe}
        options |= {"seconds": 5, "seeds": 2, "songs": 1, "long-seconds": 10}
        arguments = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        monkeypatch.setattr(sys, "argv", ["backend", "ablate", *arguments, *(f"--only={name}" for name in only)])
        with pytest.raises(SystemExit) as caught:
            command_line.main()
        return int(caught.value.code or 0)

    out = tmp_path / "out"
    assert ablate("without-trm") == 2, "its network is not trained"
    assert "Name full too" in capsys.readouterr().err
    assert ablate("full", "without-trm", "information-0.2") == 0
    found = json.loads((out / "ablations.json").read_text())
    assert found["settings"]["minutes"] == 0.004
    variants = found["variants"]
    assert list(variants) == ["full", "without-trm", "information-0.2"]
    for judged in variants.values():
        assert judged["steps"] > 0
        assert judged["x0_error"] > 0
        assert judged["windows"] == 2
        for stage in ("raw", "passed"):
            assert all(np.isfinite(value) for value in judged[stage].values())
            assert {"fid_k", "div_k", "beat_alignment_lift", "frozen_long_20_cm_s_pct"} <= judged[stage].keys()
        assert judged["raw"] != judged["passed"]
    assert variants["full"]["steps"] == variants["without-trm"]["steps"]
    assert variants["full"]["raw"]["jerk_m_s3"] != variants["without-trm"]["raw"]["jerk_m_s3"]
    assert not (out / "without-trm" / "last.pt").exists()
    table = (out / "ablations.md").read_text()
    assert table.count("| full |") == 4
    assert table.count("| real dances |") == 2

    written = (out / "full" / "trained.json").stat().st_mtime_ns
    assert ablate("full", "standard-mamba") == 0
    assert (out / "full" / "trained.json").stat().st_mtime_ns == written
    assert "full: done before" in capsys.readouterr().err
    assert "| standard Mamba |" in (out / "ablations.md").read_text()
    assert read_weights("denoiser", folder=out / "standard-mamba").config["mixer"] == "standard"
    assert ablate("full", minutes=0.005) == 2, "another time cannot be compared"


def test_an_unknown_variant_names_the_known_ones() -> None:
    with pytest.raises(command_line.PirouetteError, match="without-lim"):
        chosen_variants(["without-feet"])
    assert chosen_variants([]) == list(VARIANTS)


def test_every_variant_is_a_network_of_the_recipe_but_for_what_it_says() -> None:
    base = read_recipe("ablation")
    configs = {variant.name: DenoiserConfig(**variant.recipe(base)["network"]) for variant in VARIANTS}
    assert configs["full"] == configs["without-trm"] == configs["information-0.2"]
    assert len(set(configs.values())) == 5
    assert [v.recipe(base)["loss"] for v in VARIANTS if v.loss] == [
        {"beat": 0.0},
        *({"mutual_information": strength} for strength in (0.02, 0.05, 0.2)),
    ]
    assert 1e6 < sum(p.numel() for p in ParallelMambaDenoiser(configs["full"]).parameters()) < 2e6


def test_mutual_information_is_a_term_of_the_loss_only_where_it_is_asked_for(
    cache: Path, recipe: Path, tmp_path: Path
) -> None:
    base = read_recipe(str(recipe))
    asked = {**base, "loss": {"mutual_information": 0.5}}
    plain, informed = (DenoiserTask(each, cache) for each in (base, asked))
    batch = plain.draw(4, 60, np.random.default_rng(0))
    assert "mutual_information" not in plain.loss(plain.network, batch, plain.mean, plain.std)[1]
    network = informed.network.train()
    foreteller = [p.clone() for p in informed.information.foreteller.parameters()]
    total, terms = informed.loss(network, batch, informed.mean, informed.std)
    total.backward()
    assert any(
        not torch.equal(old, new)
        for old, new in zip(foreteller, informed.information.foreteller.parameters(), strict=True)
    )
    foreteller = [p.clone() for p in informed.information.foreteller.parameters()]
    informed.loss(network.eval(), batch, informed.mean, informed.std)
    assert all(
        torch.equal(old, new) for old, new in zip(foreteller, informed.information.foreteller.parameters(), strict=True)
    ), "validation teaches nobody"
    assert terms["mutual_information"] >= 0.0


def test_the_same_seed_is_the_same_untrained_network(cache: Path, recipe: Path, tmp_path: Path) -> None:
    one, other = (Run(str(recipe), data=cache, minutes=1, out=tmp_path / name, device="cpu") for name in "ab")
    for first, second in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(first, second)


def test_the_raw_dance_is_what_the_network_and_its_refinement_made(tmp_path: Path, clip: Audio) -> None:
    """Without refinement the refiner's weights make no difference; with it they do; the passes come after."""
    torch.manual_seed(0)
    denoiser = ParallelMambaDenoiser(DenoiserConfig(width=32, blocks=1, heads=2, state=8, decoder_width=16))
    statistics = {"mean": torch.zeros(151), "std": torch.full((151,), 0.1)}
    raw = {}
    for name in ("still", "busy"):
        folder = tmp_path / name
        folder.mkdir()
        refiner = TemporalRefiner(RefinerConfig(width=32, blocks=1))
        if name == "busy":
            torch.nn.init.normal_(refiner.leave.weight, std=0.5)
        (folder / "denoiser.safetensors").write_bytes(weight_bytes("denoiser", "test", denoiser, statistics))
        (folder / "refiner.safetensors").write_bytes(weight_bytes("refiner", "test", refiner, {}))
        shutil.copy(WEIGHTS_FOLDER / "codec.safetensors", folder)
        for refinement in (0.0, 1.0):
            generator = WitnessedGenerator(folder, refinement=refinement, device="cpu", threads=1)
            passed = generator.dance(clip, Wish("salsa", 1))
            raw[name, refinement] = generator.choreographer.raw.poses
            assert generator.choreographer.raw.frames == passed.frames
            assert not np.array_equal(generator.choreographer.raw.poses, passed.poses)
    np.testing.assert_allclose(raw["busy", 0.0], raw["still", 0.0], atol=1e-6)
    assert np.abs(raw["busy", 1.0] - raw["still", 1.0]).max() > 1e-3


def test_songs_are_spread_over_the_split_and_repeated_where_short(library: Path) -> None:
    (song,) = judged_songs(Scope(library, 8, 5.0, 1), seconds=45.0)
    assert song.id == "song"
    assert song.audio.duration_s == pytest.approx(45.0)


def test_an_empty_folder_has_an_empty_table() -> None:
    assert "Nothing" in tables({})
