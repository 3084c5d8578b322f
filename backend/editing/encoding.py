"""Any motion as a dance with codes: imported, keyed by hand, or made elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.dance import SOUND_CHANNELS, Dance, Section, Settings, sections_of
from backend.directions import KeyPose
from backend.editing.artist import Artist
from backend.editing.editor import Edit, apply
from backend.editing.operations import Encode
from backend.editing.parts import check_dance, has_codes
from backend.editing.placing import start_placement
from backend.errors import PirouetteError
from backend.library.own import codec_in
from backend.motion.contacts import contact_labels
from backend.motion.motion import Motion
from backend.motion.resample import resample
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid

STEADY_BPM = 120.0
SHORTEST_FRAMES = 4


def encode_motion(
    motion: Motion,
    artist: Artist,
    *,
    grid: BeatGrid | None = None,
    sound: npt.NDArray[np.float16] | None = None,
    sections: Sequence[Section] = (),
    settings: Settings | None = None,
    key_poses: tuple[KeyPose, ...] = (),
    accents_s: tuple[float, ...] = (),
) -> Edit:
    """A motion at any rate as a dance with codes, at the model's rate.

    grid: a steady one where no beats are known; sections: one for each eight-count where none are given; key_poses,
    accents_s: kept with the dance, whose motion stays as it is.
    Raises PirouetteError("too_short") for less than four frames, "damaged_file" for sections that do not fit.
    """
    motion = at_model_rate(motion)
    if motion.frames < SHORTEST_FRAMES:
        raise PirouetteError("too_short", f"{motion.frames} frames are too short for a dance.")
    grid = grid or steady_grid(motion.duration_s)
    settings = settings or Settings("", "", 0)
    dance = Dance(
        motion=motion,
        contacts=contact_labels(motion.joints(), fps=FPS),
        grid=grid,
        sections=_ending(sections, motion.duration_s) or sections_of(grid, motion.duration_s, settings),
        settings=settings,
        model_version="",
        sound=np.zeros((0, SOUND_CHANNELS), dtype=np.float16) if sound is None else sound,
        key_poses=key_poses,
        accents_s=accents_s,
    )
    return apply(dance, Encode(), artist)


def decode_dance(dance: Dance, artist: Artist) -> Motion:
    """What the codes of a dance say, standing where the dance starts.

    Raises PirouetteError: bad_request (no codes), weights_version (codes of another codec), damaged_file.
    """
    check_dance(dance)
    if not has_codes(dance):
        raise PirouetteError("bad_request", "The dance has no codes.", "Encode it first.")
    made, known = codec_in(dance.model_version), codec_in(str(artist.describe().get("models", "")))
    if made != known:
        raise PirouetteError(
            "weights_version", f"The codes are of codec {made or '?'}, and this is codec {known}.", "Encode the dance."
        )
    frames = [last - first for first, last in map(dance.frames_of, dance.sections)]
    motion = artist.decode(dance.movement_codes, dance.pose_codes, frames)
    return start_placement(motion, dance.motion).motion(motion)


def heard(song: Path, start_s: float, duration_s: float) -> tuple[BeatGrid, npt.NDArray[np.float16]]:
    """The beats of a song from a moment on, and what is heard in each frame of so many seconds.

    Raises PirouetteError for a file that is no song.
    """
    from backend.music.audio import load_audio
    from backend.music.features import music_features

    features = music_features(load_audio(song, start_s=start_s, end_s=None))
    return features.grid, features.sound[: round(duration_s * FPS)]


def at_model_rate(motion: Motion) -> Motion:
    """The motion at the model's frame rate, by time; the very same one where it is at that rate."""
    if motion.fps == FPS:
        return motion
    poses, pelvis = resample(motion.poses, motion.pelvis, source_fps=motion.fps, target_fps=FPS)
    return Motion(poses, pelvis, FPS)


def steady_grid(duration_s: float) -> BeatGrid:
    """A stand-in for the beats of a motion without music: even, four to the bar, and not clear."""
    beats_s = np.arange(0.0, max(duration_s, 2.0), 60.0 / STEADY_BPM)
    return BeatGrid(beats_s, np.arange(len(beats_s)) % 4 == 0, STEADY_BPM, 4, False)


def _ending(sections: Sequence[Section], duration_s: float) -> tuple[Section, ...]:
    """The sections, the last one ending with the motion, which another frame rate may have moved by part of a frame."""
    if not sections or abs(sections[-1].end_s - duration_s) > 1.0 / FPS:
        return tuple(sections)
    return (*sections[:-1], replace(sections[-1], end_s=duration_s))
