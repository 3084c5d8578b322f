"""Numbers of 16 bits where the processor computes with them at twice the speed and more."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch


def half_precision(device: torch.device) -> AbstractContextManager[object]:
    """bf16 for matrices and convolutions, where the processor has instructions for it; else nothing changes.

    A dance then differs by a centimetre or two, most of it by where it has got to on the floor; processors without
    these instructions would take many times as long. Other devices compute as they did.
    """
    return torch.autocast("cpu", torch.bfloat16) if device.type == "cpu" and _in_hardware() else nullcontext()


@cache
def _in_hardware() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
