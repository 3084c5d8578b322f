"""Motion to codes and back, with the trained codec: sections as runs of codes, each starting at its own first frame."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from backend.dance import GROUP_FRAMES, movement_count
from backend.models.codec import CodecConfig, Codes, DanceCodec
from backend.models.weights import load_into, read_weights
from backend.motion.representation import VELOCITY, YAW_RATE

CodeArray = npt.NDArray[np.int16]
PATH_FRAMES = 15.0  # standard deviation of the filter over which the path counts
CONTEXT_FRAMES = 32  # that the codec sees of the neighbours: more than a code is felt


class DanceCoder:
    """The codec with its weights. Numbers are those of the representation, not normalised; version: another one for
    codes that mean something else.

    Raises PirouetteError("weights_missing") or ("weights_version").
    """

    def __init__(self, device: torch.device, *, weights: Path | None = None) -> None:
        file = read_weights("codec", folder=weights)
        self.codec = DanceCodec(CodecConfig(**file.config))
        load_into(self.codec, file)
        self.codec.to(device)
        self.mean, self.std = file.tensors["mean"].to(device), file.tensors["std"].to(device)
        self.version = f"{file.version}-{_digest(self.codec)}"

    @torch.inference_mode()
    def encode(self, numbers: Tensor, frames: Sequence[int]) -> tuple[CodeArray, CodeArray]:
        """Movement codes (K, rows) and pose codes (2K, rows) of sections that lie one behind the other in numbers
        (T, 151), each seen with what is around it.

        frames: lengths of the sections; their sum is T. Raises ValueError for another sum.
        """
        if sum(frames) != len(numbers):
            raise ValueError(f"sections of {sum(frames)} frames do not make up {len(numbers)}")
        numbers = (numbers.to(self.mean.device) - self.mean) / self.std
        firsts = torch.tensor([0, *accumulate(frames)][:-1])
        counts = torch.tensor([movement_count(length) for length in frames])
        found: dict[int, tuple[Tensor, Tensor]] = {}
        before = CONTEXT_FRAMES // GROUP_FRAMES * 2
        for count in counts.unique().tolist():  # sections of a length go through together
            these = (counts == count).nonzero()[:, 0]
            reach = torch.arange(-CONTEXT_FRAMES, count // 2 * GROUP_FRAMES + CONTEXT_FRAMES)
            codes = self._aimed(numbers[(firsts[these, None] + reach).clamp(0, len(numbers) - 1)])
            movement = codes.movement[:, before : before + count]
            pose = codes.pose[:, 2 * before : 2 * (before + count)]
            found |= {int(each): (movement[row], pose[row]) for row, each in enumerate(these)}
        ordered = [found[each] for each in range(len(frames))]
        return _array(torch.cat([each[0] for each in ordered])), _array(torch.cat([each[1] for each in ordered]))

    def _aimed(self, windows: Tensor) -> Codes:
        """Codes of normalised windows (B, T, 151).

        Quantised speeds are wrong by a little; place and heading, their sums, by more and more. So the codes are
        decoded once, and taken again of a motion that turns and travels more by what they turn and travel too little.
        """
        missing = windows - self.codec.decode(self.codec.encode(windows))
        aimed = windows.clone()
        for channels in (VELOCITY, slice(YAW_RATE, YAW_RATE + 1)):
            lost = gaussian_filter1d(missing[..., channels].double().cpu().numpy(), PATH_FRAMES, axis=1)
            aimed[..., channels] += torch.from_numpy(lost).to(aimed)
        return self.codec.encode(aimed)

    @torch.inference_mode()
    def decode(self, movement: CodeArray, pose: CodeArray, frames: Sequence[int]) -> Tensor:
        """Numbers (sum of frames, 151) of sections' codes, (K, rows) and (2K, rows), one behind the other."""
        device = self.mean.device
        codes = Codes(torch.from_numpy(movement.astype(np.int64))[None], torch.from_numpy(pose.astype(np.int64))[None])
        whole = self.codec.decode(Codes(codes.movement.to(device), codes.pose.to(device)))[0] * self.std + self.mean
        lengths = [movement_count(length) // 2 * GROUP_FRAMES for length in frames]
        return torch.cat([part[:kept] for part, kept in zip(whole.split(lengths), frames, strict=True)])


def _digest(codec: DanceCodec) -> str:
    """Eight letters that differ where codes mean something else."""
    books = hashlib.sha256()
    for each in (codec.movement.vectors, codec.pose.vectors):
        books.update(each.cpu().numpy().tobytes())
    return books.hexdigest()[:8]


def _array(codes: Tensor) -> CodeArray:
    return codes.cpu().numpy().astype(np.int16)
