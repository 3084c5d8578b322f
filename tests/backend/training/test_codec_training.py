"""Training of the codec and of the denoiser in its space, on a tiny library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.models.codec import Codebooks, CodecConfig, DanceCodec
from backend.models.weights import load_into, read_weights
from backend.training.code_denoiser_task import CodeDenoiserTask
from backend.training.codec_task import CodebookLearner, CodecTask, exchange_errors, reach_of_numbers
from backend.training.dataset import DanceData
from backend.training.trainer import read_recipe, train

TINY: dict[str, Any] = {
    "kind": "codec",
    "seed": 1,
    "compile": False,
    "learning_rate": 1e-3,
    "warm_up_steps": 2,
    "decay_share": 0.3,
    "weight_decay": 0.0,
    "ema": 0.9,
    "validate_every_s": 1,
    "general_share": 0.3,
    "windows": [[64, 8]],
    "window_odds": [1.0],
    "codebook_decay": 0.9,
    "first_windows": 24,
    "network": {"width": 16, "fine_width": 8, "code_width": 8, "movement_codes": 16, "pose_codes": 32},
    "loss": {},
    "codec_loss": {},
}


def test_a_codec_run_learns_goes_on_with_its_codebooks_and_exports(cache: Path, tmp_path: Path) -> None:
    train(TINY, data=cache, minutes=0.05, out=tmp_path, device="cpu")
    before = read_weights("codec", folder=tmp_path).tensors["net.pose.vectors"]
    train(TINY, data=cache, minutes=0.1, out=tmp_path, device="cpu")
    file = read_weights("codec", folder=tmp_path)
    codec = DanceCodec(CodecConfig(**file.config))
    load_into(codec, file)
    assert codec.pose.vectors.any()
    assert (codec.pose.vectors - before).abs().mean() < before.abs().mean()  # learned further, not made anew


def test_codec_starts_near_the_motion_it_is_to_hold(cache: Path) -> None:
    task = CodecTask(TINY | {"seed": 3}, cache)
    batch = task.draw(8, 64, np.random.default_rng(0))
    task.codec.train()
    _, terms = task.loss(task.codec, batch, task.mean, task.std)
    assert float(terms["simple"].detach()) < 0.5  # the mean pose alone would have 1


def test_codebooks_follow_what_they_quantise_and_dead_codes_are_revived() -> None:
    torch.manual_seed(0)
    books = Codebooks(1, 8, 2)
    books.vectors[:] = 1000.0  # nobody is near
    books.vectors[0, 0] = 0.0
    learner = CodebookLearner(books, decay=0.5)
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    for _ in range(40):
        learner(corners.repeat(1, 8)[:, :2].repeat(16, 1)[None] + 0.01 * torch.randn(1, 64, 2))
    assert float((books.quantise(corners) - corners).norm(dim=-1).max()) < 0.1


def test_exchange_keeps_everything_between_equal_windows_and_not_between_others(cache: Path) -> None:
    data = DanceData(cache, split="train", general_share=0.0, drop=CodecTask(TINY, cache).train.drop)
    windows = data.batch(4, 64, np.random.default_rng(1)).clean
    same = exchange_errors(windows, windows, windows, data.mean, data.std)
    assert all(float(error) < 1e-4 for error in same.values())
    moved = windows + 2.0 + torch.randn(windows.shape, generator=torch.Generator().manual_seed(0))
    others = exchange_errors(moved, windows, windows, data.mean, data.std)
    assert all(float(others[name]) > 100 * float(same[name]) for name in same)


def test_joints_near_the_middle_of_the_body_reach_further_than_wrists() -> None:
    reach = reach_of_numbers(torch.ones(151))
    assert float(reach.square().mean()) == pytest.approx(1.0, abs=1e-4)
    hip, wrist = reach[7 + 6 * 1], reach[7 + 6 * 20]
    assert float(hip) > 3 * float(wrist)


def test_the_denoiser_of_codes_knows_what_the_denoiser_of_motion_knows(cache: Path) -> None:
    task = CodeDenoiserTask(read_recipe("code_denoiser") | {"first_windows": 8}, cache)
    known = read_weights("denoiser").tensors
    own = task.network.state_dict()
    assert torch.equal(own["blocks.0.mixer.in_proj.weight"], known["net.blocks.0.mixer.in_proj.weight"])
    assert own["patch.weight"].shape != known["net.patch.weight"].shape
    batch = task.draw(2, 152, np.random.default_rng(0))
    assert batch["clean"].shape == (2, 19, 192)
    total, _ = task.loss(task.network, batch, task.mean, task.std)
    assert torch.isfinite(total)
