"""``prepare``: read motion and music once, and keep what training needs in one cache folder.

motion.safetensors   numbers (N, 151) and speed (N,) of all clips in a row; mean, std (151,)
music.safetensors    sound (M, 37) of all songs in a row
words.safetensors    embeddings (S, 384) of every caption and genre sentence
index.json           where each clip, song and sentence lies, with beats, genres, splits
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from safetensors.torch import save

from backend.errors import PirouetteError
from backend.motion.io import replacing
from backend.motion.motion import Motion
from backend.motion.representation import CHANNELS, CONTACTS, encode
from backend.motion.resample import resample
from backend.motion.skeleton import FPS
from backend.motion.sources import Clip, SongFile, find_clips, find_songs
from backend.music.audio import load_audio
from backend.music.features import music_features
from backend.text.captions import caption_paraphrases
from backend.text.encoder import encode as encode_text
from backend.text.vocabulary import Genre, load_vocabulary
from backend.training.kinematic_beats import kinematic_beats, met, settled

FASTEST_JOINT_M_S = 18.0  # faster is a fit glitch: the clip is left out
SHORTEST_S = 2.0
STD_FLOOR = 0.08  # channels that hardly move are not blown up


@dataclass(frozen=True)
class ClipEntry:
    """A clip in the cache; start, frames: its rows; beats_s: annotated or kinematic, met by the body; sentences: its
    rows in words.
    """

    id: str
    split: str
    dance: bool
    genre: str
    start: int
    frames: int
    metre: int
    beats_s: list[float]
    clear: bool
    mirror_ok: bool
    sentences: list[int]


@dataclass(frozen=True)
class SongEntry:
    """A song in the cache; start, frames: its rows; beats_s and downbeat as tracked."""

    id: str
    split: str
    start: int
    frames: int
    metre: int
    tempo_bpm: float
    beats_s: list[float]
    downbeat: list[bool]


class Sentences:
    """Distinct sentences, numbered in order of arrival."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def add(self, texts: list[str]) -> list[int]:
        """The numbers of the texts."""
        return [self.number.setdefault(text, len(self.number)) for text in texts]

    def embed(self) -> torch.Tensor:
        """Embeddings (S, 384), fp16."""
        texts = list(self.number)
        parts = [encode_text(texts[start : start + 64]) for start in range(0, len(texts), 64)]
        return torch.from_numpy(np.concatenate(parts)).half()


def prepare(data: Path, out: Path) -> dict[str, Any]:
    """Fill the cache folder ``out`` from a data folder (a library, AIST++ or AMASS). Returns counts for the caller to
    show.

    Raises PirouetteError where nothing usable is found; damaged clips are left out and counted.
    """
    vocabulary = load_vocabulary()
    canonical = {label: genre.name for genre in vocabulary.genres.values() for label in genre.data_genres}
    sentences, skipped = Sentences(), Counter[str]()
    entries: list[ClipEntry] = []
    numbers: list[torch.Tensor] = []
    speeds: list[torch.Tensor] = []
    place = 0
    for clip in track(list(find_clips(data)), description="motion", transient=True):
        loaded = _usable_motion(clip, skipped)
        if loaded is None:
            continue
        genre = canonical.get(clip.genre, clip.genre) if clip.dance else ""
        entry, rows, speed = _clip_entry(clip, loaded, genre, place, vocabulary.genres.get(genre), sentences)
        entries.append(entry)
        numbers.append(rows)
        speeds.append(speed)
        place += entry.frames
    if not any(entry.dance and entry.split == "train" for entry in entries):
        raise PirouetteError("missing_file", f"{data} holds no dance to train on.", "At least one clip must be dance.")
    songs, sounds = _songs(data, skipped)
    genre_sentences = {
        genre.name: sentences.add([genre.name, genre.description, *genre.paraphrases])
        for genre in vocabulary.genres.values()
    }
    everything = torch.cat(numbers)
    weight = torch.cat([torch.full((e.frames,), 3.0 if e.dance else 1.0) for e in entries])
    mean, std = _statistics(everything, weight)
    out.mkdir(parents=True, exist_ok=True)
    motion = {"numbers": everything, "speed": torch.cat(speeds), "mean": mean, "std": std}
    _save(motion, out / "motion.safetensors")
    _save({"sound": torch.cat(sounds) if sounds else torch.zeros(1, 37)}, out / "music.safetensors")
    _save({"embeddings": sentences.embed()}, out / "words.safetensors")
    index = {
        "clips": [asdict(entry) for entry in entries],
        "songs": [asdict(song) for song in songs],
        "genres": genre_sentences,
    }
    with replacing(out / "index.json") as file:
        file.write(json.dumps(index).encode())
    minutes: dict[str, float] = {}
    for entry in entries:
        if entry.split == "train":
            label = entry.genre or "general"
            minutes[label] = minutes.get(label, 0.0) + entry.frames / FPS / 60.0
    return {"clips": len(entries), "songs": len(songs), "skipped": dict(skipped), "minutes": minutes}


