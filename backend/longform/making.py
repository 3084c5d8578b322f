"""A dance of any length from noise, by one of the strategies."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from backend.diffusion.conditions import Conditions
from backend.diffusion.guided import GuidedDenoiser, known_of
from backend.diffusion.sampling import Given, Job, Predict, Sampler, solve
from backend.diffusion.windows import WINDOW_FRAMES
from backend.errors import PirouetteError
from backend.longform.bidirectional import bidirectional
from backend.longform.overlapping import overlapping
from backend.longform.segments import segments
from backend.longform.sequential import sequential
from backend.models.denoiser import ParallelMambaDenoiser

DEFAULT = "overlapping"
NOVEL_LOUDNESS = 0.2  # more of it at full novelty


@torch.inference_mode()
def make(
    network: ParallelMambaDenoiser,
    conditions: Conditions,
    *,
    sampler: Sampler,
    generator: torch.Generator,
    job: Job | None = None,
    given: Given | None = None,
    strategy: str = "",
    borders: list[int] | None = None,
) -> Tensor:
    """A clean dance (rows, C), normalised, for conditions of an even number of frames. Raises Cancelled.

    generator: on the CPU, so that a seed means the same dance on every device; given: what is known of the dance;
    strategy: "sequential", "bidirectional", "coarse_to_fine" (with the borders of its segments), "overlapping", or ""
    for the default; a dance of one window is the same in all of them. Raises PirouetteError("bad_request") for a
    strategy that the network cannot follow.
    """
    rows, width = len(conditions.music) // network.config.row_frames, network.config.channels
    device = conditions.music.device
    noise = torch.randn(rows, width, generator=generator).to(device)
    job, strategy = job or Job(), strategy or DEFAULT
    if len(conditions.music) <= WINDOW_FRAMES:
        strategy = "overlapping"
    if given is None and strategy != "overlapping":
        nothing = torch.zeros(rows, width, device=device)
        given = Given(nothing, nothing[:, :1], eased=network.config.directed)
    known = None
    if given is not None:
        mask = given.kept if given.cues is None else torch.maximum(given.kept, given.cues)
        known = known_of(given.clean, mask, conditions.music, novelty=given.novelty, network=network)
        sampler = replace(sampler, loudness=sampler.loudness + NOVEL_LOUDNESS * given.novelty)
    guided = GuidedDenoiser(network, conditions, sampler.guidance, known)
    if strategy == "sequential" and given is not None:
        return sequential(guided, noise, sampler=sampler, job=job, given=given)
    return solve(_predict(guided, strategy, borders), noise, sampler=sampler, job=job, given=given)


def _predict(guided: GuidedDenoiser, strategy: str, borders: list[int] | None) -> Predict:
    if strategy == "overlapping":
        return overlapping(guided)
    if not guided.network.config.directed:
        raise PirouetteError(
            "bad_request",
            f"This model cannot make a dance {strategy.replace('_', ' ')}.",
            "Choose the model of motion, or sequential.",
        )
    if strategy == "bidirectional":
        return bidirectional(guided)
    if strategy == "forward":
        return bidirectional(guided, forward_only=True)
    if strategy == "coarse_to_fine" and borders is not None:
        return segments(guided, borders)
    raise PirouetteError("bad_request", f"There is no strategy “{strategy}”.", "See `generate --help`.")
