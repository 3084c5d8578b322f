"""What the add-on's tests share: the installed add-on's modules, and sounds on the timeline."""

from __future__ import annotations

import importlib
import wave
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np

MODULE = "bl_ext.user_default.pirouette"
SCRIPTED_BACKEND = Path(__file__).resolve().parents[1] / "fixtures" / "scripted_backend.py"
RATE_HZ = 22050


def part(name: str) -> ModuleType:
    """A module of the installed add-on, such as ``scene.take``."""
    return importlib.import_module(f"{MODULE}.{name}")


def clicks(seconds: float, *, rate_hz: int = RATE_HZ) -> np.ndarray:
    """A decaying tone every half second, other than its neighbours so that every place in it is known."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch_hz = 300.0 + 40.0 * np.floor(time / 0.5)
    return 0.5 * np.sin(2 * np.pi * pitch_hz * time) * np.exp(-8.0 * np.mod(time, 0.5))


def write_wav(path: Path, samples: np.ndarray, *, rate_hz: int = RATE_HZ) -> Path:
    """Samples (N,) as 16 bit mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def add_sound(path: Path, *, frame: int = 1, channel: int = 1, name: str = "Song") -> Any:
    """A sound strip on the current scene's timeline."""
    editor = bpy.context.scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    return strips.new_sound(name, str(path), channel, frame)


def wild_motion(frames: int, *, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Every joint turning up to half a turn to and fro, the body somersaulting and travelling."""
    rng = np.random.default_rng(11)
    seconds = np.arange(frames)[:, None, None] / fps
    poses = rng.normal(size=(24, 3)) * np.sin(rng.uniform(1.0, 3.0, (24, 1)) * seconds + rng.uniform(0, 6, (24, 1)))
    poses[:, 0] = np.array([1.2, 0.4, -0.3]) + np.array([0.7, 0.9, 0.2]) * seconds[:, 0]
    pelvis = np.array([0.2, -0.4, 0.9]) + seconds[:, 0] * np.array([0.5, 0.3, -0.1])
    return poses.astype(np.float32), pelvis.astype(np.float32)


def document_of(poses: np.ndarray, pelvis: np.ndarray, *, fps: float, placement: Any) -> Any:
    """A dance document of this motion, with a beat every half second."""
    dance = part("core.dance")
    beats_s = np.arange(0.0, len(poses) / fps, 0.5)
    beats = dance.Beats(beats_s, np.arange(len(beats_s)) % 4 == 0, 120.0, 4, True)
    return dance.DanceDocument(poses, pelvis, np.zeros((len(poses), 4), dtype=bool), fps, beats, placement)


def stored(dancer: bpy.types.Object, number: int | None = None) -> Any:
    """The document of a take, by default of the current one."""
    return part("scene.storage").load(dancer, number)


def keyed(dancer: bpy.types.Object) -> np.ndarray:
    """What the current take is keyed with, frame by frame: (frames, 3 + 24 * 4); every curve has a key on each."""
    owner = part("scene.takes").find_take(dancer).owner()
    columns = []
    for curve in sorted(owner.fcurves, key=lambda curve: (curve.data_path, curve.array_index)):
        points = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get("co", points)
        assert np.array_equal(points[::2], points[0] + np.arange(len(points) // 2)), curve.data_path
        columns.append(points[1::2])
    located = [index for index, curve in enumerate(sorted_paths(owner)) if curve.endswith("location")]
    order = [*located, *(index for index in range(len(columns)) if index not in located)]
    return np.stack([columns[index] for index in order], axis=-1)


def sorted_paths(owner: Any) -> list[str]:
    """The data paths of all curves, in the order of ``keyed``'s columns before the locations go first."""
    return sorted(curve.data_path for curve in owner.fcurves)
