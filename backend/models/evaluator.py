"""The evaluator of meaning: a dance among words and genres, and a dance among the rhythms of songs.

It judges dances of any system, so it sees only a stick figure: thirteen joints in the facing frame, smoothed and at
15 Hz. Contacts, the head, hands, feet, collars and all that shakes faster than a dancer are left out, because they
tell the capture system and not the dance. One trunk, two spaces: meaning, where words and genres lie, and rhythm,
where music lies. Of music it hears beats and loudness alone: what a song sounds like, no pair of our data tells.
Contrastive learning of motion and words: Guo et al. 2022, Radford et al. 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.motion.representation import HEIGHT, VELOCITY, YAW_RATE, facing_joints
from backend.motion.skeleton import FPS

STICK_JOINTS = (1, 2, 4, 5, 7, 8, 12, 16, 17, 18, 19, 20, 21)  # hips, knees, ankles, neck, shoulders, elbows, wrists
STICK_MIRROR = (1, 0, 3, 2, 5, 4, 6, 8, 7, 10, 9, 12, 11)
PLACES = slice(0, 3 * len(STICK_JOINTS))  # of the stick figure's joints, from the pelvis
STICK_HEIGHT = PLACES.stop
PACE = slice(STICK_HEIGHT + 1, STICK_HEIGHT + 4)  # planar velocity and turning speed: they grow with the tempo
FEATURES = PACE.stop
SMOOTHING_FRAMES = 1.5  # standard deviation of the smoothing, at 30 fps
FARTHEST = 5.0  # standard deviations
EMBEDDING = 128
BEAT_CHANNELS = slice(0, 8)  # of the music: rhythm and energy
PULSES = (1, 2, 3, 4, 6, 7)  # of these: phase of beat and bar, onsets, loudness
PULSE_HZ = tuple(0.1 * step for step in range(3, 41))


@dataclass(frozen=True)
class EvaluatorConfig:
    """genres: that the classifier tells apart, in the order of its scores."""

    genres: Sequence[str]
    width: int = 160
    music_width: int = 64
    blocks: int = 3
    words: int = 384
    dropout: float = 0.3

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the header of a weight file."""
        return asdict(self)


@dataclass(frozen=True)
class Seen:
    """meaning, rhythm: (B, E), unit vectors; genres: (B, G), scores before the softmax."""

    meaning: Tensor
    rhythm: Tensor
    genres: Tensor


def stick_figure(numbers: Tensor) -> Tensor:
    """What the evaluator sees of a representation (T, 151): (T, 43) places from the pelvis, its height, its pace."""
    joints = facing_joints(numbers)
    places = joints[:, STICK_JOINTS, :] - joints[:, :1, :]
    pace = torch.cat([numbers[:, VELOCITY], numbers[:, YAW_RATE, None]], dim=-1)
    return torch.cat([places.flatten(1), numbers[:, HEIGHT, None], pace], dim=-1)


def mirror_stick(stick: Tensor) -> Tensor:
    """The stick figure (..., 43) of the mirrored dance."""
    flip = torch.tensor([-1.0, 1.0, 1.0])
    places = stick[..., PLACES].unflatten(-1, (len(STICK_JOINTS), 3))[..., STICK_MIRROR, :] * flip
    pace = stick[..., PACE] * torch.tensor([-1.0, 1.0, -1.0])
    return torch.cat([places.flatten(-2), stick[..., STICK_HEIGHT, None], pace], dim=-1)


class Smooth(nn.Module):
    """Gaussian smoothing over time and every second frame: 30 to 15 Hz."""

    kernel: Tensor

    def __init__(self, sigma: float) -> None:
        super().__init__()
        reach = int(np.ceil(3 * sigma))
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma).square())
        self.register_buffer("kernel", weights / weights.sum(), persistent=False)
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, C, T / 2)."""
        series = F.pad(x.transpose(1, 2), (self.reach, self.reach), mode="replicate")
        kernel = self.kernel.expand(series.shape[1], 1, -1)
        smoothed: Tensor = F.conv1d(series, kernel, stride=2, groups=series.shape[1])
        return smoothed


class Block(nn.Module):
    """A residual block of two convolutions over time; the first one halves the rate."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.shorten = nn.Conv1d(width, width, 4, stride=2, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.first, self.second = nn.Conv1d(width, width, 3, padding=1), nn.Conv1d(width, width, 3, padding=1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, L) -> (B, width, L / 2)."""
        x = self.shorten(x)
        inner = F.gelu(self.first(F.gelu(self.norm(x))))
        changed: Tensor = x + self.dropout(self.second(inner))
        return changed


