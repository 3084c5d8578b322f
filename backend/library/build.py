"""``library build``: cut phrases out of the training split, encode them, and write the bundled library.

Only the training split gives phrases: what the models are judged on must not be handed out as material.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.errors import PirouetteError
from backend.library.bundled import write_bundled
from backend.library.cutting import Cut, at_model_rate, cuts_of
from backend.library.entry import LICENCES, Entry, slug
from backend.library.naming import ACROBATICS, full_names, naming_of
from backend.library.selection import Candidate, choose
from backend.library.shelf import Coder, codec_of
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.motion.sources import Clip, find_clips
from backend.text.vocabulary import Genre, genre_in_text, load_vocabulary

Codes = npt.NDArray[np.int16]
Tell = Callable[[str], None]
MOST_ERROR_M = 0.1  # of a decoded phrase, a joint on average: the codec does not carry it
UNKNOWN_LICENCE = "as the data it was cut from"


@dataclass(frozen=True)
class Encoded:
    """A chosen phrase with its codes and how far its decoded joints are from the real ones, m."""

    candidate: Candidate
    codes: tuple[Codes, Codes]
    error_m: float


def build_library(data: Path, out: Path, *, artist: Coder | None = None, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Cut, choose, encode and write. data: as for ``prepare``; out: the folder of the two files; artist: the bundled
    models where it is None; tell: hears of each stage.

    Returns phrases, bytes, genres {name: phrases}, left_out {reason: phrases}, error_mm {median, worst, worst_phrase}
    of what is decoded. Raises PirouetteError: missing_file (no data, no usable dance), damaged_file, weights_*.
    """
    artist = artist or _bundled_artist()
    codec = codec_of(artist)
    tell("Cutting phrases")
    left_out = Counter[str]()
    chosen = choose(list(_candidates(data, left_out)))
    if not chosen:
        raise PirouetteError("missing_file", f"{data} holds no dance to cut phrases from.", "One clip must be dance.")
    tell(f"Encoding {len(chosen)} phrases")
    kept = []
    for phrase in _encoded(chosen, artist):
        if phrase.error_m > MOST_ERROR_M:
            left_out["not carried by the codec"] += 1
        else:
            kept.append(phrase)
    if not kept:
        raise PirouetteError("weights_version", "The codec carries none of the phrases.", "Train it longer.")
    entries = _entries([phrase.candidate for phrase in kept], codec)
    tell("Reading their names")
    from backend.text.encoder import encode

    embeddings = encode([entry.sentence for entry in entries])
    size = write_bundled(out, entries, [phrase.codes for phrase in kept], embeddings)
    return {
        "phrases": len(entries),
        "bytes": size,
        "genres": dict(Counter(entry.genre for entry in entries)),
        "left_out": dict(left_out),
        "error_mm": _error(kept, entries),
    }


def root_aligned_error_m(decoded: npt.NDArray[np.floating], real: npt.NDArray[np.floating]) -> float:
    """Mean distance of joints (T, 24, 3), m, pelvis on pelvis and each frame turned about the vertical to fit best."""
    first, second = decoded - decoded[:, :1], real - real[:, :1]
    across = (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]).sum(-1)
    along = (first[..., :2] * second[..., :2]).sum((-2, -1))
    turn = np.arctan2(across, along)[:, None]
    x = np.cos(turn) * first[..., 0] - np.sin(turn) * first[..., 1]
    y = np.sin(turn) * first[..., 0] + np.cos(turn) * first[..., 1]
    return float(np.linalg.norm(np.stack([x, y, first[..., 2]], axis=-1) - second, axis=-1).mean())


def _bundled_artist() -> Coder:
    from backend.choreographer import Choreographer

    return Choreographer(device="cpu")


def _candidates(data: Path, left_out: Counter[str]) -> Iterable[Candidate]:
    for clip in find_clips(data):
        acrobatic = not clip.dance and ACROBATICS.match(clip.caption)
        if clip.split != "train" or not (clip.dance or acrobatic):
            continue
        genre = _genre_of(clip)
        try:
            motion = at_model_rate(clip.load())
        except PirouetteError as error:
            left_out[error.code] += 1
            continue
        metre = clip.metre or (genre.metre if genre else 4)
        for cut in cuts_of(clip, motion, metre=metre):
            yield Candidate(cut, naming_of(cut, genre))


def _genre_of(clip: Clip) -> Genre | None:
    """The genre that a dance's label or caption means; None for what is no dance or has none."""
    if not clip.dance:
        return None
    if not clip.genre:
        return genre_in_text(clip.caption)
    return load_vocabulary().genre_of_data(clip.genre)


def _encoded(chosen: Sequence[Candidate], artist: Coder) -> Iterable[Encoded]:
    """Each phrase encoded by itself, as it will be decoded, in the order given."""
    loaded: tuple[str, Motion] | None = None
    for candidate in chosen:
        cut = candidate.cut
        if loaded is None or loaded[0] != cut.clip.id:
            loaded = cut.clip.id, at_model_rate(cut.clip.load())
        real = cut.motion(loaded[1])
        movement, pose = artist.encode(real, [cut.frames])
        decoded = artist.decode(movement, pose, [cut.frames])
        yield Encoded(candidate, (movement, pose), root_aligned_error_m(decoded.joints(), real.joints()))


def _entries(chosen: Sequence[Candidate], codec: str) -> list[Entry]:
    names = full_names([candidate.naming for candidate in chosen])
    return [_entry(candidate, name, codec) for candidate, name in zip(chosen, names, strict=True)]


def _entry(candidate: Candidate, name: str, codec: str) -> Entry:
    cut: Cut = candidate.cut
    row = cut.clip.row
    source = str(row.get("source") or "data")
    return Entry(
        id=slug(name),
        name=name,
        genre=candidate.naming.genre,
        description=candidate.naming.description,
        figures=candidate.naming.figures,
        frames=cut.frames,
        counts=cut.counts,
        beats_s=cut.beats_s,
        metre=cut.metre,
        bpm=round(cut.bpm, 1),
        source=source,
        licence=LICENCES.get(source) or str(row.get("license") or UNKNOWN_LICENCE),
        clip=cut.clip.id,
        start_s=round(cut.start / FPS, 2),
        own=False,
        codec=codec,
    )


def _error(kept: Sequence[Encoded], entries: Sequence[Entry]) -> dict[str, Any]:
    errors = np.array([phrase.error_m for phrase in kept]) * 1000.0
    worst = int(errors.argmax())
    return {
        "median": round(float(np.median(errors)), 1),
        "worst": round(float(errors[worst]), 1),
        "worst_phrase": entries[worst].id,
    }
