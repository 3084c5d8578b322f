"""Finding, launching and creating the backend's environment; packages come from a small wheel made here, offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from blender_addon.core.client import BackendClient
from blender_addon.core.environment import (
    STATE_FILE,
    InstallProgress,
    SetupError,
    backend_launch,
    create_environment,
    environment_is_current,
    environment_python,
    find_backend_command,
    requirements_hash,
    scrubbed_environment,
)

ROOT = Path(__file__).resolve().parents[2]
SMOKE_TEST = "import pirouette_probe; assert pirouette_probe.STEPS == 8"


def silent(progress: InstallProgress) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one wheel: a module and a command."""
    folder = tmp_path_factory.mktemp("wheels")
    info = "pirouette_probe-1.0.dist-info"
    files = {
        "pirouette_probe.py": "STEPS = 8\n\ndef main() -> None:\n    print(STEPS)\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: pirouette-probe\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nprobe = pirouette_probe:main\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / "pirouette_probe-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return folder


@pytest.fixture(scope="module")
def made(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[InstallProgress]]:
    """An environment in a folder with a space in its name, its requirements, and what was reported."""
    folder = tmp_path_factory.mktemp("user folder")
    requirements = folder / "requirements.txt"
    requirements.write_text("# what the backend needs\npirouette-probe==1.0\n", encoding="utf-8")
    reports: list[InstallProgress] = []
    make(folder / "the environment", requirements, wheels, reports=reports)
    return folder / "the environment", requirements, reports


def make(
    target: Path,
    requirements: Path,
    wheels: Path,
    *,
    reports: list[InstallProgress] | None = None,
    smoke_test: str = SMOKE_TEST,
    variables: dict[str, str] | None = None,
) -> Path:
    return create_environment(
        target,
        [requirements],
        sys.executable,
        report=silent if reports is None else reports.append,
        smoke_test=smoke_test,
        pip_arguments=["--no-index", "--find-links", str(wheels)],
        variables=variables,
    )


Made = tuple[Path, Path, list[InstallProgress]]


def test_a_new_environment_holds_its_packages_and_commands(made: Made) -> None:
    target, requirements, _ = made
    python = environment_python(target)
    subprocess.run([python, "-I", "-c", SMOKE_TEST], check=True)
    command = python.with_name("probe.exe" if os.name == "nt" else "probe")
    if os.name != "nt":  # on Windows commands are run with python -m
        assert subprocess.run([command], capture_output=True, text=True, check=True).stdout == "8\n"
    assert environment_is_current(target, [requirements])
    assert [path.name for path in target.parent.glob("*.partial")] == []


def test_each_stage_is_reported_in_order(made: Made) -> None:
    stages = [progress.stage for progress in made[2]]
    assert list(dict.fromkeys(stages)) == ["python", "packages", "test", "finish"]
    collected = [p for p in made[2] if p.stage == "packages"]
    assert (collected[-1].done, collected[-1].total) == (1, 1)


def test_the_whole_output_is_kept_in_a_log(made: Made) -> None:
    log = made[0].with_name(f"{made[0].name}.log").read_text(encoding="utf-8")
    assert "Successfully installed pirouette-probe-1.0" in log


def test_a_second_run_keeps_the_environment(made: Made, wheels: Path) -> None:
    target, requirements, _ = made
    before = (target / STATE_FILE).stat().st_mtime_ns
    reports: list[InstallProgress] = []
    assert make(target, requirements, wheels, reports=reports) == environment_python(target)
    assert [progress.stage for progress in reports] == ["finish"]
    assert (target / STATE_FILE).stat().st_mtime_ns == before


def test_a_comment_does_not_change_what_is_asked_for_and_a_version_does(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    one.write_text("a==1\n", encoding="utf-8")
    two.write_text("# why\n\n  a==1  \n", encoding="utf-8")
    three.write_text("a==2\n", encoding="utf-8")
    assert requirements_hash([one]) == requirements_hash([two])
    assert requirements_hash([one]) != requirements_hash([three])
    assert requirements_hash([one]) != requirements_hash([one, one])


def test_an_environment_that_fails_its_trial_does_not_take_the_place_of_the_old_one(
    made: Made, wheels: Path, tmp_path: Path
) -> None:
    target = tmp_path / "environment"
    shutil.copytree(made[0], target, symlinks=True)
    (target / STATE_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(SetupError, match="libtorch is broken"):
        make(target, made[1], wheels, smoke_test="raise SystemExit('libtorch is broken')")
    subprocess.run([environment_python(target), "-I", "-c", SMOKE_TEST], check=True)


def test_a_killed_installation_is_taken_up_again(made: Made, wheels: Path, tmp_path: Path) -> None:
    """A half-made environment is thrown away; one that was set aside for a rename comes back."""
    target = tmp_path / "environment"
    shutil.copytree(made[0], tmp_path / "environment.old", symlinks=True)
    (tmp_path / "environment.partial").mkdir()
    (tmp_path / "environment.partial" / "half").write_text("written", encoding="utf-8")
    reports: list[InstallProgress] = []
    make(target, made[1], wheels, reports=reports)
    assert [progress.stage for progress in reports] == ["finish"]
    assert environment_is_current(target, [made[1]])


def test_a_new_environment_replaces_a_half_made_and_an_outdated_one(made: Made, wheels: Path, tmp_path: Path) -> None:
    target = tmp_path / "environment"
    target.mkdir()
    (target / "outdated").write_text("", encoding="utf-8")
    (tmp_path / "environment.partial").mkdir()
    user = {"PIP_TARGET": str(tmp_path / "elsewhere"), "PIP_USER": "1", "PYTHONPATH": "/nowhere", **os.environ}
    make(target, made[1], wheels, variables=user)
    assert environment_is_current(target, [made[1]])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["environment", "environment.log"]


def test_a_cancelled_installation_leaves_nothing_in_place(made: Made, wheels: Path, tmp_path: Path) -> None:
    reports: list[InstallProgress] = []
    with pytest.raises(SetupError) as caught:
        create_environment(
            tmp_path / "environment",
            [made[1]],
            sys.executable,
            report=reports.append,
            smoke_test=SMOKE_TEST,
            cancelled=lambda: bool(reports),
        )
    assert caught.value.code == "cancelled"
    assert not (tmp_path / "environment").exists()


def test_a_python_that_does_not_exist_is_told_by_its_path(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match=r"There is no Python at .*no python"):
        create_environment(tmp_path / "e", [requirements], tmp_path / "no python", report=silent)


def test_a_folder_that_cannot_be_made_is_told_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(SetupError, match=r"could not be made in .*file"):
        create_environment(tmp_path / "file" / "e", [], sys.executable, report=silent)


@pytest.mark.skipif(os.name == "nt", reason="a script as a Python")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk_full",
            "full",
        ),
        ("The virtual environment was not created: ensurepip is not available.", "no_environment", "python3-venv"),
        ("ERROR: No matching distribution found for torch==9", "no_environment", "No matching distribution"),
    ],
)
def test_a_failure_is_told_in_words_one_can_act_on(tmp_path: Path, words: str, code: str, sentence: str) -> None:
    with pytest.raises(SetupError) as caught:
        create_environment(tmp_path / "e", [], failing_python(tmp_path, words), report=silent)
    assert caught.value.code == code
    assert sentence in str(caught.value)


