"""The façade: a song and a prompt in, a dance out. Holds the models and knows the order of the stages."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend import __version__
from backend.dance import Dance, Settings, sections_of
from backend.diffusion.conditions import Conditions, music_input
from backend.diffusion.sampling import Sampler, sample
from backend.errors import Cancelled, PirouetteError
from backend.evaluation.report import quality_report
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import load_into, read_weights
from backend.motion.contacts import contact_labels
from backend.motion.motion import Motion
from backend.motion.planting import plant
from backend.motion.representation import CONTACTS, decode
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid, track_beats
from backend.music.features import MusicFeatures, music_features
from backend.music.features import warm_up as warm_up_features
from backend.text.captions import prompt_sentence
from backend.text.encoder import encode
from backend.text.vocabulary import genre_embedding, genre_in_text, resolve_genre

Progress = Callable[[str, int, int], None]
REFINEMENT = 1.0  # share of the correction that is taken
MOST_THREADS = 4  # a busy Blender runs beside us


@dataclass(frozen=True)
class GenerateRequest:
    """What an animator asks for. genre: a name or alias, "" for none; text: free words; fps: of the result."""

    audio: Audio
    genre: str = ""
    text: str = ""
    seed: int = 0
    fps: float = FPS


class Stopwatch:
    """Seconds spent in each stage; the callbacks of a job."""

    def __init__(self, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self.progress, self.cancelled = progress, cancelled
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Any:
        """Time a stage; tells its begin and its end, and stops a cancelled job."""
        if self.cancelled():
            raise Cancelled
        self.progress(name, 0, total)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 4)
        self.progress(name, total, total)


class Choreographer:
    """All models, loaded once. device: "auto", "cpu", "cuda", "mps"; threads: of the CPU, chosen if None; refinement:
    share of the refiner's correction that is taken.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        threads: int | None = None,
        weights: Path | None = None,
        sampler: Sampler | None = None,
        refinement: float = REFINEMENT,
    ) -> None:
        torch.set_num_threads(threads or min(MOST_THREADS, torch.get_num_threads()))
        self.device = _device(device)
        denoiser = read_weights("denoiser", folder=weights)
        refiner = read_weights("refiner", folder=weights)
        self.denoiser = ParallelMambaDenoiser(DenoiserConfig(**denoiser.config))
        self.refiner = TemporalRefiner(RefinerConfig(**refiner.config))
        load_into(self.denoiser, denoiser)
        load_into(self.refiner, refiner)
        self.denoiser.to(self.device)
        self.refiner.to(self.device)
        self.mean, self.std = denoiser.tensors["mean"].to(self.device), denoiser.tensors["std"].to(self.device)
        self.version = f"denoiser {denoiser.version}, refiner {refiner.version}"
        self.sampler = sampler or Sampler()
        self.refinement = refinement

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

    def hear(self, audio: Audio) -> MusicFeatures:
        """What every stage knows of a song."""
        return music_features(audio)

    def generate(self, request: GenerateRequest, *, progress: Progress, cancelled: Callable[[], bool]) -> Dance:
        """Make a dance as long as the song. Raises PirouetteError, Cancelled."""
        settings = Settings(
            resolve_genre(request.genre).name if request.genre.strip() else "", request.text.strip(), request.seed
        )
        watch = Stopwatch(progress, cancelled)
        with watch.stage("listen"):
            features = self.hear(request.audio)
            conditions = self.conditions(features, settings)
        frames = max(round(request.audio.duration_s * FPS), 2)
        with watch.stage("dance", self.sampler.steps):
            numbers = sample(
                self.denoiser,
                conditions,
                sampler=self.sampler,
                generator=torch.Generator().manual_seed(settings.seed),
                progress=lambda done, total: progress("dance", done, total),
                cancelled=cancelled,
            )
        with watch.stage("refine"):
            numbers = numbers + self.refinement * (self.refiner.refine(numbers) - numbers)
            numbers = (numbers * self.std + self.mean).cpu()[:frames]
        with watch.stage("plant"):
            motion = self.plant(numbers)
            contacts = contact_labels(motion.joints(), fps=FPS)
        report = self._report(quality_report(motion, features.grid.beats_s), watch, len(numbers))
        dance = Dance(
            motion=motion,
            contacts=contacts,
            grid=features.grid,
            sections=sections_of(features.grid, frames / FPS, settings),
            settings=settings,
            model_version=self.version,
            report=report,
            warnings=self._warnings(features.grid, settings),
        )
        return dance.resampled(request.fps)

    def conditions(self, features: MusicFeatures, settings: Settings) -> Conditions:
        """What the network is told: music channels of an even number of frames, and the prompt's vectors."""
        sound = np.concatenate([features.energy, features.timbre], axis=1)
        sound = np.concatenate([sound, sound[-1:]])[: len(sound) + len(sound) % 2]
        music = music_input(features.grid, sound, frames=len(sound))
        named = settings.genre or (found.name if (found := genre_in_text(settings.text)) else "")
        sentence = prompt_sentence(settings.genre, settings.text)
        return Conditions(
            music=torch.from_numpy(music).to(self.device),
            genre=_vector(genre_embedding(named)) if named else None,
            text=_vector(encode([sentence])[0]) if settings.text else None,
        )

    def plant(self, numbers: Tensor) -> Motion:
        """The refined dance (T, 151) on its feet."""
        motion, _ = plant(decode(numbers), numbers[:, CONTACTS].double().numpy())
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


def _vector(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def _device(name: str) -> torch.device:
    """The torch device of a name; "auto" is the fastest one here. Raises PirouetteError("bad_request")."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there.get(name.split(":")[0], False):
        usable = ", ".join(kind for kind, found in there.items() if found)
        raise PirouetteError("bad_request", f"The device “{name}” is not there.", f"Choose auto or one of: {usable}.")
    return torch.device(name)
