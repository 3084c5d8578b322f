"""The backend's own Python environment: find it, launch it, create it. Standard library only, no bpy.

The backend never runs in Blender's Python. It is started as an argument list without a shell, in isolated mode and
without the PYTHON* variables of the host, which may point a second Python at the wrong packages.
A new environment is installed beside the old one, tried, and only then takes its place, so that an installation that
is killed at any moment leaves either the old environment or the new one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shlex
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .installation_steps import SetupError as SetupError  # part of what this module offers
from .installation_steps import StepRunner

PYTHON_VARIABLE = "PIROUETTE_BACKEND_PYTHON"
STATE_FILE = "pirouette-environment.json"
SMOKE_TEST = "import torch, librosa, soundfile, safetensors; torch.ones(2).sum().item()"

# Threads that wait without spinning beside a busy Blender; nothing is fetched while a song is danced.
_BACKEND_SETTINGS = {
    "KMP_BLOCKTIME": "0",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
_HOST_VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__")
# Where pip puts packages is decided here; every other PIP_* setting (index, proxy, certificates, cache) is the user's.
_PIP_PLACES = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_PYTHON",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_DRY_RUN",
)
_RENAME_ATTEMPTS = 20
_RENAME_PAUSE_S = 0.25


@dataclass(frozen=True)
class BackendCommand:
    """How to start a backend: argument list, environment variables, and where the choice came from."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    origin: str = "given"


@dataclass(frozen=True)
class InstallProgress:
    """One step of an installation. stage: ``python packages test finish``; done of total; detail: a line to show."""

    stage: str
    done: int
    total: int
    detail: str = ""


Report = Callable[[InstallProgress], None]


def environment_python(folder: Path) -> Path:
    """The Python of the virtual environment in this folder, whether it exists or not."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def scrubbed_environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables without those that lead another Python astray."""
    source = os.environ if variables is None else variables
    return {k: v for k, v in source.items() if not k.upper().startswith("PYTHON") and k not in _HOST_VARIABLES}


def backend_launch(
    python: Path | str, backend_folder: Path, *, variables: Mapping[str, str] | None = None, origin: str = "given"
) -> BackendCommand:
    """The command that serves the backend of this folder with this Python: isolated, in UTF-8."""
    arguments = (str(python), "-I", "-X", "utf8", str(backend_folder / "__main__.py"), "serve")
    return BackendCommand(arguments, {**scrubbed_environment(variables), **_BACKEND_SETTINGS}, origin)


def find_backend_command(
    *,
    backend_folder: Path,
    environment_folder: Path,
    preference: str = "",
    requirements: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
) -> BackendCommand:
    """Choose the backend: the preference, else PIROUETTE_BACKEND_PYTHON, else the installed environment.

    preference: empty, the path of a Python, or a whole command such as ``ssh gpu-box pirouette-backend serve``.
    requirements: what the installed environment must have been made from; empty accepts any.
    Raises SetupError (no_environment) that says what to do.
    """
    source = os.environ if variables is None else variables
    if preference.strip():
        return _preferred_command(preference.strip(), backend_folder, source)
    named = source.get(PYTHON_VARIABLE, "").strip()
    if named:
        if not Path(named).is_file():
            raise SetupError("no_environment", f"{PYTHON_VARIABLE} names {named}, which does not exist.")
        return backend_launch(named, backend_folder, variables=source, origin="variable")
    if not environment_python(environment_folder).exists():
        raise SetupError(
            "no_environment", "The dance backend is not installed yet.", "Install it in the add-on's preferences."
        )
    if requirements and not _state_matches(environment_folder, requirements):
        raise SetupError(
            "no_environment",
            "The dance backend is of another version.",
            "Install it again in the add-on's preferences.",
        )
    python = environment_python(environment_folder)
    return backend_launch(python, backend_folder, variables=source, origin="installed")


def _preferred_command(preference: str, backend_folder: Path, variables: Mapping[str, str]) -> BackendCommand:
    if Path(preference).is_file():  # a path may hold spaces
        return backend_launch(preference, backend_folder, variables=variables, origin="preference")
    try:
        words = shlex.split(preference, posix=os.name != "nt")
    except ValueError as error:
        raise SetupError("no_environment", f"The backend command {preference!r} cannot be read: {error}.") from error
    words = [word.strip('"') for word in words] if os.name == "nt" else words
    if shutil.which(words[0], path=variables.get("PATH")) is None:
        raise SetupError(
            "no_environment",
            f"The backend command begins with {words[0]!r}, which is not a program on this computer.",
            "Correct the command in the add-on's preferences, or leave it empty.",
        )
    return BackendCommand(tuple(words), {**scrubbed_environment(variables), **_BACKEND_SETTINGS}, "preference")


def requirements_hash(requirements: Sequence[Path]) -> str:
    """A number that changes when any of the requirement files changes."""
    digest = hashlib.sha256()
    for path in requirements:
        lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        digest.update("\n".join(line for line in lines if line and not line.startswith("#")).encode() + b"\0")
    return digest.hexdigest()


