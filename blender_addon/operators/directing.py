"""What the animator has directed, gathered from the scene: locks, beats, accents, words and locks of sections."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core.dance import DanceDocument
from ..core.directions import Directions, Part
from ..core.errors import PirouetteError
from ..core.genres import ANY_GENRE
from ..core.skeleton import FPS
from ..scene.armature import find_dancer
from ..scene.hand_edits import edited_frames, read_in
from ..scene.locks import key_poses_in
from ..scene.markers import edited_beats, marked
from ..scene.storage import load, read_document
from ..scene.strips import FrameRange
from ..scene.takes import Take, find_take
from .stepping import Step, undisturbed

Span = tuple[int, int]


@dataclass(frozen=True)
class KeptSections:
    """Locked sections of a take that a new dance keeps. spans: [first, last) in frames of the new dance."""

    dancer_name: str
    take: int
    shift_frames: int
    spans: tuple[Span, ...]


def read_directions(
    context: bpy.types.Context, dancer: bpy.types.Object | None, frames: FrameRange, fps: float
) -> tuple[Directions, KeptSections | None]:
    """All directions for a dance over a range of frames, and the sections that it keeps. Raises PirouetteError."""
    scene, settings = context.scene, context.scene.pirouette
    duration_s = frames.duration_s(fps)
    beats, accents_s = edited_beats(scene, first=frames.first, frames=frames.frames, fps=fps)
    key_poses = key_poses_in(scene, dancer, time_of=lambda frame: (frame - frames.first) / fps, duration_s=duration_s)
    document, take = _shown(dancer)
    parts: tuple[Part, ...] = ()
    kept = None
    if dancer is not None and document is not None and take is not None:
        start_s = (take.scene_frame(document.placement.first_frame) - frames.first) / fps
        if settings.section_words:
            parts = parts_of(document, start_s=start_s, duration_s=duration_s)
        if settings.locked_sections:
            kept = _kept(dancer, take, document, start_s=start_s, duration_s=duration_s, fps=fps)
    directions = Directions(
        key_poses=key_poses,
        accents_s=accents_s,
        parts=parts,
        beats=beats,
        novelty=settings.novelty,
        strategy="" if settings.strategy == "AUTO" else settings.strategy.lower(),
        reuse=settings.reuse.lower(),
    )
    return directions, kept


def _shown(dancer: bpy.types.Object | None) -> tuple[DanceDocument | None, Take | None]:
    """The document and strip of the take that is listed, as far as it can be read."""
    if dancer is None:
        return None, None
    try:
        return load(dancer), find_take(dancer)
    except PirouetteError:  # a damaged take is told in the list and hinders no new one
        return None, None


def parts_of(document: DanceDocument, *, start_s: float, duration_s: float) -> tuple[Part, ...]:
    """The sections whose words are not the dance's own, as they lie in a dance that starts ``start_s`` earlier."""
    own = (document.settings.genre, document.settings.text)
    parts = []
    for section in document.sections:
        first_s, last_s = max(section.start_s + start_s, 0.0), min(section.end_s + start_s, duration_s)
        if (section.genre, section.prompt) != own and last_s - first_s > 1.0 / FPS:
            parts.append(Part(first_s, last_s, section.genre, section.prompt))
    return tuple(parts)


def _kept(
    dancer: bpy.types.Object, take: Take, document: DanceDocument, *, start_s: float, duration_s: float, fps: float
) -> KeptSections | None:
    """The locked sections that lie in the new dance. Raises PirouetteError for a take that runs at another speed."""
    frames = round(duration_s * FPS)
    shift = round(start_s * FPS)
    spans = []
    for section in document.sections:
        if section.locked:
            first, last = document.frames_of(section)
            first, last = max(first + shift, 0), min(last + shift, frames)
            if first < last:
                spans.append((first, last))
    if not spans:
        return None
    if abs(take.strip.scale - 1.0) > 1e-6 or document.placement.fps != fps:
        raise PirouetteError(
            "locked",
            "Locked sections of a take that was stretched, or made at another frame rate, cannot be kept.",
            "Unlock them, or switch off Locked Sections under More.",
        )
    return KeptSections(dancer.name, take.number, shift, tuple(spans))


def with_kept(
    directions: Directions, kept: KeptSections | None, *, duration_s: float
) -> Generator[Step, None, Directions]:
    """The directions with the motion of the kept sections, as it is keyed now, in short steps."""
    if kept is None:
        return directions
    dancer = bpy.data.objects.get(kept.dancer_name)
    take = find_take(dancer, kept.take) if dancer is not None else None
    document = load(dancer, kept.take) if dancer is not None else None
    if dancer is None or take is None or document is None:
        raise PirouetteError("no_take", "The take with the locked sections is gone.", "Unlock them.")
    edited = yield from undisturbed(edited_frames(dancer, take, document))
    if edited.any():
        document = yield from undisturbed(read_in(dancer, take, document, edited))
    index = np.clip(np.arange(max(round(duration_s * FPS), 2)) - kept.shift_frames, 0, len(document.poses) - 1)
    return replace(directions, kept=(document.poses[index], document.pelvis[index]), kept_frames=kept.spans)


def directed_now(
    scene: bpy.types.Scene, dancer: bpy.types.Object, take: Take, document: DanceDocument
) -> DanceDocument:
    """The document with the locks, accents and edited beats that the timeline shows now. Raises PirouetteError."""
    time_of = time_in_take(take, document)
    key_poses = key_poses_in(scene, dancer, time_of=time_of, duration_s=document.duration_s)
    first = take.scene_frame(document.placement.first_frame)
    frames = document.placement.frames * take.strip.scale
    beats, accents_s = edited_beats(scene, first=first, frames=frames, fps=document.placement.fps * take.strip.scale)
    return replace(document, key_poses=key_poses, accents_s=accents_s, beats=beats or document.beats)


def time_in_take(take: Take, document: DanceDocument) -> Callable[[float], float]:
    """Seconds in a take's dance of a frame of the scene."""
    placement = document.placement
    return lambda frame: (take.action_frame(frame) - placement.first_frame) / placement.fps


def _worded_sections(dancer: bpy.types.Object) -> int:
    """How many listed sections have words that are not the dance's own."""
    settings = read_document(dancer).get("settings", {})
    own = (settings.get("genre", "") or ANY_GENRE, settings.get("text", ""))
    return sum((item.genre, item.prompt) != own for item in dancer.pirouette.sections)


def directed_in_words(context: bpy.types.Context) -> str:
    """What the next dance will follow, for the panel; empty when nothing is directed."""
    dancer, scene = find_dancer(context), context.scene
    found = []
    if dancer is not None:
        used = [any(item.joints) for item in dancer.pirouette.locks if item.enabled]
        for count, word in ((sum(used), "key pose"), (len(used) - sum(used), "waypoint")):
            found += [f"{count} {word}{'s' if count > 1 else ''}"] if count else []
    beats = marked(scene)
    if beats.edited:
        found.append("your beats")
    accents = int(beats.accents.sum())
    found += [f"{accents} accent{'s' if accents > 1 else ''}"] if accents else []
    if dancer is not None and scene.pirouette.section_words:
        worded = _worded_sections(dancer)
        found += [f"words of {worded} section{'s' if worded > 1 else ''}"] if worded else []
    if dancer is not None and scene.pirouette.locked_sections:
        locked = sum(item.locked for item in dancer.pirouette.sections)
        found += [f"{locked} locked section{'s' if locked > 1 else ''}"] if locked else []
    return ", ".join(found)
