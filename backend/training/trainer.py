"""The training loop: by the clock, resumable, with a moving average, keeping the best by validation.

A run lives in one folder: ``last.pt`` (everything to go on), ``<kind>.safetensors`` (best moving average so far),
``log.jsonl``. The learning rate rises, stays, and falls to zero in the last part of the time (warm-up, stable,
decay).

Two keys of a recipe may be left out: ``compile``, false where compiling would take longer than it saves, and
``clock``, "processor" where runs of equal length are compared beside other work: seconds are then those the
processor spent.
"""

from __future__ import annotations

import importlib
import json
import math
import shutil
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np
import torch
import torch.distributed as dist
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from backend import __version__
from backend.errors import PirouetteError
from backend.models.weights import weight_bytes
from backend.motion.io import replacing

RECIPES = Path(__file__).parent / "recipes"
VALIDATION_BATCHES = 3
TASKS = {
    "code_denoiser": "CodeDenoiserTask",
    "codec": "CodecTask",
    "denoiser": "DenoiserTask",
    "refiner": "RefinerTask",
    "primitives": "PrimitivesTask",
    "beat_distance": "BeatDistanceTask",
    "evaluator": "EvaluatorTask",
}


class Task(Protocol):
    """What a recipe trains. mean, std: (151,) of the data; extra: tensors saved beside the network.

    judged_by: the validation term that tells which network is best, or "loss" for their sum.
    """

    kind: str
    judged_by: str
    network: nn.Module
    mean: Tensor
    std: Tensor
    extra: dict[str, Tensor]

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """One batch of tensors."""

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch and its terms."""


@dataclass
class State:
    """Where a run stands: steps done, seconds trained, best validation loss."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf


def read_recipe(name: str) -> dict[str, Any]:
    """A recipe by name, or by the path of a TOML file. Raises PirouetteError("bad_request") for an unknown one."""
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise PirouetteError("bad_request", f"There is no recipe “{name}”.", f"Recipes: {known}.")
    return tomllib.loads(path.read_text())


def build_task(recipe: dict[str, Any], cache: Path) -> Task:
    """The task that a recipe names, from the module ``<kind>_task``."""
    if recipe["kind"] not in TASKS:
        raise PirouetteError("bad_request", f"Nothing here trains a “{recipe['kind']}”.")
    module = importlib.import_module(f"backend.training.{recipe['kind']}_task")
    task: Task = getattr(module, TASKS[recipe["kind"]])(recipe, cache)
    return task


