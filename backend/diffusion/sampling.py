"""Sampling: DPM-Solver++(2M) in 8 steps with classifier-free guidance, for dances of any length.

A dance longer than the network's window is cut into overlapping windows that advance through the noise levels
together: after each prediction the overlaps are cross-faded, so neighbours agree before the next step and no seam is
left. The representation knows neither place nor heading, so predictions of neighbours can be averaged. Cost and
memory grow linearly with length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from backend.diffusion.conditions import Conditions
from backend.diffusion.schedule import STEPS, add_noise, alphas_cumprod
from backend.errors import Cancelled

if TYPE_CHECKING:
    from backend.models.denoiser import ParallelMambaDenoiser

WINDOW_FRAMES = 300
OVERLAP_FRAMES = 90
FEWEST_STEPS = 3
BATCH_WINDOWS = 6  # windows in one pass of the network: bounds memory


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
class Given:
    """A dance that is partly known.

    clean: (rows, C) normalised; kept: (rows,) 1 where it stays, 0 where it is made new;
    strength: 0..1, how far what is made new may get from clean: 1 starts from noise alone; adjust: what every
    prediction must be brought to, such as a path that arrives somewhere.
    """

    clean: Tensor
    kept: Tensor
    strength: float = 1.0
    adjust: Callable[[Tensor], Tensor] | None = None

    def impose(self, predicted: Tensor) -> Tensor:
        """A prediction (rows, C) with what is known in its place."""
        whole = torch.lerp(predicted, self.clean, self.kept[:, None])
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


def window_starts(
    frames: int, *, window: int = WINDOW_FRAMES, overlap: int = OVERLAP_FRAMES, even: int = 2
) -> list[int]:
    """First frames of windows that cover ``frames``: evenly spread, overlapping by about ``overlap``, all multiples of
    ``even``, as ``frames`` and ``window`` are.
    """
    if frames <= window:
        return [0]
    count = -(-(frames - overlap) // (window - overlap))
    return [round((frames - window) * index / (count - 1) / even) * even for index in range(count)]


def crossfade(parts: Tensor, starts: list[int], frames: int, *, overlap: int = OVERLAP_FRAMES) -> Tensor:
    """Windows (W, L, C) laid down at ``starts`` and blended into (frames, C), with ramps of ``overlap`` frames."""
    length = parts.shape[1]
    ramp = torch.arange(1, length + 1, dtype=parts.dtype, device=parts.device).clamp(max=overlap)
    weight = torch.minimum(ramp, ramp.flip(0)) / overlap
    total = parts.new_zeros(frames, parts.shape[2])
    weights = parts.new_zeros(frames, 1)
    for part, start in zip(parts, starts, strict=True):
        total[start : start + length] += part * weight[:, None]
        weights[start : start + length] += weight[:, None]
    return total / weights


class GuidedDenoiser:
    """The network with its conditions: predicts the clean dance (rows, C) from the noisy one at a step."""

    def __init__(self, network: ParallelMambaDenoiser, conditions: Conditions, guidance: float) -> None:
        self.network, self.guidance = network, guidance
        frames, even = len(conditions.music), max(2, network.config.row_frames)
        self.frames, self.window = frames, min(WINDOW_FRAMES // even * even, frames)
        self.starts = window_starts(frames, window=self.window, even=even)
        music = torch.stack([conditions.music[s : s + self.window] for s in self.starts])
        self.music = network.encode_music(music)
        self.silence = network.encode_music(torch.zeros_like(music[:1]))
        self.prompt, self.no_prompt = self._prompt(conditions.genre, conditions.text), self._prompt(None, None)

    def _prompt(self, genre: Tensor | None, text: Tensor | None) -> Tensor:
        width, device = self.network.config.text_width, self.silence.device
        nothing = torch.zeros(width, device=device)
        vectors = [nothing if vector is None else vector.to(device) for vector in (genre, text)]
        flags = [torch.tensor([vector is not None], device=device) for vector in (genre, text)]
        return self.network.encode_prompt(vectors[0][None], vectors[1][None], flags[0], flags[1])

    def __call__(self, noisy: Tensor, step: int) -> Tensor:
        """(rows, C) -> (rows, C) for a diffusion step 0..999."""
        rows = self.network.config.row_frames
        starts = [start // rows for start in self.starts]
        windows = torch.stack([noisy[start : start + self.window // rows] for start in starts])
        clean = [self._predict(windows, first, step) for first in range(0, len(windows), BATCH_WINDOWS)]
        return crossfade(torch.cat(clean), starts, self.frames // rows, overlap=OVERLAP_FRAMES // rows)

    def _predict(self, windows: Tensor, first: int, step: int) -> Tensor:
        some = windows[first : first + BATCH_WINDOWS]
        music = self.music[first : first + BATCH_WINDOWS]
        count = len(some)
        prompt = self.prompt.expand(count, -1)
        if self.guidance == 1.0:
            steps = torch.full((count,), step, device=some.device)
            plain: Tensor = self.network(some, steps, music, prompt)
            return plain
        steps = torch.full((2 * count,), step, device=some.device)
        music = torch.cat([music, self.silence.expand_as(music)])
        prompt = torch.cat([prompt, self.no_prompt.expand(count, -1)])
        given, free = self.network(torch.cat([some, some]), steps, music, prompt).chunk(2)
        guided: Tensor = free + self.guidance * (given - free)
        return guided


@torch.inference_mode()
def sample(
    network: ParallelMambaDenoiser,
    conditions: Conditions,
    *,
    sampler: Sampler,
    generator: torch.Generator,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    given: Given | None = None,
) -> Tensor:
    """A clean dance (rows, C), normalised, for conditions of an even number of frames. Raises Cancelled.

    generator: on the CPU, so that a seed means the same dance on every device; given: what is known of the dance.
    """
    predict = GuidedDenoiser(network, conditions, sampler.guidance)
    rows = len(conditions.music) // network.config.row_frames
    noise = torch.randn(rows, network.config.channels, generator=generator).to(conditions.music.device)
    scheduler = solver(sampler.steps, strength=1.0 if given is None else given.strength)
    noisy = sampler.loudness * noise if given is None else _noised(given, noise, scheduler.timesteps[0], sampler)
    steps = len(scheduler.timesteps)
    for index, step in enumerate(scheduler.timesteps):
        if cancelled():
            raise Cancelled
        clean = predict(noisy, int(step))
        clean = clean if given is None else given.impose(clean)
        noisy = scheduler.step(clean, step, noisy, return_dict=False)[0]
        progress(index + 1, steps)
    return noisy if given is None else given.impose(noisy)


def _noised(given: Given, noise: Tensor, step: Tensor, sampler: Sampler) -> Tensor:
    """What a partly known dance begins as: its kept frames under plain noise, the others under the sampler's."""
    loudness = torch.lerp(torch.tensor(sampler.loudness), torch.tensor(1.0), given.kept.cpu()).to(noise.device)
    return add_noise(given.clean[None], (loudness[:, None] * noise)[None], step[None].cpu(), alphas_cumprod())[0]
