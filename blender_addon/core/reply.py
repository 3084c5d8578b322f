"""Turn the backend's result message into a dance document; nothing that arrives is trusted."""

from __future__ import annotations

from typing import Any

from .dance import Beats, DanceDocument, Placement, Section, Settings
from .errors import PirouetteError
from .protocol import Message, ProtocolError


def document_from_result(
    message: Message, *, settings: Settings, placement: Placement, addon_version: str
) -> DanceDocument:
    """The dance of a ``result`` message.

    Raises PirouetteError bad_request when the message is not a whole and valid dance.
    """
    header = message.header
    try:
        downbeat = message.array("downbeat", dtype="|u1", dimensions=(1,)).numpy()
        return DanceDocument(
            poses=message.array("poses", dtype="<f4", dimensions=(3,)).numpy().copy(),
            pelvis=message.array("pelvis", dtype="<f4", dimensions=(2,)).numpy().copy(),
            contacts=message.array("contacts", dtype="|u1", dimensions=(2,)).numpy() > 0,
            fps=float(header["fps"]),
            beats=Beats(
                message.array("beats_s", dtype="<f8", dimensions=(1,)).numpy().copy(),
                downbeat > 0,
                float(header["tempo_bpm"]),
                int(header["metre"]),
                bool(header["beat_clear"]),
            ),
            placement=placement,
            settings=settings,
            sections=tuple(_section(section) for section in header.get("sections", ())),
            model_version=str(header.get("model_version", "")),
            addon_version=addon_version,
            report=dict(header.get("report", {})),
            warnings=tuple(str(warning) for warning in header.get("warnings", ())),
        )
    except (ProtocolError, PirouetteError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = error.message if isinstance(error, PirouetteError) else str(error)
        raise PirouetteError(
            "bad_request", f"The backend's answer is not a dance: {reason}", "Set up the backend again."
        ) from error


def _section(values: dict[str, Any]) -> Section:
    return Section(
        name=str(values.get("name", "")),
        start_s=float(values["start_s"]),
        end_s=float(values["end_s"]),
        genre=str(values.get("genre", "")),
        prompt=str(values.get("prompt", "")),
        seed=int(values.get("seed", 0)),
        locked=bool(values.get("locked", False)),
    )
