"""The sound of the timeline: what there is, and its mixdown over a range of frames.

The mixdown hears what the animator hears: trims, volumes, mutes and effects. It is made a few seconds at a time so that
Blender goes on drawing; between two pieces nothing of the scene is changed.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aud
import bpy
import numpy as np

from ..core.errors import PirouetteError
from ..core.splice import OVERLAP_S, Splice
from ..core.wav import Sound, read_wav
from .timing import scene_fps

SHORTEST_S = 2.0  # less music than this has no beat to dance to
SILENT_PEAK = 1e-4  # -80 dB
_PIECE_TARGET_S = 0.035  # how long Blender may stand still for one piece of the mixdown
_SHORTEST_PIECE_S, _LONGEST_PIECE_S = 4.0, 10.0  # each piece costs 15 ms of its own
_HEADER_BYTES = 4096


@dataclass(frozen=True)
class FrameRange:
    """Frames first to last, both included, as Blender counts them."""

    first: int
    last: int

    @property
    def frames(self) -> int:
        """How many frames."""
        return self.last - self.first + 1

    def duration_s(self, fps: float) -> float:
        """How long the range is."""
        return self.frames / fps


def music_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose timeline is heard: the current one, else the one that the sequencer shows (Blender 5.0)."""
    scene = context.scene
    shown = getattr(context.workspace, "sequencer_scene", None) if context.workspace else None
    if shown is not None and shown != scene and not sound_strips(scene) and sound_strips(shown):
        return shown
    return scene


