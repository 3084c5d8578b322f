"""The zip that animators install, and the files that set everything up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon

PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][^ ;*]*( ; [a-z_]+ [<>=!]+ \"[^\"]+\")?(  +# .+)?")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_addon.build_zip(tmp_path_factory.mktemp("dist"))


def test_building_twice_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    for path in build_addon.packed_files().values():
        os.utime(path)  # when a file was touched must not matter
    again = build_addon.build_zip(tmp_path)
    assert again.read_bytes() == archive.read_bytes()


def test_blenders_own_validator_passes_the_zip(archive: Path) -> None:
    assert build_addon.validate_zip(archive) == "passed by Blender's validator"


def test_blenders_own_validator_would_refuse_a_zip_without_manifest(archive: Path, tmp_path: Path) -> None:
    broken = tmp_path / archive.name
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            if name != "blender_manifest.toml":
                target.writestr(name, source.read(name))
    with pytest.raises(SystemExit, match="refuses"):
        build_addon.validate_zip(broken)


def test_zip_has_the_addon_the_backend_its_weights_and_its_requirements(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
    expected = {"__init__.py", "blender_manifest.toml", "core/client.py", "LICENSE", "requirements/backend.txt"}
    expected |= {"backend/__main__.py", "backend/server.py", "backend/weights/MODEL_CARD.md"}
    assert expected <= names
    assert any(re.fullmatch(r"backend/weights/.+\.safetensors", name) for name in names)
    for judging_or_training in ("evaluator", "beat_distance"):  # both are done from the repository
        assert f"backend/weights/{judging_or_training}.safetensors" not in names


def test_zip_has_no_caches_and_no_checkpoints(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert names == sorted(names)
    assert not [n for n in names if "__pycache__" in n or n.endswith((".pyc", ".pt", ".npz")) or "/." in n]


def test_a_file_that_blender_may_not_have_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kept.py", "__pycache__/kept.cpython-311.pyc", "run.pt", ".hidden/secret.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.name for path in build_addon._wanted(tmp_path)] == ["kept.py"]


@pytest.mark.parametrize(("source", "copy"), build_addon.SHARED_FILES.items())
def test_shared_file_is_the_same_on_both_sides_of_the_wire(source: str, copy: str) -> None:
    assert (build_addon.ROOT / copy).read_bytes() == (build_addon.ROOT / source).read_bytes()


def test_a_changed_shared_file_is_copied_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_addon, "ROOT", tmp_path)
    monkeypatch.setattr(build_addon, "SHARED_FILES", {"a.py": "b.py"})
    (tmp_path / "a.py").write_text("new")
    (tmp_path / "b.py").write_text("old")
    assert build_addon.refresh_shared_files() == ["b.py"]
    assert (tmp_path / "b.py").read_text() == "new"
    assert build_addon.refresh_shared_files() == []


@pytest.mark.parametrize("path", sorted(build_addon.REQUIREMENTS.glob("*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_one_exact_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "--constraint "))]
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    names = [line.split("==")[0] for line in lines]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["backend.txt", "blender.txt", "blender52.txt", "dev.txt"])
def test_every_direct_requirement_says_what_it_is_for(name: str) -> None:
    text = (build_addon.REQUIREMENTS / name).read_text()
    direct = text.split("# Direct\n")[1].split("# Indirect\n")[0].split("\n")
    assert [line for line in direct if line and "  # " not in line] == []


def test_installed_backend_packages_are_the_pinned_ones() -> None:
    listed = {}
    for name in ("backend.txt", "dev.txt"):
        for line in (build_addon.REQUIREMENTS / name).read_text().splitlines():
            if "==" in line:
                package, _, rest = line.partition("==")
                listed[package] = rest.split()[0]
    command = [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    installed = dict(line.split("==") for line in answer.stdout.splitlines() if "==" in line)
    for package, exact in installed.items():
        normal = re.sub(r"[-_.]+", "-", package).lower()
        if normal != "pip" and not normal.startswith(("nvidia-", "cuda-", "triton")):
            assert listed.get(normal) == exact.split("+")[0], package


def test_the_project_and_the_extension_have_one_version() -> None:
    project = tomllib.loads((build_addon.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == build_addon.version()


def test_a_python_that_runs_is_found_and_one_that_does_not_exist_is_not() -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert build_addon.find_python(here) is not None
    assert build_addon.find_python("3.99") is None


def test_a_launcher_that_cannot_start_its_python_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 3.99\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build_addon.find_python("3.99") is None
    shim.write_text(f"#!/bin/sh\necho 3.99\necho {shim}\n")
    assert build_addon.find_python("3.99") == str(shim)


def test_without_a_python_for_blenders_module_one_sentence_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build_addon, "find_python", lambda wanted: None)
    with pytest.raises(SystemExit, match=r"install Python 3\.11 .*python3\.11-venv") as caught:
        build_addon.blender_environment()
    assert "\n" not in str(caught.value)


def test_with_only_python_3_13_the_newest_blender_takes_the_older_ones_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_addon, "find_python", lambda wanted: "/python" if wanted == "3.13" else None)
    environment = build_addon.blender_environment()
    assert (environment.name, environment.requirements) == ("blender", ("blender52.txt",))