def failing_python(folder: Path, words: str) -> Path:
    """A Python that can tell its version and fails at everything else with these words."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ncase \"$*\" in *version_info*) echo 3.11;; *) echo '{words}'; exit 1;; esac\n")
    python.chmod(0o755)
    return python


@pytest.mark.skipif(os.name == "nt", reason="a script as a Python")
def test_the_old_environment_stays_when_the_new_one_cannot_be_made(made: Made, tmp_path: Path) -> None:
    target = tmp_path / "environment"
    shutil.copytree(made[0], target, symlinks=True)
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("pirouette-probe==2.0\n", encoding="utf-8")
    with pytest.raises(SetupError, match="the disk is on fire"):
        create_environment(target, [wrong], failing_python(tmp_path, "the disk is on fire"), report=silent)
    assert environment_is_current(target, [made[1]])


def test_variables_that_lead_another_python_astray_are_left_out() -> None:
    host = {
        "PYTHONPATH": "a",
        "PythonHome": "b",
        "VIRTUAL_ENV": "c",
        "PATH": "d",
        "PIP_INDEX_URL": "e",
        "HTTPS_PROXY": "f",
    }
    assert scrubbed_environment(host) == {"PATH": "d", "PIP_INDEX_URL": "e", "HTTPS_PROXY": "f"}


def test_the_backend_is_launched_isolated_without_a_shell(tmp_path: Path) -> None:
    command = backend_launch("/a b/python", tmp_path / "the backend", variables={"PYTHONHOME": "x", "PATH": "y"})
    assert command.arguments[:2] == ("/a b/python", "-I")
    assert command.arguments[-2:] == (str(tmp_path / "the backend" / "__main__.py"), "serve")
    assert "PYTHONHOME" not in command.environment
    assert command.environment["KMP_BLOCKTIME"] == "0"
    assert command.environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert command.environment["HF_HUB_OFFLINE"] == "1"


def test_the_real_backend_starts_in_a_folder_with_spaces_beside_misleading_names(tmp_path: Path) -> None:
    """As in Blender's folder of extensions, where core/ and properties.py lie beside backend/."""
    extension = tmp_path / "my extensions" / "pirouette"
    extension.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
    shutil.copytree(ROOT / "backend", extension / "backend", ignore=ignored)
    for name in ("json.py", "argparse.py", "typing.py"):
        (extension / name).write_text("raise RuntimeError('the wrong module')", encoding="utf-8")
        (extension / "backend" / name).write_text("raise RuntimeError('the wrong module')", encoding="utf-8")
    host = {**os.environ, "PYTHONPATH": str(extension), "PYTHONSTARTUP": "x", "PYTHONHOME": "/nowhere"}
    command = backend_launch(sys.executable, extension / "backend", variables=host)
    client = BackendClient(command.arguments, log_path=tmp_path / "log", environment=command.environment)
    client.start()
    try:
        assert client.wait(client.submit({"type": "ping"}), 60.0).type == "pong"
    finally:
        client.close(10.0)


