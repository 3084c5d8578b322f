"""The network with all that it is told of one dance: windows in, guided predictions out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.diffusion.conditions import MUSIC_GIVEN, Conditions
from backend.diffusion.windows import WINDOW_FRAMES
from backend.models.known import Known, beat_reach
from backend.models.precision import half_precision

if TYPE_CHECKING:
    from backend.models.denoiser import ParallelMambaDenoiser

BATCH_WINDOWS = 6  # windows in one pass of the network: bounds memory
WORDS_RAMP_FRAMES = 16  # in which one section's words give way to the next one's


class GuidedDenoiser:
    """Classifier-free guidance over music and words; what is known of the dance is told either way.

    frames: of the dance; window: of a window; rows: frames that a row stands for. known: of the whole dance, a batch of
    one; None for a network that cannot be told.
    """

    def __init__(
        self, network: ParallelMambaDenoiser, conditions: Conditions, guidance: float, known: Known | None = None
    ) -> None:
        self.network, self.guidance = network, guidance
        self.rows, self.frames = network.config.row_frames, len(conditions.music)
        even = max(2, self.rows)
        self.window = min(WINDOW_FRAMES // even * even, self.frames)
        self.known = known if network.config.directed else None
        self.music = network.encode_music(conditions.music[None])
        self.silence = network.encode_music(torch.zeros_like(conditions.music[None]))
        self.free = self._prompt(None, None)
        self.prompt = self._words(conditions)

    def __call__(self, windows: Tensor, starts: list[int], step: int, known: Known | None = None) -> Tensor:
        """Clean windows (W, rows, C) of noisy ones that begin at frames ``starts``, at a diffusion step 0..999.

        known: of these windows, where it is not what is known of the dance.
        """
        known = self.known_at(starts, windows.shape[1]) if known is None else known
        clean = [
            self._predict(
                windows[first : first + BATCH_WINDOWS],
                starts[first : first + BATCH_WINDOWS],
                step,
                None if known is None else known.part(first, first + BATCH_WINDOWS),
            )
            for first in range(0, len(windows), BATCH_WINDOWS)
        ]
        return torch.cat(clean)

    def known_at(self, starts: list[int], length: int) -> Known | None:
        """What is known of windows of ``length`` frames."""
        if self.known is None:
            return None
        whole = self.known
        clean, mask, reach = (
            torch.cat([each[:, s : s + length] for s in starts]) for each in (whole.clean, whole.mask, whole.reach)
        )
        return Known(clean, mask, reach, whole.novelty.expand(len(starts)))

    def trunk(self, windows: Tensor, starts: list[int], step: int, known: Known | None) -> tuple[Tensor, ...]:
        """What the decoder needs of windows, told everything and, in a second half of the batch, only what is known."""
        told = self._told(windows, starts, step, known)
        with half_precision(windows.device):
            return tuple(part.float() for part in self.network.trunk(*told))

    def decoded(self, tokens: Tensor, saw: Tensor, condition: Tensor) -> Tensor:
        """Guided predictions from what the trunk has told."""
        with half_precision(tokens.device):
            both = self.network.decoder(tokens, saw, condition)
        return self._guided(both.float())

    def _guided(self, both: Tensor) -> Tensor:
        """The guided prediction of predictions told everything, and told only what is known."""
        if self.guidance == 1.0:
            return both
        given, free = both.chunk(2)
        guided: Tensor = free + self.guidance * (given - free)
        return guided

    def _predict(self, windows: Tensor, starts: list[int], step: int, known: Known | None) -> Tensor:
        *told, known = self._told(windows, starts, step, known)
        with half_precision(windows.device):
            both = self.network(*told) if known is None else self.network(*told, known)
        return self._guided(both.float())

    def _told(
        self, windows: Tensor, starts: list[int], step: int, known: Known | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Known | None]:
        """The network's arguments for windows (W, rows, C)."""
        count, frames = len(windows), windows.shape[1] * self.rows
        music, prompt = self._tokens(self.music, starts, frames), self._tokens(self.prompt, starts, frames)
        if self.guidance != 1.0:
            music = torch.cat([music, self._tokens(self.silence, starts, frames)])
            prompt = torch.cat([prompt, self.free.expand_as(prompt)])
            windows = torch.cat([windows, windows])
            known = None if known is None else known.twice()
        steps = torch.full((len(windows),), step, device=windows.device)
        assert len(music) in (count, 2 * count)
        return windows, steps, music, prompt, known

    def _tokens(self, whole: Tensor, starts: list[int], frames: int) -> Tensor:
        """Spans of tokens (1, L, width), two frames each, or the same vector (1, width) for every window."""
        if whole.dim() == 2:
            return whole.expand(len(starts), -1)
        per = self.frames // whole.shape[1]
        return torch.cat([whole[:, start // per : (start + frames) // per] for start in starts])

    def _prompt(self, genre: Tensor | None, text: Tensor | None) -> Tensor:
        width, device = self.network.config.text_width, self.music.device
        nothing = torch.zeros(width, device=device)
        vectors = [nothing if vector is None else vector.to(device) for vector in (genre, text)]
        flags = [torch.tensor([vector is not None], device=device) for vector in (genre, text)]
        return self.network.encode_prompt(vectors[0][None], vectors[1][None], flags[0], flags[1])

    def _words(self, conditions: Conditions) -> Tensor:
        """The prompt (1, width), or (1, L, width) where parts of the dance have words of their own."""
        prompt = self._prompt(conditions.genre, conditions.text)
        if not conditions.parts:
            return prompt
        whole = prompt[:, None].repeat(1, self.frames, 1)
        for part in conditions.parts:
            whole[:, part.first : part.last] = self._prompt(part.genre, part.text)[:, None]
        kernel = WORDS_RAMP_FRAMES + 1
        smooth = F.pad(whole.transpose(1, 2), (kernel // 2, kernel // 2), mode="replicate")
        return F.avg_pool1d(smooth, kernel, stride=1).transpose(1, 2)[:, ::2]


def known_of(
    clean: Tensor, mask: Tensor, music: Tensor, *, novelty: float, network: ParallelMambaDenoiser
) -> Known | None:
    """What is known of a dance (T, C), a batch of one; None for a network that cannot be told."""
    if not network.config.directed:
        return None
    reach = beat_reach(music, MUSIC_GIVEN)[None]
    return Known(clean[None], mask.expand_as(clean)[None], reach, torch.tensor([novelty], device=clean.device))


def only(known: Known, frames: slice) -> Known:
    """Of what is known, only these frames of each window."""
    mask = torch.zeros_like(known.mask)
    mask[:, frames] = known.mask[:, frames]
    return replace(known, mask=mask)
