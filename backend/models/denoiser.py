"""Parallel Mamba Denoiser (EDMG): predicts the clean dance from a noisy one, the music, the words and the noise level.

An overlapping convolutional patch takes frames (30 Hz) to tokens (15 Hz). Each block is a bidirectional SSD scan,
then the local information module: a strided convolution to 7.5 Hz, cross-attention to the music there, upsampling,
AdaIN by the prompt. Music is also added token by token, which keeps the dance on the beat. A local decoder at frame
rate sees the noisy frames again, so that no comb is left at patch borders; the head modulates the root by the
rotations and back (LongDanceDiff's GTM). Each of these parts can be left out, to see what it is worth
(docs/ablations.md).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.models.known import Known, KnownRows, dilated_mask
from backend.models.mamba import Mamba
from backend.models.rotary import rotary
from backend.models.ssd import ssd

BEAT_CHANNELS = (0, 1, 2, 3, 4, 5, 42)  # of the music: what it tells of the beat grid, see conditions.music_input


@dataclass(frozen=True)
class DenoiserConfig:
    """Sizes of the denoiser. width: F of EDMG; heads, state: H and N.

    channels: numbers in a row of the space it denoises; row_frames: frames that a row stands for, 1 in the space of
    motion, 8 in that of codes; first_channels: how many of the numbers GTM sets against the others: contacts, planar
    velocity and height in the space of motion, the movement in that of codes.
    mixer: the bidirectional scan, or a standard Mamba; local_module, trajectory_modulation: whether LIM's strided
    convolution and GTM are built; rhythm: whether the beat grid is heard; directed: whether frames can be known.
    """

    channels: int = 151
    row_frames: int = 1
    first_channels: int = 7
    music_channels: int = 45
    text_width: int = 384
    width: int = 256
    blocks: int = 6
    heads: int = 8
    state: int = 64
    attention_heads: int = 4
    decoder_width: int = 160
    dropout: float = 0.1
    mixer: Literal["parallel", "standard"] = "parallel"
    local_module: bool = True
    trajectory_modulation: bool = True
    rhythm: bool = True
    directed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the header of a weight file."""
        return asdict(self)


def tokens_a_row(config: DenoiserConfig) -> int:
    """Tokens, of two frames each, that a row of codes stands for."""
    return config.row_frames // 2


def step_embedding(step: Tensor, width: int) -> Tensor:
    """Sinusoidal embedding (B, width) of diffusion steps (B,) in 0..1000."""
    half = width // 2
    frequency = torch.exp(-math.log(10000.0) * torch.arange(half, device=step.device, dtype=torch.float32) / half)
    angle = step.float()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


