"""What the denoiser knows of the dance beforehand: a clean past or future, key poses, primitives, single limbs.

One mechanism serves LongDanceDiff's clean past (noise on the unknown frames alone), BADM's clean neighbour slices,
Lodge's primitives and Beat-It's key poses: known numbers stand clean among the noisy ones, flags say which parts of the
body they are, and every block attends to the known tokens through a mask that is dilated by the beat: a known frame
reaches n = ceil(s exp(-2 b / d)) frames far, b from the nearest beat, beats d apart, with s = 4, 8, 12, … from
block to block. Source: Beat-It (Huang et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.models.rotary import rotary
from backend.motion.representation import CHANNELS, CONTACTS, HEIGHT, ROOT_ROTATION, VELOCITY, YAW_RATE
from backend.motion.skeleton import JOINT_NAMES

DILATION_FRAMES = 4  # s of the first block; each block adds as much
NO_BEAT_REACH = 0.37  # where nothing is known of the beat: as far as half a beat away from one


def _parts() -> Tensor:
    """(151, 10): share of each number in a part: contacts, velocity, height, turn, lean, legs, trunk, arms."""
    part_of = torch.zeros(CHANNELS, dtype=torch.long)
    part_of[CONTACTS], part_of[VELOCITY], part_of[HEIGHT], part_of[ROOT_ROTATION] = 0, 1, 2, 4
    for joint, name in enumerate(JOINT_NAMES[1:], start=1):
        limb = "leg" if any(word in name for word in ("Hip", "Knee", "Ankle", "Foot")) else "arm"
        side = 5 if name.startswith("L_") else 6
        part = 7 if name[1] != "_" else side + (3 if limb == "arm" else 0)
        part_of[7 + 6 * joint : 13 + 6 * joint] = part
    part_of[YAW_RATE] = 3
    one_hot = F.one_hot(part_of, 10).float()
    return one_hot / one_hot.sum(0)


PARTS = _parts()


@dataclass(frozen=True)
class Known:
    """Windows of which something is known.

    clean: (B, T, 151) normalised; mask: (B, T, 151), 1 where clean is known; reach: (B, T) how far a known frame is
    heard, 0..1, by its distance from the beat; novelty: (B,) 0..1, how little the future may follow from the past.
    """

    clean: Tensor
    mask: Tensor
    reach: Tensor
    novelty: Tensor

    def imposed(self, rows: Tensor) -> Tensor:
        """Rows (B, T, 151) with what is known in its place."""
        return torch.lerp(rows, self.clean, self.mask)

    def part(self, first: int, last: int) -> Known:
        """Windows first..last (exclusive) of the batch."""
        return Known(*(each[first:last] for each in (self.clean, self.mask, self.reach, self.novelty)))

    def twice(self) -> Known:
        """The same windows again behind themselves."""
        return Known(*(torch.cat([each, each]) for each in (self.clean, self.mask, self.reach, self.novelty)))


class KnownRows(nn.Module):
    """Takes what is known into the network. Where nothing is, it changes nothing."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, inner = heads, width // 4
        self.flags = nn.Conv1d(PARTS.shape[1], width, 6, stride=2, padding=2, bias=False)
        self.enter = nn.Linear(width, width, bias=False)
        self.memory_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.query_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.query = nn.Linear(width, inner, bias=False)
        self.key_value = nn.Linear(width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.novelty = nn.Parameter(torch.zeros(width))
        self.register_buffer("parts", PARTS, persistent=False)
        for layer in (self.flags, self.enter, self.out):
            nn.init.zeros_(layer.weight)

    def nothing(self, patch: nn.Module) -> Tensor:
        """What is added to every token (width,) where nothing is known."""
        bias = patch.bias
        assert isinstance(bias, Tensor)
        added: Tensor = self.enter(bias)
        return added

    def tokens(self, known: Known, patch: nn.Module) -> tuple[Tensor, Tensor]:
        """What is added to the tokens (B, L, width), and the memory (B, L, width) that blocks attend to."""
        patched = patch((known.clean * known.mask).transpose(1, 2)).transpose(1, 2)
        assert isinstance(self.parts, Tensor)
        flags = self.flags((known.mask @ self.parts).transpose(1, 2)).transpose(1, 2)
        return self.enter(patched) + flags, self.memory_norm(patched.float()) + flags

    def attend(self, x: Tensor, memory: Tensor, visible: Tensor) -> Tensor:
        """(B, L, width) of what the tokens x (B, L, width) hear of the known ones. visible: (B, L, L) bool."""

        def split(t: Tensor) -> Tensor:
            return t.reshape(*t.shape[:2], self.heads, -1).transpose(1, 2)

        query = rotary(split(self.query(self.query_norm(x))))
        key, value = (split(t) for t in self.key_value(memory).chunk(2, dim=-1))
        nothing = key.new_zeros(*key.shape[:2], 1, key.shape[-1])  # heard where no known token is in reach
        key, value = torch.cat([nothing, rotary(key)], dim=2), torch.cat([nothing, value], dim=2)
        mask = F.pad(visible, (1, 0), value=True)[:, None]
        heard = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        out: Tensor = self.out(heard.transpose(1, 2).flatten(2))
        return out


def dilated_mask(known: Known, block: int) -> Tensor:
    """(B, L, L) bool: whether a token hears a known one in this block, counted from 0."""
    frames = torch.ceil(DILATION_FRAMES * (block + 1) * known.reach)
    there = known.mask.amax(-1) > 0
    reach = torch.where(there, frames, torch.full_like(frames, -1.0)).unflatten(1, (-1, 2)).amax(-1)
    place = 2.0 * torch.arange(reach.shape[1], device=reach.device)
    heard: Tensor = (place[:, None] - place[None]).abs() <= reach[:, None]
    return heard


def beat_reach(music: Tensor, given: int) -> Tensor:
    """exp(-2 b / d) for music channels (..., T, 45), whose number ``given`` says whether there is music."""
    interval_s = 0.5 * torch.exp2(-music[..., 5])
    return torch.where(music[..., given] > 0, torch.exp(-2.0 * music[..., 0] / interval_s), NO_BEAT_REACH)
