"""The façade: a song and a prompt in, a dance out. Holds the models and knows the order of the stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from backend import __version__
from backend.canvas import Canvas
from backend.coder import CodeArray, DanceCoder
from backend.dance import Dance, Settings, section_frames, sections_of, sections_with
from backend.diffusion.conditions import MUSIC_CHANNELS, Conditions, Words, music_input
from backend.diffusion.sampling import Job, Sampler
from backend.direction_checks import check_directions
from backend.directions import Directions, KeyPose, Part
from backend.errors import PirouetteError
from backend.evaluation.report import quality_report
from backend.gap import Gap
from backend.longform.coarse_to_fine import Plan, planned, reused
from backend.longform.making import DEFAULT, make
from backend.longform.primitives import PrimitiveMaker
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import load_into, read_weights
from backend.motion.contacts import contact_labels
from backend.motion.locking import lock_errors, unreachable
from backend.motion.motion import Motion
from backend.motion.planting import plant
from backend.motion.representation import CONTACTS
from backend.motion.representation import decode as decode_motion
from backend.motion.representation import encode as encode_motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid, track_beats
from backend.music.features import MusicFeatures, music_features
from backend.music.features import warm_up as warm_up_features
from backend.music.structure import music_parts
from backend.request import GenerateRequest, Progress, Stopwatch
from backend.spaces import MotionSpace, Space, space_of
from backend.text.prompting import prompt_vectors
from backend.text.vocabulary import resolve_genre

REFINEMENT = 1.0  # share of the correction that is taken
FILL_STEPS = 6  # of the solver, for frames whose neighbours are known: an animator waits for each
MOST_THREADS = 4  # a busy Blender runs beside us


class Choreographer:
    """All models, loaded once. device: "auto", "cpu", "cuda", "mps"; threads: of the CPU, chosen if None; refinement:
    share of the refiner's correction that is taken; lock_exactly: whether a last pass makes key poses exact.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        threads: int | None = None,
        weights: Path | None = None,
        sampler: Sampler | None = None,
        refinement: float = REFINEMENT,
        lock_exactly: bool = True,
    ) -> None:
        torch.set_num_threads(threads or min(MOST_THREADS, torch.get_num_threads()))
        self.device = _device(device)
        denoiser = read_weights("denoiser", folder=weights)
        refiner = read_weights("refiner", folder=weights)
        self.refiner = TemporalRefiner(RefinerConfig(**refiner.config))
        load_into(self.refiner, refiner)
        self.refiner.to(self.device)
        self.coder = DanceCoder(self.device, weights=weights)
        self.motion_space = MotionSpace(denoiser, self.device)
        self.weights = weights
        self.version = f"denoiser {denoiser.version}, refiner {refiner.version}, codec {self.coder.version}"
        self.sampler = sampler or Sampler()
        self.refinement, self.lock_exactly = refinement, lock_exactly
        self._code_space: Space | None = None
        self._primitive_maker: PrimitiveMaker | None = None

    def describe(self) -> dict[str, Any]:
        """Device, models and version, for the wire's ``ready``."""
        return {"device": str(self.device), "models": self.version, "version": __version__}

    def warm_up(self) -> None:
        """Make a short dance, so that everything is loaded and compiled before the first request."""
        from backend.music.audio import audio_from_samples

        warm_up_features()
        time_s = np.arange(4 * 22050) / 22050
        clicks = (np.sin(2 * np.pi * 220 * time_s) * np.exp(-30 * (time_s % 0.5))).astype(np.float32)
        request = GenerateRequest(audio_from_samples(clicks, 22050), genre="salsa", text="warm up")
        self.generate(request, progress=lambda *_: None, cancelled=lambda: False)

    def analyse(self, audio: Audio) -> BeatGrid:
        """The beats of a song."""
        return track_beats(audio)

    def hear(self, audio: Audio, grid: BeatGrid | None = None) -> MusicFeatures:
        """What every stage knows of a song. grid: its beats, where somebody has edited them."""
        return music_features(audio, grid)

    def generate(self, request: GenerateRequest, *, progress: Progress, cancelled: Callable[[], bool]) -> Dance:
        """Make a dance as long as the song. Raises PirouetteError, Cancelled."""
        directions = request.directions
        settings = Settings(
            resolve_genre(request.genre).name if request.genre.strip() else "",
            request.text.strip(),
            request.seed,
            directions.novelty,
            directions.strategy,
            directions.reuse,
        )
        check_directions(directions, duration_s=request.audio.duration_s)
        watch = Stopwatch(progress, cancelled)
        frames = max(round(request.audio.duration_s * FPS), 2)
        with watch.stage("listen"):
            space = self.space(request.model)
            features = self.hear(request.audio, request.grid)
            beats_s = features.grid.beats_s if features.grid.clear else ()
            canvas = Canvas.of(frames, directions, multiple=space.frames, beats_s=beats_s)
            conditions = self.conditions(canvas, features.grid, features.sound, settings, directions.parts)
        with watch.stage("dance", self.sampler.steps):
            job = Job(lambda done, total: progress("dance", done, total), cancelled)
            plan = self._plan(canvas, conditions, features, request)
            rows = make(
                space.network,
                conditions,
                sampler=self.sampler,
                generator=torch.Generator().manual_seed(settings.seed),
                job=job,
                given=canvas.given(space) if plan is None else plan.given,
                strategy=directions.strategy if plan is None else "coarse_to_fine",
                borders=None if plan is None else plan.borders,
            )
        with watch.stage("refine"):
            numbers = self.refine(space.leave(rows))
        with watch.stage("plant"):
            motion = canvas.danced(numbers, exactly=self.lock_exactly)
            contacts = contact_labels(motion.joints(), fps=FPS)
            sections = sections_with(sections_of(features.grid, frames / FPS, settings), directions.parts)
            movement_codes, pose_codes = self.encode(motion, section_frames(sections))
        report = self._report(quality_report(motion, features.grid.beats_s), watch, motion.frames)
        dance = Dance(
            motion=motion,
            contacts=contacts,
            grid=features.grid,
            sections=sections,
            settings=settings,
            model_version=self.version,
            report=report | _directed(motion, directions),
            warnings=(*self._warnings(features.grid, settings), *unreachable(directions.key_poses)),
            sound=features.sound,
            movement_codes=movement_codes,
            pose_codes=pose_codes,
            key_poses=directions.key_poses,
            accents_s=directions.accents_s,
        )
        return dance.resampled(request.fps)

    def _plan(
        self, canvas: Canvas, conditions: Conditions, features: MusicFeatures, request: GenerateRequest
    ) -> Plan | None:
        """Primitives and segments, where the dance is made coarse to fine or parts of it are to come again."""
        directions = request.directions
        if directions.strategy != "coarse_to_fine" and directions.reuse == "none":
            return None
        if request.model == "code":
            raise PirouetteError("bad_request", "A dance of codes cannot be made coarse to fine.", "Choose motion.")

        def again(primitives: Tensor, bars: list[int]) -> Tensor:
            parts = music_parts(features.sound, features.grid)
            times_s = [(bar - canvas.first) / FPS for bar in bars]
            return reused(primitives, times_s, parts, self.motion_space, mirrored=directions.reuse == "mirror")

        return planned(
            self._primitives(),
            conditions,
            canvas.given(self.motion_space),
            seed=request.seed,
            again=None if directions.reuse == "none" else again,
        )

    def _primitives(self) -> PrimitiveMaker:
        if self._primitive_maker is None:
            self._primitive_maker = PrimitiveMaker(self.device, weights=self.weights)
        return self._primitive_maker

    def conditions(
        self,
        canvas: Canvas,
        grid: BeatGrid,
        sound: npt.NDArray[np.float16],
        settings: Settings,
        parts: Sequence[Part] = (),
    ) -> Conditions:
        """What the network is told of the frames of a canvas: music channels and the prompt's vectors.

        grid, sound (S, 37): of the dance's own frames; before and behind them, and where the sound ends, nothing
        is told. parts: spans with words of their own.
        """
        frames = len(canvas.numbers)
        heard = sound[: frames - canvas.first].astype(np.float32)
        music = np.zeros((frames, MUSIC_CHANNELS), dtype=np.float32)
        music[canvas.first : canvas.first + len(heard)] = music_input(grid, heard, frames=len(heard))
        first = canvas.first
        return Conditions(
            torch.from_numpy(music).to(self.device),
            *prompt_vectors(settings.genre, settings.text),
            parts=tuple(
                Words(
                    first + round(part.start_s * FPS),
                    first + round(part.end_s * FPS),
                    *prompt_vectors(part.genre, part.prompt),
                )
                for part in parts
            ),
        )

    def space(self, name: str) -> Space:
        """The space of a model: "motion", "code", or "" for the better one. Raises PirouetteError("bad_request")."""
        if name in ("", "motion"):
            return self.motion_space
        if name != "code":
            raise PirouetteError("bad_request", f"There is no model “{name}”.", "Choose motion or code.")
        if self._code_space is None:
            self._code_space = space_of("code", self.coder, self.device, weights=self.weights)
        return self._code_space

    def refine(self, numbers: Tensor) -> Tensor:
        """A dance (T, 151) after the refiner, on the CPU."""
        rows = self.motion_space.enter(numbers)
        rows = rows + self.refinement * (self.refiner.refine(rows) - rows)
        return self.motion_space.leave(rows).cpu()

    def encode(self, motion: Motion, frames: Sequence[int]) -> tuple[CodeArray, CodeArray]:
        """Movement codes and pose codes of a motion that consists of sections of so many frames."""
        return self.coder.encode(encode_motion(motion), frames)

    def decode(self, movement_codes: CodeArray, pose_codes: CodeArray, frames: Sequence[int]) -> Motion:
        """The motion of consecutive runs of codes, from the origin, refined and planted."""
        return self.plant(self.refine(self.coder.decode(movement_codes, pose_codes, frames)))

    def fill(
        self,
        motion: Motion,
        span: tuple[int, int],
        *,
        grid: BeatGrid,
        sound: npt.NDArray[np.float16],
        genre: str,
        prompt: str,
        seed: int,
        strength: float,
        pinned: bool,
        model: str = "",
        key_poses: Sequence[KeyPose] = (),
        novelty: float = 0.0,
    ) -> Motion:
        """New frames first..last (exclusive) for a dance; see ``backend.editing.artist.Artist``."""
        settings = Settings(resolve_genre(genre).name if genre.strip() else "", prompt.strip(), seed)
        space = self.space(model)
        gap = Gap.around(motion, span, key_poses, multiple=space.frames, pinned=pinned, novelty=novelty)
        music = replace(grid, beats_s=grid.beats_s - gap.begin / FPS)
        beats_s = music.beats_s if music.clear else ()
        canvas = Canvas.of(gap.frames, gap.directions, multiple=space.frames, beats_s=beats_s, floating=gap.floating)
        rows = make(
            space.network,
            self.conditions(canvas, music, sound[gap.begin : gap.begin + gap.frames], settings),
            sampler=replace(self.sampler, steps=FILL_STEPS),
            generator=torch.Generator().manual_seed(seed),
            given=canvas.given(space, strength=strength),
        )
        return gap.filling(canvas.danced(self.refine(space.leave(rows)), exactly=self.lock_exactly))

    def plant(self, numbers: Tensor) -> Motion:
        """The refined dance (T, 151) on its feet."""
        motion, _ = plant(decode_motion(numbers), numbers[:, CONTACTS].double().numpy())
        return motion

    def _report(self, quality: dict[str, float], watch: Stopwatch, frames: int) -> dict[str, Any]:
        seconds = sum(watch.seconds.values())
        return {
            "frames": frames,
            "duration_s": round(frames / FPS, 3),
            "seconds": round(seconds, 3),
            "stage_seconds": dict(watch.seconds),
            "device": str(self.device),
            **quality,
        }

    def _warnings(self, grid: BeatGrid, settings: Settings) -> tuple[str, ...]:
        warnings = []
        if not grid.clear:
            warnings.append("The music has no clear beat: the dance follows a steady grid of its own.")
        if settings.genre and not (genre := resolve_genre(settings.genre)).trained:
            warnings.append(f"The model has not seen any {genre.label} in training: it goes by the words alone.")
        return tuple(warnings)


def _directed(motion: Motion, directions: Directions) -> dict[str, Any]:
    """How well directions were followed, for the report; nothing where there were none."""
    if directions == Directions():
        return {}
    told: dict[str, Any] = {"key_poses": len(directions.key_poses), "strategy": directions.strategy or DEFAULT}
    if directions.key_poses:
        errors = lock_errors(motion, directions.key_poses)
        told |= {"key_pose_error_m": errors.distance_m, "key_pose_error_deg": errors.angle_deg}
        told |= {"place_error_m": errors.place_m, "heading_error_deg": errors.heading_deg}
    return {"directions": told}


def _device(name: str) -> torch.device:
    """The torch device of a name; "auto" is the fastest one here. Raises PirouetteError("bad_request")."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there.get(name.split(":")[0], False):
        usable = ", ".join(kind for kind, found in there.items() if found)
        raise PirouetteError("bad_request", f"The device “{name}” is not there.", f"Choose auto or one of: {usable}.")
    return torch.device(name)
