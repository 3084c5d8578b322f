"""State space duality (Mamba-2): the selective scan as chunked matrix products, with B and C shared by all heads.

    h_l = exp(dt_l A) h_{l-1} + dt_l B_l x_l,      y_l = C_l h_l

``ssd_sequential`` is the recurrence itself, the readable reference. ``ssd_chunked`` is the same function in matrix
products, on any device. ``ssd`` takes mamba-ssm's fused kernel where that package imports and the tensors are on
CUDA. Parity tests hold them together. Source: Dao and Gu 2024, "Transformers are SSMs", listing 1; EDMG eqs. 5-6 for
the shared projections.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import torch
from torch import Tensor

CHUNK = 64


def ssd_sequential(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Selective scan, one step at a time.

    x: (B, L, H, P); dt: (B, L, H) positive; a: (H,) negative; b, c: (B, L, N), shared by the heads. Returns (B, L, H,
    P).
    """
    state = x.new_zeros(x.shape[0], x.shape[2], x.shape[3], b.shape[-1])
    outputs = []
    for step in range(x.shape[1]):
        decay = torch.exp(dt[:, step] * a)[..., None, None]
        update = (dt[:, step, :, None] * x[:, step])[..., None] * b[:, step, None, None, :]
        state = decay * state + update
        outputs.append((state * c[:, step, None, None, :]).sum(-1))
    return torch.stack(outputs, dim=1)


def ssd_chunked(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """Selective scan in chunks: attention-like products inside a chunk, a short loop between chunks.

    Shapes as in ``ssd_sequential``; any length. Cost grows linearly with L.
    """
    length = x.shape[1]
    size = -(-length // -(-length // chunk))  # equal chunks waste least
    pad = -length % size
    if pad:
        x, dt = torch.nn.functional.pad(x, (0, 0, 0, 0, 0, pad)), torch.nn.functional.pad(dt, (0, 0, 0, pad))
        b, c = torch.nn.functional.pad(b, (0, 0, 0, pad)), torch.nn.functional.pad(c, (0, 0, 0, pad))
    chunks = x.shape[1] // size
    weighted = (x * dt[..., None]).unflatten(1, (chunks, size)).permute(0, 1, 3, 2, 4)  # (B, chunks, H, Q, P)
    log_decay = (dt.float() * a.float()).unflatten(1, (chunks, size)).permute(0, 1, 3, 2)  # (B, chunks, H, Q)
    b, c = b.unflatten(1, (chunks, size)), c.unflatten(1, (chunks, size))  # (B, chunks, Q, N)
    passed = log_decay.cumsum(-1)
    future = torch.ones(size, size, dtype=torch.bool, device=x.device).triu(1)
    span = (passed[..., :, None] - passed[..., None, :]).masked_fill(future, float("-inf"))
    scores = (c @ b.transpose(-1, -2))[:, :, None] * torch.exp(span)
    inside = scores @ weighted
    if chunks > 1:
        to_end = torch.exp(passed[..., -1:] - passed)
        gained = (weighted * to_end[..., None]).transpose(-1, -2) @ b[:, :, None].to(
            weighted.dtype
        )  # (B, chunks, H, P, N)
        kept = torch.exp(passed[..., -1])[..., None, None]
        state, entering = torch.zeros_like(gained[:, 0]), []
        for index in range(chunks):
            entering.append(state)
            state = kept[:, index] * state + gained[:, index]
        states = torch.stack(entering, dim=1)
        inside = inside + (c[:, :, None] @ states.transpose(-1, -2)) * torch.exp(passed)[..., None]
    y: Tensor = inside.permute(0, 1, 3, 2, 4).flatten(1, 2)[:, :length]
    return y


@cache
def fused_kernel() -> Any | None:
    """mamba-ssm's Triton scan, or None where the package is not installed."""
    if importlib.util.find_spec("mamba_ssm") is None:
        return None
    from mamba_ssm.ops.triton.ssd_combined import mamba_chunk_scan_combined

    return mamba_chunk_scan_combined


def ssd(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Selective scan by the fastest implementation at hand. Shapes as in ``ssd_sequential``."""
    kernel = fused_kernel() if x.is_cuda else None
    if kernel is None:
        return ssd_chunked(x, dt, a, b, c)
    fused: Tensor = kernel(x, dt.to(x.dtype), a.float(), b[:, :, None], c[:, :, None], chunk_size=CHUNK)
    return fused