def _usable_motion(clip: Clip, skipped: Counter[str]) -> Motion | None:
    """The clip at 30 fps, or None (and counted) where it is damaged, too short or glitchy."""
    try:
        motion = clip.load()
    except PirouetteError as error:
        skipped[error.code] += 1
        return None
    if abs(motion.fps - FPS) > 1e-3:
        poses, pelvis = resample(motion.poses, motion.pelvis, source_fps=motion.fps, target_fps=FPS)
        motion = Motion(poses, pelvis, FPS)
    if motion.duration_s < SHORTEST_S:
        skipped["short"] += 1
        return None
    fastest = np.linalg.norm(np.diff(motion.joints(), axis=0), axis=-1).max() * FPS
    if fastest > FASTEST_JOINT_M_S:
        skipped["glitch"] += 1
        return None
    return motion


def _clip_entry(
    clip: Clip, motion: Motion, genre: str, place: int, known: Genre | None, sentences: Sentences
) -> tuple[ClipEntry, torch.Tensor, torch.Tensor]:
    joints = motion.joints()
    speed = np.linalg.norm(np.gradient(joints, axis=0), axis=-1).mean(-1) * FPS
    metre = clip.metre or (known.metre if known else 4)
    if clip.beats_s is not None and len(clip.beats_s) >= 4:
        beats, clear = settled(clip.beats_s, joints, fps=FPS), True
    else:
        grid = kinematic_beats(joints, fps=FPS, metre=metre)
        beats, clear = grid.beats_s, grid.clear
    beats = met(beats, joints, fps=FPS)
    entry = ClipEntry(
        id=clip.id,
        split=clip.split,
        dance=clip.dance,
        genre=genre,
        start=place,
        frames=motion.frames,
        metre=metre,
        beats_s=[round(float(b), 4) for b in beats],
        clear=clear,
        mirror_ok=clip.mirror_ok,
        sentences=sentences.add(caption_paraphrases({**clip.row, "genre": clip.genre, "caption": clip.caption})),
    )
    return entry, encode(motion), torch.from_numpy(speed).float()


def _songs(data: Path, skipped: Counter[str]) -> tuple[list[SongEntry], list[torch.Tensor]]:
    try:
        files: list[SongFile] = list(find_songs(data))
    except PirouetteError:
        skipped["no music: rhythm alone is learned"] += 1
        return [], []
    entries, sounds, place = [], [], 0
    for song in track(files, description="music ", transient=True):
        features = music_features(load_audio(song.path))
        sound = torch.from_numpy(np.concatenate([features.energy, features.timbre], axis=1)).float()
        grid = features.grid
        entries.append(
            SongEntry(
                id=song.id,
                split=song.split,
                start=place,
                frames=len(sound),
                metre=grid.metre,
                tempo_bpm=grid.tempo_bpm,
                beats_s=[round(float(b), 4) for b in grid.beats_s],
                downbeat=[bool(d) for d in grid.downbeat],
            )
        )
        sounds.append(sound)
        place += len(sound)
    return entries, sounds


def _statistics(numbers: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (151,) of the channels; contacts are centred at one half."""
    share = (weight / weight.sum())[:, None].double()
    mean = (numbers.double() * share).sum(0)
    std = ((numbers.double() - mean).square() * share).sum(0).sqrt().clamp(min=STD_FLOOR)
    mean[CONTACTS], std[CONTACTS] = 0.5, 0.5
    assert mean.shape == (CHANNELS,)
    return mean.float(), std.float()


def _save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    with replacing(path) as file:
        file.write(save({name: tensor.contiguous() for name, tensor in tensors.items()}))