def found(tmp_path: Path, **settings: object) -> tuple[str, tuple[str, ...]]:
    defaults: dict[str, object] = {"environment_folder": tmp_path / "environment", "variables": {"PATH": os.defpath}}
    command = find_backend_command(backend_folder=ROOT / "backend", **{**defaults, **settings})  # type: ignore[arg-type]
    return command.origin, command.arguments


def test_the_preference_comes_first_then_the_variable_then_the_installed_environment(
    made: Made, tmp_path: Path
) -> None:
    variables = {"PIROUETTE_BACKEND_PYTHON": sys.executable}
    installed = {"environment_folder": made[0], "requirements": [made[1]]}
    assert found(tmp_path, preference=sys.executable, variables=variables, **installed)[0] == "preference"
    assert found(tmp_path, variables=variables, **installed)[0] == "variable"
    origin, arguments = found(tmp_path, **installed)
    assert origin == "installed"
    assert arguments[0] == str(environment_python(made[0]))


def test_the_preference_may_be_a_whole_command(tmp_path: Path) -> None:
    tool = Path(sys.executable)
    preference = f'"{tool}" -m elsewhere serve --note "two words"'
    assert found(tmp_path, preference=preference) == (
        "preference",
        (str(tool), "-m", "elsewhere", "serve", "--note", "two words"),
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "not installed yet"),
        ({"preference": "no-such-program --serve"}, "'no-such-program', which is not a program"),
        ({"preference": 'unfinished "quote'}, "cannot be read"),
        ({"variables": {"PIROUETTE_BACKEND_PYTHON": "/no/python"}}, "/no/python, which does not exist"),
    ],
)
def test_a_backend_that_is_not_there_is_told_in_a_sentence(
    tmp_path: Path, settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SetupError) as caught:
        found(tmp_path, **settings)
    assert caught.value.code == "no_environment"
    assert sentence in caught.value.message


def test_an_environment_of_other_requirements_is_told_as_outdated(made: Made, tmp_path: Path) -> None:
    newer = tmp_path / "newer.txt"
    newer.write_text("pirouette-probe==3.0\n", encoding="utf-8")
    with pytest.raises(SetupError, match="of another version"):
        found(tmp_path, environment_folder=made[0], requirements=[newer])


def test_a_damaged_state_file_makes_an_environment_outdated(made: Made, tmp_path: Path) -> None:
    target = tmp_path / "environment"
    shutil.copytree(made[0], target, symlinks=True)
    for text in ("", "[]", '{"requirements": 1}', json.dumps({"requirements": "0"})):
        (target / STATE_FILE).write_text(text, encoding="utf-8")
        assert not environment_is_current(target, [made[1]])
