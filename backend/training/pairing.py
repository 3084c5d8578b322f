"""Pairing dances with songs they were not danced to: the song is warped so that its beats fall on the dance's beats.

Only features are warped, not sound. Any clip can so be danced to many songs of a near tempo and the same metre
(design: rhythm is learned in a form both sides share).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.diffusion.conditions import music_input
from backend.motion.skeleton import FPS
from backend.music.beats import BeatGrid

FloatArray = npt.NDArray[np.float32]
WIDEST_STRETCH = 1.35
CANDIDATES = 6


@dataclass(frozen=True)
class Song:
    """A song's features at 30 fps: sound (T, 37) is energy and timbre; its beats at one, half or double tempo."""

    name: str
    sound: FloatArray
    grid: BeatGrid


def metrical_levels(song: Song) -> list[Song]:
    """The song with its beats as tracked and, in 4/4, at half and at double tempo: dancers choose their level."""
    beats, down = song.grid.beats_s, song.grid.downbeat
    levels = [song]
    if song.grid.metre == 4 and len(beats) > 16:
        first = int(np.argmax(down)) % 2
        half = BeatGrid(beats[first::2], down[first::2], song.grid.tempo_bpm / 2, 4, song.grid.clear)
        between = np.stack([beats[:-1], (beats[:-1] + beats[1:]) / 2], axis=1).ravel()
        flags = np.stack([down[:-1], np.zeros(len(down) - 1, dtype=bool)], axis=1).ravel()
        double = BeatGrid(between, flags, song.grid.tempo_bpm * 2, 4, song.grid.clear)
        levels += [Song(song.name, song.sound, half), Song(song.name, song.sound, double)]
    return levels


def warp(song: Song, beats_s: npt.NDArray[np.float64], start: int, *, frames: int) -> FloatArray:
    """The song's sound (frames, 37) with its beats start, start + 1, … moved onto the dance's beats_s."""
    song_s = song.grid.beats_s[start : start + len(beats_s)]
    time_s = np.arange(frames) / FPS
    place = np.interp(time_s, beats_s, song_s)
    before, after = time_s < beats_s[0], time_s > beats_s[-1]
    place[before] = song_s[0] - (beats_s[0] - time_s[before])
    place[after] = song_s[-1] + (time_s[after] - beats_s[-1])
    place = np.clip(place * FPS, 0, len(song.sound) - 1.001)
    index = place.astype(int)
    share = (place - index)[:, None].astype(np.float32)
    warped: FloatArray = song.sound[index] * (1 - share) + song.sound[index + 1] * share
    return warped


def pair(grid: BeatGrid, speed: FloatArray, songs: list[Song], *, timbre: bool, rng: np.random.Generator) -> FloatArray:
    """Music channels (T, 45) for a dance window: a song of near tempo and the same metre, where its energy follows
    the dance's.

    grid: the dance's beats, seconds from the window's first frame; speed: (T,) mean joint speed. Without a fitting
    song the dance keeps its rhythm and hears no timbre.
    """
    frames = len(speed)
    beats_s = grid.beats_s[(grid.beats_s > -1.0) & (grid.beats_s < frames / FPS + 1.0)]
    if len(beats_s) < 2:
        return music_input(None, None, frames=frames)
    step = float(np.median(np.diff(beats_s)))
    fitting = [s for s in songs if s.grid.metre == grid.metre and len(s.grid.beats_s) > len(beats_s) + 1]
    fitting = [s for s in fitting if 1 / WIDEST_STRETCH < step * s.grid.tempo_bpm / 60.0 < WIDEST_STRETCH]
    if not fitting:
        return music_input(grid, np.zeros((frames, 37), dtype=np.float32), frames=frames, timbre=False)
    best: tuple[float, Song, int, FloatArray] | None = None
    pulse = speed - speed.mean()
    for _ in range(CANDIDATES):
        song = fitting[int(rng.integers(len(fitting)))]
        start = int(rng.integers(len(song.grid.beats_s) - len(beats_s)))
        sound = warp(song, beats_s, start, frames=frames)
        loud = sound[:, 1] + 0.15 * sound[:, 0]
        match = float(np.dot(pulse, loud - loud.mean()) / (np.std(pulse) * np.std(loud) * frames + 1e-6))
        if best is None or match > best[0]:
            best = (match, song, start, sound)
    assert best is not None
    _, song, start, sound = best
    downbeat = song.grid.downbeat[start : start + len(beats_s)]
    paired = BeatGrid(beats_s, downbeat, 60.0 / step, grid.metre, True)
    return music_input(paired, sound, frames=frames, timbre=timbre)
