"""Set the backend's environment up in a thread of its own; the owner looks at its state now and then. No bpy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .environment import InstallProgress, create_environment
from .errors import PirouetteError
from .installation_steps import SetupError

# Share of the whole before each stage of the installation, and what the animator reads.
_STAGES = {
    "python": (0.0, 0.02, "Making a Python of its own"),
    "packages": (0.02, 0.90, "Installing packages"),
    "test": (0.92, 0.06, "Trying it"),
    "finish": (0.98, 0.02, "Finishing"),
}


@dataclass(frozen=True)
class SetupState:
    """What the panel shows. fraction: 0 to 1."""

    fraction: float
    label: str
    detail: str = ""


class SetupJob:
    """An installation under way."""

    def __init__(
        self,
        target: Path,
        requirements: Sequence[Path],
        python: Path | str,
        *,
        create: Callable[..., Path] = create_environment,
    ) -> None:
        self.state = SetupState(0.0, "Starting")
        self.error: PirouetteError | None = None
        self.cancelled = False
        self._cancel = threading.Event()
        self._create = create
        self._thread = threading.Thread(
            target=self._work, args=(target, requirements, python), name="pirouette-setup", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Stop at the next opportunity; what was there before stays."""
        self._cancel.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def _work(self, target: Path, requirements: Sequence[Path], python: Path | str) -> None:
        try:
            self._create(target, requirements, python, report=self._report, cancelled=self._cancel.is_set)
        except SetupError as error:
            self.cancelled = error.code == "cancelled"
            self.error = None if self.cancelled else PirouetteError(error.code, error.message, error.hint)
        except (OSError, ValueError) as error:
            self.error = PirouetteError("no_environment", f"The backend could not be set up: {error}.")

    def _report(self, progress: InstallProgress) -> None:
        before, share, label = _STAGES.get(progress.stage, (self.state.fraction, 0.0, progress.stage))
        within = progress.done / progress.total if progress.total else 0.0
        self.state = SetupState(before + share * min(max(within, 0.0), 1.0), label, progress.detail)
