"""Hierarchical VQ-VAE (DanceMeld): a dance as two rows of codes, poses at 15 Hz and movement at 7.5 Hz.

The frames x are encoded twice: x -> h_b -> h_t. The movement code is e_t = Q(h_t); the pose code is e_b = Q(h_b'), with
h_b' made of h_b and what the movement code already tells; both are decoded together. One code of 128 and one of 512
cannot tell a dance to a few centimetres, so each is a sum of residual codes, the coarsest first. Slow motion hardly
changes from one pose code to the next, and telling it anew each time would waste most of them: so the four pose codes
of eight frames tell one latent together, each what those before it have left. To an animator it is still one row.
Everything is a convolution of a short reach: a code is felt for less than a second on either side, so that codes can be
cut, moved and joined.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.motion.representation import CHANNELS

REACH_FRAMES = 12  # of the linear filters, on either side
SMOOTHING_FRAMES, SMOOTHING_DEVIATION = 3, 0.8  # of what is decoded, in frames: a half at 7 Hz
WAYS = 4  # to code a latent that are followed at once
GROUP_FRAMES = 8  # frames of a group: one latent of poses, two of movement
GROUP_POSES = 4  # pose codes in a group


@dataclass(frozen=True)
class CodecConfig:
    """Sizes of the codec. width: at the rate of the codes; fine_width: at that of the frames; rows: residual codes that
    add up to one; codes: size of each codebook.
    """

    channels: int = CHANNELS
    width: int = 256
    fine_width: int = 128
    code_width: int = 64
    movement_rows: int = 8
    movement_codes: int = 128
    pose_rows: int = 6
    pose_codes: int = 512

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the header of a weight file."""
        return asdict(self)


@dataclass(frozen=True)
class Codes:
    """movement: (..., L, movement rows) and pose: (..., 2L, pose rows), integers; L codes are 4L frames, L is even."""

    movement: Tensor
    pose: Tensor


class Codebooks(nn.Module):
    """Residual codebooks (rows, codes, width): a vector is the sum of one entry of each row."""

    vectors: Tensor

    def __init__(self, rows: int, codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(rows, codes, width))

    def nearest(self, latent: Tensor) -> Tensor:
        """Codes (..., rows) of latents (..., width): each row codes what the rows before it have left, and the few best
        ways to do so are followed to the end.
        """
        left = latent.float().reshape(-1, 1, latent.shape[-1])  # (N, ways, width)
        codes = left.new_zeros((len(left), 1, 0), dtype=torch.long)
        for book in self.vectors:
            error = left.square().sum(-1, keepdim=True) - 2.0 * left @ book.T + book.square().sum(-1)
            best = error.flatten(1).topk(min(WAYS, error[0].numel()), largest=False).indices
            way, code = best // len(book), best % len(book)
            left = left.gather(1, way[..., None].expand(-1, -1, left.shape[-1])) - book[code]
            before = codes.gather(1, way[..., None].expand(-1, -1, codes.shape[-1]))
            codes = torch.cat([before, code[..., None]], dim=-1)
        return codes[:, 0].reshape(*latent.shape[:-1], -1)

    def lookup(self, codes: Tensor) -> Tensor:
        """Vectors (..., width) of codes (..., rows)."""
        return torch.stack([book[row] for book, row in zip(self.vectors, codes.unbind(-1), strict=True)]).sum(0)

    def quantise(self, latent: Tensor) -> Tensor:
        """The nearest vectors (..., width)."""
        return self.lookup(self.nearest(latent))


class ResidualBlock(nn.Module):
    """A dilated convolution of three moments, as one matrix product, and one over channels; norms see single moments
    only.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.over_time = nn.Linear(3 * width, width)
        self.over_channels = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) -> the same."""
        reach, length = self.dilation, x.shape[1]
        padded = F.pad(self.norm(x), (0, 0, reach, reach))
        moments = torch.cat([padded[:, step * reach : step * reach + length] for step in range(3)], dim=-1)
        changed: Tensor = x + self.over_channels(F.silu(self.over_time(moments)))
        return changed