class Encoder(nn.Module):
    """A smoothed series -> mean and standard deviation over time of what convolutions find in it."""

    def __init__(self, channels: int, width: int, blocks: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Conv1d(2 * channels, width, 5, stride=2, padding=2)
        self.blocks = nn.Sequential(*[Block(width, dropout) for _ in range(blocks)])
        self.norm = nn.GroupNorm(8, width)

    def forward(self, series: Tensor) -> Tensor:
        """(B, channels, L) at 15 Hz -> (B, 2 width)."""
        speed = F.pad(series.diff(dim=-1), (1, 0), mode="replicate")
        x = F.gelu(self.norm(self.blocks(F.gelu(self.enter(torch.cat([series, 3.0 * speed], dim=1))))))
        spread = (x.var(dim=-1, correction=0) + 1e-4).sqrt()
        return torch.cat([x.mean(-1), spread], dim=-1)


def spectrum(series: Tensor) -> Tensor:
    """How strongly, and when, series (B, C, L) at 15 Hz pulse at each of PULSE_HZ: (B, C * 76), real and imaginary."""
    centred = series - series.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-4).sqrt()
    time_s = torch.arange(series.shape[-1], device=series.device) * (2.0 / FPS)
    turns = 2.0 * torch.pi * time_s[:, None] * torch.tensor(PULSE_HZ, device=series.device)
    waves = torch.cat([turns.cos(), turns.sin()], dim=-1) / float(series.shape[-1]) ** 0.5
    found: Tensor = (scaled @ waves).flatten(1)
    return found


def _projection(inputs: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, EMBEDDING))


class MeaningEvaluator(nn.Module):
    """Motion and words in one space in which genres are directions; motion and music in another."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config = config
        width, dropout = config.width, config.dropout
        self.smooth = Smooth(SMOOTHING_FRAMES)
        self.motion = Encoder(FEATURES, width, config.blocks, dropout)
        self.meaning = _projection(2 * width, width, dropout)
        self.rhythm = _projection(2 * width, width, dropout)
        self.rhythm_pulse = nn.Linear(3 * 2 * len(PULSE_HZ), EMBEDDING)
        self.music = Encoder(BEAT_CHANNELS.stop, config.music_width, config.blocks, dropout)
        self.song = _projection(2 * config.music_width, width, dropout)
        self.song_pulse = nn.Linear(len(PULSES) * 2 * len(PULSE_HZ), EMBEDDING)
        self.words = _projection(config.words, 256, dropout)
        self.genres = nn.Parameter(torch.randn(len(config.genres), EMBEDDING) * EMBEDDING**-0.5)
        self.sharpness = nn.Parameter(torch.tensor([2.3, 2.3, 2.3]))  # logarithms: of words, music, genres

    def see(self, motion: Tensor) -> Seen:
        """Stick figures (B, T, 43), z-scored, T at least 30 -> embeddings and genre scores."""
        series = self.smooth(motion.clamp(-FARTHEST, FARTHEST))
        trunk = self.motion(series)
        meaning = F.normalize(self.meaning(trunk), dim=-1)
        rhythm = F.normalize(self.rhythm(trunk) + self.rhythm_pulse(spectrum(_pulses(series))), dim=-1)
        return Seen(meaning, rhythm, self.name(meaning))

    def name(self, embedding: Tensor) -> Tensor:
        """Genre scores (B, G) of embeddings of meaning (B, E)."""
        scores: Tensor = self.scale(2) * embedding @ F.normalize(self.genres, dim=-1).T
        return scores

    def hear(self, music: Tensor) -> Tensor:
        """Music channels (B, T, 45) -> (B, E) in the space of rhythm."""
        series = self.smooth(music[..., BEAT_CHANNELS])
        return F.normalize(self.song(self.music(series)) + self.song_pulse(spectrum(series[:, PULSES])), dim=-1)

    def read(self, sentences: Tensor) -> Tensor:
        """Sentence embeddings (B, 384) -> (B, E) in the space of meaning."""
        return F.normalize(self.words(sentences), dim=-1)

    def scale(self, which: int) -> Tensor:
        """How sharply similarities count: 0 for words, 1 for music, 2 for genres."""
        return self.sharpness[which].clamp(0.0, 4.0).exp()

    def forward(self, motion: Tensor, sentences: Tensor, music: Tensor) -> tuple[Seen, Tensor, Tensor]:
        """What is seen of motion, and embeddings of words and music."""
        return self.see(motion), self.read(sentences), self.hear(music)


def _pulses(series: Tensor) -> Tensor:
    """What of a smoothed stick figure (B, 43, L) has a beat: speed of the joints, speed and height of the pelvis."""
    joints = series[:, PLACES].unflatten(1, (len(STICK_JOINTS), 3)).diff(dim=-1).square().sum(2).add(1e-6).sqrt()
    speed = F.pad(joints.mean(1), (1, 0), mode="replicate")
    planar = series[:, PACE][:, :2].square().sum(1).add(1e-6).sqrt()
    return torch.stack([speed, planar, series[:, STICK_HEIGHT]], dim=1)
