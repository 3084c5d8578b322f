"""How well codes hold real dances, and whether pose codes mean poses and movement codes movement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from backend.choreographer import Choreographer
from backend.coder import CodeArray
from backend.dance import movement_count
from backend.evaluation.drawing import contact_sheet, sheet_page
from backend.evaluation.foot_skate import foot_skate
from backend.evaluation.jerk import jerk
from backend.evaluation.real_set import dances
from backend.motion.io import replacing
from backend.motion.motion import Motion
from backend.motion.representation import YAW_RATE, decode, encode, facing_joints, joint_velocities
from backend.motion.skeleton import FPS

SECTION_FRAMES = 120  # about an 8-count
SPEED_FRAMES = 5  # over which speeds are smoothed before they are compared
DRAWN_PAIRS = 3
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CodecQuality:
    """Real dances of a split and what codes make of them, decoded, refined and planted.

    mpjpe_mm: mean joint error over all frames before planting, pelvis and heading of each frame laid on the real ones;
    mpjpe_median_mm, mpjpe_worst_mm: of single dances; mpjpe_planted_mm: after planting; mpjpe_place_mm: with the pelvis
    alone laid on, and headings in the first frame of a section; heading_deg, place_m: mean error of the heading,
    degrees, and of the place on the floor, metres, over whole dances that start alike, before planting; jerk and foot
    skate: medians of dances; movement_use, pose_use: share of the codes that occur, of each residual codebook;
    pose_kept: distance of the mean poses of two sections over what is left of it when one takes the other's pose codes;
    speed_kept: correlation of speeds when the movement codes stay and the pose codes are another section's; by chance:
    the same between unrelated sections.
    """

    dances: int
    seconds: float
    mpjpe_mm: float
    mpjpe_median_mm: float
    mpjpe_worst_mm: float
    mpjpe_planted_mm: float
    mpjpe_place_mm: float
    heading_deg: float
    place_m: float
    jerk_ratio: float
    foot_skate_cm_s: float
    foot_skate_real_cm_s: float
    movement_use: tuple[float, ...]
    pose_use: tuple[float, ...]
    pose_kept: float
    speed_kept: float
    speed_by_chance: float


@dataclass(frozen=True)
class _Section:
    """120 frames of a dance: joints in the facing frame (120, 24, 3), speeds, codes."""

    joints: FloatArray
    speeds: FloatArray
    movement: CodeArray
    pose: CodeArray


def codec_quality(choreographer: Choreographer, data: Path, split: str, *, picture: Path | None = None) -> CodecQuality:
    """Encode, decode, refine and plant every real dance of a split.

    picture: an SVG file that shows sections with exchanged codes. Raises PirouetteError("missing_file") for a folder
    without dances.
    """
    rows, sections = [], []
    used: tuple[list[CodeArray], list[CodeArray]] = ([], [])
    for _, motion in dances(data, split):
        if motion.frames < SECTION_FRAMES:
            continue
        lengths = _lengths(motion.frames)
        codes = choreographer.encode(motion, lengths)
        for kept, each in zip(used, codes, strict=True):
            kept.append(each)
        refined = choreographer.refine(choreographer.coder.decode(*codes, lengths))
        rows.append(_errors(motion, refined, choreographer.plant(refined), lengths))
        sections += _sections(motion, *codes, lengths)
    config = choreographer.coder.codec.config
    errors = np.array(rows)
    seconds = errors[:, -1]
    pose_kept, speed_kept, by_chance = _exchanged(choreographer, sections, picture)
    return CodecQuality(
        dances=len(rows),
        seconds=float(seconds.sum()),
        mpjpe_mm=float(np.average(errors[:, 0], weights=seconds)),
        mpjpe_median_mm=float(np.median(errors[:, 0])),
        mpjpe_worst_mm=float(errors[:, 0].max()),
        mpjpe_planted_mm=float(np.average(errors[:, 1], weights=seconds)),
        mpjpe_place_mm=float(np.average(errors[:, 2], weights=seconds)),
        heading_deg=float(np.average(errors[:, 3], weights=seconds)),
        place_m=float(np.average(errors[:, 4], weights=seconds)),
        jerk_ratio=float(np.median(errors[:, 5] / errors[:, 6])),
        foot_skate_cm_s=float(np.median(errors[:, 7])),
        foot_skate_real_cm_s=float(np.median(errors[:, 8])),
        movement_use=_use(np.concatenate(used[0]), config.movement_codes),
        pose_use=_use(np.concatenate(used[1]), config.pose_codes),
        pose_kept=pose_kept,
        speed_kept=speed_kept,
        speed_by_chance=by_chance,
    )


def write_codec_quality(quality: CodecQuality, path: Path) -> None:
    """As JSON, whole or not at all."""
    with replacing(path) as file:
        file.write(json.dumps(asdict(quality), indent=2).encode())


def _lengths(frames: int) -> list[int]:
    """Sections of 120 frames; the last takes the rest."""
    whole = frames // SECTION_FRAMES
    return [SECTION_FRAMES] * (whole - 1) + [frames - (whole - 1) * SECTION_FRAMES]


def _facing(motion: Motion) -> FloatArray:
    joints: FloatArray = facing_joints(encode(motion)).double().numpy()
    return joints - joints[:, :1]


def _errors(real: Motion, refined: Tensor, planted: Motion, lengths: Sequence[int]) -> tuple[float, ...]:
    """MPJPE free of place and heading, before and after planting, and of place alone, mm; heading, degrees; place, m;
    jerk, foot skate (planted, real); seconds.
    """
    free = facing_joints(refined).double().numpy()
    free = np.linalg.norm(_facing(real) - (free - free[:, :1]), axis=-1).mean()
    feet = np.linalg.norm(_facing(real) - _facing(planted), axis=-1).mean()
    joints, other = real.joints().astype(np.float64), planted.joints().astype(np.float64)
    place, first = [], 0
    for length in lengths:
        span = slice(first, first + length)
        a, b = (each[span] - each[span, :1] for each in (joints, other))
        place.append(np.linalg.norm(a - _turned_onto(b, a), axis=-1).mean())
        first += length
    return (
        1000.0 * float(free),
        1000.0 * float(feet),
        1000.0 * float(np.mean(place)),
        *_astray(encode(real), refined),
        jerk(other, fps=FPS),
        jerk(joints, fps=FPS),
        foot_skate(other, fps=FPS).mean_cm_s,
        foot_skate(joints, fps=FPS).mean_cm_s,
        real.duration_s,
    )


def _astray(real: Tensor, rebuilt: Tensor) -> tuple[float, float]:
    """Mean error of the heading, degrees, and of the place, metres, of representations (T, 151) that start alike."""
    yaw = torch.cumsum((rebuilt - real)[1:, YAW_RATE].double(), dim=0) / FPS
    paths = [torch.from_numpy(decode(numbers).pelvis[:, :2]) for numbers in (real, rebuilt)]
    return float(yaw.abs().mean().rad2deg()), float((paths[0] - paths[1]).norm(dim=-1).mean())


def _turned_onto(joints: FloatArray, goal: FloatArray) -> FloatArray:
    """Joints (T, 24, 3) turned about the vertical so that the first frame lies best on the goal's."""
    a, b = joints[0, :, :2], goal[0, :, :2]
    angle = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())
    cos, sin = np.cos(angle), np.sin(angle)
    turned: FloatArray = joints @ np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]).T
    return turned


