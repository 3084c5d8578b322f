#!/usr/bin/env python3
"""Build, show and test Pirouette on any machine that has Python 3.11 or 3.13 with venv and pip. Standard library only.

python3 build_addon.py         builds dist/pirouette-VERSION.zip, the extension for Blender 4.2 to 5.2
python3 build_addon.py demo    sets everything up and makes a dance for the bundled song in out/demo
python3 build_addon.py test    sets everything up and runs every check and test
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  the person may not have looked
    sys.exit(f"Pirouette needs Python 3.11 or 3.13; this is Python {sys.version.split()[0]}: install Python 3.11.")

import tomllib  # it exists from Python 3.11 on

from blender_addon.core.environment import InstallProgress, SetupError, create_environment

ROOT = Path(__file__).resolve().parent
ADDON, BACKEND, DIST, DEMO = ROOT / "blender_addon", ROOT / "backend", ROOT / "dist", ROOT / "out" / "demo"
REQUIREMENTS = ROOT / "requirements"
SONG = ROOT / "tests" / "fixtures" / "songs" / "mentalgroove.opus"
DEMO_FILES = ("dance.blend", "dance.mp4", "dance.png", "report.json")

# Files that both processes use: the left one is edited, the right one is its copy in Blender's half.
SHARED_FILES = {
    "backend/protocol.py": "blender_addon/core/protocol.py",
    "backend/errors.py": "blender_addon/core/errors.py",
    "backend/motion/resample.py": "blender_addon/core/resample.py",
    "backend/motion/skeleton.py": "blender_addon/core/skeleton.py",
}
PACKED_SUFFIXES = frozenset({".py", ".toml", ".json", ".safetensors", ".md", ".txt", ".svg", ".png"})
NOT_PACKED = frozenset({"evaluator.safetensors", "beat_distance.safetensors"})  # needed to judge and to train alone
PACKED_TIME = (2020, 1, 1, 0, 0, 0)

BPY_FOR_PYTHON = {"3.11": "blender.txt", "3.13": "blender52.txt"}  # in order of preference
STARTED = time.monotonic()


def say(text: str) -> None:
    """Prints a line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:4.0f} s] {text}", flush=True)


# The zip


def refresh_shared_files() -> list[str]:
    """Brings the copies in blender_addon/ up to date; returns the ones that were not."""
    changed = []
    for source, copy in SHARED_FILES.items():
        content = (ROOT / source).read_bytes()
        if not (ROOT / copy).exists() or (ROOT / copy).read_bytes() != content:
            (ROOT / copy).write_bytes(content)
            changed.append(copy)
    return changed


def version() -> str:
    """The extension's version, from its manifest."""
    return str(tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))["version"])


def packed_files() -> dict[str, Path]:
    """Name in the zip and file of everything that belongs to the extension, in the zip's order."""
    found = {path.relative_to(ADDON).as_posix(): path for path in _wanted(ADDON)}
    found |= {f"backend/{path.relative_to(BACKEND).as_posix()}": path for path in _wanted(BACKEND)}
    found |= {f"requirements/{name}": REQUIREMENTS / name for name in ("backend.txt", "cuda.txt")}
    found["LICENSE"] = ROOT / "LICENSE"
    return dict(sorted(found.items()))


