"""The timeline's sound: which strips there are, what of them is heard, and whether one can dance to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..core.errors import PirouetteError
from .timing import scene_fps

SHORTEST_S = 2.0  # less music than this has no beat to dance to


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
    heard = [strip for strip in strips if not is_muted(scene, strip)]
    if not heard:
        what = f"The strip “{strip_name}” is muted." if strip_name else "All sound on the timeline is muted."
        raise PirouetteError("no_sound", what, "Unmute it first.")
    inside = [strip for strip in heard if overlap(strip_range(strip), frames)]
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


def overlap(a: FrameRange, b: FrameRange) -> FrameRange | None:
    """The frames that both have, if any."""
    first, last = max(a.first, b.first), min(a.last, b.last)
    return FrameRange(first, last) if first <= last else None


def sound_path(strip: bpy.types.Strip) -> Path:
    """The file of a sound strip."""
    return Path(bpy.path.abspath(strip.sound.filepath, library=strip.sound.library))


def _covered(strips: Sequence[bpy.types.Strip], frames: FrameRange) -> int:
    """How many frames of the range hold sound."""
    heard = np.zeros(frames.frames, dtype=bool)
    for strip in strips:
        found = strip_range(strip)
        heard[max(found.first - frames.first, 0) : max(found.last - frames.first + 1, 0)] = True
    return int(heard.sum())


def is_muted(scene: bpy.types.Scene, strip: bpy.types.Strip) -> bool:
    """Whether a strip is silenced by itself, by its channel or by a meta strip around it."""
    parent = strip.parent_meta()
    channels = parent.channels if parent is not None else scene.sequence_editor.channels
    if strip.mute or channels[strip.channel].mute:
        return True
    return parent is not None and is_muted(scene, parent)


def _check_file(strip: bpy.types.Strip) -> None:
    sound = strip.sound
    if sound is None:
        raise PirouetteError("missing_file", f"The strip “{strip.name}” has lost its sound.", "Add the song again.")
    path = sound_path(strip)
    if sound.packed_file is None and not path.is_file():
        raise PirouetteError(
            "missing_file",
            f"The sound file {path.name} of “{strip.name}” is missing ({path}).",
            "Put it back, or relink it.",
        )
    if sound.samplerate <= 0 or sound.channels == "INVALID":
        raise PirouetteError("not_audio", f"{path.name} is not sound that Blender can read.", "Use another file.")


def check_readable(scene: bpy.types.Scene, frames: FrameRange) -> None:
    """Name a file that was damaged after it came onto the timeline: Blender plays it as silence."""
    import aud  # only builds of Blender with sound have it

    for strip in sound_strips(scene):
        if overlap(strip_range(strip), frames) and not is_muted(scene, strip) and strip.sound.packed_file is None:
            path = sound_path(strip)
            try:
                aud.Sound(str(path)).specs  # noqa: B018  it opens the file
            except aud.error as error:
                raise PirouetteError(
                    "damaged_file", f"{path.name} is damaged: Blender cannot read it.", "Replace the file."
                ) from error


def mixdown_rate_hz(scene: bpy.types.Scene, frames: FrameRange) -> int:
    """The sample rate most of the range's sound has: mixing at another one takes eight times as long."""
    rates: dict[int, int] = {}
    for strip in sound_strips(scene):
        if strip.sound is not None and overlap(strip_range(strip), frames) and not is_muted(scene, strip):
            rates[int(strip.sound.samplerate)] = rates.get(int(strip.sound.samplerate), 0) + strip_range(strip).frames
    return min(max(max(rates, key=lambda rate: rates[rate], default=44100), 8000), 192000)
