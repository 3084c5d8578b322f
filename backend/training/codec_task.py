"""Training of the hierarchical VQ-VAE on all motion of the library.

Beside reconstruction, every batch is decoded once more with its pose codes exchanged between windows. The result must
keep the mean pose of the window that gave the pose codes and the speeds of the window that gave the movement codes:
that is what DanceMeld shows its two codes to mean, and what an animator asks for with "keep poses, change movement".
Codebooks learn by moving averages, and codes that are no longer used are revived from the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from vector_quantize_pytorch import ResidualVQ

from backend.models.codec import GROUP_FRAMES, REACH_FRAMES, Codebooks, CodecConfig, DanceCodec, over_time
from backend.motion.representation import (
    CONTACTS,
    HEIGHT,
    ROTATIONS,
    VELOCITY,
    YAW_RATE,
    facing_joints,
    joint_velocities,
)
from backend.motion.skeleton import PARENTS, forward_kinematics
from backend.training.dataset import DanceData, Drop
from backend.training.losses import LossWeights, denoising_loss

NO_MUSIC = Drop(music=1.0, timbre=1.0, genre=1.0, text=1.0, prompt=1.0)
DEAD_CODE = 0.05  # uses a batch, by moving average, under which a code is revived
SMOOTHING = 5  # frames over which speeds are compared
SLOW_FRAMES = 5.0  # standard deviation of the filter that parts slow from fast motion: about 1 Hz


@dataclass(frozen=True)
class CodecWeights:
    """Weights beside those of the reconstruction: commitment of each row (alpha and beta of DanceMeld); mean_pose in
    m^2, profile in m/s, rhythm as 1 - correlation, of windows with exchanged pose codes.
    """

    commitment: float = 0.02
    mean_pose: float = 10.0
    profile: float = 0.5
    rhythm: float = 1.0


def _principal(motion: Tensor, frames: int, count: int) -> Tensor:
    """The first principal directions (frames * channels, count) of so many frames laid side by side."""
    rows = motion.unflatten(1, (-1, frames)).flatten(2).flatten(0, 1)
    together = (rows.T @ rows).double()
    directions: Tensor = torch.linalg.eigh(together + 1e-9 * together.trace() * torch.eye(len(together)))[1]
    return directions[:, -count:].flip(1).float()


def reach_of_numbers(std: Tensor) -> Tensor:
    """How far a standard deviation of each of the 151 numbers moves the body's joints: (151,), 1 in the mean square.

    A rotation moves what hangs on its joint, by the root mean square distance over all joints.
    """
    place = forward_kinematics(np.zeros((24, 3)), np.zeros(3))
    below = np.eye(24, dtype=bool)
    for joint in range(23, 0, -1):
        below[PARENTS[joint]] |= below[joint]
    distance = np.linalg.norm(place[None] - place[:, None], axis=-1)
    lever = torch.from_numpy(np.sqrt((distance**2 * below).sum(1) / 24)).float()
    metres = torch.empty_like(std)
    metres[CONTACTS] = 0.0
    metres[VELOCITY], metres[HEIGHT] = 0.1, 1.0  # a tenth of a second of a wrong speed
    metres[ROTATIONS] = lever.repeat_interleave(6)
    metres[YAW_RATE] = 0.05
    reach = (metres * std).clamp(min=0.002)
    return reach / reach.square().mean().sqrt()


class CodebookLearner:
    """Moving-average learning of ``Codebooks``: quantises with straight-through gradients and keeps them up to date."""

    def __init__(self, books: Codebooks, *, decay: float) -> None:
        rows, codes, width = books.vectors.shape
        fresh = not bool(books.vectors.any())
        self.books = books
        self.quantiser = ResidualVQ(
            dim=width,
            num_quantizers=rows,
            codebook_size=codes,
            decay=decay,
            kmeans_init=fresh,
            threshold_ema_dead_code=DEAD_CODE,
            commitment_weight=1.0,
        ).to(books.vectors.device)
        if not fresh:
            for layer, book in zip(self.quantiser.layers, books.vectors, strict=True):
                layer._codebook.embed.copy_(book[None])
                layer._codebook.embed_avg.copy_(book[None])
                layer._codebook.cluster_size.fill_(1.0)

    def __call__(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Quantised latents and the commitment loss; the codebooks follow."""
        with torch.autocast(latent.device.type, enabled=False):
            quantised, _, commitment = self.quantiser(latent.float())
        self.books.vectors.copy_(self.quantiser.codebooks)
        return quantised, commitment.mean()


