"""Sampling: DPM-Solver++(2M) in 8 steps.

What predicts the clean dance is a function: one of the ways in which ``backend.longform`` covers it with windows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from backend.diffusion.schedule import STEPS, add_noise, alphas_cumprod
from backend.errors import Cancelled
from backend.motion.easing import eased

FEWEST_STEPS = 3
CUES_UNTIL = 300  # soft cues are followed while there is more noise than at this step

Predict = Callable[[Tensor, int], Tensor]  # noisy rows (T, C) and a diffusion step -> clean rows (T, C)


@dataclass(frozen=True)
class Sampler:
    """How to sample: solver steps, guidance scale (1 is none), scale of the noise that a dance begins as.

    A network that is not certain of the clean dance predicts too little movement at every step, and few steps add up
    what is missing; noise that is somewhat too loud is read as more movement, and makes up for it.
    """

    steps: int = 8
    guidance: float = 1.4
    loudness: float = 1.4


@dataclass(frozen=True)
class Job:
    """Who hears of the steps, and who may stop them."""

    progress: Callable[[int, int], None] = lambda *_: None
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Given:
    """A dance that is partly known.

    clean: (rows, C) normalised; kept: (rows, 1 or C), 1 where it stays, 0 where it is made new; cues: like kept, what
    is followed only while the noise is loud (Lodge's soft cues), or None; strength: 0..1, how far what is made new may
    get from clean: 1 starts from noise alone; adjust: what every prediction must be brought to, such as a path that
    arrives somewhere; novelty: 0..1, how little the future may follow from the past; eased: whether the rows beside
    what is kept are led to it, in step with the beats (rows): in the space of motion alone.
    """

    clean: Tensor
    kept: Tensor
    cues: Tensor | None = None
    strength: float = 1.0
    adjust: Callable[[Tensor], Tensor] | None = None
    novelty: float = 0.0
    eased: bool = False
    beats: tuple[int, ...] = ()

    def mask(self, step: int) -> Tensor:
        """(rows, 1 or C), 1 where clean is followed at a diffusion step."""
        if self.cues is None or step <= CUES_UNTIL:
            return self.kept
        return torch.maximum(self.kept, self.cues)

    def impose(self, predicted: Tensor, step: int = 0) -> Tensor:
        """A prediction (rows, C) with what is known in its place."""
        whole = predicted
        if self.eased:
            whole = eased(predicted, self.clean, self.kept.expand_as(predicted), beats=self.beats)
        whole = torch.lerp(whole, self.clean, self.mask(step))
        return whole if self.adjust is None else self.adjust(whole)


@cache
def _solver_class() -> Any:
    from diffusers import DPMSolverMultistepScheduler

    return DPMSolverMultistepScheduler


def solver(steps: int, *, strength: float = 1.0) -> Any:
    """A DPM-Solver++(2M) for x0 prediction on the cosine schedule; with a strength under 1 it starts at a lower level
    of noise, with fewer steps.
    """
    scheduler = _solver_class()(
        num_train_timesteps=STEPS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        algorithm_type="dpmsolver++",
        solver_order=2,
        timestep_spacing="linspace",
    )
    if strength == 1.0:
        scheduler.set_timesteps(steps)
    else:
        count = max(round(steps * strength), FEWEST_STEPS)
        levels = torch.linspace(strength * (STEPS - 1), 0, count + 1).round().int()[:-1]
        scheduler.set_timesteps(timesteps=levels.tolist())
    return scheduler


def solve(predict: Predict, noise: Tensor, *, sampler: Sampler, job: Job, given: Given | None = None) -> Tensor:
    """A clean dance (rows, C), normalised, from standard noise of that shape. Raises Cancelled."""
    scheduler = solver(sampler.steps, strength=1.0 if given is None else given.strength)
    noisy = sampler.loudness * noise if given is None else _noised(given, noise, scheduler.timesteps[0], sampler)
    steps = len(scheduler.timesteps)
    for index, step in enumerate(scheduler.timesteps):
        if job.cancelled():
            raise Cancelled
        clean = predict(noisy, int(step))
        clean = clean if given is None else given.impose(clean, int(step))
        noisy = scheduler.step(clean, step, noisy, return_dict=False)[0]
        job.progress(index + 1, steps)
    return noisy if given is None else given.impose(noisy)


def _noised(given: Given, noise: Tensor, step: Tensor, sampler: Sampler) -> Tensor:
    """What a partly known dance begins as: its kept numbers under plain noise, the others under the sampler's."""
    loudness = torch.lerp(torch.full_like(noise, sampler.loudness), torch.ones_like(noise), given.kept)
    alphas = alphas_cumprod().to(noise.device)
    return add_noise(given.clean[None], (loudness * noise)[None], step[None].to(noise.device), alphas)[0]