def sound_strips(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """All sound strips, those inside meta strips too."""
    return [strip for strip in _all_strips(scene) if strip.type == "SOUND"]


def _all_strips(scene: bpy.types.Scene) -> Sequence[bpy.types.Strip]:
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all  # before 4.4


def strip_range(strip: bpy.types.Strip) -> FrameRange:
    """The frames in which a strip is heard."""
    if hasattr(strip, "left_handle"):  # 5.1; the older names go away in 6.0
        return FrameRange(int(strip.left_handle), int(strip.right_handle) - 1)
    return FrameRange(int(strip.frame_final_start), int(strip.frame_final_end) - 1)


def chosen_range(scene: bpy.types.Scene, *, source: str, strip_name: str) -> FrameRange:
    """The frames to dance over: the scene's, the preview's, or a strip's.

    Raises PirouetteError bad_range or no_sound.
    """
    if source == "PREVIEW":
        if not scene.use_preview_range:
            raise PirouetteError(
                "bad_range",
                "There is no preview range.",
                "Press P in the timeline and draw one, or choose Scene Range.",
            )
        return FrameRange(scene.frame_preview_start, scene.frame_preview_end)
    if source == "STRIP":
        frames = strip_range(_named_strip(scene, strip_name))
        return FrameRange(max(frames.first, 0), frames.last)  # Blender mixes no sound before frame 0
    return FrameRange(scene.frame_start, scene.frame_end)


def _named_strip(scene: bpy.types.Scene, name: str) -> bpy.types.Strip:
    for strip in sound_strips(scene):
        if strip.name == name:
            return strip
    if not name:
        raise PirouetteError("no_sound", "No sound strip is chosen.", "Choose one beside Strip.")
    raise PirouetteError("no_sound", f"There is no sound strip “{name}” any more.", "Choose another one.")


def check_sound(scene: bpy.types.Scene, frames: FrameRange, *, strip_name: str = "") -> None:
    """Make sure that there is music in the range, before anything is done.

    strip_name: the only strip that counts, or empty for all. Raises PirouetteError: bad_range, no_sound, missing_file,
    not_audio or too_short.
    """
    fps = scene_fps(scene)
    if frames.last < frames.first:
        raise PirouetteError(
            "bad_range", f"The range ends (frame {frames.last}) before it starts (frame {frames.first})."
        )
    strips = sound_strips(scene)
    if strip_name:
        strips = [_named_strip(scene, strip_name)]
    if not strips:
        raise PirouetteError("no_sound", "There is no sound on the timeline.", "Add a song first.")
    heard = [strip for strip in strips if not _is_muted(scene, strip)]
    if not heard:
        what = f"The strip “{strip_name}” is muted." if strip_name else "All sound on the timeline is muted."
        raise PirouetteError("no_sound", what, "Unmute it first.")
    inside = [strip for strip in heard if _overlap(strip_range(strip), frames)]
    if not inside:
        nearest = strip_range(heard[0])
        raise PirouetteError(
            "no_sound",
            f"Frames {frames.first} to {frames.last} hold no sound; “{heard[0].name}” lies at frames "
            f"{nearest.first} to {nearest.last}.",
        )
    for strip in inside:
        _check_file(strip)
    seconds = _covered(inside, frames) / fps
    if seconds < SHORTEST_S - 0.5 / fps:
        raise PirouetteError(
            "too_short", f"There is only {seconds:.1f} s of sound to dance to; it takes at least {SHORTEST_S:.0f} s."
        )


def _overlap(a: FrameRange, b: FrameRange) -> bool:
    return a.first <= b.last and b.first <= a.last


def _covered(strips: Sequence[bpy.types.Strip], frames: FrameRange) -> int:
    """How many frames of the range hold sound."""
    heard = np.zeros(frames.frames, dtype=bool)
    for strip in strips:
        found = strip_range(strip)
        heard[max(found.first - frames.first, 0) : max(found.last - frames.first + 1, 0)] = True
    return int(heard.sum())


def _is_muted(scene: bpy.types.Scene, strip: bpy.types.Strip) -> bool:
    """Whether a strip is silenced by itself, by its channel or by a meta strip around it."""
    parent = strip.parent_meta()
    channels = parent.channels if parent is not None else scene.sequence_editor.channels
    if strip.mute or channels[strip.channel].mute:
        return True
    return parent is not None and _is_muted(scene, parent)


def _check_file(strip: bpy.types.Strip) -> None:
    sound = strip.sound
    if sound is None:
        raise PirouetteError("missing_file", f"The strip “{strip.name}” has lost its sound.", "Add the song again.")
    path = Path(bpy.path.abspath(sound.filepath, library=sound.library))
    if sound.packed_file is None and not path.is_file():
        raise PirouetteError(
            "missing_file",
            f"The sound file {path.name} of “{strip.name}” is missing ({path}).",
            "Put it back, or relink it.",
        )
    if sound.samplerate <= 0 or sound.channels == "INVALID":
        raise PirouetteError("not_audio", f"{path.name} is not sound that Blender can read.", "Use another file.")


def _check_readable(scene: bpy.types.Scene, frames: FrameRange) -> None:
    """Name a file that was damaged after it came onto the timeline: Blender plays it as silence."""
    for strip in sound_strips(scene):
        if _overlap(strip_range(strip), frames) and not _is_muted(scene, strip) and strip.sound.packed_file is None:
            path = bpy.path.abspath(strip.sound.filepath, library=strip.sound.library)
            try:
                aud.Sound(path).specs  # noqa: B018  it opens the file
            except aud.error as error:
                raise PirouetteError(
                    "damaged_file", f"{Path(path).name} is damaged: Blender cannot read it.", "Replace the file."
                ) from error


def mixdown_rate_hz(scene: bpy.types.Scene, frames: FrameRange) -> int:
    """The sample rate most of the range's sound has: mixing at another one takes eight times as long."""
    rates: dict[int, int] = {}
    for strip in sound_strips(scene):
        if strip.sound is not None and _overlap(strip_range(strip), frames) and not _is_muted(scene, strip):
            rates[int(strip.sound.samplerate)] = rates.get(int(strip.sound.samplerate), 0) + strip_range(strip).frames
    return min(max(max(rates, key=lambda rate: rates[rate], default=44100), 8000), 192000)


@dataclass
class Mixdown:
    """A mixdown under way. sound: the finished sound, mono; None until the last step."""

    scene_name: str
    frames: FrameRange
    strip_name: str = ""
    done_frames: int = 0
    sound: Sound | None = None
    slowest_step_s: float = 0.0

    def steps(self) -> Generator[None, None, None]:
        """Mix piece by piece; Blender may draw and take events after each.

        Raises PirouetteError: disk_full, silence, damaged_file, internal; or no_sound when the scene has gone.
        """
        scene = _scene(self.scene_name)
        fps = scene_fps(scene)
        rate = mixdown_rate_hz(scene, self.frames)
        splice = Splice(sample_rate_hz=rate)
        margin = int(np.ceil(OVERLAP_S * fps))
        first, piece_s = self.frames.first, _SHORTEST_PIECE_S
        with tempfile.TemporaryDirectory(prefix="pirouette-", dir=_temporary_folder()) as folder:
            while first <= self.frames.last:
                started_s = time.perf_counter()
                last = min(first + max(round(piece_s * fps), 2 * margin) - 1, self.frames.last)
                around = FrameRange(max(first - margin, 0), last + margin)
                piece = _mix_piece(_scene(self.scene_name), around, rate, Path(folder), self.strip_name)
                zero = round((around.first - self.frames.first) / fps * rate)
                splice.append(piece, piece_at=zero, end=round((last + 1 - self.frames.first) / fps * rate))
                self.done_frames = last + 1 - self.frames.first
                took_s = time.perf_counter() - started_s
                self.slowest_step_s = max(self.slowest_step_s, took_s)
                length_s = around.duration_s(fps)
                piece_s = float(
                    np.clip(length_s * _PIECE_TARGET_S / max(took_s, 1e-4), _SHORTEST_PIECE_S, _LONGEST_PIECE_S)
                )
                first = last + 1
                yield
        samples = splice.samples()
        if float(np.abs(samples).max(initial=0.0)) < SILENT_PEAK:
            _check_readable(_scene(self.scene_name), self.frames)
            raise PirouetteError(
                "silence", "The sound in this range is silent.", "Turn it up, or choose another range."
            )
        self.sound = Sound(samples[:, None], rate)


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
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    path = folder / "piece.wav"
    expected = round(frames.duration_s(scene_fps(scene)) * rate_hz)
    _reserve(path, expected * 4 + _HEADER_BYTES)
    with _sound_alone(scene, frames, strip_name) as copy, bpy.context.temp_override(scene=copy):
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
        except RuntimeError as error:
            reason = str(error).strip().removeprefix("Error: ")
            raise PirouetteError("internal", f"Blender could not mix the sound: {reason}") from error
    if not path.exists():  # Blender 5.2 raises nothing
        raise PirouetteError("internal", f"Blender could not write the sound it mixed into {folder}.")
    if path.stat().st_size < expected * 4:
        raise _disk_full(path)
    return read_wav(path).mono[:expected]


def _reserve(path: Path, size: int) -> None:
    """Write as many bytes as the mixdown will: Blender itself dies when the disk is full in the middle of one."""
    try:
        path.write_bytes(bytes(size + (1 << 20)))
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