class BidirectionalSSD(nn.Module):
    """Mamba-2 mixer in both directions of time: one projection, per-head A, B and C shared by the heads, gated RMS
    norm.
    """

    def __init__(self, width: int, heads: int, state: int) -> None:
        super().__init__()
        self.inner, self.heads, self.state = 2 * width, heads, state
        self.in_proj = nn.Linear(width, 2 * self.inner + 4 * state + 2 * heads, bias=False)
        mixed = self.inner + 4 * state
        self.conv1d = nn.Conv1d(mixed, mixed, 3, padding=1, groups=mixed)
        step = torch.exp(torch.rand(2 * heads) * (math.log(0.1) - math.log(0.001)) + math.log(0.001))
        self.dt_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))
        self.A_log = nn.Parameter(torch.log(torch.empty(heads).uniform_(1, 16)))
        self.D = nn.Parameter(torch.ones(heads))
        self.norm = nn.RMSNorm(self.inner, eps=1e-5)
        self.out_proj = nn.Linear(self.inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) -> (B, L, width)."""
        gate, mixed, dt = self.in_proj(x).split([self.inner, self.inner + 4 * self.state, 2 * self.heads], dim=-1)
        mixed = F.silu(self.conv1d(mixed.transpose(1, 2)).transpose(1, 2))
        values, b_there, c_there, b_back, c_back = mixed.split([self.inner] + [self.state] * 4, dim=-1)
        values = values.unflatten(-1, (self.heads, -1))
        dt_there, dt_back = F.softplus(dt.float() + self.dt_bias).split(self.heads, dim=-1)
        both = ssd(
            torch.cat([values, values.flip(1)]),
            torch.cat([dt_there, dt_back.flip(1)]),
            -torch.exp(self.A_log.float()),
            torch.cat([b_there, b_back.flip(1)]),
            torch.cat([c_there, c_back.flip(1)]),
        )
        there, back = both.chunk(2)
        y = there + back.flip(1) + values * self.D[:, None]
        mixed_out: Tensor = self.out_proj(self.norm(y.flatten(2) * F.silu(gate)))
        return mixed_out


class MusicAttention(nn.Module):
    """Cross-attention from the dance to the music, both at one rate, with rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, inner = heads, width // 2
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, inner, bias=False)
        self.key_value = nn.Linear(width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor, music: Tensor) -> Tensor:
        """x: (B, L, width); music: (B, M, width). Returns (B, L, width)."""

        def split(t: Tensor) -> Tensor:
            return t.reshape(*t.shape[:2], self.heads, -1).transpose(1, 2)

        query = rotary(split(self.query(self.norm(x))))
        key, value = (split(t) for t in self.key_value(music).chunk(2, dim=-1))
        attended = F.scaled_dot_product_attention(query, rotary(key), value)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """One parallel Mamba block: SSD scan, then the local information module with music and prompt.

    Without that module the music is attended to at the rate of the tokens.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.music = nn.Linear(width, width)
        self.mixer: nn.Module = (
            Mamba(width) if config.mixer == "standard" else BidirectionalSSD(width, config.heads, config.state)
        )
        self.local_norm = nn.LayerNorm(width)
        self.down = nn.Conv1d(width, width, 3, stride=2, padding=1) if config.local_module else None
        self.attention = MusicAttention(width, config.attention_heads)
        self.up = nn.Linear(width, width)
        self.modulation = nn.Parameter(torch.zeros(6, width))
        self.dropout = nn.Dropout(config.dropout)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, music: Tensor, music_coarse: Tensor, modulation: Tensor) -> Tensor:
        """x, music: (B, L, width); music_coarse: (B, L/2, width); modulation: (B, 1 or L, 6, width). Returns like x."""
        scale, shift, gate, style_scale, style_shift, style_gate = (modulation + self.modulation).unbind(2)
        hidden = self.norm(x) * (1 + scale) + shift + self.music(music)
        x = x + (1 + gate) * self.dropout(self.mixer(hidden))
        local = self.local_norm(x)
        if self.down is None:
            local = local + self.attention(local, music)
        else:
            local = F.silu(self.down(local.transpose(1, 2)).transpose(1, 2))
            local = local + self.attention(local, music_coarse)
            local = local.repeat_interleave(2, dim=1)[:, : x.shape[1]]
        local = F.layer_norm(local.float().transpose(1, 2), local.shape[1:2]).transpose(1, 2)  # AdaIN: over time
        local = local * (1 + style_scale) + style_shift
        styled: Tensor = x + (1 + style_gate) * self.up(self.dropout(local))
        return styled


class LocalDecoder(nn.Module):
    """Tokens back to frames: transposed overlapping patch, the noisy frames as a skip, local convolutions, GTM head."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width, self.row_frames = config.decoder_width, config.row_frames
        self.up: nn.Module = (
            nn.ConvTranspose1d(config.width, width, 4, stride=2, padding=1)
            if config.row_frames == 1
            else nn.Conv1d(config.width, width, tokens_a_row(config) + 2, stride=tokens_a_row(config), padding=1)
        )
        self.skip = nn.Conv1d(config.channels, width, 3, padding=1)
        self.film = nn.Linear(config.width, 4 * width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv1d(width, width, 5, padding=2) for _ in range(2))
        self.root = nn.Linear(width, 64)
        self.rotation = nn.Linear(width, width)
        self.modulated = config.trajectory_modulation
        if self.modulated:
            self.rotation_to_root = nn.Linear(width, 2 * 64)
            self.root_to_rotation = nn.Linear(64, 2 * width)
        self.root_out = nn.Conv1d(64, config.first_channels, 3, padding=1)
        self.rotation_out = nn.Conv1d(width, config.channels - config.first_channels, 3, padding=1)

    def forward(self, tokens: Tensor, noisy: Tensor, condition: Tensor) -> Tensor:
        """(B, rows, channels) fp32 from tokens (B, L, width), noisy rows and condition (B, 1 or L, width)."""
        x = self.up(tokens.transpose(1, 2)) + self.skip(noisy.transpose(1, 2))
        x = x.transpose(1, 2).float()
        film = self.film(F.silu(condition)).float()
        if film.shape[1] > 1:
            film = film.repeat_interleave(2, dim=1)[:, :: self.row_frames]
        films = film.chunk(4, dim=-1)
        for index, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            hidden = norm(x) * (1 + films[2 * index]) + films[2 * index + 1]
            x = x + F.silu(conv(hidden.transpose(1, 2)).transpose(1, 2)).float()
        with torch.autocast(x.device.type, enabled=False):  # bf16 in the last layers would be heard as jitter
            root, rotation = F.silu(self.root(x)), F.silu(self.rotation(x))
            if self.modulated:
                scale, shift = self.rotation_to_root(rotation).chunk(2, dim=-1)
                root_scale, root_shift = self.root_to_rotation(root).chunk(2, dim=-1)
                root = root * (1 + scale) + shift
                rotation = rotation * (1 + root_scale) + root_shift
            parts = [self.root_out(root.transpose(1, 2)), self.rotation_out(rotation.transpose(1, 2))]
            return torch.cat(parts, dim=1).transpose(1, 2)


