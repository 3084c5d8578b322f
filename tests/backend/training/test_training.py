"""Preparing and training on a tiny library: pairs fall on beats, a run learns, stops, goes on, exports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.diffusion.conditions import music_input
from backend.errors import PirouetteError
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.weights import load_into, read_weights
from backend.music.beats import BeatGrid
from backend.training.dataset import DanceData, Drop
from backend.training.kinematic_beats import kinematic_beats, settled
from backend.training.pairing import Song, metrical_levels, pair, warp
from backend.training.prepare import prepare
from backend.training.trainer import Run, read_recipe, train
from tests.fixtures.make_motion import long_sway


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(
        """kind = "denoiser"\nseed = 1\ncompile = false\nlearning_rate = 3e-3\nwarm_up_steps = 2\ndecay_share = 0.3
weight_decay = 0.0
ema = 0.9\nvalidate_every_s = 1\ngeneral_share = 0.3\nwindows = [[60, 4]]\nwindow_odds = [1.0]
[network]\nwidth = 32\nblocks = 1\nheads = 2\nstate = 8\ndecoder_width = 16\n[loss]\n[drop]\n"""
    )
    return path


def test_a_run_learns_stops_goes_on_and_exports(cache: Path, recipe: Path, tmp_path: Path) -> None:
    first = train(str(recipe), data=cache, minutes=0.06, out=tmp_path, device="cpu")
    again = train(str(recipe), data=cache, minutes=0.12, out=tmp_path, device="cpu")
    assert again.step > first.step > 5
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert log[-1]["loss"] < log[0]["loss"]
    file = read_weights("denoiser", folder=tmp_path)
    load_into(ParallelMambaDenoiser(DenoiserConfig(**file.config)), file)
    assert file.tensors["mean"].shape == (151,)


def test_two_processes_learn_as_one_and_agree_on_the_end(cache: Path, recipe: Path, tmp_path: Path) -> None:
    state = train(str(recipe), data=cache, minutes=0.05, out=tmp_path, device="cpu", processes=2)
    assert state.step > 2
    assert (tmp_path / "denoiser.safetensors").is_file()


def test_a_run_resumes_with_the_same_network(cache: Path, recipe: Path, tmp_path: Path) -> None:
    run = Run(str(recipe), data=cache, minutes=1, out=tmp_path, device="cpu")
    run.state.step = 7
    with torch.no_grad():
        next(run.network.parameters()).add_(1.0)
    run.save()
    again = Run(str(recipe), data=cache, minutes=1, out=tmp_path, device="cpu")
    assert again.state.step == 7
    assert torch.equal(next(run.network.parameters()), next(again.network.parameters()))


def test_batches_repeat_with_their_seed_and_are_normal(cache: Path) -> None:
    data = DanceData(cache, split="train", general_share=0.3, drop=Drop())
    one, other = (data.batch(4, 90, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one.clean, other.clean)
    assert torch.equal(one.music, other.music)
    assert one.clean.shape == (4, 90, 151)
    assert one.music.shape == (4, 90, 45)
    assert one.clean.abs().max() <= 8.0


def test_words_are_dropped_as_often_as_asked(cache: Path) -> None:
    data = DanceData(cache, split="valid", general_share=0.0, drop=Drop(0.0, 0.0, 1.0, 0.0, 0.0))
    batch = data.batch(8, 60, np.random.default_rng(0))
    assert not batch.has_genre.any()
    assert batch.has_text.all()
    assert torch.allclose(batch.text.norm(dim=1), torch.ones(8), atol=1e-4)


def test_kinematic_beats_find_the_sways_of_a_sway() -> None:
    joints = long_sway().joints()
    grid = kinematic_beats(joints, fps=30.0)
    assert abs(grid.tempo_bpm - 120.0) < 8.0
    assert grid.clear
    half = settled(grid.beats_s + 0.2, joints, fps=30.0)
    assert np.abs(half - grid.beats_s).mean() < 0.06


def test_a_warped_song_has_its_beats_on_the_dances_beats() -> None:
    sound = np.zeros((900, 37), dtype=np.float32)
    beats = np.arange(0, 29, 0.6)
    sound[np.round(beats * 30).astype(int), 0] = 1.0
    song = Song("clicks", sound, BeatGrid(beats, np.arange(len(beats)) % 4 == 0, 100.0, 4, True))
    dance_beats = np.array([0.3, 0.75, 1.25, 1.7, 2.2, 2.7])
    warped = warp(song, dance_beats, 5, frames=90)
    at = warped[np.round(dance_beats * 30).astype(int), 0]
    assert at.min() > 0.3
    assert warped[np.round((dance_beats[:-1] + 0.22) * 30).astype(int), 0].max() < 0.1


def test_pairing_takes_a_song_of_near_tempo_and_metre() -> None:
    def song(name: str, tempo: float, metre: int) -> Song:
        beats = np.arange(0, 29, 60 / tempo)
        grid = BeatGrid(beats, np.arange(len(beats)) % metre == 0, tempo, metre, True)
        return Song(name, np.full((900, 37), tempo, dtype=np.float32), grid)

    dance = BeatGrid(np.arange(0, 5, 0.5), np.zeros(10, dtype=bool), 120.0, 4, True)
    speed = np.abs(np.sin(np.arange(120) / 5)).astype(np.float32)
    songs = [song("slow", 60, 4), song("waltz", 120, 3), song("right", 125, 4)]
    music = pair(dance, speed, songs, timbre=True, rng=np.random.default_rng(0))
    assert np.allclose(music[:, 8:43], 125.0)
    assert np.all(music[:, 43:] == 1.0)
    alone = pair(dance, speed, songs[:2], timbre=True, rng=np.random.default_rng(0))
    assert np.all(alone[:, 8:43] == 0.0)
    assert np.all(alone[:, 44] == 0.0)
    assert [round(level.grid.tempo_bpm) for level in metrical_levels(songs[2])] == [125, 62, 250]


def test_no_music_is_silence_with_the_flag_down() -> None:
    assert not music_input(None, None, frames=10).any()


def test_a_folder_without_dance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PirouetteError):
        prepare(tmp_path, tmp_path / "cache")


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(PirouetteError, match="denoiser"):
        read_recipe("dancer")
    assert read_recipe("denoiser")["kind"] == "denoiser"


PRIMITIVES = """kind = "primitives"\nseed = 1\ncompile = false\ncomponents = 8\nfirst_windows = 6\nlearning_rate = 3e-3
warm_up_steps = 2\ndecay_share = 0.3\nweight_decay = 0.0\nema = 0.9\nvalidate_every_s = 1\nwindows = [[4, 4]]
window_odds = [1.0]\n[network]\nwidth = 32\nblocks = 1\nheads = 2\nstate = 8\ndecoder_width = 16
first_channels = 4\n[drop]\n"""


def test_the_global_network_learns_and_exports_what_makes_primitives(cache: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "primitives.toml"
    recipe.write_text(PRIMITIVES)
    assert train(str(recipe), data=cache, minutes=0.05, out=tmp_path, device="cpu").step > 2
    file = read_weights("primitives", folder=tmp_path)
    assert file.tensors["basis"].shape == (8 * 151, 8)
    load_into(ParallelMambaDenoiser(DenoiserConfig(**file.config)), file)


def test_dances_without_bars_are_told(cache: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "primitives.toml"
    recipe.write_text(PRIMITIVES.replace("[[4, 4]]", "[[40, 4]]"))
    with pytest.raises(PirouetteError, match=r"40 bars|as long as"):
        train(str(recipe), data=cache, minutes=0.05, out=tmp_path, device="cpu")


def test_a_directed_network_goes_on_from_the_one_that_is_shipped(cache: Path, tmp_path: Path) -> None:
    recipe = read_recipe("directed_denoiser") | {"windows": [[60, 2]], "window_odds": [1.0], "compile": False}
    run = Run(recipe, data=cache, minutes=0.02, out=tmp_path, device="cpu")
    shipped = read_weights("denoiser").tensors["net.blocks.0.music.weight"].float()
    assert torch.equal(run.network.state_dict()["blocks.0.music.weight"], shipped)
    batch = run.task.draw(2, 60, np.random.default_rng(0))
    assert {"told", "mask", "novelty"} <= set(batch)
    total, terms = run.task.loss(run.network, batch, run.mean, run.std)
    assert torch.isfinite(total)
    assert "mutual_information" in terms