def environment_is_current(folder: Path, requirements: Sequence[Path]) -> bool:
    """Whether the environment in this folder was completed from exactly these requirement files."""
    return environment_python(folder).exists() and _state_matches(folder, requirements)


def _state_matches(folder: Path, requirements: Sequence[Path]) -> bool:
    try:
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and state.get("requirements") == requirements_hash(requirements)


def create_environment(
    target: Path,
    requirements: Sequence[Path],
    python: Path | str,
    *,
    report: Report,
    smoke_test: str = SMOKE_TEST,
    pip_arguments: Sequence[str] = (),
    cancelled: Callable[[], bool] = lambda: False,
    variables: Mapping[str, str] | None = None,
) -> Path:
    """Make the environment ``target`` from requirement files, or keep it when it already is what they ask for.

    python: the Python to build on; smoke_test: code that must run in the new environment before it takes its place;
    pip_arguments: further arguments of ``pip install``; the whole output goes to ``<target>.log``.
    Returns the environment's Python. Raises SetupError (no_environment, disk_full, cancelled).
    """
    environment = {k: v for k, v in scrubbed_environment(variables).items() if k not in _PIP_PLACES}
    partial, old = target.with_name(f"{target.name}.partial"), target.with_name(f"{target.name}.old")
    if old.exists() and not target.exists():  # killed between the two renames of an earlier run
        _rename(old, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.with_name(f"{target.name}.log").open("w", encoding="utf-8") as log:
            runner = StepRunner(environment, log.write, cancelled)
            version = runner.run([str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
            if _state_matches(target, requirements) and _python_of(target) == version:
                report(InstallProgress("finish", 1, 1, "The environment is up to date."))
                return environment_python(target)
            _install(partial, requirements, str(python), runner, report, pip_arguments)
            report(InstallProgress("test", 0, 1, "Trying the new environment"))
            runner.run([str(environment_python(partial)), "-I", "-c", smoke_test])
        report(InstallProgress("finish", 0, 1, "Putting the new environment in place"))
        state = {"requirements": requirements_hash(requirements), "python": version}
        (partial / STATE_FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")
        _take_place(partial, target, old)
    except OSError as error:
        code = "disk_full" if error.errno == errno.ENOSPC else "no_environment"
        raise SetupError(code, f"The environment could not be made in {target}: {error.strerror}.") from error
    report(InstallProgress("finish", 1, 1, "The environment is ready."))
    return environment_python(target)


def _python_of(folder: Path) -> str:
    state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    return str(state.get("python", ""))


def _install(
    partial: Path,
    requirements: Sequence[Path],
    python: str,
    runner: StepRunner,
    report: Report,
    pip_arguments: Sequence[str],
) -> None:
    """A virtual environment in ``partial`` with the packages of the requirement files."""
    if partial.exists():
        shutil.rmtree(partial)
    report(InstallProgress("python", 0, 1, f"Making {partial}"))
    runner.run([python, "-I", "-m", "venv", str(partial)])
    total = sum(1 for path in requirements for line in path.read_text(encoding="utf-8").splitlines() if _is_pin(line))
    done = 0
    command = [str(environment_python(partial)), "-I", "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", *pip_arguments]
    for path in requirements:
        command += ["--requirement", str(path)]
    for line in runner.lines(command):
        if line.startswith(("Collecting ", "Processing ")):  # from an index; from a folder
            done = min(done + 1, total)
        if line.startswith(("Collecting ", "Processing ", "Installing ")) or line.lstrip().startswith("Downloading "):
            report(InstallProgress("packages", done, total, line.strip()[:200]))


def _is_pin(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(("#", "-"))


def _take_place(partial: Path, target: Path, old: Path) -> None:
    if old.exists():
        shutil.rmtree(old)
    if target.exists():
        _rename(target, old)
    _rename(partial, target)
    _correct_scripts(target, str(partial))
    shutil.rmtree(old, ignore_errors=True)  # what is left of it is removed next time


def _rename(source: Path, destination: Path) -> None:
    """Rename; on Windows a virus scanner may hold a new file for a moment."""
    for attempt in range(_RENAME_ATTEMPTS):
        try:
            source.rename(destination)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _RENAME_ATTEMPTS - 1:
                raise
            time.sleep(_RENAME_PAUSE_S)


def _correct_scripts(target: Path, former: str) -> None:
    """Scripts in ``bin`` name their Python by its path, which has just changed. (On Windows use ``python -m``.)"""
    if os.name == "nt":
        return
    for script in (target / "bin").iterdir():
        content = b"" if script.is_symlink() or not script.is_file() else script.read_bytes()
        if content.startswith(b"#!") or script.name.lower().startswith("activate"):
            script.write_bytes(content.replace(former.encode(), str(target).encode()))
