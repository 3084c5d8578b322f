"""The list of a dancer's sections, kept like the document of its current take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import bpy

from ..core.dance import Beats, Placement, Section
from ..core.errors import PirouetteError
from ..core.genres import ANY_GENRE
from ..core.sections import counts_in_words, scene_span
from .storage import CURRENT, read_beats, read_document, read_sections, write_sections
from .takes import find_take

_OURS = re.compile(r"^§")


@dataclass
class _Listing:
    """Whether the list is being written by us, so that its callbacks keep still."""

    under_way: bool = False


LISTING = _Listing()


@contextmanager
def _listing() -> Iterator[None]:
    before, LISTING.under_way = LISTING.under_way, True
    try:
        yield
    finally:
        LISTING.under_way = before


def show_sections(dancer: bpy.types.Object, *, select: int | None = None) -> None:
    """Make the list like the document of the current take; a damaged one leaves an empty list and a sentence."""
    shown, number = dancer.pirouette, int(dancer.get(CURRENT, 0))
    with _listing():
        shown.sections.clear()
        shown.take, shown.problem = number, ""
        try:
            sections = read_sections(dancer, number)
            header = read_document(dancer)
            placement = Placement(**header["placement"]) if sections else Placement(1, 0, 24.0)
            beats = read_beats(dancer, number)
        except PirouetteError as error:
            shown.problem = str(error)
            return
        except (KeyError, TypeError):
            shown.problem = "This dance is damaged: where it lies is not known. Generate it again."
            return
        for index, section in enumerate(sections):
            _fill(shown.sections.add(), index, section, placement, beats)
        wanted = shown.active if select is None else select
        shown.active = min(max(wanted, 0), max(len(sections) - 1, 0))


def _fill(item: Any, index: int, section: Section, placement: Placement, beats: Beats) -> None:
    item.number = index
    item.name, item.prompt, item.locked = section.name, section.prompt, section.locked
    item.seed = min(section.seed, 2**31 - 1)
    try:
        item.genre = section.genre or ANY_GENRE
    except TypeError:  # a genre that this version does not know stays in the document
        item.genre = ANY_GENRE
    item.counts = counts_in_words(beats, section)
    first, end = scene_span(placement, section.start_s, section.end_s)
    item.first_frame = placement.first_frame + first
    item.last_frame = placement.first_frame + max(end - 1, first)


def replace_words(dancer: bpy.types.Object, number: int, **changes: Any) -> None:
    """Other words, another seed or lock for one section of the take that is listed. Raises PirouetteError."""
    take = dancer.pirouette.take
    sections = list(read_sections(dancer, take))
    if not 0 <= number < len(sections):
        raise PirouetteError("damaged_file", "The list shows a section that the dance has not.", "Generate it again.")
    sections[number] = replace(sections[number], **changes)
    write_sections(dancer, take, sections)


def scene_range(dancer: bpy.types.Object, index: int) -> tuple[int, int] | None:
    """First and last frame of the scene in which a section is seen, both included."""
    shown, take = dancer.pirouette, find_take(dancer)
    if take is None or not 0 <= index < len(shown.sections):
        return None
    item = shown.sections[index]
    return round(take.scene_frame(item.first_frame)), round(take.scene_frame(item.last_frame))


def select_range(context: bpy.types.Context, dancer: bpy.types.Object) -> None:
    """Let the preview range, and the current frame where that is wanted, go to the selected section."""
    scene, frames = context.scene, scene_range(dancer, dancer.pirouette.active)
    if frames is None:
        return
    if scene.pirouette.section_range:
        scene.use_preview_range = True
        scene.frame_preview_end = max(frames[1], frames[0] + 1)  # Blender keeps the start before the end
        scene.frame_preview_start = frames[0]
        scene.frame_preview_end = max(frames[1], frames[0] + 1)
    if scene.pirouette.section_jump:
        scene.frame_set(frames[0])


def section_at_frame(dancer: bpy.types.Object, frame: float) -> int | None:
    """The section that is danced at a frame of the scene."""
    for index in range(len(dancer.pirouette.sections)):
        frames = scene_range(dancer, index)
        if frames is not None and frames[0] <= frame <= frames[1]:
            return index
    return None


def is_section_marker(marker: bpy.types.TimelineMarker) -> bool:
    """Whether this marker is one that we have set where a section starts."""
    return _OURS.match(marker.name) is not None and marker.camera is None


def mark_sections(scene: bpy.types.Scene, dancer: bpy.types.Object | None) -> None:
    """Replace our section markers by those of this dancer's sections; by none where they are not wanted."""
    markers = scene.timeline_markers
    for old in [marker for marker in markers if is_section_marker(marker)]:
        markers.remove(old)
    if dancer is None or not scene.pirouette.section_markers:
        return
    for index, item in enumerate(dancer.pirouette.sections):
        frames = scene_range(dancer, index)
        if frames is not None:
            markers.new(f"§ {item.name or index + 1}", frame=frames[0]).select = False
