"""vCLUB on Gaussian pairs whose mutual information is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from backend.training.mutual_information import MutualInformation, halves

WIDTH = 3
Draw = Callable[[], tuple[Tensor, Tensor]]


def pairs(correlation: float, *, seed: int = 0) -> Draw:
    """Draws of 256 pairs (x, y) of standard normal numbers, each y correlated with its x."""
    generator = torch.Generator().manual_seed(seed)

    def draw() -> tuple[Tensor, Tensor]:
        x, noise = (torch.randn(256, WIDTH, generator=generator) for _ in range(2))
        return x, correlation * x + math.sqrt(1 - correlation**2) * noise

    return draw


def true_nats(correlation: float) -> float:
    return -0.5 * WIDTH * math.log(1 - correlation**2)


def learned(draw: Draw, *, steps: int = 600) -> MutualInformation:
    torch.manual_seed(0)
    information = MutualInformation(WIDTH, WIDTH, hidden=32, rate=5e-3)
    for _ in range(steps):
        information.learn(*draw())
    return information


def mean_bound(information: MutualInformation, draw: Draw) -> float:
    with torch.no_grad():
        return float(torch.stack([information.bound(*draw()) for _ in range(20)]).mean())


@pytest.mark.parametrize("correlation", [0.5, 0.8])
def test_the_bound_lies_above_the_information_and_where_theory_puts_it(correlation: float) -> None:
    bound = mean_bound(learned(pairs(correlation)), pairs(correlation, seed=1))
    assert bound > true_nats(correlation)
    assert bound == pytest.approx(WIDTH * correlation**2 / (1 - correlation**2), rel=0.25)  # of the true conditional


def test_independent_pairs_share_nothing() -> None:
    information = learned(pairs(0.0))
    assert abs(mean_bound(information, pairs(0.0, seed=1))) < 0.1
    assert mean_bound(learned(pairs(0.5)), pairs(0.5, seed=1)) > 0.5


def test_an_untrained_foreteller_learns_by_likelihood_alone() -> None:
    torch.manual_seed(0)
    information, draw = MutualInformation(WIDTH, WIDTH, hidden=32, rate=5e-3), pairs(0.8)
    surprises = [information.learn(*draw()) for _ in range(200)]
    assert sum(surprises[-20:]) < sum(surprises[:20])


def test_gradients_reach_the_embeddings_and_not_the_foreteller() -> None:
    information = learned(pairs(0.8), steps=50)
    information.optimiser.zero_grad(set_to_none=True)
    past, future = (each.requires_grad_() for each in pairs(0.8)())
    information.penalty(past, future).backward()
    assert past.grad is not None
    assert past.grad.abs().max() > 0
    assert future.grad is not None
    assert all(parameter.grad is None for parameter in information.foreteller.parameters())


def test_minimising_the_bound_makes_past_and_future_independent() -> None:
    """A future of past and noise, with a learnable share of the past: the share goes, both players learning."""
    torch.manual_seed(0)
    information, draw = MutualInformation(WIDTH, WIDTH, hidden=32, rate=5e-3), pairs(0.0)
    share = torch.nn.Parameter(torch.tensor(1.0))
    optimiser = torch.optim.Adam([share], lr=5e-3)

    def future_of(past: Tensor, noise: Tensor) -> Tensor:
        return share * past + noise

    for _ in range(200):
        past, noise = draw()
        information.learn(past, future_of(past, noise))
    before = mean_bound(information, lambda: (lambda x, n: (x, future_of(x, n)))(*draw()))
    for _ in range(500):
        past, noise = draw()
        information.learn(past, future_of(past, noise))
        optimiser.zero_grad()
        information.penalty(past, future_of(past, noise)).backward()
        optimiser.step()
    after = mean_bound(information, lambda: (lambda x, n: (x, future_of(x, n)))(*draw()))
    assert before > 1.0
    assert after < 0.2 * before
    assert abs(float(share.detach())) < 0.3


def test_information_is_never_below_nothing() -> None:
    torch.manual_seed(0)
    information = MutualInformation(WIDTH, WIDTH, hidden=32)
    worst = min(float(information.penalty(*pairs(-0.9, seed=seed)()).detach()) for seed in range(5))
    assert worst >= 0.0
    assert float(information.bound(torch.randn(1, WIDTH), torch.randn(1, WIDTH)).detach()) == 0.0


def test_past_and_future_are_the_means_of_the_halves() -> None:
    dance = torch.cat([torch.zeros(2, 10, 151), torch.ones(2, 10, 151)], dim=1)
    past, future = halves(dance)
    assert torch.equal(past, torch.zeros(2, 151))
    assert torch.equal(future, torch.ones(2, 151))