def _speeds(numbers: Tensor) -> FloatArray:
    """Mean joint speed of a representation (T, 151), smoothed: (T - SPEED_FRAMES,), m/s."""
    numbers = numbers.double().cpu()
    speed = joint_velocities(numbers, facing_joints(numbers)).norm(dim=-1).mean(-1).numpy()
    return np.convolve(speed, np.full(SPEED_FRAMES, 1.0 / SPEED_FRAMES), mode="valid")


def _sections(motion: Motion, movement: CodeArray, pose: CodeArray, lengths: Sequence[int]) -> list[_Section]:
    """The whole sections of a dance."""
    numbers, joints, found, first = encode(motion), _facing(motion), [], 0
    count = movement_count(SECTION_FRAMES)
    for index in range(len(lengths) if lengths[-1] == SECTION_FRAMES else len(lengths) - 1):
        own = slice(first, first + SECTION_FRAMES)
        codes = slice(index * count, (index + 1) * count)
        poses = slice(2 * index * count, 2 * (index + 1) * count)
        found.append(_Section(joints[own], _speeds(numbers[own]), movement[codes], pose[poses]))
        first += SECTION_FRAMES
    return found


def _use(codes: CodeArray, size: int) -> tuple[float, ...]:
    """Share of codes that occur in each row; a group's four pose codes are rows of their own."""
    rows = codes.reshape(-1, 4 * codes.shape[1]) if size > 128 else codes
    return tuple(len(np.unique(row)) / size for row in rows.T)


def _exchanged(
    choreographer: Choreographer, sections: Sequence[_Section], picture: Path | None
) -> tuple[float, float, float]:
    """pose_kept, speed_kept and speed_by_chance over pairs of sections far apart in the list."""
    shift = len(sections) // 2
    left, apart, speeds, chance = [], [], [], []
    sheets: list[str] = []
    for index, one in enumerate(sections):
        other = sections[(index + shift) % len(sections)]
        numbers = choreographer.coder.decode(one.movement, other.pose, [SECTION_FRAMES])
        mixed: FloatArray = facing_joints(numbers).double().cpu().numpy()
        mixed = mixed - mixed[:, :1]
        left.append(_distance(mixed, other.joints))
        apart.append(_distance(one.joints, other.joints))
        speeds.append(np.corrcoef(_speeds(numbers), one.speeds)[0, 1])
        chance.append(np.corrcoef(other.speeds, one.speeds)[0, 1])
        if index % max(len(sections) // DRAWN_PAIRS, 1) == 0 and len(sheets) < 3 * DRAWN_PAIRS:
            sheets += [
                contact_sheet(title, joints + np.array([0.0, 0.0, 0.95]))
                for title, joints in (
                    ("movement from here", one.joints),
                    ("poses from here", other.joints),
                    ("movement of the first, poses of the second", mixed),
                )
            ]
    if picture is not None:
        with replacing(picture) as file:
            file.write(sheet_page(sheets).encode())
    return float(np.mean(apart) / np.mean(left)), float(np.mean(speeds)), float(np.mean(chance))


def _distance(one: FloatArray, other: FloatArray) -> float:
    """Mean distance of joints between the mean poses of two sections, metres."""
    return float(np.linalg.norm(one.mean(0) - other.mean(0), axis=-1).mean())
