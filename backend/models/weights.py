"""Weight files: fp16 safetensors whose header says what network they are for and how to normalise its numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from backend.errors import PirouetteError

FORMAT = 1
WEIGHTS_FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class WeightFile:
    """A weight file in memory. kind: "denoiser", "refiner", …; config: sizes of the network; tensors: fp32."""

    kind: str
    version: str
    config: dict[str, Any]
    tensors: dict[str, Tensor]


def weight_bytes(kind: str, version: str, network: nn.Module, extra: dict[str, Tensor]) -> bytes:
    """A network and its extra tensors (mean, std) as the bytes of a weight file, in fp16; extras stay in fp32."""
    tensors = {f"net.{name}": value.half().contiguous() for name, value in network.state_dict().items()}
    tensors |= {name: value.float().contiguous() for name, value in extra.items()}
    config = getattr(network, "config").to_dict()  # noqa: B009
    header = {"format": str(FORMAT), "kind": kind, "version": version, "config": json.dumps(config)}
    data: bytes = save(tensors, metadata=header)
    return data


def read_weights(kind: str, *, folder: Path | None = None) -> WeightFile:
    """The bundled weights of a network. Raises PirouetteError("weights_missing") or ("weights_version")."""
    path = (folder or WEIGHTS_FOLDER) / f"{kind}.safetensors"
    if not path.is_file():
        raise PirouetteError(
            "weights_missing", f"The model's weights are missing: {path.name}.", "Install the add-on again."
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise PirouetteError(
            "weights_missing", f"The model's weights are damaged: {path.name} ({error}).", "Install the add-on again."
        ) from error
    if header.get("format") != str(FORMAT) or header.get("kind") != kind:
        raise PirouetteError(
            "weights_version",
            f"{path.name} is of another version: format {header.get('format')}, this program reads {FORMAT}.",
            "Install the add-on and its backend from the same zip.",
        )
    return WeightFile(kind, header.get("version", ""), json.loads(header["config"]), tensors)


def load_into(network: nn.Module, file: WeightFile) -> None:
    """Fill a network from a weight file. Raises PirouetteError("weights_version") where they do not fit."""
    state = {name.removeprefix("net."): value for name, value in file.tensors.items() if name.startswith("net.")}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise PirouetteError(
            "weights_version",
            f"The {file.kind} weights do not fit this program's network.",
            "Install the add-on and its backend from the same zip.",
        ) from error
    network.requires_grad_(False)
    network.eval()
