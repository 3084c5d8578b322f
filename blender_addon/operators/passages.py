"""New movement beside movement that there is, whatever made it: read the armature, ask, join, write as a new take."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..core.dance import Beats, DanceDocument, Placement, Settings
from ..core.directions import Directions
from ..core.edits import encode_request
from ..core.environment import BackendCommand
from ..core.errors import PirouetteError
from ..core.passages import Around, end_of_counts, joined
from ..core.reply import beats_from_result, document_from_result
from ..core.session import SESSION
from ..core.skeleton import FPS
from ..core.wav import Sound
from ..preferences import backend_command, log_path
from ..scene.audio import Mixdown
from ..scene.locks import key_poses_in
from ..scene.markers import accents_within, add_markers, edited_beats, heard_beats, marked, write_markers
from ..scene.movement import shown_take
from ..scene.readback import read_animation
from ..scene.section_list import mark_sections, show_sections
from ..scene.storage import load, store
from ..scene.strips import SHORTEST_S, FrameRange, check_sound, music_scene, sound_strips, strip_range
from ..scene.take import next_number, write_take
from ..scene.timing import scene_fps
from ..version import addon_version
from .carrying import carried_on
from .making import DanceRequest, ask, ask_for_dance, mix
from .stepping import Step, undisturbed
from .watching import WATCH

BEFORE_S = 10.0  # how much of what was danced is told to the backend
FEWEST_FRAMES = 8
_LISTEN_BEFORE_S, _LISTEN_AFTER_S = 8.0, 4.0
_LONGEST_BEAT_S = 1.3


@dataclass(frozen=True)
class Stage:
    """Where new movement is made: everything read from the scene when the animator clicked, no Blender data."""

    scene_name: str
    music_name: str
    strip: str
    music: FrameRange  # the frames that hold music
    dancer_name: str
    fps: float
    settings: Settings
    command: BackendCommand

    @property
    def scene(self) -> bpy.types.Scene:
        """The scene, looked up anew."""
        return bpy.data.scenes[self.scene_name]

    def dancer(self) -> bpy.types.Object:
        """The dancer, looked up anew. Raises PirouetteError no_take."""
        dancer = bpy.data.objects.get(self.dancer_name)
        if dancer is None:
            raise PirouetteError("no_take", f"The dancer “{self.dancer_name}” is no longer there.")
        return dancer


def read_stage(context: bpy.types.Context, dancer: bpy.types.Object, *, seed: int) -> Stage:
    """The stage as the scene has it. Raises PirouetteError no_sound, bad_range."""
    scene, music, settings = context.scene, music_scene(context), context.scene.pirouette
    fps = scene_fps(scene)
    if abs(scene_fps(music) - fps) > 1e-6:
        raise PirouetteError(
            "bad_range", f"The music's scene “{music.name}” runs at another frame rate.", "Give both the same."
        )
    strip = settings.strip if settings.source == "STRIP" else ""
    ranges = [strip_range(found) for found in sound_strips(music) if not strip or found.name == strip]
    if not ranges:
        raise PirouetteError("no_sound", "There is no sound on the timeline.", "Add a song first.")
    heard = FrameRange(max(min(found.first for found in ranges), 0), max(found.last for found in ranges))
    asked = Settings(
        genre="" if settings.genre == "ANY" else settings.genre,
        text=settings.prompt.strip(),
        seed=seed,
        source=settings.source,
        strip=strip,
        model=settings.model,
        novelty=settings.novelty,
        strategy="" if settings.strategy == "AUTO" else settings.strategy.lower(),
        reuse=settings.reuse.lower(),
    )
    return Stage(scene.name, music.name, strip, heard, dancer.name, fps, asked, backend_command(context))


def continue_steps(
    context: bpy.types.Context, stage: Stage, whole: FrameRange, start: int, counts: int, name: str
) -> Generator[Step, None, None]:
    """Dance on from a frame of the scene for so many counts."""
    log = log_path(context)
    if start > stage.music.last:
        raise PirouetteError(
            "bad_range", f"The music ends at frame {stage.music.last}, before the dance would go on.", "Add music."
        )
    beats = yield from _beats_from(stage, start, counts, log)  # seconds from the first frame of the music
    start_s = (start - stage.music.first) / stage.fps
    limit_s = stage.music.frames / stage.fps
    end_s = end_of_counts(beats.beats_s, start_s, counts, limit_s=limit_s)
    last = stage.music.first + round(end_s * stage.fps) - 1
    new = FrameRange(start, max(last, start))
    yield from passage_steps(
        stage, FrameRange(whole.first, new.last), new, log, name=name, beats=_shifted(beats, start_s)
    )


def passage_steps(
    stage: Stage, whole: FrameRange, new: FrameRange, log: Path, *, name: str, beats: Beats | None = None
) -> Generator[Step, None, None]:
    """Make the frames ``new`` of the frames ``whole`` anew and write all of them as a new take."""
    around = yield from _read_around(stage, whole, new)
    fps = stage.fps
    short_frames = round(SHORTEST_S * fps) - new.frames
    mixed = FrameRange(new.first, new.last + max(short_frames, 0))
    check_sound(bpy.data.scenes[stage.music_name], mixed, strip_name=stage.strip)
    sound = yield from mix(SESSION, Mixdown(stage.music_name, mixed, stage.strip))
    first, last = around.span
    sound = lasting(sound, last - first if short_frames <= 0 else max(last - first, round(mixed.duration_s(fps) * FPS)))
    directions = _directions(stage, around, new, beats)
    if short_frames > 0 and directions.after is not None:
        raise PirouetteError(
            "too_short",
            f"The gap lasts {new.duration_s(fps):.1f} s; it takes at least {SHORTEST_S:.0f} s.",
            "Widen it, or fill it in a dance: turn the animation into one first.",
        )
    request = DanceRequest(stage.scene_name, stage.music_name, mixed, fps, stage.settings, directions)
    made = yield from ask_for_dance(SESSION, request, stage.command, sound, log, addon_version())
    document = joined(around, made, addon_version=addon_version())
    message = yield from ask(SESSION, encode_request(document), stage.command, log_path=log)
    encoded = document_from_result(
        message, settings=document.settings, placement=document.placement, addon_version=addon_version()
    )
    document = replace(
        document, contacts=encoded.contacts, sections=encoded.sections, report={},
        movement_codes=encoded.movement_codes, pose_codes=encoded.pose_codes,
    )  # fmt: skip
    yield from _write(stage, document, new, name)
    SESSION.warning = " ".join(made.warnings)
    yield from carried_on(stage.dancer())


def lasting(sound: Sound, frames: int) -> Sound:
    """The sound cut or filled up with silence so that it lasts so many of the model's frames.

    It does so already but for one: where new frames begin and end is rounded to the model's rate, each for itself.
    """
    count = round(frames / FPS * sound.sample_rate_hz)
    missing = max(count - len(sound.samples), 0)
    return replace(sound, samples=np.pad(sound.samples[:count], ((0, missing), (0, 0))))


def _read_around(stage: Stage, whole: FrameRange, new: FrameRange) -> Generator[Step, None, Around]:
    dancer = stage.dancer()
    take = shown_take(dancer)
    document = load(dancer) if take is not None else None
    if take is not None and document is not None:
        placed = take.scene_frame(document.placement.first_frame)
        same = abs(placed - whole.first) < 1e-6 and abs(take.strip.scale - 1.0) < 1e-6
        document = document if same and document.placement.fps == stage.fps else None
    reading = read_animation(stage.scene, stage.dancer_name, first=whole.first, last=whole.last)
    with closing(reading):
        poses, pelvis = yield from undisturbed(reading)
    placement = Placement(whole.first, whole.frames, stage.fps)
    first = new.first - whole.first
    return Around(placement, first, first + new.frames, poses, pelvis, document)


def _directions(stage: Stage, around: Around, new: FrameRange, beats: Beats | None) -> Directions:
    scene, most = stage.scene, round(BEFORE_S * FPS)
    before, after = around.before(), around.after()
    if beats is None:
        beats, accents_s = edited_beats(scene, first=new.first, frames=new.frames, fps=stage.fps)
    else:
        accents_s = accents_within(scene, first=new.first, frames=new.frames, fps=stage.fps)
    return Directions(
        key_poses=key_poses_in(
            scene,
            stage.dancer(),
            time_of=lambda frame: (frame - new.first) / stage.fps,
            duration_s=new.duration_s(stage.fps),
        ),
        accents_s=accents_s,
        before=None if before is None else (before[0][-most:], before[1][-most:]),
        after=None if after is None else (after[0][:most], after[1][:most]),
        beats=beats,
        novelty=stage.settings.novelty,
        strategy=stage.settings.strategy,
        reuse=stage.settings.reuse,
    )


def _beats_from(stage: Stage, start: int, counts: int, log: Path) -> Generator[Step, None, Beats]:
    """Beats around a frame and for some counts behind it, seconds from the music's first frame: those that the timeline
    shows where they reach so far, else what is heard.
    """
    heard = heard_beats(stage.scene)
    if heard is not None:
        shown = marked(stage.scene)
        if int((shown.frames >= start).sum()) > counts and shown.frames[0] <= start:
            seconds = (shown.frames - stage.music.first) / stage.fps
            return Beats(seconds, shown.downbeat, heard.tempo_bpm, heard.metre, heard.clear)
    first = max(start - round(_LISTEN_BEFORE_S * stage.fps), stage.music.first)
    wanted_s = counts * _LONGEST_BEAT_S + _LISTEN_AFTER_S
    last = min(start + round(wanted_s * stage.fps), stage.music.last)
    sound = yield from mix(SESSION, Mixdown(stage.music_name, FrameRange(first, last), stage.strip))
    request = {"type": "analyse", "sample_rate_hz": sound.sample_rate_hz}, {"audio": sound.mono}
    found = beats_from_result((yield from ask(SESSION, request, stage.command, log_path=log)))
    return _shifted(found, -(first - stage.music.first) / stage.fps)


def _shifted(beats: Beats, by_s: float) -> Beats:
    """Beats told from a moment ``by_s`` later; those before it are left out."""
    times_s = beats.beats_s - by_s
    inside = times_s > -1e-6
    return replace(beats, beats_s=np.maximum(times_s[inside], 0.0), downbeat=beats.downbeat[inside])


def _write(stage: Stage, document: DanceDocument, new: FrameRange, name: str) -> Generator[Step, None, None]:
    dancer, scene = stage.dancer(), bpy.context.scene
    number = next_number(dancer)
    with closing(write_take(dancer, document, number=number, name=f"Dance {number:03d} {name}")) as steps:
        for _ in steps:
            yield Step.WRITE
    store(dancer, document, number=number)
    at_s = (new.first - document.placement.first_frame) / stage.fps
    select = next((i for i, section in enumerate(document.sections) if section.start_s >= at_s - 0.05), 0)
    show_sections(dancer, select=select)
    mark_sections(scene, dancer)
    if marked(scene).edited:
        add_markers(scene, document.beats, document.placement)
    else:
        for _ in write_markers(scene, document.beats, document.placement, accents_s=document.accents_s):
            yield Step.WRITE
    scene.frame_end = max(scene.frame_end, new.last)
    WATCH.look_again()
