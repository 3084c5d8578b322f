"""The mixdown of the timeline's sound over a range of frames.

The mixdown hears what the animator hears: trims, volumes, mutes and effects. It is made a few seconds at a time so that
Blender goes on drawing; between two pieces nothing of the scene is changed.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
import numpy.typing as npt

from ..core.errors import PirouetteError
from ..core.splice import OVERLAP_S, Splice
from ..core.wav import Sound, read_wav
from .plain_mix import NOTE, mix_plainly
from .strips import FrameRange, check_readable, mixdown_rate_hz, sound_strips
from .timing import scene_fps

SILENT_PEAK = 1e-4  # -80 dB
_PIECE_TARGET_S = 0.035  # how long Blender may stand still for one piece of the mixdown
_SHORTEST_PIECE_S, _LONGEST_PIECE_S = 4.0, 10.0  # each piece costs 15 ms of its own
_HEADER_BYTES = 4096


class _NothingWritten(Exception):
    """Blender says that it has mixed the sound, but there is none."""


@dataclass
class Mixdown:
    """A mixdown under way. sound: the finished sound, mono; None until the last step."""

    scene_name: str
    frames: FrameRange
    strip_name: str = ""
    done_frames: int = 0
    sound: Sound | None = None
    warnings: list[str] = field(default_factory=list)

    def steps(self) -> Generator[None, None, None]:
        """Mix piece by piece; Blender may draw and take events after each.

        Raises PirouetteError: disk_full, silence, damaged_file, internal; or no_sound when the scene has gone.
        """
        scene = _scene(self.scene_name)
        fps, rate = scene_fps(scene), mixdown_rate_hz(scene, self.frames)
        splice = Splice(sample_rate_hz=rate)
        margin = int(np.ceil(OVERLAP_S * fps))
        first, piece_s = self.frames.first, _SHORTEST_PIECE_S
        with tempfile.TemporaryDirectory(prefix="pirouette-", dir=_temporary_folder()) as folder:
            while first <= self.frames.last:
                started_s = time.perf_counter()
                last = min(first + max(round(piece_s * fps), 2 * margin) - 1, self.frames.last)
                around = FrameRange(max(first - margin, 0), last + margin)
                zero = round((around.first - self.frames.first) / fps * rate)
                end = round((last + 1 - self.frames.first) / fps * rate)
                splice.append(self._piece(around, rate, Path(folder)), piece_at=zero, end=end)
                self.done_frames = last + 1 - self.frames.first
                piece_s = _next_piece_s(around.duration_s(fps), took_s=time.perf_counter() - started_s)
                first = last + 1
                yield
        samples = splice.samples()
        if float(np.abs(samples).max(initial=0.0)) < SILENT_PEAK:
            check_readable(_scene(self.scene_name), self.frames)
            raise PirouetteError(
                "silence", "The sound in this range is silent.", "Turn it up, or choose another range."
            )
        self.sound = Sound(samples[:, None], rate)

    def _piece(self, frames: FrameRange, rate_hz: int, folder: Path) -> npt.NDArray[np.float32]:
        """The sound of these frames: Blender's mixdown, or a plain mix once that has turned out to write nothing."""
        scene = _scene(self.scene_name)
        if not self.warnings:
            try:
                return _mix_piece(scene, frames, rate_hz, folder, self.strip_name)
            except _NothingWritten:
                self.warnings.append(NOTE)
        return mix_plainly(scene, frames, rate_hz=rate_hz, strip_name=self.strip_name)


def _next_piece_s(length_s: float, *, took_s: float) -> float:
    """How long the next piece should be so that Blender stands still no longer than it may."""
    wanted_s = length_s * _PIECE_TARGET_S / max(took_s, 1e-4)
    return min(max(wanted_s, _SHORTEST_PIECE_S), _LONGEST_PIECE_S)


def _scene(name: str) -> bpy.types.Scene:
    """The scene of this name as it is now: an undo may have replaced it since the last step."""
    scene = bpy.data.scenes.get(name)
    if scene is None:
        raise PirouetteError("no_sound", f"The scene “{name}” has gone while its sound was mixed.")
    return scene


def _temporary_folder() -> str | None:
    return bpy.app.tempdir or None


def _mix_piece(
    scene: bpy.types.Scene, frames: FrameRange, rate_hz: int, folder: Path, strip_name: str
) -> npt.NDArray[np.float32]:
    """One mixdown by Blender. Raises _NothingWritten when Blender has left no sound behind."""
    path = folder / "piece.wav"
    expected = round(frames.duration_s(scene_fps(scene)) * rate_hz)
    _reserve(path, expected * 4 + _HEADER_BYTES)
    with _sound_alone(scene, frames, strip_name) as copy, bpy.context.temp_override(scene=copy):
        _blender_mixdown(path, rate_hz)
    if path.exists() and path.stat().st_size >= expected * 4:
        return read_wav(path).mono[:expected]
    _reserve(path, expected * 4 + _HEADER_BYTES)  # fails when it is the disk
    raise _NothingWritten


def _blender_mixdown(path: Path, rate_hz: int) -> None:
    try:
        bpy.ops.sound.mixdown(
            filepath=str(path),
            check_existing=False,
            container="WAV",
            codec="PCM",
            format="F32",
            mixrate=rate_hz,
            channels="MONO",
        )
    except RuntimeError as error:  # up to Blender 5.1; 5.2 says that it has finished
        reason = str(error).strip().removeprefix("Error: ")
        raise PirouetteError("internal", f"Blender could not mix the sound: {reason}") from error


def _reserve(path: Path, size: int) -> None:
    """Find out whether there is room: Blender itself dies when the disk is full in the middle of a mixdown."""
    try:
        path.write_bytes(bytes(size + (1 << 20)))
        path.unlink()
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _disk_full(path) from error


def _disk_full(path: Path) -> PirouetteError:
    return PirouetteError(
        "disk_full",
        f"There is no room to mix the sound in {path.parent.parent}.",
        "Free some space, or choose another temporary folder in the preferences.",
    )


@contextlib.contextmanager
def _sound_alone(scene: bpy.types.Scene, frames: FrameRange, strip_name: str) -> Iterator[bpy.types.Scene]:
    """A passing copy of the scene without objects, with this range and, if named, one strip alone to be heard.

    Blender evaluates everything in a scene before it mixes its sound, which a dancer or two make slow; and the copy
    leaves nothing of the animator's scene to be put back.
    """
    copy = scene.copy()
    try:
        for thing in list(copy.collection.objects):
            copy.collection.objects.unlink(thing)
        for child in list(copy.collection.children):
            copy.collection.children.unlink(child)
        copy.frame_start, copy.frame_end = frames.first, frames.last
        for strip in sound_strips(copy):
            if strip_name and strip.name != strip_name:
                strip.mute = True
        yield copy
    finally:
        bpy.data.scenes.remove(copy)
