"""A span of a song with its beats, so that what is cut out is heard as it is in the whole."""

from __future__ import annotations

from dataclasses import replace

from backend.evaluation.generated_set import HeardSong
from backend.music.audio import Audio


def song_span(song: HeardSong, start_s: float, end_s: float) -> HeardSong:
    """The seconds start_s to end_s, with the song's beats that lie there. Raises ValueError for fewer than two."""
    rate = song.audio.sample_rate_hz
    samples = song.audio.samples[round(start_s * rate) : round(end_s * rate)]
    inside = (song.grid.beats_s >= start_s) & (song.grid.beats_s < end_s)
    if inside.sum() < 2:
        raise ValueError(f"{song.id} has fewer than two beats from {start_s:g} s to {end_s:g} s")
    grid = replace(song.grid, beats_s=song.grid.beats_s[inside] - start_s, downbeat=song.grid.downbeat[inside])
    return HeardSong(song.id, Audio(samples, rate), grid)