class Run:
    """One training run in a folder."""

    def __init__(self, recipe: str | dict[str, Any], *, data: Path, minutes: float, out: Path, device: str) -> None:
        self.recipe = read_recipe(recipe) if isinstance(recipe, str) else recipe
        self.minutes, self.out = minutes, out
        self.rank, self.world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        torch.manual_seed(self.recipe["seed"])
        self.task = build_task(self.recipe, data)
        self.device = torch.device(device)
        self.clock = {"wall": time.monotonic, "processor": time.process_time}[self.recipe.get("clock", "wall")]
        self.network = self.task.network.to(self.device)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(self.recipe["ema"]), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.recipe["learning_rate"],
            weight_decay=self.recipe["weight_decay"],
            betas=(0.9, 0.99),
        )
        self.state = State()
        self.mean, self.std = self.task.mean.to(self.device), self.task.std.to(self.device)
        out.mkdir(parents=True, exist_ok=True)
        self.resume()

    def resume(self) -> None:
        """Go on from last.pt, if there is one."""
        path = self.out / "last.pt"
        if path.is_file():
            saved = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(saved["network"])
            self.average.load_state_dict(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.state = State(**saved["state"])

    def save(self) -> None:
        """Write last.pt, whole or not at all."""
        with replacing(self.out / "last.pt") as file:
            torch.save(
                {
                    "network": self.network.state_dict(),
                    "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(),
                    "state": vars(self.state),
                },
                file,
            )

    def rate(self) -> float:
        """Learning rate now, as a share of the recipe's."""
        left = 1.0 - self.state.seconds / (60.0 * self.minutes)
        rise = min((self.state.step + 1) / self.recipe["warm_up_steps"], 1.0)
        return float(rise * max(min(left / self.recipe["decay_share"], 1.0), 0.01))

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """Batches without end; the next one is drawn while the network learns from this one."""
        rng = np.random.default_rng([self.recipe["seed"], self.state.step, self.rank])
        windows, odds = self.recipe["windows"], self.recipe["window_odds"]

        def draw() -> dict[str, Tensor]:
            frames, size = windows[int(rng.choice(len(windows), p=odds))]
            return self.task.draw(max(size // self.world, 1), frames, rng)

        with ThreadPoolExecutor(1) as pool:
            following = pool.submit(draw)
            while True:
                batch = following.result()
                following = pool.submit(draw)
                yield {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}

    def validate(self) -> dict[str, float]:
        """Mean loss terms of the moving average on the same validation batches every time."""
        rng = np.random.default_rng(12345)
        frames, size = self.recipe["windows"][0]
        sums: dict[str, float] = {}
        module = self.average.module
        module.eval()
        with torch.no_grad():
            for _ in range(VALIDATION_BATCHES):
                batch = {k: v.to(self.device) for k, v in self.task.draw(size, frames, rng, valid=True).items()}
                total, terms = self.task.loss(module, batch, self.mean, self.std)
                for name, term in {"loss": total, **terms}.items():
                    sums[name] = sums.get(name, 0.0) + float(term) / VALIDATION_BATCHES
        return sums

    def keep_best(self, loss: float) -> None:
        """Export the moving average when it is the best so far."""
        if loss < self.state.best:
            self.state.best = loss
            version = f"{__version__}-{self.state.step}"
            with replacing(self.out / f"{self.task.kind}.safetensors") as file:
                file.write(weight_bytes(self.task.kind, version, self.average.module, self.task.extra))

    def report(self, running: float, log: TextIO) -> None:
        """Validate, keep the best, save, and write a line."""
        valid = self.validate()
        self.keep_best(valid[self.task.judged_by])
        self.save()
        row = {"step": self.state.step, "seconds": round(self.state.seconds), "train": running, **valid}
        log.write(json.dumps(row) + "\n")
        log.flush()

    def agree(self) -> None:
        """Average the gradients of all processes, and take the first one's clock."""
        if self.world == 1:
            return
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        clock = torch.tensor([self.state.seconds * self.world * (self.rank == 0)], device=self.device)
        flat = torch.cat([*(each.flatten() for each in gradients), clock])
        dist.all_reduce(flat)
        flat /= self.world
        for gradient, mean in zip(gradients, flat[:-1].split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))
        self.state.seconds = float(flat[-1])

    def run(self) -> State:
        """Train until the minutes are over."""
        wanted = self.recipe.get("compile", True)
        if wanted and (self.device.type == "cuda" or shutil.which("g++")):  # fused kernels: about twice as fast
            self.network.compile(dynamic=False)
        validated_s, running = self.state.seconds, math.nan
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns) as progress, (self.out / "log.jsonl").open("a") as log:
            bar = progress.add_task("compiling", total=60 * self.minutes, completed=int(self.state.seconds))
            for batch in self.batches():
                began = self.clock()
                self.network.train()
                total, _ = self.task.loss(self.network, batch, self.mean, self.std)
                self.optimiser.zero_grad(set_to_none=True)
                total.backward()
                self.agree()
                over = self.state.seconds >= 60 * self.minutes
                due = over or self.state.seconds - validated_s > self.recipe["validate_every_s"]
                validated_s = self.state.seconds if due else validated_s
                for group in self.optimiser.param_groups:
                    group["lr"] = self.recipe["learning_rate"] * self.rate()
                nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                self.optimiser.step()
                self.average.update_parameters(self.network)
                self.state.step += 1
                value = float(total.detach())
                running = value if math.isnan(running) else 0.98 * running + 0.02 * value
                self.state.seconds += min(self.clock() - began, 20.0)  # compiling is not training
                progress.update(
                    bar,
                    completed=self.state.seconds,
                    description=f"step {self.state.step}  loss {running:.3f}  best valid {self.state.best:.3f}",
                )
                if due and self.rank == 0:
                    self.report(running, log)
                if over:
                    break
        return self.state


def train(
    recipe: str | dict[str, Any], *, data: Path, minutes: float, out: Path, device: str = "auto", processes: int = 1
) -> State:
    """Train a recipe, named or read, on a prepared cache for so many minutes in all; a run in ``out`` goes on where it
    stopped.

    processes: each takes its part of every batch and of the cores. They wait for each other once a step, threads of
    one process at every layer: on a busy machine processes learn faster.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if processes == 1:
        return Run(recipe, data=data, minutes=minutes, out=out, device=device).run()
    with tempfile.TemporaryDirectory() as folder:
        work = (recipe, data, minutes, out, device, processes, f"file://{folder}/meeting")
        spawn(_one_of_many, args=work, nprocs=processes)
    return State(**torch.load(out / "last.pt", weights_only=True)["state"])


def _one_of_many(
    rank: int,
    recipe: str | dict[str, Any],
    data: Path,
    minutes: float,
    out: Path,
    device: str,
    processes: int,
    meeting: str,
) -> None:
    torch.set_num_threads(max(torch.get_num_threads() // processes, 1))
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=processes)
    Run(recipe, data=data, minutes=minutes, out=out, device=device).run()
    dist.destroy_process_group()
