"""Ablations: the denoiser without one of its parts at a time, each trained for the same time from the same seed.

As EDMG's tables 4 and 5 and LongDanceDiff's checks. A variant has a folder in OUT: its training, ``trained.json``,
``judged.json``. What is done is not done again, so a run goes on where it stopped, and two may work side by side on
different variants; each writes the table of all that is there when it ends.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from backend.choreographer import REFINEMENT
from backend.errors import PirouetteError
from backend.models.weights import WEIGHTS_FOLDER
from backend.motion.io import replacing
from backend.training.ablation_figures import Judge, Scope, WitnessedGenerator
from backend.training.ablation_table import tables
from backend.training.trainer import Run, read_recipe

Tell = Callable[[str], None]
FULL = "full"
STRENGTHS = (0.02, 0.05, 0.2)


@dataclass(frozen=True)
class Variant:
    """A network with something left out or put in. title: in the table; network, loss: what it changes in the recipe;
    trained_as: whose training it takes; refinement: share of the refiner's correction.
    """

    name: str
    title: str
    trained_as: str
    network: Mapping[str, Any] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=dict)
    refinement: float = REFINEMENT

    def recipe(self, base: Mapping[str, Any]) -> dict[str, Any]:
        """The recipe with this variant's changes."""
        return {**base, "network": {**base["network"], **self.network}, "loss": {**base["loss"], **self.loss}}


def _without(name: str, title: str, **network: Any) -> Variant:
    return Variant(name, title, name, network=network)


def _informed(strength: float) -> Variant:
    name = f"information-{strength:g}"
    return Variant(name, f"mutual information × {strength:g}", name, loss={"mutual_information": strength})


VARIANTS = (
    Variant(FULL, "full", FULL),
    Variant("without-trm", "without TRM", FULL, refinement=0.0),
    _without("without-lim", "without LIM", local_module=False),
    _without("standard-mamba", "standard Mamba", mixer="standard"),
    _without("without-gtm", "without GTM", trajectory_modulation=False),
    _without("without-beats", "without beat features", rhythm=False),
    Variant("without-beat-term", "without beat term", "without-beat-term", loss={"beat": 0.0}),
    *(_informed(strength) for strength in STRENGTHS),
)


@dataclass(frozen=True)
class Plan:
    """cache: what ``prepare`` wrote; minutes: of training for each variant; scope: what dances are judged on."""

    cache: Path
    scope: Scope
    minutes: float
    out: Path
    recipe: str = "ablation"
    device: str = "cpu"
    threads: int = 1

    def settings(self) -> dict[str, Any]:
        """What must be the same for two variants to be compared."""
        scope = {name: value for name, value in asdict(self.scope).items() if name != "library"}
        return {"minutes": self.minutes, "recipe": read_recipe(self.recipe), **scope}


def chosen_variants(only: Sequence[str]) -> list[Variant]:
    """The variants of these names, or all. Raises PirouetteError("bad_request") for a name that is not known."""
    by_name = {variant.name: variant for variant in VARIANTS}
    if unknown := [name for name in only if name not in by_name]:
        raise PirouetteError("bad_request", f"There is no variant “{unknown[0]}”.", f"Variants: {', '.join(by_name)}.")
    return [variant for variant in VARIANTS if not only or variant.name in only]


def ablate(plan: Plan, *, only: Sequence[str] = (), tell: Tell = lambda _: None) -> Path:
    """Train and judge variants, and write the tables. Returns the path of the Markdown file.

    Raises PirouetteError("bad_request") where the folder holds variants of other settings, or where a variant needs a
    training that is neither there nor asked for.
    """
    chosen = chosen_variants(only)
    _check_settings(plan)
    torch.set_num_threads(plan.threads)
    judge: Judge | None = None
    for variant in chosen:
        path = plan.out / variant.name / "judged.json"
        if path.is_file():
            tell(f"{variant.title}: done before")
            continue
        tell(f"{variant.title}: training")
        trained = _trained(variant, plan, allowed={each.trained_as for each in chosen if each.name == each.trained_as})
        tell(f"{variant.title}: judging")
        judge = judge or Judge(plan.scope)
        generator = WitnessedGenerator(
            plan.out / variant.trained_as, refinement=variant.refinement, device=plan.device, threads=plan.threads
        )
        path.parent.mkdir(exist_ok=True)
        _write(path, {"title": variant.title, **trained, **asdict(judge.judge(generator))})
    return _write_tables(plan)


def _check_settings(plan: Plan) -> None:
    """Note the settings in the folder, or hold them against those that are noted there."""
    plan.out.mkdir(parents=True, exist_ok=True)
    path, settings = plan.out / "settings.json", plan.settings()
    if not path.is_file():
        _write(path, settings)
    elif json.loads(path.read_text()) != settings:
        raise PirouetteError(
            "bad_request", f"{plan.out} holds variants of other settings.", "Choose another folder, or empty it."
        )


def _trained(variant: Variant, plan: Plan, *, allowed: set[str]) -> dict[str, Any]:
    """What is known of the training that a variant dances with; trains it, or goes on, if that is not done."""
    folder = plan.out / variant.trained_as
    path = folder / "trained.json"
    if path.is_file():
        done: dict[str, Any] = json.loads(path.read_text())
        return done
    if variant.trained_as not in allowed:
        raise PirouetteError(
            "bad_request",
            f"“{variant.name}” dances with the network of “{variant.trained_as}”, which is not trained.",
            f"Name {variant.trained_as} too.",
        )
    recipe = variant.recipe(read_recipe(plan.recipe))
    run = Run(recipe, data=plan.cache, minutes=plan.minutes, out=folder, device=plan.device)
    state = run.run()
    for name in ("refiner", "codec"):
        shutil.copy(WEIGHTS_FOLDER / f"{name}.safetensors", folder)
    done = {
        "parameters": sum(parameter.numel() for parameter in run.network.parameters()),
        "steps": state.step,
        "ms_per_step": round(1000.0 * state.seconds / state.step, 1),
        "x0_error": round(state.best, 4),
    }
    _write(path, done)
    return done


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with replacing(path) as file:
        file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _write_tables(plan: Plan) -> Path:
    """ablations.json and ablations.md of every variant that is judged by now."""
    found = {}
    for variant in VARIANTS:
        path = plan.out / variant.name / "judged.json"
        if path.is_file():
            found[variant.name] = json.loads(path.read_text())
    _write(plan.out / "ablations.json", {"settings": plan.settings(), "variants": found})
    path = plan.out / "ablations.md"
    with replacing(path) as file:
        file.write(tables(found).encode())
    return path
