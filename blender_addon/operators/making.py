"""Making a dance in short steps: mix the sound, ask the backend, write the take.

The same steps serve the interface, which takes a few in each tick of a timer, and scripts, which run them to the end.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
import numpy as np

from ..core.dance import DanceDocument, Placement, Settings
from ..core.directions import Directions
from ..core.edits import Request
from ..core.environment import BackendCommand
from ..core.errors import Cancelled, PirouetteError
from ..core.job import JobState
from ..core.protocol import Message
from ..core.reply import document_from_result
from ..core.session import Session
from ..core.wav import Sound
from ..scene.armature import create_dancer, find_dancer, make_active
from ..scene.audio import Mixdown
from ..scene.mannequin import add_mannequin
from ..scene.markers import write_markers
from ..scene.section_list import mark_sections, show_sections
from ..scene.storage import store
from ..scene.strips import FrameRange
from ..scene.take import next_number, take_name, write_take
from .carrying import carried_on
from .directing import KeptSections, with_kept
from .stepping import Step

_WRITE_STEPS = 12  # about as many steps as writing takes, for the bar


@dataclass(frozen=True)
class DanceRequest:
    """Everything a dance needs to know, read from the scene when the animator clicked; holds no Blender data."""

    scene_name: str
    music_scene_name: str
    frames: FrameRange
    fps: float
    settings: Settings
    directions: Directions = field(default_factory=Directions)
    kept: KeptSections | None = None


def make_dance(
    session: Session, request: DanceRequest, command: BackendCommand, *, log_path: Path, addon_version: str
) -> Generator[Step, None, None]:
    """All the steps of a dance. Raises PirouetteError, Cancelled."""
    strip_name = request.settings.strip if request.settings.source == "STRIP" else ""
    mixdown = Mixdown(request.music_scene_name, request.frames, strip_name)
    sound = yield from mix(session, mixdown)
    directions = yield from with_kept(
        request.directions, request.kept, duration_s=request.frames.duration_s(request.fps)
    )
    directed = replace(request, directions=directions)
    document = yield from ask_for_dance(session, directed, command, sound, log_path, addon_version)
    session.warning = " ".join((*mixdown.warnings, *document.warnings))
    with closing(write_dance(request, document)) as steps:  # a cancel in the middle cleans up at once
        for index, _ in enumerate(steps):
            session.report("write", done=index, total=_WRITE_STEPS)
            yield Step.WRITE
    yield from carried_on(bpy.context.scene.pirouette.dancer)


def mix(session: Session, mixdown: Mixdown) -> Generator[Step, None, Sound]:
    """The sound of a range. Raises PirouetteError."""
    total = mixdown.frames.frames
    session.report("mix", done=0, total=total)
    with closing(mixdown.steps()) as steps:
        for _ in steps:
            session.report("mix", done=mixdown.done_frames, total=total)
            yield Step.WORK
    assert mixdown.sound is not None
    return mixdown.sound


def ask_for_dance(
    session: Session,
    request: DanceRequest,
    command: BackendCommand,
    sound: Sound,
    log_path: Path,
    addon_version: str,
) -> Generator[Step, None, DanceDocument]:
    """The dance that the backend makes, with the sections locked that it was told to keep. Raises PirouetteError."""
    message = {
        "type": "generate",
        "sample_rate_hz": sound.sample_rate_hz,
        "genre": request.settings.genre,
        "text": request.settings.text,
        "seed": request.settings.seed,
        "fps": request.fps,
        "model": request.settings.model.lower(),
        **request.directions.fields(),
    }
    arrays = {"audio": np.ascontiguousarray(sound.mono, dtype=np.float32), **request.directions.arrays()}
    result = yield from ask(session, (message, arrays), command, log_path=log_path)
    placement = Placement(request.frames.first, request.frames.frames, request.fps)
    document = document_from_result(result, settings=request.settings, placement=placement, addon_version=addon_version)
    return _locked_again(document, request.directions.kept_frames)


def _locked_again(document: DanceDocument, spans: Sequence[tuple[int, int]]) -> DanceDocument:
    """What was locked stays locked: the sections that lie in a kept span."""
    return replace(
        document,
        sections=tuple(
            replace(section, locked=any(first <= at[0] and at[1] <= last for first, last in spans))
            for section in document.sections
            for at in (document.frames_of(section),)
        ),
    )


def ask(
    session: Session, request: Request, command: BackendCommand, *, log_path: Path
) -> Generator[Step, None, Message]:
    """Send a request and wait for its result. Raises PirouetteError, Cancelled."""
    job = session.new_job(*request)
    session.submit(job, command, log_path=log_path)
    try:
        while not job.ended:
            yield Step.WAIT
            if session.cancel_requested:
                job.cancel()
    finally:
        job.cancel()  # of no effect on a job that has ended
    if job.state is JobState.CANCELLED:
        raise Cancelled
    if job.error is not None:
        raise job.error
    assert job.result is not None
    return job.result


def write_dance(request: DanceRequest, document: DanceDocument) -> Generator[None, None, None]:
    """Put a dance into the scene: on the dancer there is, else on a new one. Leaves nothing half-written."""
    context = bpy.context
    if context.scene.name != request.scene_name:
        raise PirouetteError(
            "internal", f"The dance is for the scene “{request.scene_name}”.", "Go back to it and generate again."
        )
    dancer = find_dancer(context)
    created: list[bpy.types.ID] = []
    try:
        if dancer is None:
            dancer = create_dancer(context)
            created.append(dancer.data)
            yield
            created.append(add_mannequin(context, dancer).data)
            yield
        number = next_number(dancer)
        settings = document.settings
        name = take_name(number, genre=settings.genre, seed=settings.seed)
        yield from write_take(dancer, document, number=number, name=name)
    except BaseException:  # a cancel closes the generator: that is one, too
        bpy.data.batch_remove(created)
        raise
    store(dancer, document, number=number)
    show_sections(dancer, select=0)
    mark_sections(context.scene, dancer)
    context.scene.pirouette.dancer = dancer
    make_active(context, dancer)
    if request.directions.beats is None:  # edited ones stay as they are
        yield from write_markers(
            context.scene, document.beats, document.placement, accents_s=request.directions.accents_s
        )
