"""The selective scan: the recurrence, the chunked products and the fused kernel are one function."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from backend.models.ssd import fused_kernel, ssd, ssd_chunked, ssd_sequential


def inputs(length: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(length)
    x = torch.randn(2, length, 4, 16, generator=generator)
    dt = torch.rand(2, length, 4, generator=generator) * 0.3
    a = -torch.rand(4, generator=generator) * 8
    b, c = (torch.randn(2, length, 16, generator=generator) for _ in range(2))
    return tuple(t.to(device, dtype) for t in (x, dt, a, b, c))


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 150, 300])
def test_chunked_scan_equals_the_recurrence(length: int) -> None:
    arguments = inputs(length)
    assert torch.allclose(ssd_sequential(*arguments), ssd_chunked(*arguments), atol=1e-4)


def test_chunked_scan_is_exact_in_double_precision() -> None:
    arguments = inputs(150, torch.float64)
    arguments_float = ssd_chunked(*arguments, chunk=50)
    assert torch.allclose(ssd_sequential(*arguments), arguments_float, atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_the_size_of_chunks_does_not_matter(chunk: int) -> None:
    arguments = inputs(100)
    assert torch.allclose(ssd_chunked(*arguments), ssd_chunked(*arguments, chunk=chunk), atol=1e-4)


def test_the_scan_is_causal() -> None:
    x, dt, a, b, c = inputs(100)
    changed = x.clone()
    changed[:, 60:] += 1.0
    before, after = ssd_chunked(x, dt, a, b, c), ssd_chunked(changed, dt, a, b, c)
    assert torch.allclose(before[:, :60], after[:, :60], atol=1e-6)
    assert not torch.allclose(before[:, 60:], after[:, 60:], atol=1e-2)


def test_gradients_of_chunked_scan_and_recurrence_agree() -> None:
    arguments = [t.double().requires_grad_() for t in inputs(70)]
    there = torch.autograd.grad(ssd_sequential(*arguments).square().sum(), arguments)
    here = torch.autograd.grad(ssd_chunked(*arguments).square().sum(), arguments)
    for one, other in zip(there, here, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available() or fused_kernel() is None, reason="mamba-ssm or CUDA is not there")
def test_fused_kernel_equals_the_recurrence() -> None:
    arguments = inputs(150, device="cuda")
    assert torch.allclose(ssd_sequential(*arguments), ssd(*arguments), atol=1e-2)