def _wanted(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.suffix in PACKED_SUFFIXES and path.name not in NOT_PACKED:
            yield path


def build_zip(folder: Path = DIST) -> Path:
    """Builds the extension's zip; the same files give the same bytes, whenever and wherever it is built."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"pirouette-{version()}.zip"
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in packed_files().items():
            entry = zipfile.ZipInfo(name, PACKED_TIME)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    partial.replace(target)
    return target


def validate_zip(archive: Path) -> str:
    """What Blender's own validator says about the zip, or the reason why it was not asked."""
    found = sorted(ROOT.glob(".venv/blender*/**/addons_core/bl_pkg/cli/blender_ext.py"))
    if not found:
        return "not validated: Blender's validator comes with the environments that demo and test make"
    command = [sys.executable, str(found[0]), "validate", str(archive)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise SystemExit(f"Blender's validator refuses {archive.name}:\n{outcome.stdout}{outcome.stderr}")
    return "passed by Blender's validator"


def build() -> Path:
    """Refreshes the shared files, builds the zip and has it validated."""
    for copy in refresh_shared_files():
        say(f"{copy} was out of date and is a copy again")
    archive = build_zip()
    say(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB, {validate_zip(archive)}")
    return archive


# The environments


@dataclass(frozen=True)
class Environment:
    """A virtual environment of the project and what it is made from."""

    name: str
    python: str
    requirements: tuple[str, ...]
    smoke_test: str

    def make(self) -> str:
        """Makes the environment, or keeps it when it is what the requirements ask for; returns its Python."""
        say(f"environment {self.name}: from {' and '.join(self.requirements)}, on {self.python}")
        files = [REQUIREMENTS / name for name in self.requirements]
        folder = ROOT / ".venv" / self.name
        python = create_environment(folder, files, self.python, report=InstallLog(), smoke_test=self.smoke_test)
        return str(python)


class InstallLog:
    """Tells the progress of an installation in words: on a terminal in one line, elsewhere now and then."""

    def __init__(self) -> None:
        self.told = 0.0
        self.stage = ""

    def __call__(self, step: InstallProgress) -> None:
        text = f"  {step.stage}: {step.done} of {step.total}, {step.detail.split(' (from ')[0]}"
        if sys.stdout.isatty() and step.stage == "packages":
            print(f"\r[{time.monotonic() - STARTED:4.0f} s] {text:<110.110}", end="", flush=True)
        elif step.stage != self.stage or "Installing" in step.detail or time.monotonic() - self.told > 10:
            print(end="\r" if sys.stdout.isatty() else "")
            say(f"{text:<110.110}".rstrip())
            self.told = time.monotonic()
        self.stage = step.stage


def backend_environment() -> Environment:
    """The backend's environment with the developer's tools in it."""
    python = find_python("3.11") or find_python("3.13") or sys.executable
    return Environment("backend", python, ("backend.txt", "dev.txt"), "import torch, librosa, soundfile, tokenizers")


def blender_environment() -> Environment:
    """Blender as a Python module, in the newest version for a Python that this machine has."""
    for wanted, requirements in BPY_FOR_PYTHON.items():
        if python := find_python(wanted):
            return Environment("blender", python, (requirements,), "import bpy")
    raise SystemExit(
        f"Blender's Python module exists for Python 3.11 and 3.13, not for {sys.version.split()[0]}: "
        "install Python 3.11 with its venv module (on Debian and Ubuntu python3.11 and python3.11-venv)."
    )


def find_python(wanted: str) -> str | None:
    """A Python of this version, such as 3.11, that runs and can make virtual environments."""
    names = [f"python{wanted}", "python3", "python"] if os.name != "nt" else ["python"]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    candidates = [Path(sys.executable), *(Path(folder) / name for name in names for folder in folders if folder)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(pyenv.glob(f"versions/{wanted}.*/bin/python{wanted}"))
    tried = [[str(path)] for path in dict.fromkeys(candidates) if shutil.which(path)]
    if launcher := shutil.which("py"):
        tried.append([launcher, f"-{wanted}"])
    question = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"
    for command in tried:
        try:
            answer = subprocess.run([*command, "-I", "-c", question], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.split("\n")[0] == wanted:
            return answer.stdout.split("\n")[1]
    return None


# The demo


def demo() -> int:
    """Installs the zip into a fresh Blender, makes the bundled song's dance and writes the four files."""
    environment = blender_environment()  # first: a Python for which there is no Blender should cost no time
    python, blender = backend_environment().make(), environment.make()
    archive = build()
    DEMO.mkdir(parents=True, exist_ok=True)
    for name in DEMO_FILES:
        (DEMO / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="pirouette-demo-") as user_folder:
        script = [str(ROOT / "tests" / "demo" / "record_dance.py"), "--zip", str(archive)]
        command = [blender, "-X", "utf8", *script, "--song", str(SONG), "--out", str(DEMO)]
        code = _run_in_blender(command, DEMO / "demo.log", _variables(user_folder, python))
    missing = [name for name in DEMO_FILES if not (DEMO / name).is_file()]
    if code or missing:
        print((DEMO / "demo.log").read_text(encoding="utf-8", errors="replace")[-3000:])
        say(f"the demo failed (exit code {code}; missing: {', '.join(missing) or 'nothing'}); see {DEMO / 'demo.log'}")
        return 1
    for name in DEMO_FILES:
        say(f"{(DEMO / name).relative_to(ROOT)}: {(DEMO / name).stat().st_size / 1e6:.2f} MB")
    print((DEMO / "report.json").read_text(encoding="utf-8"))
    return 0


def _run_in_blender(command: Sequence[str], log_path: Path, variables: dict[str, str]) -> int:
    """Runs a script that speaks to the user in lines that begin with SAY; the rest goes to the log."""
    with log_path.open("w", encoding="utf-8") as log:
        child = subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        )
        assert child.stdout is not None
        for line in child.stdout:
            log.write(line)
            log.flush()
            if line.startswith("SAY "):
                say(f"  {line[4:].strip()}")
        return child.wait()


def _variables(user_folder: str, backend_python: str) -> dict[str, str]:
    return {
        **os.environ,
        "BLENDER_USER_RESOURCES": user_folder,
        "PIROUETTE_BACKEND_PYTHON": backend_python,
        "KMP_BLOCKTIME": "0",
    }


# The tests


@dataclass(frozen=True)
class Outcome:
    """How one of the test steps ended."""

    name: str
    result: str
    seconds: float


def test() -> int:
    """Sets everything up and runs every check and test; the exit code is 1 when any of them failed."""
    blender = blender_environment()
    python, blender_python = backend_environment().make(), blender.make()
    build()
    with tempfile.TemporaryDirectory(prefix="pirouette-test-") as folder:
        variables = _variables(folder, python)
        outcomes = [
            _step("format", [python, "-m", "ruff", "format", "--check", "."], variables),
            _step("lint", [python, "-m", "ruff", "check", "."], variables),
            _step("types", [python, "-m", "mypy"], variables),
            _step("backend, core, build", _pytest(python, "backend", "core", "test_build.py"), variables),
            _step(f"add-on, {blender.requirements[0]}", _pytest(blender_python, "core", "addon"), variables),
            _newest_blender(blender, variables),
            _application(python, variables),
        ]
    print(f"\n{'step':<32}{'seconds':>8}  result")
    for outcome in outcomes:
        print(f"{outcome.name:<32}{outcome.seconds:>8.0f}  {outcome.result}")
    counts = {word: sum(o.result.startswith(word) for o in outcomes) for word in ("passed", "failed", "skipped")}
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["failed"] else 0


def _pytest(python: str, *places: str) -> list[str]:
    return [python, "-X", "utf8", "-m", "pytest", "-q", *(str(ROOT / "tests" / place) for place in places)]


def _step(name: str, command: Sequence[str], variables: dict[str, str]) -> Outcome:
    say(name)
    started = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode
    return Outcome(name, "passed" if code == 0 else f"failed with exit code {code}", time.monotonic() - started)


def _newest_blender(other: Environment, variables: dict[str, str]) -> Outcome:
    """The add-on's tests on Blender 5.2 as well, where a Python 3.13 stands beside 3.11."""
    name, newest = "add-on, blender52.txt", BPY_FOR_PYTHON["3.13"]
    if other.requirements == (newest,):
        return Outcome(name, "skipped: the run before was on it", 0.0)
    if (python := find_python("3.13")) is None:
        return Outcome(name, "skipped: no Python 3.13 with venv was found beside 3.11", 0.0)
    blender_python = Environment("blender52", python, (newest,), "import bpy").make()
    return _step(name, _pytest(blender_python, "core", "addon"), variables)


def _application(python: str, variables: dict[str, str]) -> Outcome:
    """Real clicks in the window of a real Blender, where one is installed with a screen to see it on."""
    name, screen = "real application", "DISPLAY" in os.environ or shutil.which("xvfb-run")
    if shutil.which("blender") is None or shutil.which("import") is None or not screen:
        return Outcome(name, "skipped: it needs Blender, ImageMagick and a display or xvfb-run", 0.0)
    return _step(name, _pytest(python, "ui"), variables)


def main() -> int:
    """Do what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("zip", "demo", "test"), default="zip")
    what = parser.parse_args().what
    try:
        if what == "demo":
            return demo()
        if what == "test":
            return test()
        build()
    except SetupError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
