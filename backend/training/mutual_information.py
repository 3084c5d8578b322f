"""Mutual information between a dance's past and its future, to be minimised against freezing (LongDanceDiff).

A future that follows from the past alone repeats it: in the worst case the dancer stands. vCLUB bounds what the one
tells of the other from above: a small network learns to foretell the future's embedding as a Gaussian, and what it
gives the true future over the others of the batch is the bound. Source: Cheng et al. 2020, "CLUB", eq. 13.

Two players: the foreteller learns by likelihood from embeddings that are cut off, with an optimiser of its own, each
time before the bound is taken; the denoiser gets the bound's gradient through a foreteller held fast. It is no part
of a checkpoint: a run that goes on trains a new one, whose bound grows from nothing within some hundred steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

HIDDEN = 128
WIDEST_LOG = 5.0  # of a variance, either way
LEARNING_RATE = 2e-3


def halves(dance: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings (B, C) of the past and the future of dances (B, T, C): their means over time."""
    half = dance.shape[1] // 2
    return dance[:, :half].mean(1), dance[:, half:].mean(1)


class Foreteller(nn.Module):
    """The future's embedding as a Gaussian without covariances, given the past's: q(y | x) of CLUB."""

    def __init__(self, past_width: int, future_width: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(past_width, hidden), nn.SiLU(), nn.Linear(hidden, 2 * future_width))

    def forward(self, past: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance (B, future_width) for past (B, past_width)."""
        mean, log_variance = self.layers(past).chunk(2, dim=-1)
        return mean, WIDEST_LOG * torch.tanh(log_variance / WIDEST_LOG)


def negative_log_likelihood(told: tuple[Tensor, Tensor], future: Tensor) -> Tensor:
    """Of futures (B, D), mean over the batch, in nats; what all Gaussians share is left out."""
    mean, log_variance = told
    surprise: Tensor = 0.5 * ((future - mean).square() / log_variance.exp() + log_variance).sum(-1)
    return surprise.mean()


def bound_nats(told: tuple[Tensor, Tensor], future: Tensor, weight: Tensor | None = None) -> Tensor:
    """vCLUB: mean log q of each past's own future less that of the other futures of the batch; 0 for a batch of one.
    weight: (B,) how much each past counts, 1 where left out.
    """
    mean, log_variance = told
    count = len(future)
    own = (future - mean).square()
    every = (future[None] - mean[:, None]).square().mean(1) * count / max(count - 1, 1)
    others = every - own / max(count - 1, 1)
    nats: Tensor = (0.5 * (others - own) / log_variance.exp()).sum(-1)
    nats = nats if weight is None else nats * weight
    return nats.mean() if count > 1 else 0.0 * nats.mean()


class MutualInformation:
    """vCLUB with its foreteller. width: of both embeddings."""

    def __init__(
        self, past_width: int, future_width: int, *, hidden: int = HIDDEN, rate: float = LEARNING_RATE
    ) -> None:
        self.width = future_width
        self.foreteller = Foreteller(past_width, future_width, hidden)
        self.optimiser = torch.optim.Adam(self.foreteller.parameters(), lr=rate)

    def learn(self, past: Tensor, future: Tensor) -> float:
        """One step of the foreteller on embeddings (B, past_width), (B, future_width); returns its surprise in nats."""
        self.foreteller.to(past.device)
        surprise = negative_log_likelihood(self.foreteller(past.detach()), future.detach())
        self.optimiser.zero_grad(set_to_none=True)
        surprise.backward()
        self.optimiser.step()
        return float(surprise.detach())

    def bound(self, past: Tensor, future: Tensor, weight: Tensor | None = None) -> Tensor:
        """Nats that past tells of future, at most, if the foreteller knows them well; gradients reach past and future
        alone.
        """
        fixed = {name: value.detach().to(past.device) for name, value in self.foreteller.named_parameters()}
        return bound_nats(functional_call(self.foreteller, fixed, (past,)), future, weight)

    def penalty(self, past: Tensor, future: Tensor, weight: Tensor | None = None) -> Tensor:
        """The bound in nats for each number of the embedding, to be minimised; information is never below nothing."""
        return self.bound(past, future, weight).clamp(min=0.0) / self.width