class ParallelMambaDenoiser(nn.Module):
    """x0-prediction network. A token stands for two frames: two rows of motion, or a quarter of a row of codes."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patch: nn.Module = (
            nn.Conv1d(config.channels, width, 6, stride=2, padding=2)
            if config.row_frames == 1
            else nn.ConvTranspose1d(
                config.channels, width, tokens_a_row(config) + 2, stride=tokens_a_row(config), padding=1
            )
        )
        self.music_patch = nn.Conv1d(config.music_channels, width, 6, stride=2, padding=2)
        self.music_mix = nn.Conv1d(width, width, 5, padding=2)
        self.no_genre = nn.Parameter(torch.zeros(config.text_width))
        self.no_text = nn.Parameter(torch.zeros(config.text_width))
        self.prompt = nn.Sequential(nn.Linear(2 * config.text_width, width), nn.SiLU(), nn.Linear(width, width))
        self.step = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.decoder = LocalDecoder(config)
        self.known = KnownRows(width, config.attention_heads) if config.directed else None
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def encode_music(self, music: Tensor) -> Tensor:
        """Music tokens (B, L, width) of features (B, 2L, music_channels): computed once, used by every step."""
        if not self.config.rhythm:
            music = music.index_fill(-1, torch.tensor(BEAT_CHANNELS, device=music.device), 0.0)
        tokens = F.silu(self.music_patch(music.transpose(1, 2)))
        mixed: Tensor = (tokens + F.silu(self.music_mix(tokens))).transpose(1, 2)
        return mixed

    def encode_prompt(self, genre: Tensor, text: Tensor, has_genre: Tensor, has_text: Tensor) -> Tensor:
        """Prompt vector (B, width) from sentence embeddings (B, text_width) and flags (B,) bool that say which are
        given.
        """
        scale = math.sqrt(self.config.text_width)  # unit vectors to unit variance
        genre = torch.where(has_genre[:, None], genre * scale, self.no_genre)
        text = torch.where(has_text[:, None], text * scale, self.no_text)
        vector: Tensor = self.prompt(torch.cat([genre, text], dim=-1))
        return vector

    def forward(
        self, noisy: Tensor, step: Tensor, music_tokens: Tensor, prompt: Tensor, known: Known | None = None
    ) -> Tensor:
        """Clean rows (B, rows, channels) from noisy ones, diffusion steps (B,), music tokens (B, L, width), prompt
        (B, width), or (B, L, width) where it changes with time; rows are 2L of motion or L/4 of codes.

        known: what is known of the windows; only for a directed network.
        """
        tokens, seen, condition = self.trunk(noisy, step, music_tokens, prompt, known)
        clean: Tensor = self.decoder(tokens, seen, condition)
        return clean

    def trunk(
        self, noisy: Tensor, step: Tensor, music_tokens: Tensor, prompt: Tensor, known: Known | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the decoder needs: tokens (B, L, width), the rows as the network saw them, condition (B, 1 or L, width).
        Arguments as for ``forward``.
        """
        condition = self.step(step_embedding(step, self.config.width))[:, None]
        condition = condition + (prompt if prompt.dim() == 3 else prompt[:, None])
        added = None
        if self.known is not None:
            added = self.known.nothing(self.patch)
            if known is not None:
                noisy = known.imposed(noisy)
                added, memory = self.known.tokens(known, self.patch)
                condition = condition + known.novelty[:, None, None] * self.known.novelty
        modulation = self.modulation(F.silu(condition)).float().unflatten(-1, (6, -1))
        x = self.patch(noisy.transpose(1, 2)).transpose(1, 2).float()
        x = x if added is None else x + added
        coarse = F.avg_pool1d(music_tokens.transpose(1, 2), 2, ceil_mode=True).transpose(1, 2)
        for index, block in enumerate(self.blocks):
            if self.known is not None and known is not None:
                x = x + self.known.attend(x, memory, dilated_mask(known, index))
            x = block(x, music_tokens, coarse, modulation)
        return self.norm(x), noisy, condition