def _blocks(width: int, dilations: tuple[int, ...]) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width, dilation) for dilation in dilations))


def over_time(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution of (B, L, C) along L."""
    out: Tensor = conv(x.transpose(1, 2)).transpose(1, 2)
    return out


def halving(channels: int, width: int) -> nn.Conv1d:
    """A convolution to half the rate."""
    return nn.Conv1d(channels, width, 4, stride=2, padding=1)


class DanceCodec(nn.Module):
    """Codes of normalised motion (B, T, 151) and back; T is a multiple of 8.

    Beside the networks, linear filters lead from the motion to each latent and from each vector to the motion. They
    start as principal components, of slow motion for poses and of fast motion for movement (``start_from``), and the
    networks learn what is missing.
    """

    smoothing: Tensor

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        width, code, fine, channels = config.width, config.code_width, config.fine_width, config.channels
        self.frames_in = halving(channels, width)
        self.body_blocks = _blocks(width, (1, 2, 4))
        self.tokens_in = halving(width, width)
        self.to_movement = nn.Sequential(_blocks(width, (1, 2)), nn.Linear(width, code))
        self.fast_filter = nn.Conv1d(channels, code, 4 + 2 * REACH_FRAMES, stride=4, padding=REACH_FRAMES, bias=False)
        self.from_movement = nn.Sequential(nn.Linear(code, width), _blocks(width, (1,)), nn.Linear(width, 2 * width))
        self.groups_in = nn.Linear(2 * width * GROUP_POSES, width)
        self.to_pose = nn.Sequential(_blocks(width, (1, 2)), nn.Linear(width, code))
        self.slow_filter = nn.Conv1d(channels, code, 8 + 2 * REACH_FRAMES, stride=8, padding=REACH_FRAMES, bias=False)
        self.movement = Codebooks(config.movement_rows, config.movement_codes, code)
        self.pose = Codebooks(GROUP_POSES * config.pose_rows, config.pose_codes, code)
        self.from_pose = nn.Sequential(nn.Linear(code, width), _blocks(width, (1,)), nn.Linear(width, 4 * width))
        self.join = nn.Sequential(nn.Linear(2 * width, width), _blocks(width, (1, 2, 4, 1)))
        self.frames_out = nn.Linear(width, 2 * fine)
        self.frame_blocks = _blocks(fine, (1, 2))
        self.norm = nn.LayerNorm(fine)
        self.out = nn.Linear(fine, channels)
        reach = torch.arange(-SMOOTHING_FRAMES, SMOOTHING_FRAMES + 1) / SMOOTHING_DEVIATION
        self.register_buffer("smoothing", torch.softmax(-0.5 * reach.square(), dim=0), persistent=False)
        self.slow_out = nn.ConvTranspose1d(code, channels, 16, stride=8, padding=4, bias=False)
        self.fast_out = nn.ConvTranspose1d(code, channels, 12, stride=4, padding=4, bias=False)
        for last in (*self.to_movement[-1].parameters(), *self.to_pose[-1].parameters(), *self.out.parameters()):
            nn.init.zeros_(last)

    @torch.no_grad()
    def start_from(self, slow: Tensor, fast: Tensor, smoothing: Tensor, scale: Tensor) -> None:
        """Set the linear filters: slow (8 * channels, code width) and fast (4 * channels, code width) orthonormal
        components of frames laid side by side, their channels scaled by scale (channels,); smoothing:
        (2 * REACH_FRAMES + 1,) a low-pass filter.
        """
        impulse = torch.zeros_like(smoothing)
        impulse[len(smoothing) // 2] = 1.0
        for conv, inverse, parts, kernel in (
            (self.slow_filter, self.slow_out, slow, smoothing),
            (self.fast_filter, self.fast_out, fast, impulse - smoothing),
        ):
            conv.weight.zero_()
            inverse.weight.zero_()
            for frame, part in enumerate(parts.T.unflatten(1, (-1, len(scale))).unbind(1)):  # (code width, channels)
                conv.weight[:, :, frame : frame + len(kernel)] += (part * scale)[..., None] * kernel
                inverse.weight[:, :, frame + 4] = part / scale

    def body(self, x: Tensor) -> Tensor:
        """h_b (B, T/2, width) of motion (B, T, 151)."""
        latent: Tensor = self.body_blocks(over_time(self.frames_in, x))
        return latent

    def movement_latent(self, x: Tensor, body: Tensor) -> Tensor:
        """h_t (B, T/4, code width), before quantisation."""
        latent: Tensor = self.to_movement(over_time(self.tokens_in, body)).float()
        return latent + over_time(self.fast_filter, x).float()

    def movement_told(self, movement: Tensor) -> Tensor:
        """What movement vectors (B, T/4, code width) tell, at 15 Hz: (B, T/2, width)."""
        told: Tensor = self.from_movement(movement).unflatten(-1, (2, -1)).flatten(1, 2)
        return told

    def pose_latent(self, x: Tensor, body: Tensor, told: Tensor) -> Tensor:
        """h_b' (B, T/8, code width), before quantisation."""
        groups = torch.cat([body, told], dim=-1).unflatten(1, (-1, GROUP_POSES)).flatten(2)
        latent: Tensor = self.to_pose(self.groups_in(groups)).float()
        return latent + over_time(self.slow_filter, x).float()

    def joined(self, movement: Tensor, told: Tensor, pose: Tensor) -> Tensor:
        """Motion (B, T, 151) fp32 from movement vectors (B, T/4, code width), what they tell, and pose vectors
        (B, T/8, code width).
        """
        poses = self.from_pose(pose).unflatten(-1, (GROUP_POSES, -1)).flatten(1, 2)
        x = self.join(torch.cat([told, poses], dim=-1))
        x = self.frame_blocks(self.frames_out(x).unflatten(-1, (2, -1)).flatten(1, 2))
        with torch.autocast(x.device.type, enabled=False):  # bf16 in the last layer would be seen as jitter
            whole = self.out(self.norm(x.float())) + over_time(self.slow_out, pose.float())
            return self._smoothed(whole + over_time(self.fast_out, movement.float()))

    def _smoothed(self, motion: Tensor) -> Tensor:
        """(B, T, 151) without the steps that quantisation leaves where codes meet."""
        series = F.pad(motion.transpose(1, 2), (SMOOTHING_FRAMES, SMOOTHING_FRAMES), mode="replicate")
        kernel = self.smoothing.expand(series.shape[1], 1, -1).contiguous()
        smoothed: Tensor = F.conv1d(series, kernel, groups=len(kernel)).transpose(1, 2)
        return smoothed

    def latents(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """h_t (B, T/4, code width) and h_b' (B, T/8, code width) of motion (B, T, 151)."""
        body = self.body(x)
        movement = self.movement_latent(x, body)
        told = self.movement_told(self.movement.quantise(movement))
        return movement, self.pose_latent(x, body, told)

    def quantise(self, movement: Tensor, pose: Tensor) -> Codes:
        """Codes nearest to latents h_t (B, 2G, code width) and h_b' (B, G, code width)."""
        rows = self.pose.nearest(pose)
        return Codes(self.movement.nearest(movement), rows.unflatten(-1, (GROUP_POSES, -1)).flatten(-3, -2))

    def encode(self, x: Tensor) -> Codes:
        """Codes of motion (B, T, 151)."""
        return self.quantise(*self.latents(x))

    def decode(self, codes: Codes) -> Tensor:
        """Motion (B, T, 151) of codes."""
        movement = self.movement.lookup(codes.movement)
        pose = self.pose.lookup(codes.pose.unflatten(-2, (-1, GROUP_POSES)).flatten(-2))
        return self.joined(movement, self.movement_told(movement), pose)