class CodecTask:
    """Windows of all motion, dance and general."""

    kind = "codec"
    judged_by = "joint"

    def __init__(self, recipe: dict[str, Any], cache: Path) -> None:
        self.train = DanceData(cache, split="train", general_share=float(recipe["general_share"]), drop=NO_MUSIC)
        self.valid = DanceData(cache, split="valid", general_share=0.0, drop=NO_MUSIC)
        self.codec = DanceCodec(CodecConfig(**recipe["network"]))
        self.network: torch.nn.Module = self.codec
        self.decay = float(recipe["codebook_decay"])
        self.weights = LossWeights(**recipe["loss"])
        self.codec_weights = CodecWeights(**recipe["codec_loss"])
        self.learners: tuple[CodebookLearner, CodebookLearner] | None = None
        self.mean, self.std = self.train.mean, self.train.std
        self.extra = {"mean": self.mean, "std": self.std}
        self.first = self.train.batch(recipe["first_windows"], 128, np.random.default_rng(recipe["seed"])).clean
        self.codec.start_from(*self._components(self.first))

    def _components(self, clean: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Principal components of slow and of fast motion, the filter that parts them, and what numbers weigh."""
        time = torch.arange(-REACH_FRAMES, REACH_FRAMES + 1)
        smoothing = torch.exp(-0.5 * (time / SLOW_FRAMES).square())
        smoothing /= smoothing.sum()
        kernel = smoothing.expand(clean.shape[-1], 1, -1).contiguous()
        padded = torch.nn.functional.pad(clean.transpose(1, 2), (REACH_FRAMES, REACH_FRAMES), mode="replicate")
        slow = torch.nn.functional.conv1d(padded, kernel, groups=len(kernel)).transpose(1, 2)
        scale, width = reach_of_numbers(self.std), self.codec.config.code_width
        fast = _principal((clean - slow) * scale, 4, width)
        return _principal(slow * scale, GROUP_FRAMES, width), fast, smoothing, scale

    def draw(self, size: int, frames: int, rng: np.random.Generator, *, valid: bool = False) -> dict[str, Tensor]:
        """One batch of clean windows, and whose pose codes each window takes."""
        data = self.valid if valid else self.train
        return {"clean": data.batch(size, frames, rng).clean, "partner": torch.from_numpy(np.roll(np.arange(size), 1))}

    def quantisers(self, network: DanceCodec) -> tuple[CodebookLearner, CodebookLearner]:
        """What learns the codebooks, made when the network's are known."""
        if self.learners is None:
            fresh = not bool(network.movement.vectors.any())
            movement = CodebookLearner(network.movement, decay=self.decay)
            pose = CodebookLearner(network.pose, decay=self.decay)
            if fresh:  # the first codebooks come from far more than one batch
                with torch.no_grad():
                    movement(over_time(network.fast_filter, self.first))
                    pose(over_time(network.slow_filter, self.first))
            self.learners = movement, pose
        return self.learners

    def loss(
        self, network: torch.nn.Module, batch: dict[str, Tensor], mean: Tensor, std: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Reconstruction, commitment, and what windows with exchanged pose codes keep."""
        assert isinstance(network, DanceCodec)
        clean, partner = batch["clean"], batch["partner"]
        with torch.autocast(clean.device.type, torch.bfloat16):
            body = network.body(clean)
            movement, movement_commitment = self._quantise(network, 0, network.movement_latent(clean, body))
            told = network.movement_told(movement)
            pose, pose_commitment = self._quantise(network, 1, network.pose_latent(clean, body, told))
            half = len(clean) // 2
            poses = torch.cat([pose, pose[partner[:half]]])
            both = network.joined(torch.cat([movement, movement[:half]]), torch.cat([told, told[:half]]), poses)
        rebuilt, swapped = both.float().split([len(clean), half])
        total, terms = denoising_loss(
            rebuilt,
            clean,
            torch.ones(len(clean), device=clean.device),
            mean,
            std,
            weights=self.weights,
            beat_error=None,
        )
        terms |= exchange_errors(swapped, clean[:half], clean[partner[:half]], mean, std)
        terms["commitment"] = movement_commitment + pose_commitment
        weights = self.codec_weights
        total = total + weights.commitment * terms["commitment"]
        for name in ("mean_pose", "profile", "rhythm"):
            total = total + getattr(weights, name) * terms[name]
        return total, terms

    def _quantise(self, network: DanceCodec, which: int, latent: Tensor) -> tuple[Tensor, Tensor]:
        if network.training:
            return self.quantisers(network)[which](latent)
        books = (network.movement, network.pose)[which]
        vectors = books.quantise(latent)
        return vectors, (vectors - latent).square().mean()


def exchange_errors(swapped: Tensor, movement: Tensor, poses: Tensor, mean: Tensor, std: Tensor) -> dict[str, Tensor]:
    """What a window (B, T, 151) fails to keep, all normalised.

    mean_pose: of ``poses``, m^2; profile: of the speeds of ``movement``, m/s with the mean change of speed; rhythm:
    1 - correlation of these speeds.
    """
    joints, speeds = _speeds(swapped * std + mean)
    with torch.no_grad():
        _, wanted = _speeds(movement * std + mean)
        wanted_joints = facing_joints(poses * std + mean)
    centred, wanted_centred = speeds - speeds.mean(1, keepdim=True), wanted - wanted.mean(1, keepdim=True)
    alike = torch.nn.functional.cosine_similarity(centred, wanted_centred, dim=1)
    return {
        "mean_pose": (joints.mean(1) - wanted_joints.mean(1)).square().sum(-1).mean(),
        "profile": (speeds - wanted).abs().mean(),
        "rhythm": (1.0 - alike[:, 0]).mean(),
    }


def _speeds(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Joints (B, T, 24, 3), and beside each other the smoothed mean joint speed and mean change of velocity (B, ., 2),
    m/s and m/s per frame.
    """
    joints = facing_joints(numbers)
    velocity = joint_velocities(numbers, joints)
    speed = (velocity.square().sum(-1) + 1e-6).sqrt().mean(-1)[:, 1:]
    change = (velocity.diff(dim=1).square().sum(-1) + 1e-6).sqrt().mean(-1)
    both = torch.stack([speed, change], dim=1)
    return joints, torch.nn.functional.avg_pool1d(both, SMOOTHING, stride=1).transpose(1, 2)
