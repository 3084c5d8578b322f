"""Dance primitives (Lodge): eight frames around a beat where the body arrives, one a bar, for a whole dance at once.

A global network, the same Parallel Mamba Denoiser on rows that are primitives, makes them for the song's bars; each row
holds the principal components of the 151 numbers of eight frames. The segments between them are danced afterwards.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from backend.diffusion.conditions import BAR_PHASE, MUSIC_GIVEN, Conditions, Words
from backend.diffusion.sampling import Sampler
from backend.longform.making import make
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.weights import load_into, read_weights
from backend.motion.representation import CHANNELS

PRIMITIVE_FRAMES = 8
BEFORE = PRIMITIVE_FRAMES // 2  # frames of a primitive before its beat
SAMPLER = Sampler(steps=8, guidance=1.4, loudness=1.2)


def bar_frames(music: Tensor) -> Tensor:
    """Frames (N,) in which bars of music channels (T, 45) begin, so far inside that a primitive fits around them."""
    phase = torch.atan2(music[:, BAR_PHASE], music[:, BAR_PHASE + 1])
    begins = (phase[:-1] < 0.0) & (phase[1:] >= 0.0) & (phase[1:] < 0.5 * torch.pi)
    frames = torch.nonzero(begins)[:, 0] + 1
    nearer = phase[frames - 1].abs() < phase[frames].abs()
    frames = frames - nearer.long()
    given = music[frames, MUSIC_GIVEN] > 0
    return frames[given & (frames >= BEFORE) & (frames <= len(music) - BEFORE)]


def bar_music(music: Tensor, bars: Tensor) -> Tensor:
    """The music channels (N, 45) of bars that begin at frames (N,): means over each, and where it lies in a pair."""
    ends = torch.cat([bars[1:], bars.new_tensor([len(music)])])
    rows = torch.stack([music[begin : max(end, begin + 1)].mean(0) for begin, end in zip(bars, ends, strict=True)])
    rows[:, :5] = 0.0
    rows[:, BAR_PHASE + 1] = 1.0 - 2.0 * (torch.arange(len(bars)) % 2)
    return rows


def cut_primitives(numbers: Tensor, bars: Tensor) -> Tensor:
    """(N, 8 * 151) of rows (T, 151) around frames (N,)."""
    return torch.stack([numbers[frame - BEFORE : frame + BEFORE].flatten() for frame in bars.tolist()])


class PrimitiveMaker:
    """The global network with its components. Raises PirouetteError("weights_missing")."""

    def __init__(self, device: torch.device, *, weights: Path | None = None) -> None:
        file = read_weights("primitives", folder=weights)
        self.network = ParallelMambaDenoiser(DenoiserConfig(**file.config))
        load_into(self.network, file)
        self.network.to(device)
        self.mean, self.std = file.tensors["mean"].to(device), file.tensors["std"].to(device)
        self.basis, self.centre = file.tensors["basis"].to(device), file.tensors["centre"].to(device)

    def make(self, conditions: Conditions, bars: Tensor, *, seed: int) -> Tensor:
        """Primitives (N, 8, 151), normalised as the motion's rows are, for bars of a dance at frames (N,)."""
        count = len(bars)
        rows = bar_music(conditions.music, bars)
        spare = count % 2
        rows = torch.cat([rows, rows[-1:].expand(spare, -1)])
        words = tuple(
            Words(*_bars_within(bars, part), part.genre, part.text)
            for part in conditions.parts
            if _bars_within(bars, part)[0] < _bars_within(bars, part)[1]
        )
        told = Conditions(rows, conditions.genre, conditions.text, words)
        generator = torch.Generator().manual_seed(seed)
        made = make(self.network, told, sampler=SAMPLER, generator=generator)[:count]
        flat = (made * self.std + self.mean) @ self.basis.T + self.centre
        primitives: Tensor = flat.unflatten(-1, (-1, CHANNELS))
        return primitives


def _bars_within(bars: Tensor, part: Words) -> tuple[int, int]:
    inside = torch.nonzero((bars >= part.first) & (bars < part.last))[:, 0]
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
