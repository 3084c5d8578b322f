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
